"""The OpenAPI document against the contract's own operations and fields."""

from typing import Any

import pytest
from django.test import Client

from tests import contract
from tests.catalog.contract_table import OPERATIONS as PRODUCTS
from tests.customers.contract_table import OPERATIONS as CUSTOMERS
from tests.orders.contract_table import OPERATIONS as ORDERS
from tests.orders.contract_table import REFUSALS

OPERATIONS: dict[str, contract.Contract] = {**ORDERS, **PRODUCTS, **CUSTOMERS}
ALWAYS = {"400", "401", "403", "429", "500", "503"}


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    loaded: dict[str, Any] = client.get("/v1/openapi.json").json()
    return loaded


def find(document: dict[str, Any], name: str) -> dict[str, Any]:
    method, path = name.split()
    found: dict[str, Any] = document["paths"][path][method.lower()]
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_is_the_contracts(document: dict[str, Any], name: str) -> None:
    operation, agreed = find(document, name), OPERATIONS[name]
    assert operation["operationId"] == agreed.operation_id
    assert "x-additive" not in operation
    assert contract.parameters(document, operation) == contract.lines(agreed.parameters)
    assert contract.request(document, operation, agreed.media) == contract.lines(agreed.request)
    answered = contract.response(document, operation, agreed.status)
    assert answered == contract.lines(agreed.response)
    # What ours may be refused for besides is more than the contract says.
    refused = contract.refusals(document, operation)
    assert contract.lines(REFUSALS) | contract.lines(agreed.refusals) <= refused


def test_what_the_contract_does_not_have_is_marked(document: dict[str, Any]) -> None:
    ours = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("x-additive")
    }
    everything = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert everything - ours == set(OPERATIONS)


def test_every_operation_is_guarded_and_says_how_it_refuses(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["bearerAuth"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [{"bearerAuth": []}]
            refusals = {
                status: answer
                for status, answer in operation["responses"].items()
                if status[0] != "2"
            }
            expected = ALWAYS | ({"413", "415"} if "requestBody" in operation else set())
            names = {given["name"] for given in operation["parameters"]}
            expected |= {"409", "422"} if "Idempotency-Key" in names else set()
            expected |= (
                {"404"} if any(p["in"] == "path" for p in operation["parameters"]) else set()
            )
            assert expected <= set(refusals), operation["operationId"]
            for answer in refusals.values():
                content = contract.in_place(document, answer)["content"]
                schema = content[contract.JSON]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}


def test_document_says_that_a_parameter_may_be_blank(document: dict[str, Any]) -> None:
    """As it may be: blank ones count as absent."""
    asked = [
        given
        for methods in document["paths"].values()
        for operation in methods.values()
        for given in operation["parameters"]
        if given["in"] == "query"
    ]
    assert {given["name"] for given in asked} >= {"limit", "sortBy"}
    assert [given for given in asked if given["allowEmptyValue"] is not True] == []
