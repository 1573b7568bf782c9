"""The API: keys, errors as JSON, and the operations of the apps, named as strings."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django_scopes import scope
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.security import HttpBearer
from psycopg.errors import DeadlockDetected, LockNotAvailable

from portal.api_request import ApiError, json_response
from portal.errors import Detail, DomainError, PermissionRefused, ValidationFailed, error_body
from portal.keys import key_of
from portal.listing import refuse_bad_query
from portal.models import ApiKey
from portal.openapi import COMPONENTS, HEADERS, RESPONSES
from portal.permissions import Actor
from portal.rate_limit import rate_limit
from portal.tenancy import API_PREFIX

logger = logging.getLogger(__name__)


class bearerAuth(HttpBearer):  # noqa: N801 (the contract's name of the security scheme)
    """Knows the key, counts the request, checks `Tenant-ID`, and opens the tenant's scope."""

    openapi_description = (
        "An API key, `<id>.<secret>`, from the admin (Access, API keys) or `manage.py "
        "create_api_key`. What it may do is said by its scopes; each operation names the one that "
        "it takes."
    )

    def __call__(self, request: HttpRequest) -> ApiKey:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.openapi_scheme or not token.strip():
            raise _unauthorised("AUTH_REQUIRED", "Send an API key: Authorization: Bearer <key>.")
        return self.authenticate(request, token.strip())

    def authenticate(self, request: Any, token: str) -> ApiKey:
        key = key_of(token)
        if key is None:
            raise _unauthorised("INVALID_TOKEN", "This API key is unknown, revoked or expired.")
        request.auth = key
        if wait := rate_limit.wait(key):
            message = f"This key may make {key.requests_a_minute:,} requests a minute."
            raise ApiError(429, "RATE_LIMITED", message, {"Retry-After": str(wait)})
        if request.headers.get("Tenant-ID") != key.tenant.slug:
            message = "Send the tenant that this API key belongs to in the header Tenant-ID."
            raise PermissionRefused(message, "NO_TENANT_ACCESS")
        request.scopes.enter_context(scope(tenant=key.tenant))
        request.tenant, request.actor = key.tenant, Actor.from_key(key)
        refuse_bad_query(request)
        return key


def _unauthorised(code: str, message: str) -> ApiError:
    return ApiError(401, code, message, {"WWW-Authenticate": "Bearer"})


def _page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The document and its page can be read, not sent to; the API knows no CSRF cookie."""
    return csrf_exempt(require_safe(view))


class Docs(Swagger):
    """Swagger UI in a page of ours: amended for keyboards and screen readers."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        settings = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        return render(request, "api/docs.html", {"api": api, "settings": settings})


class PortalAPI(NinjaAPI):
    """With our own objects in the document, and in each description the scope that it takes."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**kwargs)
        document["components"]["schemas"] |= COMPONENTS
        document["components"] |= {"headers": HEADERS, "responses": RESPONSES}
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["description"] += f"\n\nScope: `{operation['x-scope']}`."
        return document


api = PortalAPI(
    title="Portal API",
    version="1.0.0",
    description=(
        "Orders for rented devices. Amounts are per month, in the tenant's currency.\n\n"
        "Every request needs a key and its tenant in `Tenant-ID`. A body is JSON in UTF-8, sent "
        "in one piece with `Content-Length`. Everything that is refused is answered by the same "
        "object, `Error`, and leaves nothing behind; every answer has an `X-Request-ID`. Where "
        "`Idempotency-Key` is taken, send one: the same request can be sent again then, and is "
        "done once. A method that an address does not take is 405 `METHOD_NOT_ALLOWED`, with "
        "those that it does in `Allow`."
    ),
    urls_namespace="api",
    auth=bearerAuth(),
    docs=Docs(),
    docs_decorator=_page,
    openapi_extra={
        "tags": [
            {"name": "Orders", "description": "What customers ordered."},
            {"name": "Products", "description": "What can be ordered, and at what price."},
            {"name": "Customers", "description": "Who orders. They are made by their first order."},
        ]
    },
)


def error_response(error: DomainError) -> HttpResponse:
    headers = error.headers if isinstance(error, ApiError) else None
    return json_response({"error": error_body(error)}, status=error.status, headers=headers)


@api.exception_handler(DomainError)
def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    return error_response(error)


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error.__cause__, (DeadlockDetected, LockNotAvailable)):
        logger.warning("Two requests were in each other's way.", exc_info=error)
        message = "Somebody else changed the same just now. Nothing was done; try again."
    else:
        logger.error("The database does not answer.", exc_info=error)
        message = "The portal cannot reach its database. Try again in a moment."
    return error_response(ApiError(503, "UNAVAILABLE", message, {"Retry-After": "2"}))


@api.exception_handler(Http404)
def missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return error_response(_of_status(404))


@api.exception_handler(Exception)
def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("The API failed.", exc_info=error)
    return error_response(_of_status(500))


_STATUS_ERRORS = {
    400: ("VALIDATION_ERROR", "The request is not valid."),
    404: ("NOT_FOUND", "There is no such address. See /v1/docs."),
    405: ("METHOD_NOT_ALLOWED", "This address does not take that method; see Allow."),
    500: ("INTERNAL_ERROR", "Something went wrong here. Try again, or tell us the X-Request-ID."),
}


def _of_status(status: int) -> ApiError:
    code, message = _STATUS_ERRORS.get(status) or (
        HTTPStatus(status).name,
        HTTPStatus(status).phrase,
    )
    return ApiError(status, code, message)


class ApiErrorsMiddleware:
    """Below `/v1` every error is JSON, also those that Django itself answers as a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not f"{request.path}/".startswith(API_PREFIX):
            return self.get_response(request)
        try:
            _require_our_address(request)
        except DomainError as error:
            return error_response(error)
        response = self.get_response(request)
        if response.status_code < 400 or _is_json(response):
            return response
        # In place, so that what other middleware said in headers stays.
        response.content = error_response(_of_status(response.status_code)).content
        response["Content-Type"] = "application/json"
        response["Content-Length"] = str(len(response.content))
        return response


def _require_our_address(request: HttpRequest) -> None:
    """Raises ValidationFailed at `Host` for a host that is not ours. Raises ApiError 403 for what
    is sent in clear text where the portal is served over https, unless it only looks, without a
    key: a client that were redirected would repeat a POST as a GET, and take that for an answer.
    """
    try:
        request.get_host()
    except DisallowedHost as error:
        logger.warning("The API was asked under another host. %s", error)
        message = f"The portal does not answer under this host. Send it to {settings.LINK_URL}."
        raise ValidationFailed([Detail("Host", "VALIDATION_ERROR", message)]) from error
    looks = request.method in ("GET", "HEAD") and "Authorization" not in request.headers
    if settings.SECURE_SSL_REDIRECT and not request.is_secure() and not looks:
        message = "Send it over https. Nothing was done; a key that came so may be known to others."
        raise ApiError(403, "HTTPS_REQUIRED", message)


def _is_json(response: HttpResponse) -> bool:
    return response.get("Content-Type", "").startswith("application/json")


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest) -> HttpResponse:
    """Any unknown address below `/v1`, with or without a slash at its end."""
    return error_response(_of_status(404))


api.add_router("", "orders.api.router")
# Before the products: “csv” would be taken for a product id.
api.add_router("", "catalog.imports.api.router")
api.add_router("", "catalog.api.router")
api.add_router("", "customers.api.router")
