"""An order's page while it is open: it follows what others do, and loses nothing that is typed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from orders.models import Order
from orders.services import comment_order, confirm_order, replace_notes, send_back_order
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import PASSWORD, VariantFactory, make_order

WITHIN = 10_000
"""Milliseconds in which an open page has to show what somebody else did."""


@pytest.fixture
def order(tenant: Tenant, rep: User) -> Order:
    VariantFactory(sku="PHONE-1")
    return make_order("PHONE-1", actor=Actor.from_user(rep), notes="Ring twice.")


@pytest.fixture
def colleague(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A browser of somebody else."""
    context = browser.new_context(base_url=live_server.url)
    yield context.new_page()
    context.close()


def _address(order: Order) -> str:
    return f"/orders/{order.public_id}/"


def _log_in(page: Page, user: User) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name=f"Hello, {user.username}")).to_be_visible()


def test_open_page_shows_a_confirmation_and_keeps_what_is_typed(
    visit: Visit, rep: User, manager: User, order: Order, colleague: Page
) -> None:
    page = visit(_address(order), rep)
    field = page.get_by_label("Comment")
    field.press_sequentially("They asked about the")
    _log_in(colleague, manager)
    colleague.goto(_address(order))
    colleague.get_by_role("button", name="Confirm order").click()
    expect(colleague.get_by_text("The order is confirmed.")).to_be_visible()

    news = page.locator("#order-news")
    expect(news).to_contain_text(f"Confirmed by {manager.email} · just now", timeout=WITHIN)
    expect(page.locator("#order-head .status")).to_have_text("Confirmed")
    expect(page.locator("#order-timeline li").first).to_contain_text("Confirmed")
    expect(field).to_be_focused()
    page.keyboard.type(" delivery.")
    expect(field).to_have_value("They asked about the delivery.")
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Add comment").click()
    expect(page.locator("#order-timeline li").first).to_contain_text(
        "They asked about the delivery."
    )
    expect(field).to_have_value("")
    expect(page.get_by_role("status").filter(has_text="Your comment was added.")).to_be_attached()
    assert order.events.filter(kind="commented").count() == 1


def test_manager_who_decides_about_what_has_changed_is_asked_again(
    visit: Visit, rep: User, manager: User, order: Order, complaints: list[str]
) -> None:
    page = visit(_address(order), manager)
    replace_notes(
        tenant=order.tenant,
        actor=Actor.from_user(rep),
        order_id=order.public_id,
        notes="Ring thrice.",
    )
    expect(page.locator("#order-news")).to_contain_text("Ring thrice.", timeout=WITHIN)
    page.get_by_role("button", name="Confirm order").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was done")
    expect(page.locator(".again .changes")).to_contain_text("Ring thrice.")
    assert accessibility_problems(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Confirm order as it is now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The order is confirmed.")).to_be_visible()
    assert ["409" in complaint for complaint in complaints] == [True]
    complaints.clear()


def test_reason_being_typed_survives_what_others_do(
    visit: Visit, rep: User, manager: User, order: Order
) -> None:
    page = visit(_address(order), manager)
    page.get_by_role("button", name="Cancel order").click()
    page.keyboard.type("The customer ")
    comment_order(
        tenant=order.tenant,
        actor=Actor.from_user(rep),
        order_id=order.public_id,
        comment="They called.",
    )
    expect(page.locator("#order-timeline")).to_contain_text("They called.", timeout=WITHIN)
    page.keyboard.type("withdrew.")
    expect(page.get_by_label("Reason")).to_have_value("The customer withdrew.")


def test_notes_are_edited_in_place_with_the_keyboard(visit: Visit, rep: User, order: Order) -> None:
    page = visit(_address(order), rep)
    page.locator("#edit-notes").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Notes")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Ring once.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#notes-text")).to_have_text("Ring once.")
    expect(page.get_by_role("textbox", name="Notes")).to_be_hidden()
    expect(page.locator("#edit-notes")).to_be_focused()
    expect(page.locator("#order-timeline li").first).to_contain_text("Ring twice.")


