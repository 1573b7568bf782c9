"""Answers that are late or lost: the order is what the page shows, and nobody else's."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from orders.models import Draft, Order
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.browser.test_call import landed
from tests.browser.test_new_order import add, fill_in_customer, press, wait_until_saved
from tests.factories import PASSWORD, CustomerFactory, ProductFactory, VariantFactory, address

LINES = "**/orders/new/line/"
SAVES = "**/save/"
DRAFTS = re.compile(r"/orders/new/drf_\w+/$")


@pytest.fixture(autouse=True)
def world(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24, vat_rate=21)
    for name in ("MacBook Pro 16", "iPad Pro", "Galaxy S25"):
        sku = name.upper().replace(" ", "-")
        VariantFactory(product=ProductFactory(name=name, sku=sku), sku=sku)
    for first, last in (("Noor", "el Idrissi"), ("Wim", "Haven")):
        CustomerFactory(
            email=f"{first.lower()}@home.example",
            first_name=first,
            last_name=last,
            last_billing_address=address(city=f"{first}dam"),
            last_shipping_address=address(city=f"{first}dam"),
        )


class Network:
    """Holds what is sent to some addresses from when it is told to, until it is released."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: list[Route] = []
        self.is_slow = False

    def watch(self, address: Any) -> None:
        """To be told before the page is opened: a key may overtake a route of an open page."""
        self.page.route(address, self._take)

    def _take(self, route: Route) -> None:
        if self.is_slow and route.request.method == "POST":
            self.held.append(route)
        else:
            route.continue_()

    def wait_for(self, requests: int) -> None:
        self.wait_until(lambda: len(self.held) >= requests)

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """While the page goes on, other than by sleeping."""
        for _ in range(1200):
            if happened():
                return
            self.page.wait_for_timeout(25)
        raise AssertionError("It did not happen.")

    def release(self) -> None:
        self.is_slow, held = False, self.held
        self.held = []
        for route in held:
            route.continue_()


@pytest.fixture
def network(page: Page) -> Iterator[Network]:
    yield Network(page)
    page.unroute_all(behavior="ignoreErrors")


def filled(visit: Visit, rep: User) -> Page:
    """A new order that can be submitted, saved: an iPad for somebody new."""
    page = visit("/orders/new/", rep)
    fill_in_customer(page)
    add(page, "ipad")
    wait_until_saved(page)
    return page


def skus(order: Order) -> list[str]:
    return [item.sku for item in order.items.all()]


def test_submit_waits_for_the_lines_that_are_asked_for(
    visit: Visit, rep: User, network: Network
) -> None:
    network.watch(LINES)
    page = filled(visit, rep)
    network.is_slow = True
    press(page, "Alt+s")
    page.keyboard.type("macbook")
    press(page, "Enter")
    network.wait_for(1)
    expect(page.locator("#search-status")).to_have_text("Adding…")
    press(page, "Control+Enter", "Control+Enter")
    page.wait_for_timeout(500)
    assert Order.objects.count() == 0
    network.release()
    assert skus(landed(page)) == ["IPAD-PRO", "MACBOOK-PRO-16"]


def test_what_stands_in_the_search_is_not_left_behind(visit: Visit, rep: User) -> None:
    page = filled(visit, rep)
    press(page, "Alt+s")
    page.keyboard.type("3 macbook")
    expect(page.locator("#search-results [role=option]")).to_have_count(1)
    press(page, "Control+Enter")
    expect(page.locator("#search-status")).to_have_text("Add or clear “3 macbook” first.")
    expect(page.locator("#search-results")).to_be_hidden()
    press(page, "Enter")
    expect(page.locator(".line")).to_have_count(2)
    press(page, "Control+Enter")
    assert skus(landed(page)) == ["IPAD-PRO", "MACBOOK-PRO-16"]


def test_nothing_is_typed_into_an_order_that_is_sent(
    visit: Visit, rep: User, network: Network, complaints: list[str]
) -> None:
    network.watch(DRAFTS)
    page = filled(visit, rep)
    network.is_slow = True
    notes = page.get_by_label("Notes")
    notes.focus()
    press(page, "Control+Enter")
    network.wait_for(1)
    page.keyboard.type("Too late")
    [sent], network.held = network.held, []
    sent.abort("connectionreset")
    expect(page.locator("#order-form")).to_have_attribute("data-state", "offline")
    expect(notes).to_be_focused()
    expect(notes).to_have_value("")
    network.is_slow = False
    assert landed(page).notes == ""
    complaints.clear()


