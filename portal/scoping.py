"""Managers that see one tenant only, and nothing at all when none was chosen."""

from typing import Any, TypeVar

from django.db import models
from django_scopes import get_scope
from django_scopes.exceptions import ScopeError

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
