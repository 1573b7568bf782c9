"""An order of the past has to be of the right shape and to fit together, each field by its path."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.urls import reverse

from orders.historic import RESERVED_IDS, HistoricOrder, read_historic_order
from orders.models import CustomField
from portal.errors import ValidationFailed
from portal.models import Tenant
from tests.factories import CustomFieldFactory, address
from tests.orders.past import past_item, past_order, with_vat

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def read(tenant: Tenant, data: Any) -> HistoricOrder:
    return read_historic_order(tenant=tenant, fields=CustomField.objects.all(), data=data, now=NOW)


def problems(tenant: Tenant, data: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as refused:
        read(tenant, data)
    assert {detail.code for detail in refused.value.details} == {"VALIDATION_ERROR"}
    return [(detail.path, detail.message) for detail in refused.value.details]


def changed(path: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    """Sets the value at a path such as `items.0.sku`; `del` takes the field away."""

    def change(order: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            order = order[int(step) if step.isdecimal() else step]
        if value is del_:
            del order[last]
        else:
            order[last] = value

    return change


del_ = object()
REQUIRED = "This field is required."
HIDDEN = "It contains a character that cannot be seen (U+200B)."
NO_ID = "This cannot be an id: an address could not hold it."
NO_MOMENT = "Send a time with its zone, such as 2026-03-02T09:30:00Z."
TOO_FINE = "EUR has no amounts as fine as this."
FUTURE = "This lies in the future."


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("orderId", del_, REQUIRED),
        ("orderId", " ", REQUIRED),
        ("orderId", 7, "Send a string."),
        ("orderId", "x" * 65, "This may have 64 characters at most."),
        ("orderId", "old\0", "It contains a character that cannot be seen (U+0000)."),
        ("orderId", "old/1", NO_ID),
        ("orderId", "new", NO_ID),
        ("status", del_, REQUIRED),
        (
            "status",
            "shipped",
            "Choose 'pending', 'confirmed', 'partial', 'fulfilled' or 'cancelled'.",
        ),
        ("orderType", "rental", "Choose 'standard', 'extension' or 'upgrade'."),
        ("customer", del_, REQUIRED),
        ("customer.email", "noor", "Enter an e-mail address such as name@example.com."),
        ("customer.firstName", "\u200bNoor", HIDDEN),
        ("customer.customerId", "a/b", NO_ID),
        ("customer.customerId", None, "Leave this out instead of sending null."),
        ("billingAddress.city", "", REQUIRED),
        ("shippingAddress", None, "Leave this out instead of sending null."),
        ("shippingAddress.country", del_, REQUIRED),
        ("items", [], "Add at least one item."),
        ("items.0.sku", " ", REQUIRED),
        ("items.0.productName", del_, REQUIRED),
        ("items.0.productName", "x" * 201, "This may have 200 characters at most."),
        (
            "items.0.productImageUrl",
            "javascript:alert(1)",
            "Enter an address of http or https.",
        ),
        ("items.0.quantity", 0, "Enter 1 or more."),
        ("items.0.quantity", "3", "Enter a whole number."),
        ("items.0.contractLength", del_, REQUIRED),
        ("items.0.contractLength", Decimal("24.5"), "Enter a whole number."),
        ("items.0.contractLength", 121, "Enter 120 at most."),
        ("items.0.unitPrice", del_, REQUIRED),
        ("items.0.unitPrice", -1, "Enter 0 or more."),
        ("items.0.unitPrice", "31.95", "Enter a number."),
        ("items.0.listPrice", None, "Leave this out instead of sending null."),
        ("items.0.listPriceSource", "guess", "Choose 'variant', 'manual' or 'unknown'."),
        ("items.0.usedListPriceAsAcquisition", 1, "Send true or false."),
        ("items.0.rentalStatus", "done", "Choose 'pending', 'partial' or 'completed'."),
        ("items.0.rentalIds", ["\u200b"], HIDDEN),
        ("totals", del_, REQUIRED),
        ("totals.total", del_, REQUIRED),
        ("totals.taxAmount", -1, "Enter 0 or more."),
        ("totals.subtotal", Decimal("1e300"), "Enter 10,000,000,000,000,000 at most."),
        ("rentalProgress", del_, REQUIRED),
        ("rentalProgress.rentedDevices", -1, "Enter 0 or more."),
        ("createdAt", del_, REQUIRED),
        ("createdAt", "2023-05-04T09:30:00", NO_MOMENT),
        ("createdAt", "yesterday", NO_MOMENT),
        ("createdAt", 1683192600, NO_MOMENT),
        ("createdAt", "0001-01-01T00:00:00+14:00", NO_MOMENT),
        ("createdAt", "1969-12-31T23:59:59Z", "This is before 1970."),
        ("updatedAt", None, "Leave this out instead of sending null."),
        ("createdBy", "x" * 255, "This may have 254 characters at most."),
        ("notes", "x" * 5001, "This may have 5000 characters at most."),
        ("customFields", [], "Send an object."),
        ("payment", "paid", "Send an object."),
        ("trackingNumber", "\u200b", HIDDEN),
        # Of the right shape, but nothing that fits.
        ("updatedAt", "2026-05-04T09:30:01Z", FUTURE),
        ("updatedAt", "2023-05-04T09:29:59Z", "This is before createdAt."),
        ("confirmedAt", "2023-05-04T09:29:59Z", "This is before createdAt, or after updatedAt."),
        ("confirmedAt", "2026-05-04T09:30:01Z", "This is before createdAt, or after updatedAt."),
        (
            "cancelledAt",
            "2023-05-05T09:30:00Z",
            "An order that is confirmed has not been cancelled.",
        ),
        ("totals.currency", "USD", "All orders of this tenant are in EUR."),
        ("totals.totalDevices", 4, "The items have 3 devices."),
        ("totals.total", 96, "It is 95.85, or 95.85 where prices include the tax."),
        ("rentalProgress.totalDevices", 2, "The items have 3 devices."),
        (
            "rentalProgress.rentedDevices",
            1,
            "So many devices cannot be rented of an order that is confirmed.",
        ),
        ("items.0.listPrice", Decimal("0.001"), TOO_FINE),
        ("items.0.listPriceOverride", Decimal("0.001"), TOO_FINE),
        ("items.0.acquisitionCost", Decimal("0.001"), TOO_FINE),
        ("items.0.acquisitionCostOverride", Decimal("0.001"), TOO_FINE),
        ("items.0.unitPrice", Decimal("31.951"), TOO_FINE),
        ("totals.taxAmount", Decimal("0.001"), TOO_FINE),
    ],
)
def test_field_that_is_wrong_is_named(tenant: Tenant, path: str, value: Any, message: str) -> None:
    order = past_order()
    changed(path, value)(order)
    [(found, said)] = problems(tenant, order)
    assert (found.removesuffix(".0") if path.endswith("rentalIds") else found) == path
    assert said == (REQUIRED if message is REQUIRED else message)


@pytest.mark.parametrize("data", [None, 7, [], "order"])
def test_line_that_is_no_object(tenant: Tenant, data: Any) -> None:
    assert problems(tenant, data) == [("", "Send an object.")]


def test_everything_of_the_wrong_shape_is_named_together(tenant: Tenant) -> None:
    CustomFieldFactory(key="seats", label="Seats", type=CustomField.Type.NUMBER)
    order = past_order(orderId="", status=1, customFields={"seats": "three"})
    order["items"][0]["quantity"] = True
    assert sorted(path for path, _ in problems(tenant, order)) == [
        "customFields.seats",
        "items.0.quantity",
        "orderId",
        "status",
    ]


def test_everything_that_does_not_fit_is_named_together(tenant: Tenant) -> None:
    order = past_order(updatedAt="2020-01-01T00:00:00Z")
    order["totals"] |= {"subtotal": 90, "total": 91, "totalDevices": 9}
    assert [path for path, _ in problems(tenant, order)] == [
        "updatedAt",
        "totals.totalDevices",
        "totals.subtotal",
        "totals.total",
    ]


def test_id_that_an_address_means_otherwise_is_reserved() -> None:
    reverse("home")  # Loads all addresses, in the order that they need.
    routes = [str(each.pattern) for each in import_module("orders.urls").urlpatterns]
    words = {route.split("/")[1] for route in routes if route.startswith("orders/")}
    assert {"new", "export"} <= words
    assert {word for word in words if word and "<" not in word} <= RESERVED_IDS


def test_order_that_is_not_placed_yet(tenant: Tenant) -> None:
    order = past_order(createdAt="2026-05-04T09:30:01Z")
    del order["updatedAt"]
    assert problems(tenant, order) == [("createdAt", FUTURE)]


CONFIRMED, CANCELLED = "2023-05-05T09:30:00Z", "2023-05-05T10:00:00Z"


@pytest.mark.parametrize(
    ("status", "times", "path", "message"),
    [
        (
            "pending",
            {"confirmedAt": CONFIRMED},
            "confirmedAt",
            "A pending order has not been confirmed.",
        ),
        *(
            (
                status,
                {"cancelledAt": CANCELLED},
                "cancelledAt",
                f"An order that is {status} has not been cancelled.",
            )
            for status in ("pending", "confirmed", "partial", "fulfilled")
        ),
        *(
            (
                "cancelled",
                times,
                "cancelledAt",
                "This is before createdAt or confirmedAt, or after updatedAt.",
            )
            for times in (
                {"cancelledAt": "2023-05-04T09:29:59Z"},
                {"cancelledAt": CONFIRMED, "confirmedAt": CANCELLED},
            )
        ),
    ],
)
def test_times_that_contradict(
    tenant: Tenant, status: str, times: dict[str, str], path: str, message: str
) -> None:
    assert problems(tenant, past_order(status=status, **times)) == [(path, message)]


def test_cancelled_order_may_have_been_confirmed(tenant: Tenant) -> None:
    times = {"confirmedAt": CONFIRMED, "cancelledAt": CANCELLED}
    past = read(tenant, past_order(status="cancelled", **times))
    assert (past.confirmed_at is None, past.cancelled_at is None) == (False, False)


def test_each_time_that_contradicts_is_named(tenant: Tenant) -> None:
    times = {"confirmedAt": CONFIRMED, "cancelledAt": CANCELLED}
    named = problems(tenant, past_order(status="pending", **times))
    assert [path for path, _ in named] == ["confirmedAt", "cancelledAt"]


def test_tax_without_a_rate(tenant: Tenant) -> None:
    order = past_order(past_item(unitPrice=Decimal(0)))
    order["totals"] |= {"taxAmount": 1, "total": 1}
    assert problems(tenant, order) == [
        ("totals.taxAmount", "No VAT rate up to 100 % comes to this amount.")
    ]


def test_field_that_is_required_today_may_be_missing(tenant: Tenant) -> None:
    CustomFieldFactory(key="costCenter", required=True)
    assert read(tenant, past_order()).custom_fields is None
    assert read(tenant, past_order(customFields={"costCenter": ""})).custom_fields


def test_what_can_be_left_out(tenant: Tenant) -> None:
    order = past_order()
    optional = ("tenantId", "orderType", "shippingAddress", "customFields", "rentalIds")
    for name in (*optional, "updatedAt", "createdBy"):
        del order[name]
    del order["customer"]["customerId"], order["totals"]["taxAmount"]
    for name in ("productId", "variantId"):
        del order["items"][0][name]
    past = read(tenant, order)
    assert (past.order_type, past.shipping_address) == ("standard", None)
    assert past.changed_at == past.created_at == datetime(2023, 5, 4, 9, 30, tzinfo=UTC)


def test_moment_is_read_with_its_zone(tenant: Tenant) -> None:
    past = read(tenant, past_order(createdAt="2023-05-04T09:30:00.123456+02:00"))
    assert past.created_at == datetime(2023, 5, 4, 7, 30, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "listed", "cost"),
    [
        ({}, (None, "unknown"), (None, "unknown")),
        ({"listPrice": 900}, (900, "manual"), (None, "unknown")),
        (
            {"listPrice": 900, "listPriceSource": "unknown", "acquisitionCost": 650},
            (900, "manual"),
            (650, "manual"),
        ),
        (
            {
                "listPrice": 900,
                "listPriceSource": "variant",
                "acquisitionCost": 650,
                "acquisitionCostSource": "variant",
            },
            (900, "variant"),
            (650, "variant"),
        ),
        (
            {"listPrice": 900, "usedListPriceAsAcquisition": True},
            (900, "manual"),
            (900, "list_price"),
        ),
        (
            {
                "listPrice": 900,
                "listPriceSource": "variant",
                "acquisitionCost": 900,
                "acquisitionCostSource": "list_price",
            },
            (900, "variant"),
            (900, "list_price"),
        ),
        (
            {
                "listPrice": 900,
                "listPriceSource": "variant",
                "listPriceOverride": 800,
                "acquisitionCost": 900,
                "acquisitionCostOverride": 0,
                "usedListPriceAsAcquisition": True,
            },
            (800, "manual"),
            (0, "manual"),
        ),
    ],
)
def test_prices_have_their_sources(
    tenant: Tenant, given: dict[str, Any], listed: Any, cost: Any
) -> None:
    [item] = read(tenant, past_order(past_item(**given))).items
    assert (item.listed(), item.cost()) == (listed, cost)


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"listPriceSource": "variant"}, "listPrice", "Its source is variant, but it is missing."),
        (
            {"acquisitionCostSource": "manual"},
            "acquisitionCost",
            "Its source is manual, but it is missing.",
        ),
        (
            {"usedListPriceAsAcquisition": True},
            "acquisitionCost",
            "Its source is list_price, but it is missing.",
        ),
        (
            {
                "acquisitionCost": 1,
                "acquisitionCostSource": "variant",
                "usedListPriceAsAcquisition": True,
            },
            "usedListPriceAsAcquisition",
            "The acquisitionCostSource is variant.",
        ),
    ],
)
def test_source_without_a_price(
    tenant: Tenant, given: dict[str, Any], path: str, message: str
) -> None:
    assert problems(tenant, past_order(past_item(**given))) == [(f"items.0.{path}", message)]


@pytest.mark.parametrize(
    ("status", "rented", "told", "expected"),
    [
        ("pending", 0, [{}, {}], [0, 0]),
        ("cancelled", 0, [{"rentalStatus": "pending"}, {}], [0, 0]),
        ("fulfilled", 6, [{}, {"rentalStatus": "completed"}], [2, 4]),
        ("partial", 1, [{}, {}], [1, 0]),
        ("partial", 3, [{}, {}], [2, 1]),
        ("partial", 5, [{}, {}], [2, 3]),
        ("partial", 4, [{"rentalStatus": "pending"}, {"rentalStatus": "completed"}], [0, 4]),
        ("partial", 3, [{"rentalStatus": "partial"}, {"rentalStatus": "partial"}], [1, 2]),
        ("partial", 4, [{"rentalStatus": "completed"}, {"rentalStatus": "partial"}], [2, 2]),
        ("partial", 4, [{"rentalIds": ["r1"]}, {}], [1, 3]),
        ("partial", 2, [{"rentalIds": ["r1"], "rentalStatus": "partial"}, {}], [1, 1]),
    ],
)
def test_rented_devices_are_spread_as_the_items_tell(
    tenant: Tenant, status: str, rented: int, told: list[dict[str, Any]], expected: list[int]
) -> None:
    items = [past_item(quantity=quantity, **t) for quantity, t in zip((2, 4), told, strict=True)]
    order = past_order(*items, status=status)
    order["rentalProgress"]["rentedDevices"] = rented
    assert read(tenant, order).rented() == expected


@pytest.mark.parametrize(
    ("status", "rented", "told", "path"),
    [
        ("partial", 0, {}, "rentalProgress.rentedDevices"),
        ("partial", 3, {}, "rentalProgress.rentedDevices"),
        ("fulfilled", 2, {}, "rentalProgress.rentedDevices"),
        ("pending", 1, {}, "rentalProgress.rentedDevices"),
        ("partial", 1, {"rentalStatus": "pending"}, "rentalProgress.rentedDevices"),
        ("fulfilled", 3, {"rentalStatus": "partial"}, "rentalProgress.rentedDevices"),
        ("partial", 1, {"rentalIds": ["1", "2"]}, "rentalProgress.rentedDevices"),
        ("partial", 1, {"rentalIds": ["1", "2", "3", "4"]}, "items.0.rentalIds"),
        (
            "partial",
            1,
            {"rentalIds": ["1"], "rentalStatus": "completed"},
            "items.0.rentalStatus",
        ),
    ],
)
def test_rented_devices_that_contradict(
    tenant: Tenant, status: str, rented: int, told: dict[str, Any], path: str
) -> None:
    order = past_order(past_item(**told), status=status)
    order["rentalProgress"]["rentedDevices"] = rented
    assert [found for found, _ in problems(tenant, order)] == [path]


@pytest.mark.parametrize(
    ("status", "of_items", "of_order", "message"),
    [
        ("pending", [], ["x"], "Of the order 0 devices are rented."),
        ("confirmed", [], ["x"], "Of the order 0 devices are rented."),
        ("cancelled", [], ["x"], "Of the order 0 devices are rented."),
        ("partial", [], ["x", "y"], "Of the order 1 devices are rented."),
        ("partial", ["x"], ["y"], "The rentalIds of the items are not among them."),
        ("fulfilled", [], ["x"], "Of the order 5 devices are rented."),
        ("fulfilled", [*"abc"], ["d"], "Of the order 5 devices are rented."),
        ("fulfilled", [*"abc"], [*"abdef"], "The rentalIds of the items are not among them."),
        ("fulfilled", [*"aab"], [*"abcde"], "The rentalIds of the items are not among them."),
    ],
)
def test_rentals_of_the_order_that_contradict(
    tenant: Tenant, status: str, of_items: list[str], of_order: list[str], message: str
) -> None:
    items = past_item(rentalIds=of_items), past_item(quantity=2)
    order = past_order(*items, status=status, rentalIds=of_order)
    assert problems(tenant, order) == [("rentalIds", message)]


@pytest.mark.parametrize(
    ("status", "of_items", "of_order"),
    [
        ("pending", [], []),
        ("partial", [], ["x"]),
        ("partial", ["x"], []),
        ("partial", ["x"], ["x"]),
        ("fulfilled", [*"abc"], [*"edcba"]),
    ],
)
def test_rentals_of_the_order_that_agree(
    tenant: Tenant, status: str, of_items: list[str], of_order: list[str]
) -> None:
    items = past_item(rentalIds=of_items), past_item(quantity=2)
    past = read(tenant, past_order(*items, status=status, rentalIds=of_order))
    assert past.elsewhere().get("rentalIds", []) == of_order


def test_one_device_is_not_rented_in_part(tenant: Tenant) -> None:
    order = past_order(past_item(quantity=1, rentalStatus="partial"), past_item(), status="partial")
    assert problems(tenant, order) == [
        ("items.0.rentalStatus", "One device cannot be rented in part.")
    ]


@pytest.mark.parametrize(
    ("currency", "price", "included", "rate"),
    [
        ("EUR", "31.95", False, "21"),
        ("EUR", "31.95", True, "21"),
        ("EUR", "31.95", False, "5.5"),
        ("JPY", "3195", False, "10"),
        ("JPY", "3195", True, "10"),
        ("BHD", "31.955", False, "10"),
        ("BHD", "31.955", True, "5"),
    ],
)
def test_totals_are_those_of_the_past(
    tenant: Tenant, currency: str, price: str, included: bool, rate: str
) -> None:
    # Today's rules differ: VAT is 19 %, and the prices are shown the other way.
    tenant.currency, tenant.vat_rate, tenant.prices_include_vat = currency, 19, not included
    item = past_item(unitPrice=Decimal(price))
    order = with_vat(past_order(item, currency=currency), Decimal(rate), included=included)
    totals = read(tenant, order).sums(tenant)
    told = order["totals"]
    assert (totals.subtotal, totals.tax_amount) == (told["subtotal"], told["taxAmount"])
    assert totals.total == told["total"]
    assert (totals.vat_rate, totals.prices_include_vat) == (Decimal(rate), included)
    assert totals.contract_value == told["subtotal"] * 24


def test_addresses_are_cleaned_as_those_of_the_api(tenant: Tenant) -> None:
    past = read(tenant, past_order(billingAddress=address(city=" Delft ", company="")))
    assert past.billing_address.stored() == address(city="Delft")
