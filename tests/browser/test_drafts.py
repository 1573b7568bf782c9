"""Drafts in a browser: the list, a page whose draft went elsewhere, starting points, the quote."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orders import draft_life, drafts
from orders.models import Draft, Order
from orders.typed import Typed
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import UserFactory, VariantFactory, make_order
from tests.orders.test_drafts import at, typed


@pytest.fixture
def maria(tenant: Tenant) -> User:
    return UserFactory(username="maria", first_name="Maria", last_name="Jansen")


@pytest.fixture
def one(tenant: Tenant, rep: User) -> dict[str, Any]:
    """A draft of the rep with one device in it."""
    draft = drafts.open_draft(tenant=tenant, owner=rep)
    owned = {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}
    form = typed(VariantFactory(sku="A-1").sku)
    drafts.save(**owned, typed=form, revision=at(1))
    return owned


def page_of(one: dict[str, Any]) -> str:
    return f"/orders/new/{one['draft_id']}/"


def notes() -> str:
    return str(Typed.from_payload(Draft.objects.get().payload).fields.get("notes", ""))


def test_draft_is_discarded_and_brought_back_by_keyboard(
    visit: Visit, rep: User, maria: User, one: dict[str, Any]
) -> None:
    page = visit("/", rep)
    page.evaluate("document.body.dataset.same = 'page'")
    page.get_by_role("button", name="Discard").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drafts")).to_contain_text("Draft of Noor el Idrissi discarded.")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    # Before htmx has settled, 20 ms later, the button does what it does without JavaScript.
    expect(page.locator(".htmx-added")).to_have_count(0)
    assert accessibility_problems(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Noor el Idrissi")).to_be_focused()
    assert Draft.objects.get().discarded_at is None
    assert page.evaluate("document.body.dataset.same") == "page"


def test_draft_is_handed_over_from_the_list_by_keyboard(
    visit: Visit, rep: User, maria: User, one: dict[str, Any]
) -> None:
    page = visit("/", rep)
    page.get_by_role("button", name="Hand over").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Colleague")).to_be_focused()
    assert accessibility_problems(page) == []
    page.keyboard.press("M")
    page.get_by_role("dialog").get_by_role("button", name="Hand over").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drafts")).to_contain_text("You handed this draft to Maria Jansen.")
    assert Draft.objects.get().owner == maria


def test_list_works_without_javascript(
    browser: Any, live_server: Any, visit: Visit, page: Page, rep: User, one: dict[str, Any]
) -> None:
    visit("/", rep)
    context = browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(live_server.url)
    plain.get_by_role("button", name="Discard").click()
    expect(plain.get_by_role("heading")).to_have_text("Draft of Noor el Idrissi discarded")
    plain.get_by_role("button", name="Undo").click()
    expect(plain.get_by_label("First name")).to_have_value("Noor")
    context.close()


def test_hand_over_from_the_page_takes_along_what_no_save_has_sent(
    page: Page, visit: Visit, rep: User, maria: User, one: dict[str, Any]
) -> None:
    page.route("**/save/", lambda route: None)  # A network that swallows what is sent.
    visit(page_of(one), rep)
    page.get_by_label("Notes").fill("Call back on Monday")
    page.get_by_role("button", name="Hand over").first.click()
    page.get_by_label("Colleague").select_option("maria@portal.example")
    page.get_by_role("dialog").get_by_role("button", name="Hand over").click()
    expect(page.locator("#messages")).to_have_text("You handed this draft to Maria Jansen.")
    assert (notes(), Draft.objects.get().owner) == ("Call back on Monday", maria)


def test_page_of_the_former_owner_says_whose_draft_it_is(
    visit: Visit, rep: User, maria: User, one: dict[str, Any], complaints: list[str]
) -> None:
    page = visit(page_of(one), rep)
    draft_life.hand_over(**one, to=maria.email)
    page.get_by_label("Notes").fill("Typed too late")
    expect(page.get_by_role("alert").first).to_contain_text("now belongs to Maria Jansen.")
    expect(page.locator("#new-order")).to_contain_text("Typed too late")
    assert accessibility_problems(page) == []
    assert notes() == ""
    assert "422 (Unprocessable Entity)" in complaints.pop()


def test_page_of_a_draft_discarded_elsewhere_brings_it_back_with_all_that_was_typed(
    visit: Visit, rep: User, one: dict[str, Any]
) -> None:
    page = visit(page_of(one), rep)
    draft_life.discard(**one)
    page.get_by_label("Notes").fill("Still on the phone")
    expect(page.locator("#notices")).to_contain_text("This draft was discarded.")
    expect(page.get_by_label("Notes")).to_be_focused()
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("#notices")).to_be_empty()
    expect(page.get_by_label("Notes")).to_have_value("Still on the phone")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/orders/ord_*/")
    assert Order.objects.get().notes == "Still on the phone"


@pytest.mark.parametrize(
    ("button", "field"),
    [
        ("Order again", "Quantity"),
        ("Extend", "Months to extend"),
        ("Upgrade Product", "Search SKU or product"),
    ],
)
def test_order_starts_a_new_one_with_the_cursor_where_the_call_goes_on(
    visit: Visit, rep: User, button: str, field: str
) -> None:
    order = make_order(status=Order.Status.CONFIRMED)
    page = visit(f"/orders/{order.public_id}/", rep)
    page.get_by_role("button", name=button).press("Enter")
    expect(page.get_by_label(field)).to_be_focused()
    expect(page.get_by_label("First name")).to_have_value("Noor")


def test_new_end_of_an_extension_follows_the_months_typed(visit: Visit, rep: User) -> None:
    order = make_order(status=Order.Status.CONFIRMED)
    page = visit(f"/orders/{order.public_id}/", rep)
    page.get_by_role("button", name="Extend").press("Enter")
    # Until then nothing listens to what is typed.
    expect(page.get_by_label("Months to extend")).to_be_focused()
    end = page.get_by_label("New end date")
    before = end.input_value()
    page.get_by_label("Months to extend").fill("12")
    expect(end).not_to_have_value(before)
    assert Typed.from_payload(Draft.objects.get().payload).fields["extension-new_end_date"] == (
        end.input_value()
    )
    expect(page.get_by_label("Months to extend")).to_be_focused()
    end.fill("2099-12-24")
    page.get_by_label("Months to extend").fill("6")
    expect(page.locator("#save-state")).to_have_text("Saved")
    expect(end).to_have_value("2099-12-24")


def test_quote_follows_its_day_and_prints_alone(
    visit: Visit, rep: User, one: dict[str, Any]
) -> None:
    page = visit(page_of(one), rep)
    page.get_by_role("link", name="Quote").click()
    expect(page.get_by_label("Valid until")).to_be_visible()
    assert accessibility_problems(page) == []
    page.get_by_label("Valid until").fill("2099-01-31")
    page.get_by_label("Valid until").blur()
    expect(page.locator("#valid-until")).to_have_text("31 Jan 2099")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("body").inner_text().startswith("Quote drf_")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for hidden in ("header.bar", ".page-head", ".quote-tools"):
        expect(page.locator(hidden)).to_be_hidden()


def test_quote_is_sent_and_the_order_page_says_so(
    visit: Visit, rep: User, one: dict[str, Any], mailoutbox: list[Any]
) -> None:
    page = visit(f"{page_of(one)}quote/", rep)
    page.get_by_role("button", name="Send by e-mail").dblclick()
    expect(page.locator("#messages")).to_have_text("The quote is sent to noor@example.com.")
    assert accessibility_problems(page) == []
    page.get_by_role("link", name="Back to the order").click()
    expect(page.locator("#new-order")).to_contain_text("Quote sent to noor@example.com")
    assert len(mailoutbox) == 1
