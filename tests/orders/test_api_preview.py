"""`POST /v1/orders/preview`: what creating would answer, errors included, and nothing is saved."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from orders.models import CustomField, Order
from portal.models import IdempotentResponse, Tenant
from tests.api import exact, post, problems, send
from tests.factories import (
    ApiKeyFactory,
    CustomerFactory,
    CustomFieldFactory,
    VariantFactory,
    address,
    order_body,
)
from tests.malformed import MALFORMED
from tests.orders.test_api_bad_input import (
    BAD_ORDERS,
    BAD_SHAPES,
    CUSTOMER,
    counts,
    line,
)
from tests.orders.test_api_create import FULL

ONLY_SAVED = ("orderId", "createdAt", "updatedAt")
KNOWN = {**CUSTOMER, "email": "KNOWN@example.com"}
GOOD: list[dict[str, Any]] = [
    {},
    {"customer": KNOWN},
    FULL,
    line(quantity=10_000, contractLength=24),
    line(quantity=Decimal("1.0"), contractLength=Decimal("24.0")),
    line(contractLength=36, unitPrice=1, listPriceOverride=1, unknown={"a": []}),
    {"items": [{"sku": "A", "quantity": n, "contractLength": 12} for n in range(1, 201)]},
    {"shippingAddress": address(city="Delft", postalCode=None)},
    {"customFields": None},
    {"customFields": {"size": Decimal("12345678901234567.890"), "i": 10**300}},
    {"notes": " Call first. \r\n"},
    {"orderType": "extension"},
]


def preview(client: Client, body: Any, **headers: str) -> Any:
    return send(client, "POST", "/orders/preview", body, **headers)


@pytest.fixture(autouse=True)
def _offer(tenant: Tenant) -> None:
    tenant.vat_rate = Decimal("21")
    tenant.save()
    VariantFactory(sku="A", prices={12: "30.05", 24: "25.15", 36: "20"}, list_price=900)
    VariantFactory(sku="OLD", status="inactive")
    CustomerFactory(email="left@example.com", status="inactive")
    CustomerFactory(email="known@example.com")
    CustomFieldFactory(key="size", type=CustomField.Type.NUMBER)


@pytest.mark.parametrize("changes", GOOD)
def test_preview_is_what_is_created(api_client: Client, changes: dict[str, Any]) -> None:
    body, before = order_body("A") | changes, counts()
    previewed = preview(api_client, body)
    assert (previewed.status_code, counts()) == (200, before)
    created = post(api_client, body)
    order = exact(created)["order"]
    for name in ONLY_SAVED:
        del order[name]
    if changes.get("customer") != KNOWN:
        del order["customer"]["customerId"]
    assert exact(previewed) == {"success": True, "message": "Order can be created.", "order": order}


BAD: list[Any] = [
    *(order_body("A") | changes for changes, *_ in BAD_SHAPES),
    *(order_body("A") | changes for changes, *_ in BAD_ORDERS),
    *MALFORMED.values(),
    *(b"[]", b"null", b"1"),
    order_body("A", customFields={"size": "L"}, notes=1),
    order_body("A", "B", "OLD"),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_preview_is_refused_as_the_order_is(api_client: Client, number: int) -> None:
    before = counts()
    previewed, created = preview(api_client, BAD[number]), post(api_client, BAD[number])
    assert (previewed.status_code, previewed.content) == (created.status_code, created.content)
    assert (created.status_code, counts()) == (400, before)


@pytest.mark.parametrize(
    ("media", "status"), [("text/plain", 415), ("application/json; charset=latin-1", 415)]
)
def test_preview_reads_json_only(api_client: Client, media: str, status: int) -> None:
    response = api_client.generic("POST", "/v1/orders/preview", b"{}", content_type=media)
    assert problems(response) == (status, "UNSUPPORTED_MEDIA_TYPE", [])


def test_preview_needs_the_scope_of_creating(client: Client, tenant: Tenant) -> None:
    key = ApiKeyFactory(scopes=["orders:read", "orders:confirm", "costs:read"])
    headers = {"Authorization": f"Bearer {key.token}", "Tenant_ID": tenant.slug}
    response = preview(client, order_body("A"), **headers)
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])


def test_costs_are_for_keys_that_may_see_them(client: Client, tenant: Tenant) -> None:
    key = ApiKeyFactory(scopes=["orders:write"])
    headers = {"Authorization": f"Bearer {key.token}", "Tenant_ID": tenant.slug}
    [item] = preview(client, order_body("A"), **headers).json()["order"]["items"]
    assert [name for name in item if "Cost" in name or "list" in name] == []


def test_preview_takes_no_idempotency_key(api_client: Client, tenant: Tenant) -> None:
    """A second one tells what holds by then."""
    variant = VariantFactory(sku="C", prices={24: 10})
    first = preview(api_client, order_body("C"), Idempotency_Key="k")
    variant.prices.update(monthly_price=12)
    second = preview(api_client, order_body("C"), Idempotency_Key="k")
    totals = [exact(answer)["order"]["totals"]["subtotal"] for answer in (first, second)]
    assert totals == [10, 12]
    assert not IdempotentResponse.objects.exists()


def test_preview_of_an_address_that_is_no_order(api_client: Client) -> None:
    response = send(api_client, "GET", "/orders/preview")
    assert problems(response) == (405, "METHOD_NOT_ALLOWED", [])


@pytest.mark.parametrize("lines", [1, 100])
def test_preview_only_reads(api_client: Client, lines: int) -> None:
    """Key, custom fields, prices, customer."""
    with CaptureQueriesContext(connection) as statements:
        preview(api_client, order_body(*["A"] * lines))
    verbs = [statement["sql"].split()[0] for statement in statements]
    assert verbs == ["SELECT"] * 4
    with scopes_disabled():
        assert not Order.objects.exists()
