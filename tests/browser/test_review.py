"""A manager reviews what a rep has submitted, in the Django admin, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from orders.models import Order
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.browser.conftest import Visit
from tests.factories import VariantFactory, make_order


@pytest.fixture
def order(tenant: Tenant, rep: User) -> Order:
    VariantFactory(sku="PHONE-1")
    return make_order("PHONE-1", actor=Actor.from_user(rep))


def test_manager_confirms_an_order_in_the_admin(visit: Visit, manager: User, order: Order) -> None:
    page = visit("/admin/", manager)
    page.get_by_role("link", name=re.compile("waiting for review")).click()
    page.get_by_role("link", name=order.public_id).click()
    expect(page.get_by_text("PHONE-1")).to_be_visible()
    page.get_by_role("link", name="Confirm order").click()
    expect(page).to_have_url(re.compile("/confirm/"))
    page.get_by_role("button", name="Confirm order").click()
    expect(page.get_by_text("Confirmed", exact=True).first).to_be_visible()
    order.refresh_from_db()
    assert (order.status, order.confirmed_by) == (Order.Status.CONFIRMED, manager.email)


def test_manager_cancels_an_order_on_its_page_with_a_reason(
    visit: Visit, manager: User, order: Order
) -> None:
    page = visit(f"/orders/{order.public_id}/", manager)
    page.get_by_role("button", name="Cancel order").click()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("The customer called it off.")
    page.get_by_role("button", name="Cancel order").last.click()
    expect(page.get_by_text("The customer called it off.").first).to_be_visible()
    order.refresh_from_db()
    assert (order.status, order.cancel_reason) == (
        Order.Status.CANCELLED,
        "The customer called it off.",
    )


def test_rep_sees_the_order_but_cannot_confirm_it(visit: Visit, rep: User, order: Order) -> None:
    page = visit(f"/orders/{order.public_id}/", rep)
    expect(page.get_by_text("PHONE-1")).to_be_visible()
    expect(page.get_by_text("Confirm order")).to_have_count(0)
