"""Why a reviewer should look twice: found when the order is written, stored with it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from orders.reasons import Reason, risk_of
from orders.review import explain_reasons
from orders.services import create_order
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import CustomerFactory, VariantFactory, address, make_order, new_order

EXTENSION = {
    "originalOrderId": "ord_1",
    "extensionMonths": 6,
    "previousEndDate": "2026-01-31",
    "newEndDate": "2026-07-31",
}
UPGRADE = {
    "previousDevice": "MacBook Pro 14",
    "previousSerialNumber": "C02",
    "previousMonthlyAmount": 42,
    "previousRentalId": "rental_1",
}


@pytest.fixture(autouse=True)
def earlier(tenant: Tenant) -> Order:
    """Of 4 X, a month ago, so that a plain order of 2 A afterwards is nothing unusual."""
    VariantFactory(sku="A", list_price=500)
    VariantFactory(sku="X")
    order = make_order(**item(4, "X"), customFields=PO)
    placed = timezone.now() - timedelta(days=30)
    Order.objects.filter(pk=order.pk).update(created_at=placed)
    order.refresh_from_db()
    return order


PO = {"purchaseOrderNumber": "PO-1"}


def item(quantity: int, sku: str = "A") -> dict[str, Any]:
    return {"items": [{"sku": sku, "quantity": quantity, "contractLength": 24}]}


def texts(order: Order) -> dict[str, list[str]]:
    return {each.code: list(each.texts) for each in explain_reasons(order, with_costs=True)}


def test_plain_order_of_a_known_customer_has_none(tenant: Tenant) -> None:
    order = make_order("A")
    assert (order.reasons, order.risk) == ({}, 0)


def test_first_order_of_a_customer(earlier: Order) -> None:
    assert texts(earlier) == {"first_order": ["They never ordered before."]}
    earlier.status = "cancelled"
    Order.objects.update(
        status="cancelled", cancelled_at=timezone.now(), cancelled_by="a", cancelled_by_ref="b"
    )
    assert list(make_order("A").reasons) == ["first_order"]


def test_shipping_address_that_they_never_used(earlier: Order) -> None:
    order = make_order("A", shippingAddress=address(city="Delft"))
    assert order.reasons["new_address"]["order"] == earlier.public_id
    [text] = texts(order)["new_address"]
    assert "Rotterdam" in text
    assert make_order("X", shippingAddress=address(city="Delft")).reasons == {}


def test_address_that_differs_in_its_floor_alone_says_which_was_used(tenant: Tenant) -> None:
    make_order("A", shippingAddress=address(buildingInfo="Floor 5"))
    order = make_order("A", shippingAddress=address(buildingInfo="Floor 2"))
    [text] = texts(order)["new_address"]
    assert "Floor 5" in text


@pytest.mark.parametrize(("quantity", "found"), [(12, False), (13, True)])
def test_quantity_over_three_times_the_largest(quantity: int, found: bool) -> None:
    order = make_order(**item(quantity))
    assert ("unusual_quantity" in order.reasons) == found
    if found:
        assert texts(order)["unusual_quantity"] == [
            f"13 × {order.items.get().product_name}; the most they ever ordered of one device is 4."
        ]


def test_quantity_that_they_ordered_before_on_several_lines_is_nothing_unusual() -> None:
    lines = [{"sku": "A", "quantity": 1, "contractLength": months} for months in (12, 24)] * 5
    make_order(items=lines)
    assert "unusual_quantity" not in make_order(items=lines).reasons
    assert make_order(**item(31)).reasons["unusual_quantity"]["largest"] == 10


def test_quantity_split_over_lines_is_the_same_quantity() -> None:
    lines = [{"sku": "A", "quantity": 5, "contractLength": 24}] * 3
    [line] = make_order(items=lines).reasons["unusual_quantity"]["lines"]
    assert (line["position"], line["quantity"]) == (0, 15)


@pytest.mark.parametrize(("quantity", "found"), [(20, False), (21, True)])
def test_quantity_over_the_limit_of_a_first_order(
    tenant: Tenant, quantity: int, found: bool
) -> None:
    Tenant.objects.update(first_order_limit=20)
    tenant.refresh_from_db()
    newcomer = {"email": "new@example.com", "firstName": "New", "lastName": "Comer"}
    order = create_order(
        tenant=tenant,
        actor=Actor.system("test"),
        new_order=new_order(**item(quantity), customer=newcomer),
        source=Order.Source.API,
    )
    assert ("unusual_quantity" in order.reasons) == found


def test_po_number_that_they_used_before(earlier: Order) -> None:
    order = make_order("A", customFields=PO)
    assert order.reasons["repeated_po"] == {"number": "PO-1", "order": earlier.public_id}
    assert make_order("A", "X", customFields={"purchaseOrderNumber": "PO-2"}).reasons == {}


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (4711, 4711, "4711"),
        ("4711", 4711, "4711"),
        (4711, "4711", "4711"),
        (Decimal("4711.0"), "4711", "4711"),
        (4711, Decimal("4711.00"), "4711"),
        (Decimal("47.5"), "47.5", "47.5"),
        (Decimal("47.50"), Decimal("47.5"), "47.5"),
        (4700, 4700, "4700"),
        (10**300, str(10**300), str(10**300)),
    ],
)
def test_po_number_is_the_same_as_text_and_as_number(before: Any, now: Any, said: str) -> None:
    earlier = make_order("X", customFields={"purchaseOrderNumber": before})
    order = make_order("A", customFields={"purchaseOrderNumber": now})
    assert order.reasons["repeated_po"] == {"number": said, "order": earlier.public_id}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (815, "0815"),
        ("0815", 815),
        ("4711.0", 4711),
        (4711, "4711 b"),
        (1, True),
        (True, True),
        (["4711"], "4711"),
        ({}, {}),
        (" ", " "),
        (None, None),
        (f"0.{'0' * 20_000}1", f"0.{'0' * 20_000}2"),
    ],
)
def test_other_po_numbers_and_what_is_none_are_nothing_unusual(before: Any, now: Any) -> None:
    make_order("X", customFields={"purchaseOrderNumber": before})
    order = make_order("A", customFields={"purchaseOrderNumber": now})
    assert order.reasons == {}


def test_po_number_of_somebody_else_is_nothing_unusual() -> None:
    other = {"email": "other@example.com", "firstName": "O", "lastName": "Ther"}
    assert list(make_order("A", customFields=PO, customer=other).reasons) == ["first_order"]


def test_details_that_differ_from_the_record() -> None:
    customer = {"email": "noor@example.com", "firstName": "Nora", "lastName": "el Idrissi"}
    order = make_order("A", customer=customer)
    assert order.reasons["differs"] == {"first_name": ["Nora", "Noor"]}
    assert texts(order)["differs"] == ["First name: submitted “Nora”, the record says “Noor”."]


def test_same_skus_within_a_week() -> None:
    first = make_order("A")
    second = make_order(**item(5))
    assert second.reasons == {"repeated": {"order": first.public_id}}
    assert make_order("A", "X").reasons == {}
    Order.objects.update(created_at=timezone.now() - timedelta(days=7, minutes=1))
    assert make_order("A").reasons == {}


def test_price_under_the_share_of_the_list_price(tenant: Tenant) -> None:
    Tenant.objects.update(lowest_price_share=Decimal("5.000"))
    tenant.refresh_from_db()
    assert make_order("A").reasons == {}
    Tenant.objects.update(lowest_price_share=Decimal("5.001"))
    tenant.refresh_from_db()
    order = make_order("A", "X")
    [line] = order.reasons["low_price"]["lines"]
    assert (line["sku"], line["listPrice"]) == ("A", 500)
    [told] = explain_reasons(order, with_costs=False)
    assert "500" not in told.texts[0]


@pytest.mark.parametrize(
    ("order_type", "details", "codes"),
    [
        ("standard", {}, []),
        ("extension", {"extensionDetails": EXTENSION}, ["unknown_original"]),
        ("extension", {}, ["unknown_original"]),
        ("upgrade", {"upgradeDetails": UPGRADE}, ["unknown_original"]),
        ("upgrade", {}, ["unknown_original"]),
        ("standard", {"extensionDetails": EXTENSION}, ["other_details"]),
        ("extension", {"upgradeDetails": UPGRADE}, ["unknown_original", "other_details"]),
    ],
)
def test_details_that_do_not_fit(
    order_type: str, details: dict[str, Any], codes: list[str]
) -> None:
    order = make_order("A", orderType=order_type, **details)
    assert [each.code for each in explain_reasons(order, with_costs=True)] == codes


@pytest.mark.parametrize(
    ("before", "months", "after", "agree"),
    [
        ("2026-01-31", 6, "2026-07-31", True),
        ("2026-01-31", 1, "2026-02-28", True),
        ("2026-02-28", 1, "2026-03-31", True),
        ("2026-02-28", 1, "2026-03-28", True),
        ("2026-02-27", 1, "2026-03-31", False),
        ("2026-01-31", 6, "2026-08-31", False),
        ("soon", 6, "later", False),
        ("9999-12-31", 12, "9999-12-31", False),
    ],
)
def test_dates_of_an_extension(
    earlier: Order, before: str, months: int, after: str, agree: bool
) -> None:
    details = {
        "originalOrderId": earlier.public_id,
        "extensionMonths": months,
        "previousEndDate": before,
        "newEndDate": after,
    }
    order = make_order("A", orderType="extension", extensionDetails=details)
    assert list(order.reasons) == ([] if agree else ["dates_contradict"])


def test_every_reason_is_explained_and_weighs_something(tenant: Tenant) -> None:
    assert all(Reason(code).weight > 0 for code in Reason.values)
    assert risk_of({"first_order": {}, "repeated": {}}) == 40


def test_riskiest_order_comes_first_then_the_oldest(earlier: Order) -> None:
    clean, risky, later = make_order("A"), make_order(**item(50, "X")), make_order("A", "X")
    queue = Order.objects.awaiting_review().by_risk()
    assert list(queue) == [risky, earlier, clean, later]


def test_reasons_take_no_statement_of_their_own(
    tenant: Tenant, django_assert_num_queries: Any
) -> None:
    CustomerFactory(email="known@example.com")
    placed = new_order("A", customFields=PO)
    with django_assert_num_queries(6):
        create_order(
            tenant=tenant,
            actor=Actor.system("test"),
            new_order=placed,
            source=Order.Source.API,
        )
