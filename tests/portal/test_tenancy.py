"""One tenant at a time, and none without having been chosen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.signals import request_started
from django.db import models
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django_scopes import get_scope, scope, scopes_disabled
from django_scopes.exceptions import ScopeError

from portal.models import Tenant, User
from portal.scoping import TenantManager
from portal.tenancy import SESSION_KEY, TenantMiddleware
from tests.factories import make_order
from tests.portal.test_constraints import MAKE, MODELS

SCOPED = [m for m in MODELS if m not in (Tenant, User)]
QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "all": lambda rows: rows.all(),
    "none": lambda rows: rows.none(),
    "get": lambda rows: rows.get(pk=1),
    "filter": lambda rows: rows.filter(pk=1),
    "exclude": lambda rows: rows.exclude(pk=1),
    "first": lambda rows: rows.first(),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "contains": lambda rows: rows.contains(rows.model(pk=1)),
    "in_bulk": lambda rows: rows.in_bulk([1]),
    "iterator": lambda rows: list(rows.iterator()),
    "aggregate": lambda rows: rows.aggregate(models.Max("pk")),
    "annotate": lambda rows: rows.annotate(n=models.Count("pk")),
    "values": lambda rows: rows.values("pk"),
    "distinct": lambda rows: rows.distinct(),
    "select_related": lambda rows: rows.select_related("tenant"),
    "defer": lambda rows: rows.defer("pk"),
    "using": lambda rows: rows.using("default"),
    "raw": lambda rows: rows.raw("SELECT 1 AS id"),
    "update": lambda rows: rows.update(pk=1),
    "delete": lambda rows: rows.filter(pk=1).delete(),
    "create": lambda rows: rows.create(),
    "bulk_create": lambda rows: rows.bulk_create([rows.model()]),
    "bulk_update": lambda rows: rows.bulk_update([rows.model(pk=1)], ["tenant"]),
    "get_or_create": lambda rows: rows.get_or_create(pk=1),
    "update_or_create": lambda rows: rows.update_or_create(pk=1),
}


def label(value: Any) -> str:
    return str(getattr(value, "__name__", value))


def test_every_table_of_a_tenant_is_scoped() -> None:
    assert all(any(f.name == "tenant" for f in model._meta.fields) for model in SCOPED)
    assert all(isinstance(model._default_manager, TenantManager) for model in SCOPED)
    assert all(len(model._meta.managers) == 1 for model in SCOPED)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("model", SCOPED, ids=label)
def test_question_without_a_tenant_raises(model: type[models.Model], question: str) -> None:
    # No database either: it raises before it asks.
    with pytest.raises(ScopeError, match=model.__name__):
        QUESTIONS[question](model._default_manager)


@pytest.mark.parametrize("model", SCOPED, ids=label)
def test_rows_of_another_tenant_do_not_exist(
    tenant: Tenant, other_tenant: Tenant, model: type[models.Model]
) -> None:
    own = MAKE[model]()
    with scope(tenant=other_tenant):
        foreign = MAKE[model]()
    rows = model._default_manager
    assert own in rows.all()
    assert foreign not in rows.all()
    assert not rows.filter(pk=foreign.pk).exists()
    assert rows.in_bulk([own.pk, foreign.pk]) == {own.pk: own}
    assert rows.filter(pk=foreign.pk).update(tenant=tenant) == 0
    with scopes_disabled():
        assert set(rows.filter(pk__in=[own.pk, foreign.pk])) == {own, foreign}


def test_rows_that_belong_to_a_row_are_scoped_too(tenant: Tenant, other_tenant: Tenant) -> None:
    order = make_order()
    with scope(tenant=other_tenant):
        assert order.items.count() == 0
    with scope(tenant=None), pytest.raises(ScopeError):
        order.items.count()


def working_in(user: Any, *, path: str = "/", session: dict[str, Any] | None = None) -> Any:
    """The request's tenant, and the one whose scope was open while it was answered."""
    request = RequestFactory().get(path)
    request.user, request.session = user, session or {}
    during: list[Any] = []

    def answer(request: Any) -> HttpResponse:
        during.append(get_scope().get("tenant"))
        return HttpResponse()

    with scope(tenant=None):
        TenantMiddleware(answer)(request)
        assert get_scope()["tenant"] is None
    return request.tenant, *during


def test_request_works_in_the_tenant_of_its_user(rep: User) -> None:
    assert working_in(rep) == (rep.tenant, rep.tenant)


def test_anonymous_request_has_no_tenant(tenant: Tenant) -> None:
    assert working_in(AnonymousUser()) == (None, None)


def test_api_request_has_no_tenant_of_a_session(rep: User) -> None:
    assert working_in(rep, path="/v1/orders") == (None, None)


def test_superuser_works_in_the_chosen_tenant(superuser: User, other_tenant: Tenant) -> None:
    session = {SESSION_KEY: other_tenant.pk}
    assert working_in(superuser, session=session) == (other_tenant, other_tenant)


def test_superuser_falls_back_when_the_chosen_tenant_is_gone(superuser: User) -> None:
    assert working_in(superuser, session={SESSION_KEY: 0}) == (superuser.tenant, superuser.tenant)


@pytest.mark.parametrize("who", ["rep", "manager"])
def test_nobody_else_chooses(
    request: pytest.FixtureRequest, who: str, other_tenant: Tenant
) -> None:
    user = request.getfixturevalue(who)
    assert working_in(user, session={SESSION_KEY: other_tenant.pk})[0] == user.tenant


def test_client_does_not_lend_its_scope_to_requests(rep_client: Client) -> None:
    seen: list[Any] = []

    def note(**kwargs: Any) -> None:
        seen.append(get_scope())

    request_started.connect(note)
    try:
        rep_client.get("/healthz")
    finally:
        request_started.disconnect(note)
    assert seen == [{}]
