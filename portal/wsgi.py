"""The entry point of a production server."""

import gc
import os
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

if settings.DEBUG:
    raise ImproperlyConfigured(
        "Set PUBLIC_URL to the address that users type: without it the portal shows its inside "
        "on every error, which is for development alone."
    )


class Request(WSGIRequest):
    """A request whose media type may be nonsense: then it has none."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Django reads it before any middleware could answer, and lets this error out.
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params = "", {}


class Application(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
import_module(settings.ROOT_URLCONF)  # Brings all pages along, which the first request would.
# What is there by now stays. Left to the collector it is looked through again and again, for a
# tenth of a second each time, while somebody waits for an answer.
gc.collect()
gc.freeze()
application = Application()
