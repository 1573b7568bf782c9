"""Requests that no page would send, to the admin and to the portal: nothing changes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from orders.models import Order, OrderEvent
from orders.services import replace_notes
from portal.models import Tenant, User
from tests.factories import SYSTEM, make_order
from tests.orders.test_admin import LIST, bulk_url, step_url
from tests.permissions import grant

Send = Callable[[Client, Order, dict[str, Any]], Any]


def to_admin(step: str) -> Send:
    return lambda client, order, data: client.post(step_url(order, step), data)


def to_portal(step: str) -> Send:
    return lambda client, order, data: client.post(
        reverse(f"order_{step}", args=[order.public_id]), data
    )


def in_bulk(step: str) -> Send:
    def send(client: Client, order: Order, data: dict[str, Any]) -> Any:
        seen = f"{order.public_id}:{data.get('version', '')}"
        return client.post(bulk_url(step), {**data, "order": seen})

    return send


DOORS = {
    **{f"admin {step}": to_admin(step) for step in ("confirm", "cancel", "send_back")},
    **{f"portal {step}": to_portal(step) for step in ("confirm", "cancel")},
    **{f"bulk {step}": in_bulk(step) for step in ("confirm", "cancel")},
}
each_door = pytest.mark.parametrize("send", DOORS.values(), ids=DOORS)


def everything() -> list[Any]:
    """All that is known about orders, whoever's they are."""
    rows: list[Any] = []
    for model in (Order, OrderEvent, Customer):
        rows.append(list(model._base_manager.order_by("pk").values()))
    return rows


@each_door
def test_order_of_another_tenant_stays_as_it_is(
    manager_client: Client, other_tenant: Tenant, send: Send
) -> None:
    order = make_order(tenant=other_tenant)
    before = everything()
    assert send(manager_client, order, {"version": 1, "reason": "x"}).status_code in (200, 404)
    assert everything() == before


@each_door
@pytest.mark.parametrize("version", ["1", "3", "0", "-1", "", "x", "1.5", "9" * 30])
def test_other_version_changes_nothing(manager_client: Client, send: Send, version: str) -> None:
    order = make_order()
    replace_notes(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, notes="x")
    before = everything()
    send(manager_client, order, {"version": version, "reason": "x"})
    assert everything() == before


@each_door
def test_missing_permission_changes_nothing(manager: User, client_of, send: Send) -> None:
    manager.groups.clear()
    grant(manager, "orders.view_order", "orders.change_order", "orders.add_order")
    order = make_order()
    before = everything()
    answer = send(client_of(manager), order, {"version": 1, "reason": "x"})
    assert answer.status_code == 403
    assert everything() == before


@each_door
def test_field_of_the_order_is_not_written(manager_client: Client, send: Send) -> None:
    """What a step is not about is not read, whatever is sent along."""
    make_order()
    order = make_order()
    forged = {
        "status": "fulfilled",
        "total": "0",
        "notes": "Forged",
        "risk": "0",
        "tenant": "2",
        "confirmed_by": "somebody",
        "items.0.unitPrice": "0",
    }
    send(manager_client, order, {"version": 1, "reason": "x", **forged})
    now = Order.objects.get(pk=order.pk)
    written = {
        field.name
        for field in Order._meta.concrete_fields
        if getattr(now, field.name) != getattr(order, field.name)
    }
    assert now.status != "fulfilled"
    assert written <= {
        *("status", "awaiting", "version", "updated_at", "cancel_reason"),
        *("confirmed_at", "confirmed_by", "confirmed_by_ref"),
        *("cancelled_at", "cancelled_by", "cancelled_by_ref"),
    }
    assert now.confirmed_by in ("", "manager@portal.example")
    assert [item.unit_price for item in now.items.all()] == [25]


@pytest.mark.parametrize("who", ["rep_client", "manager_client", "superuser_client"])
def test_list_takes_no_edit_of_its_rows(
    request: pytest.FixtureRequest, tenant: Tenant, who: str
) -> None:
    order = make_order()
    before = everything()
    client: Client = request.getfixturevalue(who)
    form = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": order.pk,
        "form-0-status": "confirmed",
        "_save": "Save",
    }
    client.post(LIST, form)
    client.post(LIST, {"action": "delete_selected", "_selected_action": order.pk, "post": "yes"})
    assert everything() == before
