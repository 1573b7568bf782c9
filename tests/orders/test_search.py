"""Searching a list from its beginning, and what is rare from the index of words."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders import search
from orders.models import Order
from orders.search import first_found
from portal.models import Tenant
from tests.factories import VariantFactory, make_order
from tests.orders.test_api_list import clone

KROON = {
    "email": "zoe.kroon@cafe-kroon.example",
    "firstName": "Zoë",
    "lastName": "Kroon",
    "company": "Café De Kroon",
    "phone": "+31 20 123 45 67",
}


@pytest.fixture
def order(tenant: Tenant) -> Order:
    """The oldest; two others are before it in the list."""
    VariantFactory(sku="MACBOOK-PRO-16-M3")
    found = make_order("MACBOOK-PRO-16-M3", customer=KROON)
    make_order()
    make_order()
    return found


def found(text: str, most: int = 50) -> list[Order]:
    rows = Order.objects.order_by("-created_at", "-pk")
    return list(first_found(rows, text, most, tenant=Tenant.objects.get(slug="demo")))


TYPED = ["kroon", "KROON zoe", "cafe", "kro", "roon", "zoe.kroon@cafe-kroon.example", "16-m3"]
PHONES = ["0201234567", "+31 20 123 45 67", "020-1234567"]


@pytest.mark.parametrize("near", [1, 10_000])
@pytest.mark.parametrize("text", [*TYPED, *PHONES])
def test_order_is_found_wherever_it_stands(
    order: Order, monkeypatch: pytest.MonkeyPatch, near: int, text: str
) -> None:
    monkeypatch.setattr(search, "NEAR", near)
    assert found(text) == [order]


@pytest.mark.parametrize("near", [1, 10_000])
@pytest.mark.parametrize("text", ["kroon jansen", "zoe.jansen@cafe-kroon.example", "0209999999"])
def test_order_is_not_found_by_what_it_lacks(
    order: Order, monkeypatch: pytest.MonkeyPatch, near: int, text: str
) -> None:
    monkeypatch.setattr(search, "NEAR", near)
    assert found(text) == []


def test_complete_order_number_is_answered_by_that_order_alone(order: Order) -> None:
    # One id in fifty has no digit, and could be a word.
    order.public_id = "ord_7K3M9QXT2B"
    order.save()
    make_order(notes="x", customer=KROON | {"company": order.public_id})
    for text in (order.public_id, order.public_id.lower(), order.public_id.removeprefix("ord_")):
        assert found(text) == [order]


def test_page_has_the_first_ones_of_its_list(order: Order) -> None:
    newer = make_order(customer=KROON)
    assert found("kroon", most=1) == [newer]
    rows = Order.objects.order_by("created_at", "pk")
    assert list(first_found(rows, "kroon", 1, tenant=order.tenant)) == [order]


def test_whole_words_come_before_parts_of_others_far_down(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the docstring says is left out, so that it is not searched for among millions."""
    part = make_order(customer=KROON | {"lastName": "Kroonen", "email": "k@x.example"})
    Order.objects.filter(pk=part.pk).update(created_at=order.created_at, customer_company="")
    assert set(found("kroon")) == {order, part}
    monkeypatch.setattr(search, "NEAR", 1)
    assert found("kroon") == [order]


def test_orders_of_another_tenant_are_not_found(
    order: Order, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = make_order(tenant=other_tenant, customer=KROON)
    for near in (1, 10_000):
        monkeypatch.setattr(search, "NEAR", near)
        for text in ("kroon", KROON["email"], "0201234567", theirs.public_id):
            assert theirs not in found(text)


def test_change_of_the_order_is_known_at_once(order: Order, monkeypatch: Any) -> None:
    monkeypatch.setattr(search, "NEAR", 1)
    Order.objects.filter(pk=order.pk).update(customer_last_name="Vermeer")
    assert found("vermeer") == [order]
    assert found("zoe kroon") == [order]  # by company and e-mail
    Order.objects.filter(pk=order.pk).update(customer_company="", customer_email="v@x.example")
    assert found("kroon") == []


@pytest.mark.parametrize("text", ["kroon", KROON["email"], "0201234567"])
def test_what_is_rare_comes_from_the_index(
    order: Order, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(search, "NEAR", 1)
    other = Order.objects.exclude(pk=order.pk)[:1].get()
    clone(other, 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
        # What a table of millions would choose by itself.
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as asked:
        assert found(text) == [order]
    [sql] = [each["sql"] for each in asked if "orders_words" in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan on order_words" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("text", ["kroon", "nobody", KROON["email"]])
def test_search_costs_the_same_queries_for_one_and_for_100(
    manager_client: Client, order: Order, django_assert_num_queries: Any, text: str
) -> None:
    address = "/admin/orders/order/"
    with CaptureQueriesContext(connection) as one:
        manager_client.get(address, {"q": text})
    for _ in range(20):
        make_order(customer=KROON)
    with django_assert_num_queries(len(one)):
        manager_client.get(address, {"q": text})


def test_sku_of_several_words_is_found(order: Order) -> None:
    VariantFactory(sku="DOCK 90 W")
    docked = make_order("DOCK 90 W")
    assert found("dock 90") == [docked]


def test_parts_of_words_are_found_at_the_beginning_beside_whole_ones_behind(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_order(customer=KROON | {"lastName": "Bak"})
    parts = [make_order(customer=KROON | {"lastName": "Bakker"}) for _ in range(3)]
    make_order()
    monkeypatch.setattr(search, "NEAR", 4)
    assert found("bak") == [*reversed(parts), whole]


def test_sku_is_found_beside_a_phone_number_that_ends_so(tenant: Tenant) -> None:
    VariantFactory(sku="9000001")
    by_sku = make_order("9000001")
    by_phone = make_order(customer=KROON | {"phone": "+31 6 19000001"})
    assert found("9000001") == [by_phone, by_sku]


def test_sku_of_several_words_is_found_beside_a_company_that_is_called_so(tenant: Tenant) -> None:
    VariantFactory(sku="PRO 16")
    by_sku = make_order("PRO 16")
    by_name = make_order(customer=KROON | {"company": "Pro 16 BV"})
    assert found("pro 16") == [by_name, by_sku]


def test_end_of_an_email_is_found_beside_the_whole_of_another(tenant: Tenant) -> None:
    emails = ("info.jan@abc.example", "marjan@abc.example")
    first, second = (make_order(customer=KROON | {"email": email}) for email in emails)
    assert found("jan@abc.example") == [second, first]


def test_one_or_two_letters_are_looked_for_at_the_beginning_only(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = make_order(customer=KROON)
    monkeypatch.setattr(search, "NEAR", 1)
    with CaptureQueriesContext(connection) as asked:
        assert found("oe") == [latest]  # Of Zoë; no id has an o.
    assert len(asked) == 4  # The tenant; the beginning; whole words; the page.
    assert order in found("kroo")
