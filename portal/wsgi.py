"""The entry point of a production server."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

if settings.DEBUG:
    raise ImproperlyConfigured(
        "Set PUBLIC_URL to the address that users type: without it the portal shows its inside "
        "on every error, which is for development alone."
    )
application = get_wsgi_application()
