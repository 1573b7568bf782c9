from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer
from orders.models import CustomField, Draft, Order, OrderEvent, OrderItem
from portal.models import Tenant
from tests.factories import address, make_order

STATES = Order.Status.values


def test_order_reads_as_people_say_it(tenant: Tenant) -> None:
    order = make_order(shippingAddress=address(city="Delft"))
    assert (str(order), order.customer_name) == (order.public_id, "Noor el Idrissi")
    assert not order.ships_to_billing
    assert make_order().ships_to_billing


def test_orders_are_asked_for_in_words(tenant: Tenant) -> None:
    orders = {status: make_order(status=status) for status in STATES}
    sent_back = make_order()
    Order.objects.filter(pk=sent_back.pk).update(awaiting="rep")
    assert list(Order.objects.awaiting_review()) == [orders["pending"]]
    assert set(Order.objects.open()) == {
        sent_back,
        orders["pending"],
        orders["confirmed"],
        orders["partial"],
    }
    assert set(Order.objects.looked_after_by("system:test")) == {*orders.values(), sent_back}
    assert not Order.objects.looked_after_by("user:0").exists()


def test_newest_order_comes_first(tenant: Tenant) -> None:
    first, second = make_order(), make_order()
    assert list(Order.objects.all()) == [second, first]


def test_line_has_its_monthly_total_and_contract_value() -> None:
    item = OrderItem(unit_price=Decimal("25.50"), quantity=2, contract_length=24, sku="A")
    assert (item.monthly_total, item.contract_value) == (51, 1224)


@pytest.mark.parametrize("column", ["first_name", "last_name", "company", "email", "public_id"])
def test_search_text_of_an_order_is_folded(tenant: Tenant, column: str) -> None:
    name = column if column == "public_id" else f"customer_{column}"
    order = make_order()
    Order.objects.filter(pk=order.pk).update(**{name: "RÉNAMED"})
    order.refresh_from_db()
    assert "renamed" in order.search_text


def test_search_text_of_an_order_has_the_phone_as_typed_and_as_digits(tenant: Tenant) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(customer_phone="+31 (20) 123")
    order.refresh_from_db()
    assert "+31 (20) 123 3120123" in order.search_text


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (Draft(public_id="drf_1"), "drf_1"),
        (OrderItem(quantity=2, sku="A"), "2 × A"),
        (OrderEvent(kind="confirmed", actor="jo@x.nl"), "Confirmed by jo@x.nl"),
        (CustomField(label="PO number"), "PO number"),
        (Customer(first_name="A", last_name="B", email="a@b.nl"), "A B <a@b.nl>"),
    ],
)
def test_row_has_a_name(row: Any, text: str) -> None:
    assert str(row) == text
