"""`POST /v1/orders`: what a shop sends, and what it gets."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from orders.models import CustomField, Order
from portal.models import ApiKey, Tenant
from tests.api import exact, post, problems
from tests.factories import (
    ApiKeyFactory,
    CustomerFactory,
    CustomFieldFactory,
    ProductFactory,
    VariantFactory,
    address,
    order_body,
)


def test_smallest_order_is_created(api_client: Client, api_key: ApiKey, tenant: Tenant) -> None:
    variant = VariantFactory(sku="A", prices={24: "12.5"})
    response = post(api_client, order_body("A"))
    order = Order.objects.get()
    created = order.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"
    assert exact(response) == {
        "success": True,
        "message": "Order created.",
        "orderId": order.public_id,
        "order": {
            "orderId": order.public_id,
            "tenantId": "demo",
            "status": "pending",
            "orderType": "standard",
            "customer": {
                "customerId": Customer.objects.get().public_id,
                "email": "noor@example.com",
                "firstName": "Noor",
                "lastName": "el Idrissi",
                "customerType": "individual",
            },
            "billingAddress": address(),
            "shippingAddress": address(),
            "items": [
                {
                    "productId": variant.product.public_id,
                    "variantId": variant.public_id,
                    "sku": "A",
                    "productName": variant.product.name,
                    "quantity": 1,
                    "unitPrice": Decimal("12.50"),
                    "contractLength": 24,
                    "listPriceSource": "unknown",
                    "acquisitionCostSource": "unknown",
                    "usedListPriceAsAcquisition": False,
                    "rentalIds": [],
                    "rentalStatus": "pending",
                }
            ],
            "totals": {
                "subtotal": Decimal("12.50"),
                "taxAmount": Decimal("0.00"),
                "total": Decimal("12.50"),
                "currency": "EUR",
                "totalDevices": 1,
            },
            "customFields": None,
            "rentalProgress": {"totalDevices": 1, "rentedDevices": 0},
            "rentalIds": [],
            "createdAt": created.replace("+00:00", "Z"),
            "updatedAt": created.replace("+00:00", "Z"),
            "createdBy": api_key.public_id,
            "version": 1,
            "awaiting": "manager",
        },
    }
    assert order.source == Order.Source.API


FULL: dict[str, Any] = {
    "orderType": "upgrade",
    "extensionDetails": {
        "originalOrderId": "ord_OLD",
        "extensionMonths": 6,
        "previousEndDate": "2026-06-30",
        "newEndDate": "2026-12-31",
        "reason": "The project goes on",
    },
    "upgradeDetails": {
        "previousDevice": "MacBook Pro 14",
        "previousSerialNumber": "C02XL",
        "previousMonthlyAmount": Decimal("79.90"),
        "previousRentalId": "sub_1",
        "upgradeReason": "Too slow",
    },
    "customer": {
        "email": "Noor@Example.com",
        "firstName": "Noor",
        "lastName": "el Idrissi",
        "company": "Stadsmakers BV",
        "phone": "+31 10 123 4567",
        "customerType": "business",
    },
    "customFields": {"costCenter": "IT-1", "nested": [{"a": None}, True, "x\r\ny"]},
    "billingAddress": address(
        company="Stadsmakers BV",
        buildingInfo="Floor 3",
        locality="Centrum",
        adminArea="Zuid-Holland",
        postalCode=None,
    ),
    "shippingAddress": address(city="Delft", postalCode="2611 AA"),
    "notes": "Call first.\nThen deliver.",
}


def test_everything_sent_comes_back(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    response = post(api_client, order_body("A", **FULL))
    assert response.status_code == 201, response.content
    order = exact(response)["order"]
    assert order["customer"].pop("customerId") == Customer.objects.get().public_id
    assert {name: order[name] for name in FULL} == FULL


@pytest.mark.parametrize(
    "blank",
    [
        {"notes": " "},
        {"customFields": None},
        {"unknown": {"price": 1}},
        {"billingAddress": address(company="", locality=" ", price=1)},
        {"items": [{"sku": " A ", "quantity": Decimal("1.0"), "contractLength": Decimal("24.0")}]},
        {"items": [{"sku": "A", "quantity": 1, "contractLength": 24, "unitPrice": 0}]},
    ],
)
def test_blank_and_unknown_fields_are_as_good_as_absent(
    api_client: Client, tenant: Tenant, blank: dict[str, Any]
) -> None:
    VariantFactory(sku="A")
    plain, other = (
        exact(post(api_client, order_body("A", **changes)))["order"] for changes in ({}, blank)
    )
    for order in plain, other:
        for name in "orderId", "createdAt", "updatedAt":
            del order[name]
    assert plain == other


def test_contract_length_may_be_left_to_the_tenant(api_client: Client, tenant: Tenant) -> None:
    tenant.default_contract_length = 36
    tenant.save()
    VariantFactory(sku="A")
    response = post(api_client, order_body("A", items=[{"sku": "A", "quantity": 2}]))
    assert exact(response)["order"]["items"][0]["contractLength"] == 36


@pytest.mark.parametrize(
    ("currency", "price", "written"),
    [("EUR", "12.5", b"12.50"), ("JPY", "5", b"5"), ("BHD", "1.25", b"1.250")],
)
def test_amounts_have_the_decimals_of_the_currency(
    client: Client, tenant: Tenant, currency: str, price: str, written: bytes
) -> None:
    tenant.currency = currency
    tenant.save()
    VariantFactory(sku="A", prices={24: price}, list_price=price)
    response = post(client, order_body("A"), **headers_of(ApiKeyFactory()))
    for name in b"unitPrice", b"listPrice", b"acquisitionCost", b"subtotal", b"total":
        assert b'"%s":%s,' % (name, written) in response.content


def test_tax_is_rounded_once_on_the_subtotal(api_client: Client, tenant: Tenant) -> None:
    tenant.vat_rate = Decimal("21")
    tenant.save()
    VariantFactory(sku="A", prices={24: "0.05"})
    totals = exact(post(api_client, order_body("A", "A", "A")))["order"]["totals"]
    assert (totals["subtotal"], totals["taxAmount"], totals["total"]) == (
        Decimal("0.15"),
        Decimal("0.03"),
        Decimal("0.18"),
    )


def test_numbers_in_custom_fields_keep_every_digit(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    sent = b'{"n":12345678901234567.890,"i":123456789012345678901234567890,"e":1e308}'
    body = json.dumps(order_body("A", customFields="here")).encode()
    response = post(api_client, body.replace(b'"here"', sent))
    order = Order.objects.get()
    assert b'"customFields":' + sent.replace(b"1e308", b"1" + b"0" * 308) in response.content
    assert order.custom_fields == {
        "n": Decimal("12345678901234567.890"),
        "i": 123456789012345678901234567890,
        "e": 10**308,
    }
    assert str(order.custom_fields["n"]) == "12345678901234567.890"


def headers_of(key: ApiKey) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {key.token}",
        "Tenant_ID": key.tenant.slug,
    }


@pytest.mark.parametrize(
    ("variant", "costs"),
    [
        (
            {"list_price": "100", "acquisition_cost": "80"},
            {
                "listPrice": 100,
                "listPriceSource": "variant",
                "acquisitionCost": 80,
                "acquisitionCostSource": "variant",
                "usedListPriceAsAcquisition": False,
            },
        ),
        (
            {"list_price": "0"},
            {
                "listPrice": 0,
                "listPriceSource": "variant",
                "acquisitionCost": 0,
                "acquisitionCostSource": "list_price",
                "usedListPriceAsAcquisition": True,
            },
        ),
    ],
)
def test_costs_are_for_keys_that_may_see_them(
    client: Client, tenant: Tenant, variant: dict[str, str], costs: dict[str, Any]
) -> None:
    VariantFactory(sku="A", **variant)
    seeing, blind = (
        post(client, order_body("A"), **headers_of(ApiKeyFactory(scopes=scopes)))
        for scopes in (["orders:write", "costs:read"], ["orders:write"])
    )
    shown, hidden = (exact(response)["order"]["items"][0] for response in (seeing, blind))
    assert {name: shown[name] for name in shown if name not in hidden} == costs


def test_customer_in_another_case_is_the_same(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    known = CustomerFactory(email="Noor@Example.com", first_name="Eleonora")
    body = order_body("A")
    body["customer"]["email"] = " NOOR@example.COM "
    given = exact(post(api_client, body))["order"]["customer"]
    assert (given["customerId"], given["email"]) == (known.public_id, "NOOR@example.COM")
    assert Customer.objects.get().first_name == "Eleonora"


def test_same_email_in_another_tenant_is_another_customer(
    api_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    theirs = CustomerFactory(tenant=other_tenant, email="noor@example.com")
    given = exact(post(api_client, order_body("A")))["order"]["customer"]
    assert given["customerId"] != theirs.public_id


def test_configured_fields_and_shape_are_refused_together(
    api_client: Client, tenant: Tenant
) -> None:
    CustomFieldFactory(key="costCenter", label="Cost centre", required=True)
    CustomFieldFactory(key="size", type=CustomField.Type.NUMBER)
    response = post(api_client, order_body(customFields={"size": "L"}))
    assert problems(response) == (
        400,
        "VALIDATION_ERROR",
        ["customFields.costCenter", "customFields.size", "items"],
    )


def test_every_line_that_cannot_be_ordered_is_listed(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="OLD", status="inactive")
    VariantFactory(sku="GONE", product=ProductFactory(status="discontinued"))
    lines = [("A", 24), ("OLD", 24), ("nope", 24), ("GONE", 24), ("A", 13), ("a", 24)]
    items = [{"sku": sku, "quantity": 1, "contractLength": months} for sku, months in lines]
    response = post(api_client, order_body(items=items))
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "VARIANT_INACTIVE")
    assert [(detail["path"], detail["code"]) for detail in error["details"]] == [
        ("items.1.sku", "VARIANT_INACTIVE"),
        ("items.2.sku", "VARIANT_NOT_FOUND"),
        ("items.3.sku", "VARIANT_INACTIVE"),
        ("items.4.contractLength", "INVALID_CONTRACT_LENGTH"),
        ("items.5.sku", "VARIANT_NOT_FOUND"),
    ]
    assert error["details"][3]["message"].endswith("but for 12, 24, 36.")
    assert not Customer.objects.exists()


@pytest.mark.parametrize("lines", [1, 5, 50])
@pytest.mark.parametrize("email", ["new@example.com", "NOOR@example.com"])
def test_statements_do_not_grow_with_the_lines(
    api_client: Client, tenant: Tenant, lines: int, email: str
) -> None:
    VariantFactory(sku="A")
    CustomerFactory(email="noor@example.com")
    body = order_body(*["A"] * lines)
    body["customer"]["email"] = email
    with CaptureQueriesContext(connection) as statements:
        response = post(api_client, body, Idempotency_Key="once")
    assert (response.status_code, len(statements)) == (201, 12)


def test_created_at_is_now(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    before = datetime.now(UTC)
    order = exact(post(api_client, order_body("A")))["order"]
    created = datetime.fromisoformat(order["createdAt"])
    assert 0 <= (created - before).total_seconds() + 0.001 < 5


@pytest.mark.parametrize(
    ("currency", "sent", "answered"),
    [("EUR", "1.23456", "1.23"), ("EUR", "5", "5.00"), ("JPY", "5.5", "6"), ("BHD", "1", "1.000")],
)
def test_previous_amount_has_the_decimals_of_the_currency(
    api_client: Client, tenant: Tenant, currency: str, sent: str, answered: str
) -> None:
    tenant.currency = currency
    tenant.save()
    VariantFactory(sku="A", prices={24: "5"})
    details = FULL["upgradeDetails"] | {"previousMonthlyAmount": Decimal(sent)}
    response = post(api_client, order_body("A", upgradeDetails=details))
    assert response.status_code == 201
    shown = exact(response)["order"]["upgradeDetails"]
    assert str(shown["previousMonthlyAmount"]) == answered
