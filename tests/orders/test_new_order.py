"""The new-order page over HTTP, as a browser without JavaScript and as htmx send it."""

from typing import Any

import pytest
from django.test import Client

from orders import drafts
from orders.models import Draft, Order
from portal.models import Tenant, User
from tests.factories import VariantFactory

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    return drafts.open_draft(tenant=tenant, owner=rep)


def typed(*skus: str, **changes: str) -> dict[str, Any]:
    """The form filled in with the least that makes an order, as a page posts it."""
    data: dict[str, Any] = {
        "tab": "a",
        "base": "0",
        "sequence": "1",
        "order_type": "standard",
        "customer-email": "noor@example.com",
        "customer-first_name": "Noor",
        "customer-last_name": "el Idrissi",
        "billing-contact_name": "Noor el Idrissi",
        "billing-street_address": "Coolsingel 93",
        "billing-city": "Rotterdam",
        "billing-country": "Netherlands",
        "line": [f"l{number}" for number, _ in enumerate(skus)],
    }
    for number, sku in enumerate(skus):
        data |= {
            f"line-l{number}-sku": sku,
            f"line-l{number}-quantity": "1",
            f"line-l{number}-length": "24",
        }
    return data | {name.replace("__", "-"): value for name, value in changes.items()}


def page(draft: Draft) -> str:
    return f"/orders/new/{draft.public_id}/"


def test_start_reuses_the_untouched_draft(rep_client: Client) -> None:
    first, second = rep_client.get("/orders/new/"), rep_client.get("/orders/new/")
    assert first.status_code == second.status_code == 302
    assert first.url == second.url  # type: ignore[attr-defined]
    assert Draft.objects.count() == 1


def test_submit_creates_the_order_and_leads_to_it(rep_client: Client, draft: Draft) -> None:
    sku = VariantFactory().sku
    response = rep_client.post(page(draft), typed(sku, notes="Call first"))
    order = Order.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/orders/{order.public_id}/")
    assert (order.draft_id, order.source, order.notes) == (draft.pk, "portal", "Call first")
    assert [item.sku for item in order.items.all()] == [sku]


def test_submit_by_htmx_redirects_the_whole_page(rep_client: Client, draft: Draft) -> None:
    response = rep_client.post(page(draft), typed(VariantFactory().sku), **HTMX)
    assert response["HX-Redirect"] == f"/orders/{Order.objects.get().public_id}/"


def test_submit_again_lands_on_the_same_order(rep_client: Client, draft: Draft) -> None:
    data = typed(VariantFactory().sku)
    first = rep_client.post(page(draft), data)
    again = rep_client.post(page(draft), data | {"tab": "b", "notes": "Typed later"})
    assert again["Location"] == first["Location"]
    assert Order.objects.get().notes == ""
