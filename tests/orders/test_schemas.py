"""The shape of an order: every field of the contract, and what each refuses."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.schemas import NewOrder
from portal.shapes import parse
from portal.text import hidden_character
from tests.factories import address, order_body

FULL: dict[str, Any] = order_body(
    "A",
    orderType="upgrade",
    customer={
        "email": "Noor@Example.com",
        "firstName": "Noor",
        "lastName": "el Idrissi",
        "company": "Acme",
        "phone": "+31 6",
        "customerType": "business",
    },
    billingAddress=address(
        company="Acme",
        buildingInfo="3rd floor",
        locality="West",
        adminArea="South Holland",
        postalCode="3011 AA",
    ),
    shippingAddress=address(postalCode=None),
    extensionDetails={
        "originalOrderId": "ord_1",
        "extensionMonths": 6,
        "previousEndDate": "2026-01-31",
        "newEndDate": "2026-07-31",
        "reason": "Still\nneeded",
    },
    upgradeDetails={
        "previousDevice": "MacBook Pro 14",
        "previousSerialNumber": "C02",
        "previousMonthlyAmount": Decimal("42.50"),
        "previousRentalId": "rental_1",
        "upgradeReason": "Faster",
    },
    customFields={"po": "PO-1", "deep": [{"n": Decimal("1.10")}]},
    notes="Call\nfirst.",
)
ONE_LINE = [
    *(f"customer.{name}" for name in ("email", "firstName", "lastName", "company", "phone")),
    *(
        f"billingAddress.{name}"
        for name in (
            *("contactName", "company", "buildingInfo", "streetAddress", "locality", "city"),
            *("adminArea", "postalCode", "country"),
        )
    ),
    "items.0.sku",
    *(f"extensionDetails.{name}" for name in ("originalOrderId", "previousEndDate", "newEndDate")),
    *(
        f"upgradeDetails.{name}"
        for name in ("previousDevice", "previousSerialNumber", "previousRentalId")
    ),
]
MULTILINE = ["notes", "extensionDetails.reason", "upgradeDetails.upgradeReason"]
REQUIRED = [
    *("customer.email", "customer.firstName", "customer.lastName"),
    *(f"billingAddress.{key}" for key in address()),
    *(f"shippingAddress.{key}" for key in address()),
    "items.0.sku",
    *(f"extensionDetails.{name}" for name in ("originalOrderId", "previousEndDate", "newEndDate")),
    *(
        f"upgradeDetails.{name}"
        for name in ("previousDevice", "previousSerialNumber", "previousRentalId")
    ),
]
NUMBERS = [
    "items.0.quantity",
    "extensionDetails.extensionMonths",
    "upgradeDetails.previousMonthlyAmount",
]
OBJECTS = [
    *("customer", "billingAddress", "shippingAddress", "extensionDetails", "upgradeDetails"),
    "items.0",
]
LONGEST = {
    "customer.firstName": 100,
    "customer.lastName": 100,
    "customer.company": 200,
    "customer.phone": 50,
    "billingAddress.city": 300,
    "items.0.sku": 100,
    "extensionDetails.originalOrderId": 200,
    "extensionDetails.reason": 1000,
    "upgradeDetails.upgradeReason": 1000,
    "notes": 5000,
}
DELETED = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full order with another value at the path, or without it."""
    body = deepcopy(FULL)
    *parents, last = path.split(".")
    inner: Any = body
    for key in parents:
        inner = inner[int(key) if key.isdecimal() else key]
    if value is DELETED:
        del inner[last]
    else:
        inner[int(last) if last.isdecimal() else last] = value
    return body


def wrong(path: str, value: Any) -> list[str]:
    """The paths that are refused when that value is sent there."""
    order, problems = parse(NewOrder, changed(path, value))
    assert (order is None) is bool(problems)
    assert all(problem.code == "VALIDATION_ERROR" and problem.message for problem in problems)
    return [problem.path for problem in problems]


def test_every_field_is_read() -> None:
    order, problems = parse(NewOrder, FULL)
    assert problems == []
    assert order is not None
    assert order.model_dump(by_alias=True, exclude_unset=True) == FULL


def test_only_what_is_required_is_needed() -> None:
    order, problems = parse(NewOrder, order_body("A", unknown=1))
    assert problems == []
    assert order is not None
    assert (order.order_type, order.customer.customer_type) == ("standard", "individual")
    assert (order.shipping_address, order.custom_fields, order.notes) == (None, None, "")


@pytest.mark.parametrize("path", [*REQUIRED, *NUMBERS, "customer", "billingAddress", "items"])
def test_required_field_is_missed(path: str) -> None:
    assert wrong(path, DELETED) == [path]


