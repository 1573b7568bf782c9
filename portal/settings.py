"""All settings, from the environment.

`PUBLIC_URL` is the address that users type, and what makes this an installation: hosts,
redirects and secure cookies follow from it, and `SECRET_KEY` and `DATABASE_URL` must be set.
Without it this is development: debug pages, the embedded PostgreSQL, loopback addresses only.
"""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from portal import logs

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]

PUBLIC_URL = os.environ.get("PUBLIC_URL", "").rstrip("/")
DEBUG = not PUBLIC_URL
# Where links in e-mails lead.
LINK_URL = PUBLIC_URL or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"


def _development_secret() -> str:
    """A key of this checkout's own, kept so that logins survive a restart."""
    path = VAR_DIR / "secret-key"
    if not path.exists():
        VAR_DIR.mkdir(exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.touch(mode=0o600)
        new.write_text(secrets.token_urlsafe(50))
        new.replace(path)  # in one step: another process may be reading
    return path.read_text()


SECRET_KEY = os.environ.get("SECRET_KEY", "")
if DEBUG and not SECRET_KEY:
    SECRET_KEY = _development_secret()
elif len(SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "Set SECRET_KEY to a random string of at least 50 characters, and keep it: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )

# Addresses
if PUBLIC_URL:
    _url = urlsplit(PUBLIC_URL)
    _host = _url.hostname or ""
    if _url.scheme not in ("http", "https") or not _host or _url.path:
        raise ImproperlyConfigured("PUBLIC_URL is an origin, such as https://portal.example.com.")
    if _url.scheme == "http" and _host not in ("127.0.0.1", "localhost", "::1"):
        raise ImproperlyConfigured("PUBLIC_URL may be http:// for a loopback address only.")
    ALLOWED_HOSTS = [f"[{_host}]" if ":" in _host else _host]
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
    _secure = _url.scheme == "https"
else:
    ALLOWED_HOSTS = LOOPBACK
    _secure = False
SECURE_SSL_REDIRECT = _secure
SESSION_COOKIE_SECURE = _secure
CSRF_COOKIE_SECURE = _secure
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _secure
SECURE_HSTS_PRELOAD = _secure
if _secure:
    # TLS ends at the proxy, which must set this header itself (docs/operating.md).
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Applications
INSTALLED_APPS = [
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "js_lib_bootstrap5",
    "heroicons",
    "ninja",
    "axes",
    "portal.apps.PortalConfig",
    "catalog.apps.CatalogConfig",
    "customers.apps.CustomersConfig",
    "orders.apps.OrdersConfig",
]
MIDDLEWARE = [
    "portal.logs.RequestIdMiddleware",
    "portal.views.HealthMiddleware",
    "portal.api.ApiErrorsMiddleware",
    "portal.keys.KeyUseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.tenancy.TenantMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.login.LoginMiddleware",
    "portal.views.MissingPageMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "portal.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# Database
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if os.environ.get("DATABASE_URL"):
    DATABASES = {"default": dj_database_url.config(conn_max_age=60, conn_health_checks=True)}
elif DEBUG or os.environ.get("ALLOW_EMBEDDED") == "1":
    from portal.localdb import server

    DATABASES = {
        "default": {
            "ENGINE": "portal.localdb",
            "NAME": server.DATABASE,
            "USER": server.USER,
            "HOST": str(server.SOCKET),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    }
else:
    raise ImproperlyConfigured(
        "Set DATABASE_URL to a PostgreSQL server (15 to 18), or ALLOW_EMBEDDED=1 to serve from "
        "the embedded one, which is made for trying things out."
    )

# People
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
# Its tables know no tenant.
AXES_ENABLE_ADMIN = False
# Nobody would read who logged in when and from where, and nothing would ever delete it.
AXES_DISABLE_ACCESS_LOG = True

# Mail
EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("EMAIL_USE_TLS") == "1"
EMAIL_TIMEOUT = 10  # Seconds: somebody is waiting for the answer.
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "portal@localhost")

# Language, time, files
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
if not DEBUG:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
# Source maps are large, and nobody downloads them in production.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [
    "map",
    "png",
    "jpg",
    "gif",
    "webp",
    "woff",
    "woff2",
    "gz",
    "br",
]
# Bodies of the API may have 2 MB; the API itself says so when one is larger.
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
# Of an order's 200 lines each has eight on a manager's page, and pasted ones may be too many first.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

LOGGING = logs.configuration(debug=DEBUG)
