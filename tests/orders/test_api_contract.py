"""The examples of the document, and the contract's ways of asking."""

from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from orders.api import EXAMPLES
from orders.models import Order
from portal.models import Tenant
from tests.api import exact, post
from tests.factories import VariantFactory, address, order_body

JSON = "application/json"


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    loaded: dict[str, Any] = client.get("/v1/openapi.json").json()
    return loaded


@pytest.fixture
def operation(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/v1/orders"]["post"]
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_work(
    api_client: Client,
    tenant: Tenant,
    document: dict[str, Any],
    operation: dict[str, Any],
    name: str,
) -> None:
    for sku in ("MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"):
        VariantFactory(sku=sku)
    tenant.default_contract_length = 24
    tenant.save()
    asked = operation["requestBody"]["content"][JSON]["examples"][name]["value"]
    response = post(api_client, asked)
    assert response.status_code == 201, response.content
    named = {"$ref": "#/components/schemas/OrderCreateResponse"}
    assert operation["responses"]["201"]["content"][JSON]["schema"] == named
    schema = {**named, "components": document["components"]}
    jsonschema_rs.validator_for(schema).validate(response.json())


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
    api_client: Client, tenant: Tenant, body: dict[str, Any], months: list[int], devices: int
) -> None:
    for sku in ("MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"):
        VariantFactory(sku=sku)
    tenant.default_contract_length = 24
    tenant.save()
    response = post(api_client, body)
    assert response.status_code == 201, response.content
    order = exact(response)["order"]
    assert [item["contractLength"] for item in order["items"]] == months
    assert order["totals"]["totalDevices"] == devices
    assert Order.objects.get().status == Order.Status.PENDING
