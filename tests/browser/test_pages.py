"""Lists, pages and the login in a real browser: as one types, with the keyboard, for everyone."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from orders import drafts
from orders.models import Order
from orders.services import send_back_order
from orders.starting import Start
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import PASSWORD, VariantFactory, address, make_order

FULL = "/orders/{order}/"
PATHS = ["/", "/notices/", "/orders/", "/orders/?q=xyzzy", FULL, "/customers/", "/password/"]


@pytest.fixture
def orders(tenant: Tenant, rep: User) -> list[Order]:
    variant, actor = VariantFactory(sku="PHONE-1"), Actor.from_user(rep)
    zoe = {"email": "zoe@kroon.example", "firstName": "Zoë", "lastName": "Jansen"}
    return [make_order(variant.sku, actor=actor), make_order(variant.sku, customer=zoe)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_are_accessible_and_as_wide_as_the_screen(
    visit: Visit, page: Page, manager: User, orders: list[Order], scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    customer = f"/customers/{orders[0].customer.public_id}/"
    user: User | None = manager
    for path in [*PATHS, customer, f"{customer}edit/"]:
        visit(path.format(order=orders[0].public_id), user)
        assert accessibility_problems(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        user = None


@pytest.mark.parametrize("width", [390, 1440])
def test_word_without_end_makes_no_page_wider_than_the_screen(
    visit: Visit, page: Page, manager: User, rep: User, tenant: Tenant, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    long = address(streetAddress="W" * 250, contactName="N" * 100)
    order = make_order(actor=Actor.from_user(rep), billingAddress=long, shippingAddress=long)
    which = {"tenant": tenant, "order_id": order.public_id}
    again = drafts.start_from(**which, owner=manager, kind=Start.AGAIN)
    send_back_order(**which, actor=Actor.from_user(manager), reason="R" * 500)
    draft = f"/orders/new/{again.public_id}/"
    review = reverse("admin:orders_order_change", args=[order.pk])
    user: User | None = manager
    for path, shown in ((f"{draft}quote/", "W{50}"), (review, "R{50}"), (draft, "W{50}, ")):
        visit(path, user)
        expect(page.get_by_text(re.compile(shown)).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        user = None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_missing_page_is_accessible(
    visit: Visit, page: Page, rep: User, complaints: list[str], scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    visit("/orders/ord_N0THERE000/", rep)
    assert accessibility_problems(page) == []
    assert ["404" in complaint for complaint in complaints] == [True]
    complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_login_page_is_accessible(visit: Visit, page: Page, rep: User, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    visit("/login/")
    assert accessibility_problems(page) == []
    page.keyboard.type("rep")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Is Caps Lock on?")).to_be_visible()
    assert accessibility_problems(page) == []
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hello, rep")).to_be_visible()


def test_list_follows_what_is_typed_and_so_does_its_address(
    visit: Visit, rep: User, orders: list[Order]
) -> None:
    page = visit("/orders/", rep)
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_label("Search orders").press_sequentially("jansen")
    expect(rows).to_have_count(1)
    page.get_by_label("Only mine").check()
    expect(page.get_by_text("No order matches")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/orders/\?q=jansen&mine=on$"))
    page.go_back()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Search orders")).to_have_value("jansen")
    expect(page.get_by_label("Only mine")).not_to_be_checked()


def test_list_works_without_javascript(
    visit: Visit, browser: object, rep: User, orders: list[Order], page: Page
) -> None:
    visit("/login/")
    plain = browser.new_context(java_script_enabled=False, base_url=page.url)
    tab = plain.new_page()
    tab.goto("/orders/")
    tab.get_by_label("User name").fill("rep")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    tab.get_by_label("Search orders").fill("jansen")
    tab.get_by_role("button", name="Search").click()
    expect(tab.locator("#results tbody tr")).to_have_count(1)
    plain.close()


def test_key_leads_to_the_new_order(visit: Visit, rep: User) -> None:
    page = visit("/", rep)
    page.keyboard.press("Alt+n")
    expect(page.get_by_label("Customer e-mail")).to_be_visible()


def test_decision_is_sent_once_however_often_it_is_clicked(
    visit: Visit, manager: User, orders: list[Order]
) -> None:
    page = visit(FULL.format(order=orders[0].public_id), manager)
    page.get_by_role("button", name="Confirm order").dblclick()
    expect(page.get_by_text("The order is confirmed.")).to_be_visible()
    assert Order.objects.get(pk=orders[0].pk).version == 2


def test_cancel_dialog_opens_at_its_reason_and_leaves_with_escape(
    visit: Visit, manager: User, orders: list[Order]
) -> None:
    page = visit(FULL.format(order=orders[0].public_id), manager)
    page.get_by_role("button", name="Cancel order").click()
    expect(page.get_by_label("Reason")).to_be_focused()
    assert accessibility_problems(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_label("Reason")).to_be_hidden()
