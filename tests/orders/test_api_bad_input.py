"""Refused orders: each names what is wrong and leaves every table as it was."""

from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Variant
from portal.models import Tenant
from tests.api import post, problems
from tests.factories import CustomerFactory, VariantFactory, address, order_body

CUSTOMER = order_body()["customer"]


def counts() -> dict[str, int]:
    with scopes_disabled():
        return {model.__name__: model._default_manager.count() for model in apps.get_models()}


def line(**changes: Any) -> dict[str, Any]:
    return {"items": [{"sku": "A", "quantity": 1, **changes}]}


def without(given: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


BAD_SHAPES: list[tuple[dict[str, Any], list[str]]] = [
    ({"customer": None}, ["customer"]),
    ({"customer": []}, ["customer"]),
    ({"customer": {}}, ["customer.email", "customer.firstName", "customer.lastName"]),
    *(
        ({"customer": {**CUSTOMER, "email": email}}, ["customer.email"])
        for email in (
            None, 1, "", " ", "noor", "noor@", "@example.com", "noor@example", "a b@example.com",
            "a@b@example.com", "noor@example..com", "noor\u200b@example.com",
            "noor@example.com\x00",
            f"{'n' * 250}@example.com", "İ" * 200 + "@example.com",
        )
    ),
    *(
        ({"customer": {**CUSTOMER, "firstName": name}}, ["customer.firstName"])
        for name in (None, 1, "", " \t", "x" * 101, "a\x00b", "a\u202eb", "a\nb", "\ud800")
    ),
    ({"customer": {**CUSTOMER, "company": None}}, ["customer.company"]),
    ({"customer": {**CUSTOMER, "customerType": "company"}}, ["customer.customerType"]),
    ({"customer": {**CUSTOMER, "customerType": None}}, ["customer.customerType"]),
    ({"orderType": "rental"}, ["orderType"]),
    ({"orderType": ["standard"]}, ["orderType"]),
    ({"billingAddress": None}, ["billingAddress"]),
    *(
        ({"billingAddress": without(address(), name)}, [f"billingAddress.{name}"])
        for name in ("contactName", "streetAddress", "city", "country")
    ),
    ({"billingAddress": address(city=" ")}, ["billingAddress.city"]),
    ({"billingAddress": address(postalCode=3011)}, ["billingAddress.postalCode"]),
    ({"billingAddress": address(locality=None)}, ["billingAddress.locality"]),
    ({"shippingAddress": None}, ["shippingAddress"]),
    ({"shippingAddress": "same"}, ["shippingAddress"]),
    (
        {"shippingAddress": {}},
        [f"shippingAddress.{name}" for name in ("city", "contactName", "country", "streetAddress")],
    ),
    ({"items": None}, ["items"]),
    ({"items": {}}, ["items"]),
    ({"items": []}, ["items"]),
    ({"items": [{}]}, ["items.0.quantity", "items.0.sku"]),
    ({"items": ["A"]}, ["items.0"]),
    ({"items": [{"sku": "A", "quantity": 1}] * 201}, ["items"]),
    *((line(sku=sku), ["items.0.sku"]) for sku in (None, 1, "", " ", "x" * 101, "A\x00")),
    *(
        (line(quantity=quantity), ["items.0.quantity"])
        for quantity in (
            None, True, "1", Decimal("1.5"), 0, -1, 10_001, 10**300, Decimal("1e-300"), [1],
        )
    ),
    *(
        (line(contractLength=length), ["items.0.contractLength"])
        for length in (None, True, "24", [24])
    ),
    ({"notes": None}, ["notes"]),
    ({"notes": "x" * 5001}, ["notes"]),
    ({"notes": "\x00"}, ["notes"]),
    ({"extensionDetails": None}, ["extensionDetails"]),
    (
        {"extensionDetails": {"extensionMonths": 0, "newEndDate": 5}},
        [
            f"extensionDetails.{name}"
            for name in ("extensionMonths", "newEndDate", "originalOrderId", "previousEndDate")
        ],
    ),
    (
        {"upgradeDetails": {"previousMonthlyAmount": "5"}},
        [
            f"upgradeDetails.{name}"
            for name in (
                "previousDevice", "previousMonthlyAmount", "previousRentalId",
                "previousSerialNumber",
            )
        ],
    ),
    ({"customFields": []}, ["customFields"]),
    ({"customFields": "PO-1"}, ["customFields"]),
    ({"customFields": {"a": "x\x00"}}, ["customFields"]),
    ({"customFields": {"a\u200b": "x"}}, ["customFields"]),
    ({"customFields": {"\ud800": "x"}}, ["customFields"]),
    ({"customFields": {"a": {"b": ["\u202e"]}}}, ["customFields"]),
    ({"customFields": {"a": "x" * 70_000}}, ["customFields"]),
    ({"customFields": {"a": [Decimal("1e300")] * 300}}, ["customFields"]),
    ({"notes": 1, "items": [], "customer": 5}, ["customer", "items", "notes"]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "paths"), BAD_SHAPES)
def test_bad_shape_is_refused_by_name(
    api_client: Client, tenant: Tenant, changes: dict[str, Any], paths: list[str]
) -> None:
    VariantFactory(sku="A")
    before = counts()
    response = post(api_client, order_body("A", **changes), Idempotency_Key="k")
    assert problems(response) == (400, "VALIDATION_ERROR", paths)
    assert counts() == before


BAD_ORDERS: list[tuple[dict[str, Any], str, list[str]]] = [
    (line(sku="B"), "VARIANT_NOT_FOUND", ["items.0.sku"]),
    (line(sku="a"), "VARIANT_NOT_FOUND", ["items.0.sku"]),
    (line(sku="OLD"), "VARIANT_INACTIVE", ["items.0.sku"]),
    # Priced for several lengths, and the tenant has no default.
    (line(), "INVALID_CONTRACT_LENGTH", ["items.0.contractLength"]),
    *(
        (line(contractLength=length), "INVALID_CONTRACT_LENGTH", ["items.0.contractLength"])
        for length in (0, -24, 13, Decimal("24.5"), 10**300, Decimal("1e-300"))
    ),
    (
        {"customer": {**CUSTOMER, "email": "Left@Example.com"}},
        "VALIDATION_ERROR",
        ["customer.email"],
    ),
]


@pytest.mark.parametrize(("changes", "code", "paths"), BAD_ORDERS)
def test_what_cannot_be_ordered_is_refused_by_name(
    api_client: Client, tenant: Tenant, changes: dict[str, Any], code: str, paths: list[str]
) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="OLD", status="inactive")
    CustomerFactory(email="left@example.com", status="inactive")
    before = counts()
    response = post(api_client, order_body("A", **changes), Idempotency_Key="k")
    assert problems(response) == (400, code, paths)
    assert counts() == before


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["A", "noor@example.com", "standard", "\ud800", "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = [
    ("orderType",), ("extensionDetails",), ("upgradeDetails",), ("customer",), ("customFields",),
    ("billingAddress",), ("shippingAddress",), ("items",), ("notes",), ("customer", "email"),
    ("customer", "firstName"), ("customer", "phone"), ("customer", "customerType"),
    ("billingAddress", "city"), ("billingAddress", "postalCode"), ("items", 0), ("items", 0, "sku"),
    ("items", 0, "quantity"), ("items", 0, "contractLength"), ("customFields", "costCenter"),
    ("extensionDetails", "extensionMonths"), ("upgradeDetails", "previousMonthlyAmount"),
]  # fmt: skip


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=st.dictionaries(st.sampled_from(PLACES), ANYTHING, min_size=1, max_size=3))
def test_no_input_is_our_failure(
    api_client: Client, tenant: Tenant, changes: dict[tuple[Any, ...], Any]
) -> None:
    if not Variant.objects.exists():
        VariantFactory(sku="A")
    body = order_body(
        "A",
        customFields={"costCenter": "1"},
        shippingAddress=address(),
        extensionDetails={
            "originalOrderId": "1",
            "extensionMonths": 1,
            "previousEndDate": "a",
            "newEndDate": "b",
        },
        upgradeDetails={
            "previousDevice": "a",
            "previousSerialNumber": "b",
            "previousMonthlyAmount": 1,
            "previousRentalId": "c",
        },
    )
    for place, value in changes.items():
        target: Any = body
        for step in place[:-1]:
            target = target[step] if isinstance(target, dict | list) and target else {}
        if isinstance(target, dict | list) and target:
            target[place[-1]] = value
    assert post(api_client, body).status_code in (201, 400)