def test_what_was_typed_after_an_answer_got_lost_is_said_to_be_missing(
    page: Page, visit: Visit, rep: User, complaints: list[str]
) -> None:
    answers: list[int] = []

    def lose_the_answer(route: Route) -> None:
        if route.request.method == "GET":
            return route.continue_()
        if not answers:
            answers.append(route.fetch(max_redirects=0).status)
        return route.abort("connectionreset")

    page.route(DRAFTS, lose_the_answer)
    filled(visit, rep)
    press(page, "Control+Enter")
    expect(page.locator("#order-form")).to_have_attribute("data-state", "offline")
    page.get_by_label("Quantity").fill("5")
    expect(page.get_by_role("alert").first).to_contain_text("What you typed since is not in it.")
    expect(page.locator("#new-order")).to_contain_text("5 × IPAD-PRO")
    expect(page.get_by_role("link", name="Open the order")).to_be_focused()
    assert accessibility_problems(page) == []
    complaints.clear()
    page.unroute_all(behavior="ignoreErrors")
    press(page, "Enter")
    assert landed(page).total_devices == 1


def test_lines_that_were_refused_for_want_of_a_login_all_come_after_it(
    visit: Visit, rep: User, network: Network, complaints: list[str]
) -> None:
    network.watch(LINES)
    # Or the login is asked for while the scanner still types.
    network.page.route(re.compile("/catalog/search/|/lookalikes/"), lambda route: None)
    page = visit("/orders/new/", rep)
    fill_in_customer(page)
    press(page, "Alt+s")
    wait_until_saved(page)
    page.context.clear_cookies(name="sessionid")
    network.is_slow = True
    for sku in ("IPAD-PRO", "MACBOOK-PRO-16", "GALAXY-S25"):
        page.keyboard.insert_text(sku)
        press(page, "Enter")
    network.wait_for(1)
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 401 else None)
    network.release()
    # What is refused after the login asks for another one.
    network.wait_until(lambda: sum(url.endswith("/line/") for url in refused) == 3)
    dialog = page.locator("#login-dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".line")).to_have_count(3)
    wait_until_saved(page)
    page.keyboard.press("Alt+s")
    add(page, "ipad")
    expect(page.get_by_label("Quantity").last).to_be_focused()
    complaints.clear()


def test_reload_that_is_read_before_a_save_arrives_shows_what_was_saved(
    page: Page, visit: Visit, rep: User, network: Network
) -> None:
    network.watch(SAVES)
    read: list[tuple[Route, APIResponse]] = []

    def hold_the_reload(route: Route) -> None:
        if network.is_slow:
            read.append((route, route.fetch()))
        else:
            route.continue_()

    page.route(DRAFTS, hold_the_reload)
    filled(visit, rep)
    network.is_slow = True
    page.get_by_label("Notes").fill("Ring twice")
    network.wait_for(1)
    page.evaluate("void setTimeout(() => location.reload())")
    network.wait_until(lambda: bool(read))
    with page.expect_event("requestfinished", lambda request: request.url.endswith("/save/")):
        network.release()
    [(route, answer)] = read
    route.fulfill(response=answer)
    expect(page.get_by_label("Notes")).to_have_value("Ring twice")
    wait_until_saved(page)
    assert page.evaluate("localStorage.length") == 0


def test_button_about_who_was_typed_before_fills_in_nobody(
    visit: Visit, rep: User, network: Network
) -> None:
    network.watch(SAVES)
    page = visit("/orders/new/", rep)
    email = page.get_by_label("Customer e-mail")
    email.fill("noor@home.example")
    expect(page.get_by_role("button", name="Use the record")).to_be_visible()
    network.is_slow = True
    email.fill("wim@home.example")
    network.wait_for(1)
    press(page, "Alt+u")
    page.wait_for_timeout(300)
    assert email.input_value() == "wim@home.example"
    network.release()
    expect(page.locator("#customer-record")).to_contain_text("Wim Haven")
    press(page, "Alt+u")
    expect(page.get_by_label("First name")).to_have_value("Wim")
    expect(email).to_have_value("wim@home.example")


def test_enter_in_a_field_places_no_order_before_the_scripts_are_there(
    page: Page, visit: Visit, rep: User, complaints: list[str]
) -> None:
    filled(visit, rep)
    page.route(re.compile(r"/js/new-order"), lambda route: route.abort())
    page.reload()
    for label in ("Quantity", "First name"):
        page.get_by_label(label).press("Enter")
    page.wait_for_timeout(500)
    assert (Order.objects.count(), Draft.objects.count()) == (0, 1)
    page.get_by_role("button", name="Submit order").click()
    assert skus(landed(page)) == ["IPAD-PRO"]
    complaints.clear()


def test_enter_of_before_takes_nobody_later(page: Page, visit: Visit, rep: User) -> None:
    answers: list[Route] = []
    searches = re.compile(r"/orders/new/customers/\?")
    page.route(searches, lambda route: answers.append(route))
    visit("/orders/new/", rep)
    with page.expect_request(searches):
        page.keyboard.type("noor")
    press(page, "Enter")
    page.get_by_label("First name").fill("Nora")
    press(page, "Shift+Tab")
    with page.expect_response(searches):
        answers[0].continue_()
    expect(page.locator("#customer-matches [role=option]")).to_have_count(1)
    expect(page.get_by_label("First name")).to_have_value("Nora")
    page.unroute_all(behavior="ignoreErrors")
