"""Changing an order in a browser: with the keyboard, in every state, two people at once."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from orders.models import Order, OrderItem
from orders.services import send_back_order
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.browser.conftest import Forgive, Visit, accessibility_problems
from tests.factories import ProductFactory, VariantFactory, make_order
from tests.orders.test_editing import edit, line


@pytest.fixture
def order(tenant: Tenant, rep: User) -> Order:
    VariantFactory(product=ProductFactory(name="MacBook Pro 16"), sku="MAC", list_price=900)
    VariantFactory(product=ProductFactory(name="iPad Pro"), sku="IPAD")
    items = [{"sku": "MAC", "quantity": 2, "contractLength": 24}]
    return make_order(items=items, actor=Actor.from_user(rep))


def open_change(visit: Visit, order: Order, user: User, button: str = "Change order") -> Page:
    page = visit(f"/orders/{order.public_id}/", user)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Change order {order.public_id}")
    expect(page.locator(":focus")).to_be_visible()
    return page


def test_rep_recalls_adds_a_line_and_submits_again(visit: Visit, rep: User, order: Order) -> None:
    page = visit(f"/orders/{order.public_id}/", rep)
    page.get_by_role("button", name="Recall").press("Enter")
    expect(page.get_by_label("Why it is recalled")).to_be_focused()
    assert accessibility_problems(page) == []
    page.keyboard.type("The customer called again")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Customer e-mail")).to_be_focused()
    assert order.events.latest("at", "id").reason == "The customer called again"
    page.keyboard.press("Alt+s")
    page.keyboard.type("3 ipad 12", delay=10)
    page.keyboard.press("Enter")
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator("#save-state")).to_have_text("Saved")
    page.reload()
    expect(page.locator(".line")).to_have_count(2)
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(f"{page.url.split('/orders/')[0]}/orders/{order.public_id}/")
    order.refresh_from_db()
    assert (order.awaiting, order.version, order.total_devices) == ("manager", 3, 5)


def test_manager_decides_on_another_price(
    visit: Visit, manager: User, order: Order, forgive: Forgive
) -> None:
    page = open_change(visit, order, manager)
    page.get_by_text("Decide on another price").click()
    page.get_by_label("Price per month").fill("20")
    expect(page.locator("#totals")).to_contain_text("€40.00")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Reason", exact=True)).to_be_focused()
    expect(page.locator(".override-why")).to_contain_text("Say why")
    forgive("422")
    assert accessibility_problems(page) == []
    page.keyboard.type("A regular customer")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(f"Order {order.public_id} is changed.")).to_be_visible()
    item = OrderItem.objects.get()
    assert (item.unit_price, item.override_reason) == (Decimal(20), "A regular customer")


def test_what_a_colleague_saved_is_shown_and_ours_goes_on_top(
    visit: Visit, rep: User, manager: User, order: Order, forgive: Forgive
) -> None:
    page = open_change(visit, order, rep)
    page.get_by_label("Quantity").fill("7")
    page.get_by_label("Notes").fill("Ours")
    colleague = Actor.from_user(manager)
    edit(order, colleague, items=[line("MAC", 2)], notes="Theirs")
    page.keyboard.press("Control+Enter")
    moved = page.get_by_role("alert").filter(has_text="somebody changed this order meanwhile")
    expect(moved).to_contain_text("Theirs")
    forgive("422")
    expect(page.get_by_label("Notes")).to_have_value("Ours")
    assert accessibility_problems(page) == []
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(f"{page.url.split('/orders/')[0]}/orders/{order.public_id}/")
    order.refresh_from_db()
    assert (order.notes, order.total_devices) == ("Ours", 7)


def test_remarks_are_where_the_rep_types(
    visit: Visit, rep: User, manager: User, order: Order
) -> None:
    send_back_order(
        tenant=order.tenant,
        actor=Actor.from_user(manager),
        order_id=order.public_id,
        reason="Please ask again.",
        remarks={"customer.phone": "We need one.", "items.0": "Really two?"},
    )
    page = open_change(visit, order, rep, button="Correct order")
    expect(page.get_by_label("Phone")).to_be_focused()
    expect(page.get_by_label("Phone")).to_have_accessible_description("We need one.")
    expect(page.locator(".line .remark")).to_have_text("Really two?")
    assert accessibility_problems(page) == []
    page.keyboard.type("+31 6 1234")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(f"{page.url.split('/orders/')[0]}/orders/{order.public_id}/")
    order.refresh_from_db()
    assert (order.awaiting, order.customer_phone) == ("manager", "+31 6 1234")
