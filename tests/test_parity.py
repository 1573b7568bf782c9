"""The same order, typed into the form and sent to the API, makes the same rows."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import models, transaction
from django.test import Client

from customers.models import Customer
from orders import drafts
from orders.models import Order, OrderEvent, OrderItem
from portal.exact_json import dumps
from portal.models import Tenant, User
from tests.factories import CustomerFactory, CustomFieldFactory, VariantFactory, address, order_body

# What differs: ids, times, who did it and through which door.
OWN = {
    *("id", "public_id", "order_id", "customer_id", "draft_id", "search_text", "source"),
    *("created_at", "updated_at", "at", "actor", "actor_ref", "created_by", "created_by_ref"),
    *("rep", "rep_ref", "priced_at"),
}
SECTIONS = {
    "customer": "customer",
    "billingAddress": "billing",
    "shippingAddress": "shipping",
    "extensionDetails": "extension",
    "upgradeDetails": "upgrade",
    "customFields": "custom",
}
LINES = [
    {"sku": "A", "quantity": 3, "contractLength": 24},
    {"sku": "B", "quantity": 1, "contractLength": 12},
    {"sku": "A", "quantity": 10_000},
]
BUSINESS = {
    "email": "Noor@Example.com",
    "firstName": "Noor",
    "lastName": "el Idrissi",
    "company": "Stadsmakers",
    "phone": "+31 6 1234 5678",
    "customerType": "business",
}
EXTENSION = {
    "originalOrderId": "ord_1",
    "extensionMonths": 6,
    "previousEndDate": "2026-01-31",
    "newEndDate": "2026-07-31",
    "reason": "Still\nneeded",
}
UPGRADE = {
    "previousDevice": "MacBook Pro 14",
    "previousSerialNumber": "C02",
    "previousMonthlyAmount": 42.5,
    "previousRentalId": "rental_1",
}
BODIES = {
    "smallest": order_body("A"),
    "full": order_body(
        items=LINES,
        customer=BUSINESS,
        billingAddress=address(company="Stadsmakers", buildingInfo="3rd", postalCode="3011 AA"),
        shippingAddress=address(locality="West", adminArea="South Holland"),
        customFields={"po": "PO-1", "seats": 12.5},
        notes="Call first.\nTwice.",
    ),
    "extension": order_body("A", orderType="extension", extensionDetails=EXTENSION),
    "extension without details": order_body("A", orderType="extension"),
    "upgrade": order_body("A", orderType="upgrade", upgradeDetails=UPGRADE),
}


def typed(body: dict[str, Any]) -> dict[str, Any]:
    """The body as the form posts it."""
    form = {"tab": "a", "base": "0", "sequence": "1", "notes": body.get("notes", "")}
    form["order_type"] = body.get("orderType", "standard")
    form["ship_elsewhere"] = "on" if "shippingAddress" in body else ""
    for section, prefix in SECTIONS.items():
        for key, value in body.get(section, {}).items():
            name = key if prefix == "custom" else re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", key)
            form[f"{prefix}-{name}"] = str(value).replace("\n", "\r\n")
    for number, item in enumerate(body["items"]):
        form[f"line-l{number}-sku"] = item["sku"]
        form[f"line-l{number}-quantity"] = str(item["quantity"])
        form[f"line-l{number}-length"] = str(item.get("contractLength", ""))
    return form | {"line": [f"l{number}" for number, _ in enumerate(body["items"])]}


def made_by(post: Callable[[], Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows that posting makes, without what is their own; afterwards they are gone."""

    def rows(model: type[models.Model]) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if name not in OWN}
            for row in model._default_manager.order_by("pk").values()
        ]

    with transaction.atomic():
        response = post()
        assert response.status_code in (201, 303), response.content
        made = {model.__name__: rows(model) for model in (Customer, Order, OrderItem, OrderEvent)}
        transaction.set_rollback(True)
    return made


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("known", [False, True], ids=["new customer", "known customer"])
def test_form_and_api_make_the_same_rows(
    tenant: Tenant, rep: User, rep_client: Client, api_client: Client, body: Any, known: bool
) -> None:
    tenant.vat_rate, tenant.default_contract_length = 21, 36
    tenant.save()
    VariantFactory(sku="A", list_price=900)
    VariantFactory(sku="B", list_price=900, acquisition_cost=700)
    CustomFieldFactory(key="po")
    CustomFieldFactory(key="seats", type="number")
    if known:
        CustomerFactory(email="NOOR@example.com", first_name="N.")
    draft = drafts.open_draft(tenant=tenant, owner=rep)
    by_form = made_by(lambda: rep_client.post(f"/orders/new/{draft.public_id}/", typed(body)))
    by_api = made_by(
        lambda: api_client.post("/v1/orders", json.dumps(body), content_type="application/json")
    )
    assert by_form == by_api
    assert [len(rows) for rows in by_form.values()] == [1, 1, len(body["items"]), 1]
    # Equal decimals may be written differently.
    assert dumps(by_form["Order"][0]["custom_fields"]) == dumps(by_api["Order"][0]["custom_fields"])