@pytest.mark.parametrize("path", REQUIRED)
@pytest.mark.parametrize("blank", ["", "  ", "\t\n"])
def test_required_text_is_not_blank(path: str, blank: str) -> None:
    assert wrong(path, blank) == [path]


@pytest.mark.parametrize("path", [*ONE_LINE, *MULTILINE])
@pytest.mark.parametrize("value", [1, True, Decimal("1.5"), [], {}])
def test_text_is_text(path: str, value: Any) -> None:
    assert wrong(path, value) == [path]


@pytest.mark.parametrize("path", [*ONE_LINE, *MULTILINE, *NUMBERS, *OBJECTS, "items", "orderType"])
def test_null_is_refused_but_for_a_postal_code(path: str) -> None:
    assert wrong(path, None) == ([] if path.endswith("postalCode") else [path])


@pytest.mark.parametrize("path", OBJECTS)
@pytest.mark.parametrize("value", ["x", 1, [], True])
def test_object_is_an_object(path: str, value: Any) -> None:
    assert wrong(path, value) == [path]


@pytest.mark.parametrize("path", ["billingAddress", "shippingAddress"])
def test_empty_address_names_what_is_missing(path: str) -> None:
    assert wrong(path, {}) == [f"{path}.{key}" for key in address()]


@pytest.mark.parametrize(("path", "longest"), LONGEST.items())
def test_text_is_not_too_long(path: str, longest: int) -> None:
    assert wrong(path, "a" * longest) == []
    assert wrong(path, "a" * (longest + 1)) == [path]


@pytest.mark.parametrize("path", [*ONE_LINE, *MULTILINE])
@pytest.mark.parametrize("hidden", ["\x00", "\x1f", "\u200b", "\u202e", "\ufeff", "\ud800"])
def test_text_hides_nothing(path: str, hidden: str) -> None:
    text = "noor@example.com" if path == "customer.email" else "text"
    assert wrong(path, f"{text[:2]}{hidden}{text[2:]}") == [path]


@pytest.mark.parametrize("path", ONE_LINE)
def test_line_break_is_refused_in_one_line(path: str) -> None:
    assert wrong(path, "no\nor@example.com") == [path]


@pytest.mark.parametrize(
    ("value", "quantity"),
    [(1, 1), (Decimal("1.0"), 1), (Decimal("1e4"), 10_000), (10_000, 10_000)],
)
def test_quantity_is_whole(value: Any, quantity: int) -> None:
    order, _ = parse(NewOrder, changed("items.0.quantity", value))
    assert order is not None
    assert (order.items[0].quantity, type(order.items[0].quantity)) == (quantity, int)


@pytest.mark.parametrize(
    "value",
    [
        *(0, -1, 10_001, 10**30, True, False, "1", [], {}, 1.0),
        *map(Decimal, ("1.5", "0.5", "-1.0", "1e300", "1e-300", "10000.5")),
    ],
)
def test_quantity_that_is_no_number_of_devices_is_refused(value: Any) -> None:
    assert wrong("items.0.quantity", value) == ["items.0.quantity"]


@pytest.mark.parametrize("value", [24, 0, -1, 10**30, *map(Decimal, ("24.0", "24.5", "1e300"))])
def test_any_number_has_the_shape_of_a_contract_length(value: Any) -> None:
    order, problems = parse(NewOrder, changed("items.0.contractLength", value))
    assert problems == []
    assert order is not None
    assert order.items[0].contract_length == value


@pytest.mark.parametrize("value", ["24", "", True, False, None, [], {}])
def test_contract_length_that_is_no_number_is_refused(value: Any) -> None:
    assert wrong("items.0.contractLength", value) == ["items.0.contractLength"]


@pytest.mark.parametrize("value", [0, -6, 121, Decimal("1.5"), "6", True])
def test_extension_is_whole_months(value: Any) -> None:
    path = "extensionDetails.extensionMonths"
    assert wrong(path, value) == [path]


@pytest.mark.parametrize("value", [-1, Decimal("10000000"), "42", True])
def test_previous_amount_is_an_amount(value: Any) -> None:
    path = "upgradeDetails.previousMonthlyAmount"
    assert wrong(path, value) == [path]


@pytest.mark.parametrize("path", ["orderType", "customer.customerType"])
@pytest.mark.parametrize("value", ["gift", "Standard", "", 1, True, []])
def test_choice_is_one_of_the_contract(path: str, value: Any) -> None:
    assert wrong(path, value) == [path]


