"""The rep reads the order back to the customer, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from orders.models import OrderEvent
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.browser.test_new_order import add, fill_in_customer, press, wait_until_saved
from tests.factories import ProductFactory, VariantFactory


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24)
    VariantFactory(product=ProductFactory(name="iPad Pro"), sku="IPAD-PRO-12-M2")


def test_order_is_read_back_and_ticked_by_key(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    read_back = page.get_by_role("region", name="Read back")
    box = page.get_by_role("checkbox", name="Read back to the customer")
    expect(read_back).to_contain_text("Still missing")
    fill_in_customer(page)
    add(page, "ipad")
    expect(read_back).to_contain_text("One iPad Pro, Silver, for 24 months at €25.00 a month.")
    press(page, "Alt+r")
    expect(box).to_be_checked()
    wait_until_saved(page)
    page.reload()
    expect(box).to_be_checked()
    page.get_by_label("Quantity").fill("2")
    expect(read_back).to_contain_text("Two iPad Pro")
    expect(box).not_to_be_checked()
    expect(box).to_have_accessible_description("Changed since you read it")
    expect(page.get_by_label("Quantity")).to_be_focused()
    assert accessibility_problems(page) == []
    press(page, "Alt+r")
    wait_until_saved(page)
    press(page, "Control+Enter")
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("Two iPad Pro, Silver, for 24 months at €25.00 a month each.")
    assert OrderEvent.objects.filter(kind="read_back").count() == 1
