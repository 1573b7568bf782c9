"""Which tenant a request works in. Without one, every query of a tenant's table raises."""

from collections.abc import Callable
from contextlib import ExitStack

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails
from django_scopes import scope

from portal.formats import use_formats
from portal.models import Tenant, User

SESSION_KEY = "tenant_id"
"""Where a superuser's chosen tenant is kept in the session."""

API_PREFIX = "/v1/"


class PortalRequest(HttpRequest):
    """A request of somebody who is logged in: `user` and the `tenant` that they work in."""

    user: User
    tenant: Tenant
    scopes: ExitStack
    htmx: HtmxDetails


def working_tenant(request: HttpRequest) -> Tenant | None:
    """The user's own tenant; for a superuser the one chosen in the admin, if any."""
    user = request.user
    if not isinstance(user, User):
        return None
    chosen = request.session.get(SESSION_KEY) if user.is_superuser else None
    if chosen is None or chosen == user.tenant_id:
        return user.tenant
    return Tenant.objects.filter(pk=chosen).first() or user.tenant


class TenantMiddleware:
    """Opens the scope of the working tenant for the length of a request.

    API requests have no session: their key opens the scope through `request.scopes`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as scopes:
            request.scopes = scopes  # type: ignore[attr-defined]
            request.tenant = None  # type: ignore[attr-defined]
            if not request.path.startswith(API_PREFIX):
                tenant = working_tenant(request)
                if tenant is not None:
                    request.tenant = tenant  # type: ignore[attr-defined]
                    scopes.enter_context(scope(tenant=tenant))
                    scopes.enter_context(timezone.override(tenant.zone))
                    scopes.enter_context(use_formats(request.user.formats, tenant.zone))  # type: ignore[union-attr]
            return self.get_response(request)
