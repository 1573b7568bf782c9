"""Managers that see one tenant only, and nothing at all when none was chosen."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django_scopes import get_scope
from django_scopes.exceptions import ScopeError

if TYPE_CHECKING:
    from portal.models import Tenant

Row = TypeVar("Row", bound=models.Model, covariant=True)


class TenantManager(models.Manager[Row]):
    """Rows of the tenant whose `scope(tenant=…)` is open.

    Outside a scope it raises at once, whatever is asked. django-scopes' own manager hands out a
    query that only refuses later, and not for `exists()`.
    """

    def get_queryset(self) -> models.QuerySet[Row]:
        open_scope: dict[str, Any] = get_scope()
        if not open_scope.get("_enabled", True):
            return super().get_queryset()
        if open_scope.get("tenant") is None:
            raise ScopeError(f"{self.model.__name__} is asked for without a tenant's scope.")
        return super().get_queryset().filter(tenant=open_scope["tenant"])


def open_tenant() -> "Tenant":
    """The tenant whose `scope(tenant=…)` is open, for statements that are written by hand.

    Raises ScopeError outside a scope.
    """
    tenant: Tenant | None = get_scope().get("tenant")
    if tenant is None:
        raise ScopeError("A statement is asked without a tenant's scope.")
    return tenant
