"""Discarded drafts are deleted, in time and no others."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from orders import draft_life, forgetting
from orders.forgetting import forget_drafts
from orders.models import Draft
from portal.models import Tenant, User
from tests.factories import DraftFactory, TenantFactory, make_order
from tests.locks import uncommitted
from tests.meanwhile import meanwhile


def days_ago(number: int) -> Any:
    return timezone.now() - timedelta(days=number)


def discarded(days: int, **values: Any) -> Draft:
    then = days_ago(days)
    draft: Draft = DraftFactory(
        **{"sequence": 1, "discarded_at": then, "updated_at": then} | values
    )
    return draft


@pytest.mark.parametrize(("days", "left"), [(29, 1), (31, 0)])
def test_discarded_draft_is_forgotten_after_thirty_days(
    tenant: Tenant, days: int, left: int
) -> None:
    discarded(days)
    call_command("worker", once=True)
    assert Draft.objects.count() == left


def test_every_tenant_forgets(tenant: Tenant) -> None:
    other = TenantFactory(slug="other")
    discarded(31)
    with scope(tenant=other):
        discarded(31)
    call_command("worker", once=True)
    with scopes_disabled():
        assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"discarded_at": None}, id="open"),
        pytest.param({"updated_at": days_ago(1)}, id="typed into since"),
        pytest.param({"submitted_at": days_ago(31)}, id="submitted"),
    ],
)
def test_other_drafts_are_kept(tenant: Tenant, values: dict[str, Any]) -> None:
    discarded(31, **values)
    assert forget_drafts() == 0


def test_draft_that_became_an_order_is_kept(tenant: Tenant) -> None:
    draft = discarded(31)
    make_order(draft=draft)
    assert forget_drafts() == 0


def test_draft_that_changed_an_order_is_kept(tenant: Tenant) -> None:
    discarded(31, edits=make_order(), edits_version=1, applied_at=days_ago(31))
    assert forget_drafts() == 0


def test_some_are_deleted_at_a_time_the_oldest_first(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    last = discarded(31)
    for days in (33, 32):
        discarded(days)
    assert forget_drafts() == 2
    assert Draft.objects.get() == last
    assert forget_drafts() == 1


def test_draft_that_is_just_brought_back_is_kept(tenant: Tenant, rep: User) -> None:
    draft = discarded(31, owner=rep)

    def bring_back() -> None:
        draft_life.restore(tenant=tenant, owner=rep, draft_id=draft.public_id)

    with meanwhile("SKIP LOCKED", bring_back):
        assert forget_drafts() == 0
    assert Draft.objects.get().discarded_at is None


@pytest.mark.django_db(transaction=True)
def test_draft_that_somebody_holds_is_left_for_the_next_time(tenant: Tenant, rep: User) -> None:
    discarded(31, owner=rep)

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM orders_draft FOR UPDATE")

    with uncommitted(hold):
        assert forget_drafts() == 0
    assert forget_drafts() == 1


def test_open_drafts_are_not_looked_through(tenant: Tenant) -> None:
    with CaptureQueriesContext(connection) as asked:
        forget_drafts()
    [sql] = [each["sql"] for each in asked if "SKIP LOCKED" in each["sql"]]
    with connection.cursor() as cursor:
        for other in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{other} = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using draft_discarded" in plan
