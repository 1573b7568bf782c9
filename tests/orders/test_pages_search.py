"""Searching orders: `OrderQuerySet.matching`."""

import pytest

from orders.models import Order
from portal.models import Tenant
from tests.factories import VariantFactory, make_order


@pytest.fixture
def order(tenant: Tenant) -> Order:
    VariantFactory(sku="MACBOOK-PRO-16-M3")
    customer = {
        "email": "zoe@kroon.example",
        "firstName": "Zoë",
        "lastName": "Jansen",
        "company": "Café De Kroon",
        "phone": "+31 20 123 45 67",
    }
    make_order()
    return make_order("MACBOOK-PRO-16-M3", customer=customer)


@pytest.mark.parametrize(
    "text",
    [
        "jansen",
        "kroon zoe",
        "zoe@kroon",
        "0201234567",
        "macbook-pro",
        "pro-16-m3",
        "  Jansen  CAFÉ ",
    ],
)
def test_order_is_found_by_customer_and_sku(order: Order, text: str) -> None:
    assert list(Order.objects.matching(text)) == [order]


def test_order_is_found_by_id_in_any_case(order: Order) -> None:
    assert list(Order.objects.matching(order.public_id.lower())) == [order]
    assert list(Order.objects.matching(order.public_id.removeprefix("ord_"))) == [order]


@pytest.mark.parametrize("text", ["", "  ", "\0"])
def test_search_without_words_is_every_order(order: Order, text: str) -> None:
    assert Order.objects.matching(text).count() == 2


@pytest.mark.parametrize("text", ["jansen bakker", "%", "macbook_pro", "\\"])
def test_order_is_not_found_by_what_it_lacks(order: Order, text: str) -> None:
    assert list(Order.objects.matching(text)) == []


def test_orders_of_another_tenant_are_not_found(order: Order, other_tenant: Tenant) -> None:
    make_order(
        tenant=other_tenant,
        customer={"email": "j@x.example", "firstName": "J", "lastName": "Jansen"},
    )

    assert list(Order.objects.matching("jansen")) == [order]
