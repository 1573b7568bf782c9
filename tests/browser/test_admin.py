"""The admin in a real browser: for everyone, on any screen, light and dark."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from orders.admin.steps import STEPS
from orders.models import Order
from portal.models import User
from portal.permissions import Actor
from tests.api import post
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import (
    ApiKeyFactory,
    OutboxMailFactory,
    VariantFactory,
    address,
    make_order,
)


def paths(order: Order, user: User) -> list[str]:
    item = order.items.get()
    assert item.variant is not None
    rows = {
        "orders_order": order.pk,
        "catalog_product": item.variant.product_id,
        "catalog_variant": item.variant_id,
        "customers_customer": order.customer_id,
        "portal_tenant": order.tenant_id,
        "portal_user": user.pk,
        "portal_apikey": (key := ApiKeyFactory()).pk,
        "portal_outboxmail": OutboxMailFactory(
            attempts=25, next_attempt_at=None, last_error="550 No such mailbox"
        ).pk,
    }
    lists = [reverse(f"admin:{model}_changelist") for model in rows]
    pages = [reverse(f"admin:{model}_change", args=[pk]) for model, pk in rows.items()]
    adding = ["catalog_variant", "portal_user", "portal_apikey", "orders_customfield"]
    steps = [reverse(f"admin:orders_order_{s}", args=[order.pk]) for s in STEPS]
    added = [reverse(f"admin:{model}_add") for model in adding]
    asked = [reverse(f"admin:portal_apikey_{what}", args=[key.pk]) for what in ("rotate", "revoke")]
    return [reverse("admin:index"), *lists, *pages, *added, *steps, *asked]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_pages_are_accessible_and_as_wide_as_the_screen(
    visit: Visit, page: Page, superuser: User, complaints: list[str], width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    variant = VariantFactory(list_price="1000", acquisition_cost="900")
    order = make_order(
        variant.sku, shippingAddress=address(city="Delft"), customFields={"a": 1}, notes="Notes"
    )
    user: User | None = superuser
    for path in paths(order, superuser):
        visit(path, user)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert complaints == [], path
        assert accessibility_problems(page) == [], path
        # What the checker itself does to forms, the page's policy refuses.
        complaints.clear()
        user = None


def test_price_is_typed_with_a_comma(visit: Visit, manager: User) -> None:
    variant = VariantFactory(prices={12: "30"}, list_price="1000")
    page = visit(reverse("admin:catalog_variant_change", args=[variant.pk]), manager)
    for label, shown in (("List price:", "1000.00"), ("Monthly price", "30.00")):
        field = page.get_by_label(label, exact=True).first
        expect(field).to_have_value(shown)
        field.fill("")
        field.press_sequentially("1,50")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    variant.refresh_from_db()
    prices = variant.prices.values_list("monthly_price", flat=True)
    assert (variant.list_price, list(prices)) == (Decimal("1.5"), [Decimal("1.5")])


def test_several_orders_are_cancelled_with_the_keyboard(
    visit: Visit, manager: User, rep: User
) -> None:
    variant = VariantFactory()
    orders = [make_order(variant.sku, actor=Actor.from_user(rep)) for _ in range(2)]
    page = visit(reverse("admin:orders_order_changelist"), manager)
    for order in orders:
        page.get_by_label(f"Select {order.public_id} for an action").press("Space")
    page.get_by_role("button", name="Cancel selected").press("Enter")
    page.get_by_label("The devices cannot be delivered").press("Space")
    page.get_by_label("In your own words:").fill("Sold out until March.")
    page.get_by_role("button", name="Cancel 2 orders").press("Enter")
    expect(page.get_by_role("heading", name="2 of 2 orders cancelled")).to_be_visible()
    assert accessibility_problems(page) == []
    reasons = set(Order.objects.values_list("cancel_reason", flat=True))
    assert reasons == {"The devices cannot be delivered: Sold out until March."}


def test_key_is_made_given_a_new_secret_and_revoked_with_the_keyboard(
    visit: Visit, superuser: User, client: Client
) -> None:
    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Tenant-ID": "demo"}
        code: int = post(client, b"", **headers).status_code
        return code

    page = visit(reverse("admin:portal_apikey_add"), superuser)
    page.get_by_label("Name:").fill("Web shop")
    page.get_by_label("orders:write Create, change and cancel orders.").press("Space")
    page.keyboard.press("Enter")
    old = page.locator("#api-key").inner_text()
    assert accessibility_problems(page) == []
    page.get_by_role("link", name="Web shop").press("Enter")
    page.get_by_role("link", name="New secret").press("Enter")
    page.get_by_label("1 hour").press("Space")
    page.get_by_role("button", name="Make a new secret").press("Enter")
    new = page.locator("#api-key").inner_text()
    assert accessibility_problems(page) == []
    assert [status(old), status(new)] == [400, 400]
    page.get_by_role("link", name="Web shop").press("Enter")
    page.get_by_role("link", name="Revoke").press("Enter")
    page.get_by_role("button", name="Revoke this key").press("Enter")
    expect(page.get_by_text("It no longer opens the API.")).to_be_visible()
    assert [status(old), status(new)] == [401, 401]
