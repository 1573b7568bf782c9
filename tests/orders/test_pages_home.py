"""Home: what a user should do next."""

from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import DraftFactory, UserFactory, make_order


def _send_back(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(awaiting=Order.Awaiting.REP)


def test_home_without_anything_says_what_will_be_there(rep_client: Client) -> None:
    text = rep_client.get("/").text

    assert "You have not placed an order yet" in text
    assert "kept as a draft from the first keystroke" in text
    assert "Waiting for review" not in text


def test_rep_sees_own_orders_and_those_sent_back_to_them(
    rep_client: Client, rep_actor: Actor
) -> None:
    placed, returned = make_order(actor=rep_actor), make_order(actor=rep_actor)
    _send_back(returned)
    foreign = make_order()
    _send_back(foreign)
    response = rep_client.get("/")

    assert list(response.context["recent"]) == [returned, placed]
    assert list(response.context["sent_back"]) == [returned]
    assert "Sent back to you" in response.text
    assert foreign.public_id not in response.text


def test_manager_sees_when_more_wait_than_are_counted(
    manager_client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("paging", "formats"):
        monkeypatch.setattr(f"portal.{module}.COUNTED", 2)
    for shown in ("1", "2", "2+"):
        make_order()
        assert f'<span class="count">{shown}</span>' in manager_client.get("/").text
        assert f"waiting for review: {shown}</a>" in manager_client.get("/admin/").text


def test_manager_sees_how_many_wait_and_the_oldest(manager_client: Client) -> None:
    orders = [make_order() for _ in range(6)]
    make_order(status=Order.Status.CONFIRMED)
    _send_back(make_order())
    response = manager_client.get("/")

    assert response.context["waiting_count"] == 6
    assert list(response.context["waiting"]) == orders[:5]
    assert 'href="/admin/orders/order/"' in response.text


def test_manager_without_work_is_told_so(manager_client: Client) -> None:
    assert "Nothing waits for you" in manager_client.get("/").text


def test_draft_that_was_typed_into_comes_first(rep_client: Client, rep: User) -> None:
    draft = DraftFactory(owner=rep, sequence=3)
    DraftFactory(owner=rep, sequence=0)
    DraftFactory(owner=UserFactory(), sequence=1)
    response = rep_client.get("/")

    assert [summary.public_id for summary in response.context["drafts"]] == [draft.public_id]
    assert f'href="/orders/new/{draft.public_id}/"' in response.text


def test_home_costs_the_same_queries_for_one_and_for_many(
    manager_client: Client, tenant: Tenant, manager: User, django_assert_num_queries: Any
) -> None:
    actor = Actor.from_user(manager)
    for more in (1, 4):
        for _ in range(more):
            make_order(actor=actor)
        with django_assert_num_queries(8):
            manager_client.get("/")
