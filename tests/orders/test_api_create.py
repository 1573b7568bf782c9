"""`POST /v1/orders`: what a shop sends, and what it gets."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from portal.models import ApiKey, Tenant
from tests.factories import CustomerFactory, VariantFactory, order_body


def post(client: Client, body: Any, **headers: str) -> Any:
    return client.post(
        "/v1/orders", json.dumps(body), content_type="application/json", headers=headers
    )


def test_order_is_created(api_client: Client, api_key: ApiKey, tenant: Tenant) -> None:
    VariantFactory(sku="A", prices={24: "12.5"})
    response = post(api_client, order_body("A"))
    assert response.status_code == 201
    assert b'"total":12.50' in response.content
    order = Order.objects.get(public_id=response.json()["orderId"])
    assert (order.source, order.created_by) == (Order.Source.API, api_key.public_id)


def test_retry_with_the_same_key_gets_the_same_bytes(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    first, again = (post(api_client, order_body("A"), **{"Idempotency-Key": "k"}) for _ in "12")
    assert (first.content, again["Idempotent-Replayed"]) == (again.content, "true")
    assert Order.objects.count() == 1


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
        response = post(api_client, body, **{"Idempotency-Key": "once"})
    assert (response.status_code, len(statements)) == (201, 12)
