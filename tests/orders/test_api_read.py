"""`GET /v1/orders/{orderId}`: one order, as it is now."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.editing import Edit, EditedLine, Override
from orders.models import Order
from orders.services import edit_order, send_back_order
from portal.models import ApiKey, Tenant
from tests.api import exact, post, problems, send
from tests.factories import (
    SYSTEM,
    ApiKeyFactory,
    VariantFactory,
    make_order,
    new_order,
    order_body,
)


def get(client: Client, order_id: str, **headers: str) -> Any:
    return send(client, "GET", f"/orders/{order_id}", **headers)


def headers_of(key: ApiKey) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {key.token}",
        "Tenant_ID": key.tenant.slug,
    }


def test_order_is_read_as_it_was_created(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A", list_price="900.5", acquisition_cost="700")
    fields = {"po": "PO-1", "size": Decimal("5.50"), "nested": [{"a": None}, True, 10**300]}
    fields |= {"thousand": Decimal("1.5e3"), "small": Decimal("1e-9"), "zero": Decimal("-0.0")}
    body = order_body(
        items=[
            {"sku": "A", "quantity": 2, "contractLength": 36},
            {"sku": "A", "quantity": 1, "contractLength": 12},
        ],
        customFields=fields,
        notes="Call first.\nThen deliver.",
        extensionDetails={
            "originalOrderId": "ord_OLD",
            "extensionMonths": 6,
            "previousEndDate": "2026-06-30",
            "newEndDate": "2026-12-31",
        },
    )
    response = post(api_client, body)
    created = exact(response)["order"]
    answer = get(api_client, created["orderId"])
    assert exact(answer) == created
    assert created["customFields"] == fields
    for each in (b'"thousand":1500', b'"zero":0.0'):
        assert each in answer.content
        assert each in response.content


@pytest.mark.parametrize("order_id", ["nope", "ord_", "x" * 64, "%E2%80%AE", "..%2F", "%ED%A0%80"])
def test_id_of_no_order_is_not_found(api_client: Client, order_id: str) -> None:
    assert problems(get(api_client, order_id)) == (404, "NOT_FOUND", [])


@pytest.mark.parametrize("order_id", ["x" * 65, "%00", "a%00b"])
def test_what_is_no_id_is_not_found(api_client: Client, order_id: str) -> None:
    assert problems(get(api_client, order_id)) == (404, "NOT_FOUND", [])


def test_id_that_was_imported_is_found(api_client: Client, tenant: Tenant) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(public_id="№ 7 ü")
    response = get(api_client, quote("№ 7 ü"))
    assert response.json()["orderId"] == "№ 7 ü"


def test_key_without_the_scope_reads_nothing(client: Client, tenant: Tenant) -> None:
    key = ApiKeyFactory(scopes=["orders:write", "orders:confirm", "costs:read"])
    for order_id in (make_order().public_id, "nope"):
        response = get(client, order_id, **headers_of(key))
        assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("pending", {"version": 1, "awaiting": "manager"}),
        ("confirmed", {"version": 2, "confirmedAt": True}),
        ("partial", {"version": 3, "confirmedAt": True}),
        ("fulfilled", {"version": 3, "confirmedAt": True}),
        ("cancelled", {"version": 2, "cancelledAt": True}),
    ],
)
def test_order_says_where_it_stands(
    api_client: Client, tenant: Tenant, status: str, told: dict[str, Any]
) -> None:
    order = get(api_client, make_order(status=status).public_id).json()
    assert order["status"] == status
    for moment in ("confirmedAt", "cancelledAt"):
        if moment in order:
            order[moment] = order[moment].endswith("Z")
    ours = ("version", "awaiting", "confirmedAt", "cancelledAt")
    assert {name: order[name] for name in ours if name in order} == told


def test_order_that_was_sent_back_waits_for_its_rep(api_client: Client, tenant: Tenant) -> None:
    order_id = make_order().public_id
    send_back_order(tenant=tenant, actor=SYSTEM, order_id=order_id, reason="Look again")
    order = get(api_client, order_id).json()
    assert (order["status"], order["awaiting"]) == ("pending", "rep")


@pytest.mark.parametrize(
    ("status", "progress"), [("partial", [1, "partial"]), ("fulfilled", [2, "completed"])]
)
def test_progress_is_shown(
    api_client: Client, tenant: Tenant, status: str, progress: list[Any]
) -> None:
    order = get(api_client, make_order(status=status).public_id).json()
    assert order["rentalProgress"] == {"totalDevices": 2, "rentedDevices": progress[0]}
    assert order["items"][0]["rentalStatus"] == progress[1]


@pytest.mark.parametrize(
    ("override", "shown"),
    [
        (Override(list_price=Decimal(90), reason="Bulk"), {"listPriceOverride": Decimal("90.00")}),
        (
            Override(acquisition_cost=Decimal(60), reason="Bulk"),
            {"acquisitionCostOverride": Decimal("60.00")},
        ),
        (Override(unit_price=Decimal(9), reason="Bulk"), {}),
    ],
)
def test_amount_that_somebody_decided_is_an_override(
    client: Client, tenant: Tenant, override: Override, shown: dict[str, Decimal]
) -> None:
    VariantFactory(sku="A", list_price=100, acquisition_cost=80)
    order_id = make_order("A").public_id
    edit = Edit(new_order("A"), [EditedLine(kept=0, override=override)])
    edit_order(tenant=tenant, actor=SYSTEM, order_id=order_id, edit=edit)
    seeing, blind = (
        exact(get(client, order_id, **headers_of(ApiKeyFactory(scopes=scopes))))["items"][0]
        for scopes in (["orders:read", "costs:read"], ["orders:read"])
    )
    names = ("listPriceOverride", "acquisitionCostOverride")
    assert {name: seeing[name] for name in names if name in seeing} == shown
    assert [name for name in blind if name in names] == []
    assert (seeing["listPrice"], seeing["acquisitionCost"]) == (
        override.list_price or 100,
        override.acquisition_cost or 80,
    )


def test_query_count_is_that_of_one_line_at_a_hundred(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    for lines in (1, 100):
        order_id = make_order(*["A"] * lines).public_id
        with CaptureQueriesContext(connection) as asked:
            response = get(api_client, order_id)
        assert (len(response.json()["items"]), len(asked)) == (lines, 3)
