"""The portal's own settings, on the benchmark's database and with one more page."""

import os

from portal.settings import *  # noqa: F403 (settings are meant to be taken over whole)
from portal.settings import DATABASES, MIDDLEWARE, STATIC_ROOT

ROOT_URLCONF = "bench.urls"
if "BENCH_DATABASE" in os.environ:
    DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
if "BENCH_STATEMENTS" in os.environ:
    MIDDLEWARE.insert(0, "bench.statements.counted")
# Compressing files takes longer than everything else here: served as they lie in the checkout.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
