"""The bell in the header: seen, heard, and in nobody's way."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from orders.models import Notice, Order
from orders.services import comment_order
from portal.models import User
from portal.permissions import Actor
from tests.browser.conftest import Visit, accessibility_problems
from tests.browser.test_call import offline  # noqa: F401 (a fixture)
from tests.factories import make_order


@pytest.fixture
def order(rep: User) -> Order:
    return make_order(actor=Actor.from_user(rep))


@pytest.fixture
def page(page: Page) -> Page:
    """Its time passes when a test says so."""
    page.clock.install()
    return page


def comment(order: Order, manager: User) -> None:
    actor = Actor.from_user(manager)
    comment_order(tenant=order.tenant, actor=actor, order_id=order.public_id, comment="Nice one")


def polled(page: Page) -> None:
    """Lets the page ask once more, and waits for the answer."""
    with page.expect_response("**/notices/unread/**"):
        page.clock.fast_forward(10_000)


def bell(page: Page) -> Any:
    return page.get_by_role("link", name="Notices")


def loaded(page: Page) -> None:
    """The page knows how many are unread, and from then on hears of more."""
    expect(page.locator("[name=shown]")).to_have_count(1)


def test_new_notice_is_counted_and_heard_without_reloading(
    visit: Visit, rep: User, manager: User, order: Order
) -> None:
    comment(order, manager)
    page = visit("/orders/", rep)
    expect(bell(page)).to_have_text("Notices 1 unread")
    heard = page.locator(".bell + [role=status]")
    expect(heard).to_have_text("")
    comment(order, manager)
    polled(page)
    expect(bell(page)).to_have_text("Notices 2 unread")
    expect(heard).to_have_text("1 new notice")
    polled(page)
    expect(heard).to_have_text("1 new notice")


def test_first_notice_is_heard_too(visit: Visit, rep: User, manager: User, order: Order) -> None:
    page = visit("/orders/", rep)
    loaded(page)
    comment(order, manager)
    polled(page)
    expect(page.locator(".bell + [role=status]")).to_have_text("1 new notice")


def test_bell_leads_to_the_notices_and_each_to_its_order(
    visit: Visit, rep: User, manager: User, order: Order
) -> None:
    comment(order, manager)
    comment(order, manager)
    page = visit("/", rep)
    bell(page).press("Enter")
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()
    page.get_by_role("link", name=f"Order {order.public_id}").first.press("Enter")
    expect(page.get_by_role("heading", name=order.public_id)).to_be_visible()
    loaded(page)
    expect(bell(page)).to_have_text("Notices")
    assert Notice.objects.unread().count() == 0


def test_all_are_marked_as_read_with_one_press(
    visit: Visit, rep: User, manager: User, order: Order
) -> None:
    comment(order, manager)
    page = visit("/notices/", rep)
    expect(page.get_by_text("Unread", exact=True)).to_be_visible()
    page.get_by_role("button", name="Mark all as read").press("Enter")
    expect(page.get_by_text("Unread", exact=True)).to_be_hidden()
    loaded(page)
    expect(bell(page)).to_have_text("Notices")


def test_bell_leaves_the_cursor_and_what_is_typed_alone(
    visit: Visit, rep: User, manager: User, order: Order
) -> None:
    page = visit("/orders/new/", rep)
    loaded(page)
    notes = page.get_by_label("Notes")
    notes.press_sequentially("They call")
    comment(order, manager)
    polled(page)
    expect(bell(page)).to_have_text("Notices 1 unread")
    expect(notes).to_be_focused()
    notes.press_sequentially(" back")
    expect(notes).to_have_value("They call back")
    bell(page).focus()
    comment(order, manager)
    polled(page)
    expect(bell(page)).to_have_text("Notices 2 unread")
    expect(bell(page)).to_be_focused()


def test_expired_login_is_not_asked_for_by_the_bell(visit: Visit, rep: User) -> None:
    page = visit("/orders/", rep)
    loaded(page)
    Session.objects.all().delete()
    polled(page)
    expect(page.locator("#login-dialog")).to_be_hidden()
    expect(page.locator("#trouble")).to_be_empty()


def test_bell_says_nothing_about_the_network(
    visit: Visit,
    rep: User,
    offline: Any,  # noqa: F811
) -> None:
    page = visit("/orders/", rep)
    loaded(page)
    offline(True)
    with page.expect_event("requestfailed"):
        page.clock.fast_forward(10_000)
    expect(page.locator("#trouble")).to_be_empty()


def test_bell_does_not_take_back_what_went_wrong(visit: Visit, rep: User) -> None:
    page = visit("/orders/", rep)
    loaded(page)
    page.evaluate("document.getElementById('trouble').textContent = 'It went wrong.'")
    polled(page)
    page.wait_for_function("document.querySelector('.bell + [role=status].htmx-request') === null")
    expect(page.locator("#trouble")).to_have_text("It went wrong.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_notices_are_accessible_and_as_wide_as_the_screen(
    visit: Visit, page: Page, rep: User, manager: User, order: Order, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    comment(order, manager)
    visit("/notices/", rep)
    expect(bell(page)).to_have_text("Notices 1 unread")
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
