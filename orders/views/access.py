"""Who may type orders."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache

from portal.errors import NotFound
from portal.tenancy import PortalRequest


def who_see_customers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For those who may see customers, which somebody who types orders may not always."""
    return permission_required("customers.view_customer", raise_exception=True)(view)


def for_reps(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For those who may order, in their own tenant; somebody else's draft does not exist."""

    @wraps(view)
    def wrapped(request: PortalRequest, **kwargs: Any) -> HttpResponse:
        if request.user.tenant_id != request.tenant.pk:
            why = "Orders are typed in your own tenant. You chose another one in the admin."
            raise PermissionDenied(why)
        try:
            return view(request, **kwargs)
        except NotFound as error:
            raise Http404(error.message) from error

    allowed = permission_required("orders.add_order", raise_exception=True)(wrapped)
    return never_cache(allowed)