def test_comment_that_is_refused_stays_with_its_message(
    visit: Visit, rep: User, order: Order, complaints: list[str]
) -> None:
    page = visit(_address(order), rep)
    field = page.get_by_label("Comment")
    field.fill("hidden \u200b")
    page.get_by_role("button", name="Add comment").click()
    expect(page.get_by_text("It contains a character that cannot be seen")).to_be_visible()
    expect(field).to_have_value("hidden \u200b")
    assert accessibility_problems(page) == []
    assert ["422" in complaint for complaint in complaints] == [True]
    complaints.clear()


def test_prices_of_a_line_are_explained_below_it(visit: Visit, rep: User, order: Order) -> None:
    page = visit(_address(order), rep)
    page.get_by_text("Explain the prices").click()
    expect(page.get_by_text("It is unchanged since it was added to the catalogue.")).to_be_visible()
    assert accessibility_problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_order_with_a_history_is_accessible_and_as_wide_as_the_screen(
    visit: Visit, page: Page, rep: User, manager: User, order: Order, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    this = {"tenant": order.tenant, "order_id": order.public_id}
    replace_notes(**this, actor=Actor.from_user(rep), notes="n" * 400)
    comment_order(**this, actor=Actor.from_user(rep), comment="They called. " * 20)
    send_back_order(
        **this,
        actor=Actor.from_user(manager),
        reason="Please look again.",
        remarks={"items.0": "Two, not twenty?"},
    )
    visit(_address(order), rep)
    page.get_by_text("Explain the prices").click()
    expect(page.get_by_text("Catalogue price")).to_be_visible()
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_page_works_without_javascript(
    visit: Visit, browser: Browser, rep: User, order: Order, page: Page
) -> None:
    visit("/login/")
    plain = browser.new_context(java_script_enabled=False, base_url=page.url)
    tab = plain.new_page()
    _log_in(tab, rep)
    tab.goto(_address(order))
    tab.get_by_label("Comment").fill("No script here.")
    tab.get_by_role("button", name="Add comment").click()
    expect(tab.locator("#order-timeline")).to_contain_text("No script here.")
    tab.get_by_text("Edit notes").click()
    tab.get_by_role("textbox", name="Notes").fill("Plain.")
    tab.get_by_role("button", name="Save notes").click()
    expect(tab.locator("#notes-text")).to_have_text("Plain.")
    tab.get_by_text("Explain the prices").click()
    tab.get_by_role("link", name="Open the explanation").click()
    expect(tab.get_by_role("heading", name="How these prices came about")).to_be_visible()
    plain.close()


def test_confirmed_elsewhere_is_told_once(
    visit: Visit, rep: User, manager: User, order: Order
) -> None:
    page = visit(_address(order), rep)
    confirm_order(tenant=order.tenant, actor=Actor.from_user(manager), order_id=order.public_id)
    expect(page.locator("#order-news .note")).to_have_count(1, timeout=WITHIN)
    page.reload()
    expect(page.locator("#order-news .note")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_leavers_orders_are_counted_and_handed_over(
    visit: Visit, page: Page, rep: User, manager: User, order: Order, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    visit("/orders/", manager)
    page.get_by_role("link", name="Hand over orders").click()
    page.get_by_label("Who leaves").select_option(rep.email)
    expect(page.get_by_text("1 open order and 0 open drafts")).to_be_visible()
    page.get_by_label("Who takes over").select_option(manager.email)
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_label("Who takes over").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("On to new things.")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("manager has taken over 1 open order")).to_be_visible()
    visit(_address(order))
    expect(page.get_by_text("On to new things.")).to_be_visible()
    page.get_by_role("link", name="Give to another rep").click()
    page.get_by_label("Who takes over").select_option(rep.email)
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Give order").click()
    expect(page.get_by_text("rep looks after this order now.")).to_be_visible()
