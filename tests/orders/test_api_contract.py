"""The OpenAPI document against the contract's own fields, and the contract's way of asking."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from orders.api import EXAMPLES
from orders.models import Order
from portal.models import Tenant
from tests.api import exact, post
from tests.factories import VariantFactory, address, order_body
from tests.orders.contract_table import REQUEST, RESPONSE

JSON = "application/json"
FACTS = ("enum", "default", "format", "minLength", "maxLength", "minimum", "exclusiveMinimum")


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    loaded: dict[str, Any] = client.get("/v1/openapi.json").json()
    return loaded


@pytest.fixture
def operation(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/v1/orders"]["post"]
    return found


def facts(schema: dict[str, Any], path: str, *, required: bool) -> Iterator[str]:
    """A line for each field: its path (`*`: required), its type, and what else is promised.

    What is marked as additive is ours, and may be tighter than the contract.
    """
    kind = schema["type"]
    words = [path + "*" * required, "|".join(kind) if isinstance(kind, list) else kind]
    ours = schema.get("x-additive", [])
    for fact in (*FACTS, "minItems", "additionalProperties"):
        if fact in schema and fact not in ours:
            value = schema[fact]
            shown = "|".join(map(str, value)) if fact == "enum" else str(value)
            words.append(f"{fact}={shown}")
    yield " ".join(words)
    for name, inner in schema.get("properties", {}).items():
        needed = name in schema.get("required", [])
        yield from facts(inner, f"{path}.{name}", required=needed)
    if "items" in schema:
        yield from facts(schema["items"], f"{path}[]", required=False)


def lines(table: str) -> set[str]:
    return {line.strip() for line in table.strip().splitlines()}


def test_request_has_the_fields_of_the_contract(operation: dict[str, Any]) -> None:
    schema = operation["requestBody"]["content"][JSON]["schema"]
    assert set(facts(schema, "body", required=True)) == lines(REQUEST)


def test_response_has_the_fields_of_the_contract(operation: dict[str, Any]) -> None:
    schema = operation["responses"]["201"]["content"][JSON]["schema"]
    assert set(facts(schema, "body", required=True)) == lines(RESPONSE)


def test_operation_is_named_and_guarded_as_in_the_contract(
    document: dict[str, Any], operation: dict[str, Any]
) -> None:
    assert (operation["operationId"], operation["tags"]) == ("createOrder", ["Orders"])
    assert operation["security"] == [{"bearerAuth": []}]
    scheme = document["components"]["securitySchemes"]["bearerAuth"]
    assert scheme == {"type": "http", "scheme": "bearer"}
    headers = {(given["name"], given["in"], given["required"]) for given in operation["parameters"]}
    assert headers == {("Tenant-ID", "header", True), ("Idempotency-Key", "header", False)}


def test_every_refusal_is_described(document: dict[str, Any], operation: dict[str, Any]) -> None:
    refusals = dict(operation["responses"])
    del refusals["201"]
    assert set(refusals) == {"400", "401", "403", "409", "413", "415", "422", "500", "503"}
    for refusal in refusals.values():
        assert refusal["content"][JSON]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert document["components"]["schemas"]["ErrorBody"]["required"] == ["code", "message"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_work(
    api_client: Client, tenant: Tenant, operation: dict[str, Any], name: str
) -> None:
    for sku in ("MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"):
        VariantFactory(sku=sku)
    tenant.default_contract_length = 24
    tenant.save()
    asked = operation["requestBody"]["content"][JSON]["examples"][name]["value"]
    response = post(api_client, asked)
    assert response.status_code == 201, response.content
    schema = operation["responses"]["201"]["content"][JSON]["schema"]
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
