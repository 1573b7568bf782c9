"""The examples of the document, and the contract's ways of asking."""

from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from orders.api.examples import CANCEL, CONFIRM, NEW_ORDER, NOTES, UPDATE
from orders.models import Order
from portal.models import Tenant
from tests.api import exact, post, send
from tests.factories import VariantFactory, address, make_order, order_body
from tests.orders.test_api_create import FULL

JSON = "application/json"


SKUS = ("MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR")
OPERATIONS = [
    ("POST", "/v1/orders", NEW_ORDER),
    ("POST", "/v1/orders/preview", NEW_ORDER),
    ("PATCH", "/v1/orders/{orderId}", UPDATE),
    ("POST", "/v1/orders/{orderId}/confirm", CONFIRM),
    ("POST", "/v1/orders/{orderId}/cancel", CANCEL),
    ("PATCH", "/v1/orders/{orderId}/notes", NOTES),
]


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    loaded: dict[str, Any] = client.get("/v1/openapi.json").json()
    return loaded


@pytest.fixture
def _offer(tenant: Tenant) -> None:
    for sku in SKUS:
        VariantFactory(sku=sku)
    tenant.default_contract_length = 24
    tenant.save()


def validate(document: dict[str, Any], operation: dict[str, Any], response: Any) -> None:
    described = operation["responses"][str(response.status_code)]["content"][JSON]["schema"]
    schema = {**described, "components": document["components"]}
    jsonschema_rs.validator_for(schema).validate(response.json())


@pytest.mark.usefixtures("_offer")
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [(method, path, name) for method, path, examples in OPERATIONS for name in examples],
)
def test_examples_work(
    api_client: Client, document: dict[str, Any], method: str, path: str, name: str
) -> None:
    order = make_order(SKUS[0])
    operation = document["paths"][path][method.lower()]
    body = operation["requestBody"]["content"][JSON]["examples"][name]["value"]
    path = path.replace("{orderId}", order.public_id).removeprefix("/v1")
    response = send(api_client, method, path, body)
    assert response.status_code in (200, 201), response.content
    validate(document, operation, response)


@pytest.mark.usefixtures("_offer")
def test_every_body_has_examples(document: dict[str, Any]) -> None:
    bodies = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "Orders" in operation["tags"] and "requestBody" in operation
    }
    assert bodies == {(method, path) for method, path, _ in OPERATIONS}


@pytest.mark.usefixtures("_offer")
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/{orderId}"])
@pytest.mark.parametrize("status", Order.Status.values)
def test_what_is_read_is_as_described(
    api_client: Client, document: dict[str, Any], path: str, status: str
) -> None:
    order = make_order(SKUS[0], *SKUS, status=status, **FULL)
    asked = path.replace("{orderId}", order.public_id).removeprefix("/v1")
    validate(document, document["paths"][path]["get"], send(api_client, "GET", asked))


@pytest.mark.usefixtures("_offer")
@pytest.mark.parametrize(
    ("body", "months", "devices"),
    [
        (
            order_body(
                customer={"email": "ann@example.com", "firstName": "Ann", "lastName": "Lee"},
                items=[{"sku": "MACBOOK-PRO-16-M3", "quantity": 1}],
            ),
            [24],
            1,
        ),
        (
            order_body(
                orderType="standard",
                customer={
                    "email": "buying@globex.example",
                    "firstName": "Ann",
                    "lastName": "Lee",
                    "company": "Globex",
                    "phone": "+31600000000",
                    "customerType": "business",
                },
                billingAddress=address(
                    company="Globex", buildingInfo="Block B", postalCode="3011 AA"
                ),
                shippingAddress=address(company="Globex", city="Utrecht", postalCode="3511 AB"),
                items=[
                    {"sku": "MACBOOK-PRO-16-M3", "quantity": 5, "contractLength": 24},
                    {"sku": "IPAD-PRO-12-M2", "quantity": 3, "contractLength": 12},
                ],
                customFields={"purchaseOrderNumber": "PO-1", "costCenter": "IT-1"},
                notes="By Friday, please",
            ),
            [24, 12],
            8,
        ),
        (
            order_body(
                orderType="standard",
                customer={
                    "email": "ann.lee@globex.example",
                    "firstName": "Ann",
                    "lastName": "Lee",
                    "company": "Globex",
                    "phone": "+1-555-000-0000",
                    "customerType": "business",
                },
                billingAddress=address(adminArea="CA", postalCode="94105", country="US"),
                shippingAddress=address(adminArea="CA", postalCode="94105", country="US"),
                items=[
                    {"sku": "MACBOOK-PRO-16-M3", "quantity": 5, "contractLength": 24},
                    {"sku": "DELL-U2722D-MONITOR", "quantity": 5, "contractLength": 24},
                ],
                notes="New laptops for the office",
            ),
            [24, 24],
            10,
        ),
    ],
    ids=["smallest", "complete", "two products"],
)
def test_the_three_ways_of_asking_work(
    api_client: Client, body: dict[str, Any], months: list[int], devices: int
) -> None:
    response = post(api_client, body)
    assert response.status_code == 201, response.content
    order = exact(response)["order"]
    assert [item["contractLength"] for item in order["items"]] == months
    assert order["totals"]["totalDevices"] == devices
    assert Order.objects.get().status == Order.Status.PENDING
