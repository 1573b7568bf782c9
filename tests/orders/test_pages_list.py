"""The list of orders: search, filters, paging, as a page and as a fragment."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import CustomerFactory, VariantFactory, make_order

HTMX = {"HX-Request": "true"}


def _shown(response: Any) -> list[Order]:
    return list(response.context["page"].rows)


def test_list_shows_orders_newest_first(rep_client: Client) -> None:
    older, newer = make_order(), make_order()
    response = rep_client.get("/orders/")

    assert _shown(response) == [newer, older]
    assert "2 orders" in response.text


def test_list_without_orders_offers_the_first_one(rep_client: Client) -> None:
    assert "No orders yet" in rep_client.get("/orders/").text


def test_list_with_nothing_found_says_so_and_keeps_what_was_typed(rep_client: Client) -> None:
    make_order()
    text = rep_client.get("/orders/", {"q": "xyzzy"}).text

    assert "No order matches" in text
    assert 'value="xyzzy"' in text


def test_fragment_is_the_results_alone(rep_client: Client) -> None:
    order = make_order()
    response = rep_client.get("/orders/", {"q": "noor"}, headers=HTMX)

    assert response.text.lstrip().startswith('<div id="results"')
    assert "<html" not in response.text
    assert order.public_id in response.text
    assert "HX-Request" in response.headers["Vary"]


def test_search_finds_by_customer_and_by_sku(rep_client: Client) -> None:
    VariantFactory(sku="IPAD-PRO-12-M2")
    order = make_order("IPAD-PRO-12-M2")
    make_order(customer={"email": "x@example.com", "firstName": "Piet", "lastName": "Bakker"})

    assert _shown(rep_client.get("/orders/", {"q": "idrissi noor"})) == [order]
    assert _shown(rep_client.get("/orders/", {"q": "ipad-pro"})) == [order]


def test_filters_narrow_together(rep_client: Client, rep_actor: Actor) -> None:
    mine = make_order(actor=rep_actor)
    mine_cancelled = make_order(actor=rep_actor, status=Order.Status.CANCELLED)
    theirs = make_order(orderType="upgrade")

    assert _shown(rep_client.get("/orders/", {"mine": "on"})) == [mine_cancelled, mine]
    assert _shown(rep_client.get("/orders/", {"status": "pending"})) == [theirs, mine]
    assert _shown(rep_client.get("/orders/", {"type": "upgrade"})) == [theirs]
    both = {"mine": "on", "status": "cancelled"}
    assert _shown(rep_client.get("/orders/", both)) == [mine_cancelled]


def test_days_are_those_of_the_tenant_both_included(rep_client: Client, tenant: Tenant) -> None:
    """In Amsterdam, 22:30 UTC on 31 March is already 1 April."""
    orders = [make_order() for _ in range(3)]
    moments = [(3, 31, 21), (3, 31, 22), (4, 1, 21)]
    for order, (month, day, hour) in zip(orders, moments, strict=True):
        at = datetime(2026, month, day, hour, 30, tzinfo=UTC)
        Order.objects.filter(pk=order.pk).update(created_at=at)
    days = {"created_from": "2026-04-01", "created_to": "2026-04-01"}

    assert tenant.time_zone == "Europe/Amsterdam"
    assert _shown(rep_client.get("/orders/", days)) == [orders[2], orders[1]]


def test_pages_lead_to_older_orders_and_keep_the_filters(rep_client: Client) -> None:
    variant = VariantFactory()
    orders = [make_order(variant.sku) for _ in range(51)][::-1]
    first = rep_client.get("/orders/", {"status": "pending"})
    older = first.context["page"].older
    second = rep_client.get("/orders/", {"status": "pending", "cursor": older})

    assert _shown(first) + _shown(second) == orders
    assert f"?status=pending&amp;cursor={older}" in first.text
    assert (
        _shown(rep_client.get("/orders/", {"cursor": second.context["page"].newer})) == orders[:50]
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"cursor": "x"},
        {"cursor": "\0"},
        {"q": "\0"},
        {"q": "x\0y"},
        {"q": "\ud800".encode("utf-8", "surrogatepass")},
        {"q": "%_\\' OR 1=1"},
        {"q": "a" * 10_000},
        {"q": "  "},
        {"status": "gone"},
        {"type": "\0"},
        {"mine": "\0"},
        {"created_from": "yesterday"},
        {"created_from": "0001-01-01"},
        {"created_to": "9999-12-31"},
        {"created_to": "2026-02-30"},
    ],
)
def test_bad_input_is_never_an_error(rep_client: Client, asked: dict[str, Any]) -> None:
    make_order()

    assert rep_client.get("/orders/", asked).status_code == 200
    assert rep_client.get("/orders/", asked, headers=HTMX).status_code == 200


def test_day_that_nobody_means_is_explained(rep_client: Client) -> None:
    text = rep_client.get("/orders/", {"created_from": "0002-01-01"}).text

    assert "Enter a day from 2000 to 2099." in text


@pytest.mark.parametrize("address", ["/orders/", "/customers/"])
def test_unknown_filter_is_said_to_be_left_out(rep_client: Client, address: str) -> None:
    text = rep_client.get(address, {"status": "gone"}).text

    assert 'id="id_status_error"' in text
    assert "Status: This filter is not known and was left out." in text


def test_orders_of_another_tenant_are_not_listed(
    rep_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    foreign = make_order(tenant=other_tenant)
    response = rep_client.get("/orders/", {"q": foreign.public_id})

    assert _shown(response) == []
    assert _shown(rep_client.get("/orders/")) == []


def test_list_costs_the_same_queries_for_one_and_for_100_orders(
    rep_client: Client, django_assert_num_queries: Any
) -> None:
    variant, customer = VariantFactory(), CustomerFactory()
    who = {"email": customer.email, "firstName": "Noor", "lastName": "el Idrissi"}
    for more in (1, 99):
        for _ in range(more):
            make_order(variant.sku, customer=who)
        with django_assert_num_queries(4):
            rep_client.get("/orders/")
        with django_assert_num_queries(5):
            rep_client.get("/orders/", {"q": "noor"})
