"""A manager reviews what a rep has submitted, in the Django admin, in a real browser."""

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from orders.editing import Edit, EditedLine
from orders.models import Order
from orders.services import confirm_order, edit_order, replace_notes
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import SYSTEM, VariantFactory, address, make_order, new_order

LIST = reverse("admin:orders_order_changelist")


class Hands:
    """Uses the page as a person does, and counts clicks and key presses."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0

    def click(self, target: Locator) -> None:
        self.actions += 1
        target.click()

    def access(self, key: str) -> None:
        """Alt and an access key, which types nothing; Playwright's own presses would."""
        self.actions += 1
        session = self.page.context.new_cdp_session(self.page)
        press = {
            "key": key,
            "code": f"Key{key.upper()}",
            "windowsVirtualKeyCode": ord(key.upper()),
            "unmodifiedText": key,
            "text": "",
            "modifiers": 1,
        }
        session.send("Input.dispatchKeyEvent", {"type": "keyDown", **press})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **press})


@pytest.fixture
def order(tenant: Tenant, rep: User) -> Order:
    VariantFactory(sku="PHONE-1")
    return make_order("PHONE-1", actor=Actor.from_user(rep))


def test_manager_confirms_an_order_in_the_admin(visit: Visit, manager: User, order: Order) -> None:
    page = visit("/admin/", manager)
    page.get_by_role("link", name=re.compile("waiting for review")).click()
    page.get_by_role("link", name=order.public_id).click()
    expect(page.get_by_text("PHONE-1", exact=True)).to_be_visible()
    page.get_by_role("button", name="Confirm order").click()
    expect(page.get_by_text("Confirmed", exact=True).first).to_be_visible()
    order.refresh_from_db()
    assert (order.status, order.confirmed_by) == (Order.Status.CONFIRMED, manager.email)


def test_twenty_clean_orders_are_confirmed_in_four_actions_at_most(
    visit: Visit, manager: User, rep_actor: Actor
) -> None:
    """All that wait are selected, odd ones among them; those stay. Figure of the review."""
    odd = make_order(actor=rep_actor)
    clean = [make_order(actor=rep_actor) for _ in range(20)]
    page = visit(LIST, manager)
    hands = Hands(page)
    hands.click(page.get_by_label("Select all objects on this page for an action"))
    hands.click(page.get_by_role("button", name="Confirm selected"))
    expect(page.get_by_role("heading", name="1 to look at first")).to_be_visible()
    hands.click(page.get_by_role("button", name="Confirm 20 orders"))
    expect(page.get_by_role("heading", name="20 of 20 orders confirmed")).to_be_visible()
    assert hands.actions == 3
    confirmed = Order.objects.filter(status=Order.Status.CONFIRMED)
    assert {order.pk for order in confirmed} == {order.pk for order in clean}
    odd.refresh_from_db()
    assert odd.status == Order.Status.PENDING


def test_order_with_warnings_is_confirmed_in_three_actions_at_most(
    visit: Visit, manager: User, order: Order
) -> None:
    """Figure of the review."""
    assert order.risk > 0
    page = visit(LIST, manager)
    hands = Hands(page)
    hands.click(page.get_by_role("link", name=order.public_id))
    expect(page.get_by_label("Reasons to look twice")).to_contain_text("First order")
    hands.click(page.get_by_role("button", name="Confirm order"))
    expect(page.get_by_text(f"Order {order.public_id} is confirmed.")).to_be_visible()
    assert hands.actions == 2
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED


def test_queue_is_worked_through_with_the_keyboard(
    visit: Visit, manager: User, rep_actor: Actor
) -> None:
    """One skipped, the others confirmed, each with one key from the first to the last."""
    for _ in range(4):
        make_order(actor=rep_actor)
    queue = [order.public_id for order in Order.objects.awaiting_review().by_risk()]
    page = visit(LIST, manager)
    page.get_by_role("link", name=queue[0]).press("Enter")
    hands = Hands(page)
    for here, key in zip(queue, "nxxx", strict=True):
        expect(page.get_by_role("heading", name=here, exact=True)).to_be_visible()
        hands.access(key)
    expect(page.get_by_role("heading", name=queue[0], exact=True)).to_be_visible()
    hands.access("c")
    expect(page.get_by_text(f"Order {queue[0]} is confirmed.")).to_be_visible()
    assert hands.actions == 5
    assert Order.objects.awaiting_review().count() == 0


def test_reason_opens_its_evidence_with_one_click(
    visit: Visit, manager: User, order: Order
) -> None:
    again = make_order("PHONE-1", shippingAddress=address(city="Delft"))
    page = visit(LIST, manager)
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=again.public_id))
    evidence = row.get_by_role("link", name=f"Order {order.public_id}").first
    expect(evidence).to_be_hidden()
    row.get_by_text("Same items within a week").click()
    expect(evidence).to_be_visible()
    expect(evidence).to_have_attribute("href", f"/orders/{order.public_id}/")


