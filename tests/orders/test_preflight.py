"""Orders that are confirmed together: what is said of each before, and how it went."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from customers.models import Customer
from orders.admin.steps import STEPS
from orders.models import Order, OrderEvent
from orders.services import comment_order, confirm_order, replace_notes, send_back_order
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import SYSTEM, VariantFactory, make_order
from tests.orders.test_admin import LIST, bulk_url


def clean_orders(number: int, **changes: Any) -> list[Order]:
    """Orders of a known customer, each of another device, so that nothing is unusual."""
    if not Order.objects.exists():
        make_order(status="confirmed")
    orders = [make_order(**changes) for _ in range(number)]
    assert [order.risk for order in orders] == [0] * number
    return orders


def select(client: Client, *orders: Order, **seen: str) -> Any:
    """The page after these orders were selected in the queue to be confirmed."""
    sent = {
        "action": ["confirm_selected", "cancel_selected"],
        "index": 0,
        "_selected_action": [order.pk for order in orders],
        "seen": [f"{order.public_id}:{order.version}" for order in orders],
        **seen,
    }
    page = client.post(LIST, sent)
    assert page.status_code == 200
    return page


def verdicts(page: Any) -> dict[str, list[str]]:
    """The labels of what holds each order back, by its id."""
    rows = [row["verdict"] for row in (*page.context["clear"], *page.context["held"])]
    return {
        verdict.order.public_id: [
            *([verdict.refusal.label] if verdict.refusal else []),
            *(warning.label for warning in verdict.warnings),
        ]
        for verdict in rows
    }


def test_preflight_says_of_each_order_whether_and_why_not(
    manager_client: Client, manager_actor: Actor, rep_actor: Actor, tenant: Tenant
) -> None:
    first = make_order()
    [clean] = clean_orders(1)
    own = make_order(actor=manager_actor)
    moved = make_order()
    replace_notes(tenant=tenant, actor=SYSTEM, order_id=moved.public_id, notes="Ring twice")
    large = make_order(items=[{"sku": VariantFactory().sku, "quantity": 6, "contractLength": 24}])
    Tenant.objects.update(confirm_limit=2000)
    seen = [f"{order.public_id}:1" for order in (first, clean, own, moved, large)]
    page = select(manager_client, first, clean, own, moved, large, seen=seen)
    assert verdicts(page) == {
        first.public_id: ["First order"],
        clean.public_id: [],
        own.public_id: ["Four eyes"],
        moved.public_id: ["Changed just now"],
        large.public_id: ["Above the limit"],
    }
    html = " ".join(page.content.decode().split())
    assert "1 without a warning" in html
    assert "test last changed it (notes changed). Notes: – → Ring twice." in html
    assert "You created this order; somebody else has to confirm it." in html
    assert "Its contract value of €3,600.00 is above €2,000.00" in html
    assert html.count('name="order"') == 1
    assert f'value="{clean.public_id}:1"' in html
    assert {order.status for order in Order.objects.all()} == {"pending"}


def test_order_that_came_back_is_looked_at_first(
    manager_client: Client, manager_actor: Actor, tenant: Tenant
) -> None:
    [order] = clean_orders(1)
    this: dict[str, Any] = {"tenant": tenant, "order_id": order.public_id}
    send_back_order(actor=manager_actor, reason="Which floor?", **this)
    Order.objects.filter(pk=order.pk).update(awaiting="manager")
    order.refresh_from_db()
    page = select(manager_client, order)
    assert verdicts(page) == {order.public_id: ["Came back"]}
    assert "It has changed since manager@portal.example sent it back." in page.content.decode()
    assert not Order.objects.with_came_back().filter(came_back=False).exists()


def test_order_of_an_inactive_customer_is_looked_at_first(manager_client: Client) -> None:
    [order] = clean_orders(1)
    Customer.objects.update(status="inactive")
    assert verdicts(select(manager_client, order)) == {order.public_id: ["Customer inactive"]}


def test_nothing_clean_offers_no_button(manager_client: Client) -> None:
    page = select(manager_client, make_order())
    assert "None of them can be confirmed with others." in page.content.decode()
    assert bulk_url("confirm") not in page.content.decode()


def test_clean_orders_are_confirmed_and_the_rest_stays(
    manager_client: Client, tenant: Tenant
) -> None:
    odd = make_order()
    good, moved, unselected = clean_orders(3)
    comment_order(tenant=tenant, actor=SYSTEM, order_id=moved.public_id, comment="Wait!")
    page = manager_client.post(
        bulk_url("confirm"), {"order": [f"{o.public_id}:1" for o in (odd, good, moved)]}
    )
    assert [(o.order_id, o.problem) for o in page.context["outcomes"]] == [
        (odd.public_id, "Look at it by itself first: First order."),
        (good.public_id, ""),
        (moved.public_id, "test last changed it (commented). Look at it again first."),
    ]
    states = dict(Order.objects.values_list("public_id", "status"))
    confirmed = [order_id for order_id, status in states.items() if status == "confirmed"]
    assert good.public_id in confirmed
    assert not {odd.public_id, moved.public_id, unselected.public_id} & set(confirmed)


def test_each_order_is_confirmed_by_itself(manager_client: Client, manager_actor: Actor) -> None:
    """One that is refused takes nothing back of what was confirmed before it."""
    before, after = clean_orders(2)
    gone = make_order(status="cancelled")
    sent = [f"{o.public_id}:{o.version}" for o in (before, gone, after)]
    page = manager_client.post(bulk_url("confirm"), {"order": sent})
    assert [bool(outcome.problem) for outcome in page.context["outcomes"]] == [False, True, False]
    events = OrderEvent.objects.filter(kind="confirmed", actor=manager_actor.label)
    assert {event.order_id for event in events} == {before.pk, after.pk}


@pytest.mark.parametrize("step", ["confirm", "cancel"])
def test_page_that_is_sent_twice_says_what_was_done(
    manager_client: Client, manager_actor: Actor, step: str
) -> None:
    """Enter was pressed twice: the second answer is the one that is seen."""
    sent = {"order": [f"{order.public_id}:1" for order in clean_orders(2)], "reason": "No"}
    for _ in "12":
        page = manager_client.post(bulk_url(step), sent)
        assert [outcome.problem for outcome in page.context["outcomes"]] == ["", ""]
    assert OrderEvent.objects.filter(actor_ref=manager_actor.ref).count() == 2


def test_what_a_colleague_has_confirmed_is_not_ones_own_doing(
    manager_client: Client, tenant: Tenant
) -> None:
    [order] = clean_orders(1)
    confirm_order(tenant=tenant, actor=SYSTEM, order_id=order.public_id)
    page = manager_client.post(bulk_url("confirm"), {"order": f"{order.public_id}:1"})
    [outcome] = page.context["outcomes"]
    assert outcome.problem.startswith("test last changed it (confirmed).")


@pytest.mark.parametrize("number", [1, 20])
def test_preflight_takes_the_same_queries_for_any_number(
    manager_client: Client, number: int, django_assert_num_queries
) -> None:
    orders = clean_orders(number)
    select(manager_client, orders[0])
    with django_assert_num_queries(12):
        page = select(manager_client, *orders)
    assert len(page.context["clear"]) == number


def test_more_than_one_action_takes_are_refused(
    manager_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.admin.bulk.BULK_LIMIT", 1)
    orders = clean_orders(2)
    sent = {"action": "confirm_selected", "_selected_action": [order.pk for order in orders]}
    page = manager_client.post(LIST, sent, follow=True)
    assert "Select 1 orders at most." in page.content.decode()


@pytest.mark.parametrize("step", ["confirm", "cancel"])
def test_bulk_goes_on_after_an_order_that_the_database_was_too_busy_for(
    manager_client: Client, step: str
) -> None:
    orders = clean_orders(3)

    def be_busy(ask: Callable[..., Any], sql: str, asked: Any, *rest: Any) -> Any:
        if "UPDATE" in sql and orders[1].public_id in (asked or ()):
            raise OperationalError("deadlock detected")
        return ask(sql, asked, *rest)

    sent = {"order": [f"{order.public_id}:1" for order in orders], "reason": "No"}
    with connection.execute_wrapper(be_busy):
        answer = manager_client.post(bulk_url(step), sent)
    problems = [outcome.problem for outcome in answer.context["outcomes"]]
    assert problems == ["", "The database was busy. Try again.", ""]
    assert f"2 of 3 orders {STEPS[step].done}" in answer.text
    states = dict(Order.objects.values_list("public_id", "status"))
    assert [states[order.public_id] == "pending" for order in orders] == [False, True, False]
