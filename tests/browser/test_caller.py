"""A rep recognises who is calling, in a real browser."""

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from customers.models import Customer
from orders.models import Order
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import CustomerFactory, VariantFactory, address, make_order


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24)
    VariantFactory(product__name="MacBook Pro 16", sku="MACBOOK")


@pytest.fixture
def noor(tenant: Tenant) -> Customer:
    """Known, with an order that is pending and devices on contract."""
    customer = CustomerFactory(
        email="noor@stadsmakers.example", company="Stadsmakers", phone="+31 10 555 0187"
    )
    person = {"email": customer.email, "firstName": "Noor", "lastName": "el Idrissi"}
    items = [{"sku": "MACBOOK", "quantity": 3, "contractLength": 36}]
    make_order("MACBOOK", customer=person, status="confirmed")
    make_order(customer=person, items=items)
    return Customer.objects.get()


def requests_to(page: Page, part: str) -> list[str]:
    """What the page asks for at addresses with this part, from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if part in request.url else None)
    return asked


def email_of(page: Page) -> Locator:
    return page.get_by_label("Customer e-mail")


def wait_until_saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text("Saved")


def choose(page: Page, text: str) -> None:
    email_of(page).focus()
    page.keyboard.type(text)
    expect(page.locator("#customer-matches [aria-selected=true]")).to_be_visible()
    page.keyboard.press("Enter")


def test_somebody_else_calls_from_an_address_typed_after_a_known_customer(
    visit: Visit, rep: User, noor: Customer
) -> None:
    page = visit("/orders/new/", rep)
    choose(page, "noor")
    expect(page.get_by_label("Search SKU or product")).to_be_focused()
    email_of(page).fill("bo@home.example")
    page.get_by_role("button", name="Somebody else").click()
    expect(page.get_by_text("New customer", exact=True)).to_be_visible()
    expect(email_of(page)).to_have_value("bo@home.example")


def test_address_that_came_with_another_customer_goes_with_them(
    visit: Visit, rep: User, noor: Customer
) -> None:
    CustomerFactory(
        email="wim@haven.example", first_name="Wim", last_name="Kok", last_billing_address=None
    )
    noor.last_shipping_address = address(city="Gouda")
    noor.save()
    page = visit("/orders/new/", rep)
    street = page.get_by_role("group", name="Billing address").get_by_label("Street address")
    elsewhere = page.get_by_label("Ship to a different address")
    choose(page, "noor")
    expect(street).not_to_have_value("")
    expect(elsewhere).to_be_checked()
    email_of(page).fill("")
    choose(page, "wim")
    expect(street).to_have_value("")
    expect(elsewhere).not_to_be_checked()
    street.fill("Damrak 1")
    wait_until_saved(page)
    email_of(page).fill("")
    choose(page, "noor")
    expect(page.get_by_label("First name")).to_have_value("Noor")
    expect(street).to_have_value("Damrak 1")


def test_tab_leaves_a_long_list_for_the_next_field(visit: Visit, rep: User) -> None:
    for number in range(10):
        VariantFactory(product__name=f"iPad {number}")
    page = visit("/orders/new/", rep)
    search = page.get_by_label("Search SKU or product")
    search.fill("ipad")
    listed = page.locator("#search-results")
    expect(listed.get_by_role("option")).to_have_count(10)
    assert listed.evaluate("list => list.scrollHeight > list.clientHeight")
    search.press("Tab")
    expect(listed).to_be_hidden()
    expect(page.locator("#order-form :focus")).to_have_count(1)


def test_panel_of_a_customer_who_does_not_call_after_all_comes_too_late(
    page: Page, visit: Visit, rep: User, noor: Customer
) -> None:
    held: list[Route] = []
    page.route("**/orders/new/caller/**", lambda route: held.append(route))
    visit("/orders/new/", rep)
    with page.expect_request("**/orders/new/caller/**"):
        choose(page, "noor")
    email_of(page).fill("bo@home.example")
    page.get_by_role("button", name="Somebody else").click()
    expect(page.locator("#customer-news")).to_contain_text("1 known customer resembles")
    with page.expect_response("**/orders/new/caller/**"):
        held[0].continue_()
    expect(page.locator("#customer-news")).to_have_text("1 known customer resembles this new one")


def test_panel_is_asked_for_once_for_each_customer_and_survives_saves(
    visit: Visit, rep: User, noor: Customer
) -> None:
    page = visit("/orders/new/", rep)
    asked = requests_to(page, "/orders/new/caller/")
    choose(page, "stadsm")
    panel = page.get_by_role("region", name="About Noor el Idrissi")
    expect(panel.get_by_role("button", name=re.compile("Again: 3 MacBook"))).to_be_visible()
    expect(panel.get_by_role("listitem")).to_have_count(3)
    panel.evaluate("each => each.isTheSame = true")
    for label, text in (("First name", "Nora"), ("Phone", "020 1"), ("Notes", "Call back")):
        page.get_by_label(label).fill(text)
        wait_until_saved(page)
    expect(page.locator("#customer-differences")).to_contain_text("020 1")
    assert panel.evaluate("each => each.isTheSame") is True
    assert len(asked) == 1


def test_again_and_addresses_fill_the_order(visit: Visit, rep: User, noor: Customer) -> None:
    page = visit("/orders/new/", rep)
    choose(page, "stadsm")
    page.get_by_role("button", name=re.compile("Again: 3 MacBook")).press("Enter")
    expect(page.get_by_label("Quantity")).to_have_value("3")
    expect(page.locator('[name$="-length"]')).to_have_value("36")
    billing = page.get_by_role("group", name="Billing address")
    billing.get_by_label("City").fill("Delft")
    page.get_by_role("button", name=re.compile("^Bill to it")).press("Enter")
    expect(billing.get_by_label("City")).to_have_value("Rotterdam")
    page.get_by_role("button", name=re.compile("^Ship to it")).press("Enter")
    shipping = page.get_by_role("group", name="Shipping address")
    expect(shipping.get_by_label("City")).to_have_value("Rotterdam")


def test_panel_that_cannot_be_loaded_says_so_and_tries_again(
    page: Page, visit: Visit, rep: User, noor: Customer, complaints: list[str]
) -> None:
    page.route("**/orders/new/caller/**", lambda route: route.fulfill(status=503))
    visit("/orders/new/", rep)
    choose(page, "stadsm")
    panel = page.get_by_role("region", name="About Noor el Idrissi")
    expect(panel).to_contain_text("could not be looked up")
    expect(panel.get_by_role("button", name="Try again")).to_be_visible()
    assert accessibility_problems(page) == []
    page.unroute("**/orders/new/caller/**")
    panel.get_by_role("button", name="Try again").press("Enter")
    expect(panel.get_by_role("heading", name="On contract")).to_be_visible()
    complaints.clear()


def test_known_email_typed_by_hand_is_filled_in_with_a_key(
    visit: Visit, rep: User, noor: Customer
) -> None:
    page = visit("/orders/new/", rep)
    email_of(page).fill("noor@stadsmakers.example")
    expect(page.get_by_role("button", name="Use the record")).to_be_visible()
    page.keyboard.press("Alt+u")
    expect(page.get_by_label("First name")).to_have_value("Noor")
    expect(page.get_by_label("Street address")).to_have_value("Coolsingel 93")
    expect(page.get_by_role("button", name="Use the record")).to_have_count(0)


def test_differences_are_undone_by_the_record(visit: Visit, rep: User, noor: Customer) -> None:
    page = visit("/orders/new/", rep)
    choose(page, "stadsm")
    wait_until_saved(page)
    email_of(page).fill("noor@home.example")
    page.get_by_label("Phone").fill("020 1")
    expect(page.locator("#customer-differences tbody tr")).to_have_count(2)
    expect(page.get_by_label("This order only")).to_be_checked()
    page.keyboard.press("Alt+u")
    expect(page.locator("#customer-differences tbody tr")).to_have_count(0)
    expect(email_of(page)).to_have_value("noor@stadsmakers.example")
    expect(page.get_by_label("This order only")).to_be_hidden()


@pytest.mark.parametrize("choice", ["This order only", "Update the record"])
def test_new_email_of_a_known_customer_goes_where_the_rep_says(
    visit: Visit, rep: User, noor: Customer, choice: str
) -> None:
    page = visit("/orders/new/", rep)
    choose(page, "stadsm")
    page.get_by_role("button", name=re.compile("Again: 3")).click()
    expect(page.locator(".line")).to_have_count(1)
    email_of(page).fill("noor@home.example")
    page.get_by_label(choice).check()
    page.get_by_role("button", name="Submit order").click()
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    assert Order.objects.first().customer_email == "noor@home.example"
    known = "noor@home.example" if choice == "Update the record" else noor.email
    assert Customer.objects.get().email == known


def test_look_alikes_are_asked_for_once_and_taken_by_button(
    visit: Visit, rep: User, noor: Customer
) -> None:
    page = visit("/orders/new/", rep)
    asked = requests_to(page, "/orders/new/lookalikes/")
    email_of(page).fill("noor@stadmakers.example")
    found = page.get_by_role("region", name="Known customers who are alike")
    expect(found).to_contain_text("e-mail differs in one letter")
    expect(page.locator("#customer-news")).to_contain_text("1 known customer resembles")
    for label, text in (("First name", "Noor"), ("Notes", "Call back")):
        page.get_by_label(label).fill(text)
        wait_until_saved(page)
    assert len(asked) == 1
    page.get_by_label("Phone").fill("010 555 0187")
    expect(found).to_contain_text("same phone")
    found.get_by_role("button", name="Use this record").press("Enter")
    expect(email_of(page)).to_have_value("noor@stadsmakers.example")
    expect(page.get_by_label("Company").first).to_have_value("Stadsmakers")
    expect(page.get_by_text("Known customer", exact=True)).to_be_visible()
    assert len(asked) == 2


def _known(page: Page) -> None:
    choose(page, "stadsm")
    expect(page.get_by_role("heading", name="On contract")).to_be_visible()


def _differing(page: Page) -> None:
    _known(page)
    page.get_by_label("Phone").fill("020 1")
    expect(page.get_by_label("Update the record")).to_be_visible()


def _inactive(page: Page) -> None:
    Customer.objects.update(status="inactive")
    email_of(page).fill("noor@stadsmakers.example")
    expect(page.get_by_text("Inactive customers cannot order")).to_be_visible()
    expect(page.get_by_role("heading", name="On contract")).to_be_visible()


def _resembling(page: Page) -> None:
    email_of(page).fill("noor@stadmakers.example")
    expect(page.get_by_text("Known already?")).to_be_visible()


def _loading(page: Page) -> None:
    page.route("**/orders/new/caller/**", lambda route: None)
    page.reload()
    choose(page, "stadsm")
    expect(page.get_by_text("Looking up orders")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", [_known, _differing, _inactive, _resembling, _loading])
def test_every_state_is_accessible_and_fits(
    page: Page,
    visit: Visit,
    rep: User,
    noor: Customer,
    scheme: Literal["light", "dark"],
    state: Callable[[Page], Any],
) -> None:
    Customer.objects.update(last_shipping_address=address(city="Gouda"))
    page.emulate_media(color_scheme=scheme)
    visit("/orders/new/", rep)
    state(page)
    assert accessibility_problems(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.unroute_all(behavior="ignoreErrors")