def test_order_that_moved_is_shown_old_against_new_and_confirmed_after_that(
    visit: Visit, manager: User, rep_actor: Actor, order: Order, complaints: list[str]
) -> None:
    page = visit(reverse("admin:orders_order_change", args=[order.pk]), manager)
    edit(order, rep_actor, 3)
    page.get_by_role("button", name="Confirm order").click()
    expect(page.get_by_role("alert")).to_contain_text("rep@portal.example last changed it")
    row = page.get_by_role("row").filter(has_text="Item 1")
    expect(row.get_by_role("cell").nth(0)).to_contain_text("1 × ")
    expect(row.get_by_role("cell").nth(1)).to_contain_text("3 × ")
    order.refresh_from_db()
    assert order.status == Order.Status.PENDING
    page.get_by_role("button", name="Confirm this version").click()
    expect(page.get_by_text(f"Order {order.public_id} is confirmed.")).to_be_visible()
    assert ["409" in complaint for complaint in complaints] == [True]
    complaints.clear()


def test_order_is_sent_back_with_a_remark_at_the_line(
    visit: Visit, manager: User, order: Order
) -> None:
    page = visit(reverse("admin:orders_order_change", args=[order.pk]), manager)
    page.get_by_role("link", name="Send back").click()
    page.get_by_label("A quantity or contract length looks wrong").check()
    page.get_by_label("Remark on Item 1").fill("Twenty, they said.")
    page.get_by_role("button", name="Send back order").click()
    expect(page.get_by_text("Item 1: “Twenty, they said.”")).to_be_visible()
    order.refresh_from_db()
    assert (order.status, order.awaiting) == (Order.Status.PENDING, Order.Awaiting.REP)


def edit(order: Order, actor: Actor, quantity: int) -> None:
    line = {"sku": "PHONE-1", "quantity": quantity, "contractLength": 24}
    edit_order(
        tenant=order.tenant,
        actor=actor,
        order_id=order.public_id,
        edit=Edit(new_order(items=[line]), [EditedLine(kept=0)]),
        reason="They called again",
    )


def came_back(order: Order, manager_actor: Actor, rep_actor: Actor) -> None:
    this: dict[str, Any] = {"tenant": order.tenant, "order_id": order.public_id}
    confirm_order(actor=manager_actor, **this)
    edit(order, rep_actor, 3)
    replace_notes(actor=rep_actor, notes="Ring twice", **this)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_of_the_review_are_accessible_and_as_wide_as_the_screen(
    visit: Visit,
    page: Page,
    manager: User,
    manager_actor: Actor,
    rep_actor: Actor,
    order: Order,
    complaints: list[str],
    scheme: str,
    width: int,
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    came_back(order, manager_actor, rep_actor)
    make_order("PHONE-1", shippingAddress=address(city="Delft"))
    make_order()

    def check(name: str) -> None:
        assert accessibility_problems(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
        # What the checker itself does to forms, and the refusal that is looked at.
        complaints.clear()

    review = reverse("admin:orders_order_change", args=[order.pk])
    visit(LIST, manager)
    page.locator(".reason-badges summary").first.click()
    check("queue")
    page.get_by_label("Select all objects on this page for an action").click()
    page.get_by_role("button", name="Confirm selected").click()
    expect(page.get_by_role("heading", name="2 to look at first")).to_be_visible()
    check("preflight")
    page.get_by_role("button", name="Confirm 1 order").click()
    expect(page.get_by_role("heading", name="1 of 1 order confirmed")).to_be_visible()
    check("results")
    visit(review)
    expect(page.get_by_role("heading", name="What has changed since")).to_be_visible()
    check("review")
    replace_notes(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, notes="Twice!")
    page.get_by_role("button", name="Confirm order").click()
    expect(page.get_by_role("heading", name="What happened since you looked")).to_be_visible()
    check("difference")
    visit(f"{review.removesuffix('change/')}send_back/")
    page.get_by_role("button", name="Send back order").click()
    expect(page.get_by_text("Say what the rep should correct.")).to_be_visible()
    check("send back")


def test_manager_cancels_an_order_on_its_page_with_a_reason(
    visit: Visit, manager: User, order: Order
) -> None:
    page = visit(f"/orders/{order.public_id}/", manager)
    page.get_by_role("button", name="Cancel order").click()
    expect(page.get_by_label("Reason", exact=True)).to_be_focused()
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
    expect(page.get_by_text("PHONE-1", exact=True)).to_be_visible()
    expect(page.get_by_text("Confirm order")).to_have_count(0)
