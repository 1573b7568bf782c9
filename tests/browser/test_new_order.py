"""A rep types an order while the customer is on the phone, in a real browser."""

import re
import time
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from catalog.models import Price
from orders.models import Draft, Order
from portal.models import Tenant, User
from tests.browser.conftest import Forgive, Visit, accessibility_problems
from tests.factories import PASSWORD, CustomerFactory, ProductFactory, VariantFactory, address

REFUSED = "422 (Unprocessable Entity)"


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24, vat_rate=21)
    macbook = ProductFactory(name="MacBook Pro 16", brand="Apple")
    VariantFactory(product=macbook, sku="MACBOOK-PRO-16-M3", name="36 GB")
    VariantFactory(product=ProductFactory(name="iPad Pro"), sku="IPAD-PRO-12-M2")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def wait_until_saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text("Saved")


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(600):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("It has not happened within half a minute.")


def fill_in_customer(page: Page) -> None:
    for label, text in {
        "Customer e-mail": "nina@example.com",
        "First name": "Nina",
        "Last name": "Vos",
        "Contact name": "Nina Vos",
        "Street address": "Damrak 1",
        "City": "Amsterdam",
        "Country": "Netherlands",
    }.items():
        page.get_by_label(label).fill(text)


def add(page: Page, text: str) -> None:
    page.get_by_label("Search SKU or product").focus()
    before = page.locator(".line").count()
    page.keyboard.insert_text(text)
    press(page, "Enter")
    expect(page.locator(".line")).to_have_count(before + 1)