@pytest.mark.parametrize(("lines", "ok"), [(0, False), (1, True), (200, True), (201, False)])
def test_number_of_lines(lines: int, ok: bool) -> None:
    assert wrong("items", FULL["items"] * lines) == ([] if ok else ["items"])


@pytest.mark.parametrize("value", [None, {}, {"a": None}, {"a": [1, {"b": True}]}, {"": "x\r\ny"}])
def test_custom_fields_are_any_object(value: Any) -> None:
    order, _ = parse(NewOrder, changed("customFields", value))
    assert order is not None
    assert order.custom_fields == value


def nested(depth: int) -> dict[str, Any]:
    value: Any = "leaf"
    for _ in range(depth):
        value = {"a": value}
    return dict(value)


@pytest.mark.parametrize(
    "value",
    [
        *([], "x", 1, True),
        {"a\u200b": 1},
        {"a": ["\x00"]},
        {"a": {"b": "\ud800"}},
        {"a": "\r"},
        {"a": "x" * 65_536},
        nested(32),
    ],
)
def test_custom_fields_that_cannot_be_kept_are_refused(value: Any) -> None:
    assert wrong("customFields", value) == ["customFields"]


def test_custom_fields_may_be_nested_and_large() -> None:
    assert wrong("customFields", nested(31)) == []
    assert wrong("customFields", {"a": "x" * 65_000}) == []


@pytest.mark.parametrize("body", [None, [], "x", 1, True])
def test_order_is_an_object(body: Any) -> None:
    _, problems = parse(NewOrder, body)
    assert [problem.path for problem in problems] == [""]


def test_all_that_is_wrong_is_named_together() -> None:
    body = changed("customer.email", "x") | {"notes": 1, "items": [{"sku": "", "quantity": 0}]}
    _, problems = parse(NewOrder, body)
    assert [problem.path for problem in problems] == [
        "customer.email",
        "items.0.sku",
        "items.0.quantity",
        "notes",
    ]


def test_object_is_kept_without_what_is_blank_or_absent() -> None:
    sent = address(company="", buildingInfo="  ", locality="West", postalCode=None, unknown=1)
    order, _ = parse(NewOrder, order_body("A", billingAddress=sent))
    assert order is not None
    assert order.billing_address.stored() == address(locality="West", postalCode=None)


@given(st.sampled_from([*ONE_LINE, *MULTILINE]), st.text(max_size=60))
def test_accepted_text_is_visible_and_trimmed(path: str, text: str) -> None:
    order, problems = parse(NewOrder, changed(path, text))
    if order is None:
        assert [problem.path for problem in problems] == [path]
        return
    kept: Any = order.model_dump(by_alias=True)
    for key in path.split("."):
        kept = kept[int(key) if key.isdecimal() else key]
    assert kept == kept.strip()
    assert hidden_character(kept, multiline=path in MULTILINE) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from([*FULL, *ONE_LINE, *NUMBERS, *OBJECTS, "items.0.contractLength"]), JSON)
def test_any_json_is_accepted_or_refused_by_path(path: str, value: Any) -> None:
    assert all(p == path or p.startswith(f"{path}.") for p in wrong(path, value))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "Enter 1 or more."),
        (10_001, "Enter 10,000 at most."),
        (10**12, "This number is too large."),
        (Decimal("1.5"), "Enter a whole number."),
        ("1", "Enter a whole number."),
    ],
)
def test_quantity_is_refused_in_words(value: Any, message: str) -> None:
    _, [problem] = parse(NewOrder, changed("items.0.quantity", value))
    assert problem.message == message


@pytest.mark.parametrize(
    "name", ["agreed_price", "agreedPrice", "_agreed_price", "_agreedPrice", "unitPrice"]
)
@pytest.mark.parametrize("value", [Decimal(1), "1", None])
def test_price_in_a_body_is_not_read_under_any_name(name: str, value: Any) -> None:
    body = order_body("A")
    body["items"][0][name] = value
    read, problems = parse(NewOrder, body)
    assert read is not None
    assert (problems, read.items[0].agreed_price) == ([], None)
    assert read.items[0].model_dump(by_alias=True) == {
        "sku": "A",
        "quantity": 1,
        "contractLength": 24,
    }


def test_agreed_prices_are_set_on_a_copy() -> None:
    read, _ = parse(NewOrder, order_body("A", "B"))
    assert read is not None
    agreed = read.at([Decimal("24.50"), None])
    assert [item.agreed_price for item in agreed.items] == [Decimal("24.50"), None]
    assert [item.agreed_price for item in read.items] == [None, None]
    assert agreed.customer == read.customer