def test_rep_places_an_order_with_the_keyboard_alone(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    expect(page.get_by_label("Customer e-mail")).to_be_focused()
    page.keyboard.type("nina@example.com")
    for text in ("Nina", "Vos", "Vos & Co", "+31 20 555 0100"):
        press(page, "Tab")
        page.keyboard.type(text)
    press(page, "Tab", "b", "Tab")
    page.keyboard.type("macbok")
    expect(page.locator("#search-results [aria-selected=true]")).to_contain_text("MacBook Pro 16")
    press(page, "Enter")
    expect(page.get_by_label("Quantity")).to_be_focused()
    page.keyboard.type("5")
    press(page, "Tab")
    expect(page.get_by_label("Contract length")).to_be_focused()
    press(page, "ArrowDown", "Enter")
    expect(page.get_by_label("Search SKU or product")).to_be_focused()
    page.keyboard.type("ipad")
    expect(page.locator("#search-results [aria-selected=true]")).to_contain_text("iPad Pro")
    press(page, "Enter")
    expect(page.get_by_label("Quantity").last).to_be_focused()
    # 5 × €20.00 for 36 months and 1 × €25.00 for 24 months, and 21 % VAT.
    expect(page.locator("#totals")).to_contain_text("€151.25")
    expect(page.locator("#announcement")).to_have_text("€151.25 per month for 6 devices")
    press(page, "Tab", "Tab")
    for text in ("Nina Vos", "", "Damrak 1", "", "1012 LG", "Amsterdam", "Netherlands"):
        page.keyboard.type(text)
        press(page, "Tab")
    press(page, "Control+Enter")
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    order = Order.objects.get()
    assert page.url.endswith(f"/orders/{order.public_id}/")
    assert [(item.sku, item.quantity, item.contract_length) for item in order.items.all()] == [
        ("MACBOOK-PRO-16-M3", 5, 36),
        ("IPAD-PRO-12-M2", 1, 24),
    ]
    assert (order.customer_type, order.customer_phone) == ("business", "+31 20 555 0100")
    assert order.billing_address["postalCode"] == "1012 LG"


def test_reload_brings_the_draft_back(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    fill_in_customer(page)
    add(page, "ipad")
    page.get_by_label("Notes").fill("Call back at 3")
    page.get_by_label("Ship to a different address").check()
    page.get_by_role("group", name="Shipping address").get_by_label("City").fill("Gouda")
    wait_until_saved(page)
    page.reload()
    expect(page.get_by_label("Notes")).to_have_value("Call back at 3")
    expect(page.get_by_label("Quantity")).to_have_value("1")
    shipping = page.get_by_role("group", name="Shipping address")
    expect(shipping.get_by_label("City")).to_have_value("Gouda")


def test_leaving_at_once_loses_nothing(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    address_of_draft = page.url
    page.get_by_label("Notes").fill("Typed, and gone")
    page.goto("about:blank")
    # On the way out, or just before it: on a slow machine the page still saves by itself.
    wait_until(lambda: Draft.objects.filter(payload__fields__notes="Typed, and gone").exists())
    page.goto(address_of_draft)
    expect(page.get_by_label("Notes")).to_have_value("Typed, and gone")


def test_double_enter_and_back_make_one_order(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    fill_in_customer(page)
    add(page, "ipad")
    page.get_by_role("button", name="Submit order").focus()
    press(page, "Enter", "Enter")
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    landed = page.url
    page.go_back()
    expect(page.get_by_text("This is already order")).to_be_visible()
    page.get_by_role("button", name="Submit order").dblclick()
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    assert page.url == landed
    assert Order.objects.count() == 1


def test_scanner_types_sku_and_enter_in_one_go(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.get_by_label("Search SKU or product").focus()
    for sku in ("IPAD-PRO-12-M2", "MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2"):
        page.keyboard.insert_text(sku)
        press(page, "Enter")
    expect(page.locator(".line code")).to_have_text(
        ["IPAD-PRO-12-M2", "MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2"]
    )
    wait_until_saved(page)
    assert [line["sku"] for line in Draft.objects.get().payload["lines"]] == [
        "IPAD-PRO-12-M2",
        "MACBOOK-PRO-16-M3",
        "IPAD-PRO-12-M2",
    ]


def test_scanner_may_type_while_the_cursor_is_in_a_quantity(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    add(page, "IPAD-PRO-12-M2")
    expect(page.get_by_label("Quantity")).to_be_focused()
    page.keyboard.insert_text("MACBOOK-PRO-16-M3")
    press(page, "Enter")
    expect(page.get_by_label("Quantity").last).to_be_focused()
    expect(page.get_by_label("Quantity").first).to_have_value("1")
    expect(page.locator(".line code")).to_have_text(["IPAD-PRO-12-M2", "MACBOOK-PRO-16-M3"])


def test_wrong_quantity_stays_where_it_is_and_is_told(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    add(page, "IPAD-PRO-12-M2")
    quantity = page.get_by_label("Quantity")
    for wrong, told in (
        ("ten", "whole number"),
        ("1,000", "€25,000.00"),
        ("12pieces", "whole number"),
        ("-3", "from 1 to 10,000"),
        ("5 pieces", "whole number"),
    ):
        quantity.fill(wrong)
        press(page, "Enter")
        expect(page.get_by_label("Search SKU or product")).to_be_focused()
        expect(quantity).to_have_accessible_description(re.compile(told))
        expect(quantity).to_have_value(wrong)
    expect(page.locator(".line")).to_have_count(1)


def test_quantity_typed_before_its_line_is_there_is_that_of_the_line(
    page: Page, visit: Visit, rep: User
) -> None:
    asked: list[Route] = []
    page.route("**/orders/new/line/", lambda route: asked.append(route))
    visit("/orders/new/", rep)
    press(page, "Alt+s")
    with page.expect_request("**/orders/new/line/"):
        page.keyboard.insert_text("IPAD-PRO-12-M2")
        press(page, "Enter")
    page.keyboard.type("12")
    press(page, "Enter")
    asked[0].continue_()
    expect(page.get_by_label("Quantity")).to_have_value("12")
    expect(page.get_by_label("Quantity")).to_be_focused()
    expect(page.get_by_label("Search SKU or product")).to_have_value("")
    expect(page.locator(".line")).to_have_count(1)


def test_scanned_text_that_matches_nothing_stays(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.get_by_label("Search SKU or product").focus()
    page.keyboard.insert_text("QQQQ")
    press(page, "Enter")
    expect(page.locator("#search-status")).to_contain_text("matches “QQQQ”")
    expect(page.get_by_label("Search SKU or product")).to_have_value("QQQQ")


def test_rep_is_told_that_nobody_is_found(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.keyboard.type("zz")
    expect(page.locator("#customer-count")).to_have_text(
        "Nobody found. A new customer starts with their e-mail."
    )
    expect(page.locator("#customer-count")).to_be_visible()
    page.keyboard.type("z@new.example")
    expect(page.locator("#customer-record")).to_contain_text("New customer")
    expect(page.locator("#customer-count")).to_be_hidden()


def test_chosen_customer_fills_in_everything(visit: Visit, rep: User) -> None:
    CustomerFactory(
        email="info@acme.example",
        company="Acme",
        last_billing_address=address(),
        last_shipping_address=address(city="Gouda"),
    )
    page = visit("/orders/new/", rep)
    page.keyboard.type("acm")
    expect(page.locator("#customer-matches [role=option]")).to_have_count(1)
    expect(page.locator("#customer-count")).to_have_text("1 match")
    press(page, "Enter")
    expect(page.get_by_label("Customer e-mail")).to_have_value("info@acme.example")
    billing = page.get_by_role("group", name="Billing address")
    shipping = page.get_by_role("group", name="Shipping address")
    expect(billing.get_by_label("City")).to_have_value("Rotterdam")
    expect(shipping.get_by_label("City")).to_have_value("Gouda")
    expect(page.get_by_text("Known customer")).to_be_visible()
    page.get_by_label("First name").fill("Somebody")
    expect(page.get_by_label("Update the record")).to_be_visible()


def test_enter_after_a_new_email_takes_no_customer_that_looks_alike(
    visit: Visit, rep: User
) -> None:
    CustomerFactory(email="info@acme.example", company="Acme")
    page = visit("/orders/new/", rep)
    page.keyboard.type("info@acme.exampl")
    expect(page.locator("#customer-matches [role=option]")).to_have_count(1)
    press(page, "Enter")
    expect(page.get_by_label("Customer e-mail")).to_have_value("info@acme.exampl")


def test_enter_takes_nobody_who_was_found_for_less_than_is_typed(
    page: Page, visit: Visit, rep: User
) -> None:
    CustomerFactory(email="info@acme.example", company="Acme")
    unanswered = re.compile(r"/orders/new/customers/\?.*%40")
    page.route(unanswered, lambda route: None)
    visit("/orders/new/", rep)
    page.keyboard.type("info")
    expect(page.locator("#customer-matches [aria-selected=true]")).to_be_visible()
    with page.expect_request(unanswered):
        page.keyboard.type("@acme.exampl")
    press(page, "Enter")
    expect(page.get_by_label("Customer e-mail")).to_have_value("info@acme.exampl")
    press(page, "ArrowDown", "Enter")
    expect(page.get_by_label("Customer e-mail")).to_have_value("info@acme.example")
    page.unroute_all(behavior="ignoreErrors")


def test_enter_after_part_of_an_email_takes_the_customer(visit: Visit, rep: User) -> None:
    CustomerFactory(email="info@acme.example", company="Acme")
    page = visit("/orders/new/", rep)
    page.keyboard.type("info@acm")
    expect(page.locator("#customer-matches [aria-selected=true]")).to_be_visible()
    press(page, "Enter")
    expect(page.get_by_label("Customer e-mail")).to_have_value("info@acme.example")


def test_line_goes_by_key_and_by_button(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    add(page, "ipad")
    add(page, "macbook")
    add(page, "ipad")
    page.get_by_label("Quantity").first.focus()
    press(page, "Control+Delete")
    expect(page.locator(".line")).to_have_count(2)
    expect(page.get_by_label("Quantity").first).to_be_focused()
    page.get_by_role("button", name="Remove iPad Pro").click()
    expect(page.locator("#totals")).to_contain_text("€30.25")


def test_refused_order_leads_to_the_first_wrong_field(
    visit: Visit, rep: User, forgive: Forgive
) -> None:
    page = visit("/orders/new/", rep)
    fill_in_customer(page)
    page.get_by_label("City").fill("")
    add(page, "ipad")
    press(page, "Control+Enter")
    expect(page.get_by_label("City")).to_be_focused()
    expect(page.get_by_label("City")).to_have_accessible_description("This field is required.")
    expect(page.locator("#notices").get_by_role("link", name="City")).to_be_visible()
    assert accessibility_problems(page) == []
    page.keyboard.type("Amsterdam")
    press(page, "Control+Enter")
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    forgive(REFUSED)


def test_customer_who_is_chosen_takes_the_errors_away(
    visit: Visit, rep: User, forgive: Forgive
) -> None:
    CustomerFactory(email="info@acme.example", first_name="Annika")
    page = visit("/orders/new/", rep)
    add(page, "ipad")
    press(page, "Control+Enter")
    first_name = page.get_by_label("First name")
    problem = first_name.locator("xpath=following-sibling::*", has_text="This field is required.")
    expect(problem).to_be_visible()
    page.get_by_label("Customer e-mail").press_sequentially("annika")
    expect(page.locator("#customer-matches [aria-selected=true]")).to_be_visible()
    press(page, "Enter")
    expect(first_name).to_have_value("Annika")
    expect(first_name).not_to_have_attribute("aria-invalid", "true")
    expect(problem).to_be_hidden()
    forgive(REFUSED)


def test_key_of_the_shipping_address_leads_there(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.get_by_label("Country").first.focus()
    press(page, "Alt+h")
    expect(page.get_by_label("Ship to a different address")).to_be_focused()
    expect(page.get_by_label("Ship to a different address")).to_be_checked()
    press(page, "Tab")
    shipping = page.get_by_role("group", name="Shipping address")
    expect(shipping.get_by_label("Contact name")).to_be_focused()


def test_price_that_moved_is_asked_about(visit: Visit, rep: User, forgive: Forgive) -> None:
    page = visit("/orders/new/", rep)
    fill_in_customer(page)
    add(page, "ipad")
    wait_until_saved(page)
    Price.objects.filter(contract_length=24).update(monthly_price="26.00")
    page.get_by_role("button", name="Submit order").click()
    expect(page.get_by_role("region", name="Prices have changed")).to_be_focused()
    expect(page.locator(".line")).to_contain_text("said €25.00, now €26.00 each")
    assert accessibility_problems(page) == []
    press(page, "Tab")
    expect(page.get_by_role("button", name="Use the new prices")).to_be_focused()
    press(page, "Tab", "Enter")
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    assert Order.objects.get().subtotal == 25
    forgive(REFUSED)


def test_stale_tab_is_told_and_shown_the_newer_draft(
    visit: Visit, rep: User, forgive: Forgive
) -> None:
    first = visit("/orders/new/", rep)
    second = first.context.new_page()
    second.goto(first.url)
    second.get_by_label("Notes").fill("Newer")
    wait_until_saved(second)
    first.get_by_label("First name").fill("Mine")
    expect(first.locator("#notices")).to_contain_text("changed in another tab")
    expect(first.locator("#notices")).to_contain_text("Mine")
    expect(first.get_by_label("Notes")).to_have_value("Newer")
    forgive(REFUSED)


def test_order_that_is_placed_in_another_tab_is_told_without_a_complaint(
    visit: Visit, rep: User, forgive: Forgive
) -> None:
    CustomerFactory(email="info@acme.example", last_billing_address=address())
    page = visit("/orders/new/", rep)
    page.get_by_label("Customer e-mail").fill("info@acme.example")
    expect(page.locator("#customer-news")).to_contain_text("pending orders")
    press(page, "Alt+u")
    add(page, "ipad")
    wait_until_saved(page)
    other = page.context.new_page()
    other.goto(page.url)
    press(other, "Control+Enter")
    expect(other).to_have_url(re.compile(r"/orders/ord_"))
    page.get_by_label("Notes").fill("Too late")
    expect(page.get_by_role("alert").first).to_contain_text("What you typed since is not in it.")
    forgive(REFUSED)


def test_refused_line_leaves_the_page_and_says_why(
    visit: Visit, rep: User, complaints: list[str]
) -> None:
    page = visit("/orders/new/", rep)
    add(page, "ipad")
    wait_until_saved(page)
    page.context.clear_cookies(name="csrftoken")
    page.get_by_label("Search SKU or product").focus()
    page.keyboard.insert_text("ipad")
    press(page, "Enter")
    expect(page.locator("#search-status")).to_contain_text("the page is out of date")
    expect(page.get_by_label("Quantity")).to_have_value("1")
    complaints.clear()


def test_expired_login_loses_nothing_however_often(
    visit: Visit, rep: User, complaints: list[str]
) -> None:
    page = visit("/orders/new/", rep)
    dialog = page.get_by_role("dialog")
    for notes in ("Typed while logged out", "Typed while logged out again"):
        page.context.clear_cookies(name="sessionid")
        page.get_by_label("Notes").fill(notes)
        expect(dialog).to_be_visible()
        expect(page.get_by_label("Notes")).to_have_value(notes)
        expect(page.locator("#save-state")).to_contain_text("Not sent yet")
        dialog.get_by_label("Password").fill(PASSWORD)
        dialog.get_by_role("button", name="Log in").click()
        expect(dialog).to_be_hidden()
        wait_until_saved(page)
        assert Draft.objects.get().payload["fields"]["notes"] == notes
    complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_page_is_accessible_in_every_state(
    page: Page, visit: Visit, rep: User, scheme: Literal["light", "dark"], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    visit("/orders/new/", rep)
    assert accessibility_problems(page) == []
    fill_in_customer(page)
    add(page, "ipad")
    page.get_by_label("Ship to a different address").check()
    page.get_by_label("Order type").select_option("upgrade")
    page.get_by_label("Search SKU or product").fill("pro")
    expect(page.locator("#search-results [role=option]")).to_have_count(2)
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
