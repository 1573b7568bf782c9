"""The whole call: how little a rep has to do for an order, and that nothing of it is lost."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, Request, expect

from customers.models import Customer
from orders.models import Draft, Order
from portal.models import Tenant, User
from tests.browser.conftest import Visit
from tests.factories import CustomerFactory, ProductFactory, VariantFactory, address
from tests.server import MortalServer


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24)
    macbook = ProductFactory(name="MacBook Pro 16", brand="Apple")
    VariantFactory(product=macbook, sku="MACBOOK-PRO-16-M3", name="36 GB")
    VariantFactory(product=ProductFactory(name="iPad Pro"), sku="IPAD-PRO-12-M2")
    CustomerFactory(
        email="fatima@zorg.example",
        first_name="Fatima",
        last_name="Yilmaz",
        company="Zorggroep",
        last_billing_address=address(),
        last_shipping_address=address(),
    )


class Rep:
    """Hands on a keyboard. Counts what is pressed, clicked and sent, as the page saw it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.saves = 0
        page.on("request", self._count_save)
        page.evaluate(
            """() => {
                window.pressed = []; window.pointed = 0; window.changed = [];
                addEventListener("input", () => window.changed.push(performance.now()), true);
                addEventListener("keydown", (event) => {
                    if (event.key.length > 1) window.pressed.push(event.key);
                }, true);
                addEventListener("pointerdown", () => { window.pointed += 1; }, true);
            }"""
        )

    def _count_save(self, request: Request) -> None:
        self.saves += request.url.endswith("/save/")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text, delay=10)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    @property
    def pressed(self) -> list[str]:
        return list(self.page.evaluate("window.pressed"))

    @property
    def pauses(self) -> int:
        """How often nothing was typed for as long as the page waits before it saves."""
        times = self.page.evaluate("[...window.changed, Infinity]")
        return sum(later - earlier > 110 for earlier, later in pairwise(times))

    @property
    def pointed(self) -> int:
        return int(self.page.evaluate("window.pointed"))


def saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text("Saved")


def landed(page: Page) -> Order:
    expect(page).to_have_url(re.compile(r"/orders/ord_"))
    order: Order = Order.objects.get()
    assert order.public_id in page.url
    return order


def lines_of(order: Order) -> list[tuple[str, int, int]]:
    return [(item.sku, item.quantity, item.contract_length) for item in order.items.all()]


def test_known_customer_and_two_lines_take_few_keys(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    hands = Rep(page)
    hands.type("fati")
    hands.press("Enter")
    expect(page.get_by_label("Customer e-mail")).to_have_value("fatima@zorg.example")
    expect(page.get_by_label("Search SKU or product")).to_be_focused()
    hands.type("macbok")
    hands.press("Enter")
    expect(page.get_by_label("Quantity")).to_be_focused()
    hands.type("5")
    hands.press("Enter")
    hands.type("ipad")
    hands.press("Enter")
    expect(page.get_by_label("Quantity").last).to_be_focused()
    hands.type("3")
    expect(page.locator("#totals")).to_contain_text("€200.00")
    saved(page)
    # Each of the two lines that were added, and the customer's record, is a change of its own.
    assert hands.saves <= hands.pauses + 3
    pressed, pointed = hands.pressed, hands.pointed
    page.keyboard.press("Control+Enter")
    assert lines_of(landed(page)) == [("MACBOOK-PRO-16-M3", 5, 24), ("IPAD-PRO-12-M2", 3, 24)]
    # And Control with Enter, two more.
    assert pressed == ["Enter"] * 4
    assert len(pressed) + 2 <= 8
    assert pointed == 0


def test_new_customer_and_address_take_no_pointer(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    hands = Rep(page)
    for text in ("nina@vos.example", "Nina", "Vos", "", "", ""):
        hands.type(text)
        hands.press("Tab")
    expect(page.get_by_label("Search SKU or product")).to_be_focused()
    hands.type("5 ipad")
    expect(page.locator("#search-results [aria-selected=true]")).to_be_visible()
    hands.press("Enter")
    expect(page.locator(".line")).to_have_count(1)
    hands.press("Alt+a")
    for text in ("Nina Vos", "", "Damrak 1", "", "1012 LG", "Amsterdam", "Netherlands"):
        hands.type(text)
        hands.press("Tab")
    saved(page)
    assert hands.pointed == 0
    page.keyboard.press("Control+Enter")
    order = landed(page)
    assert order.billing_address["city"] == "Amsterdam"
    assert lines_of(order) == [("IPAD-PRO-12-M2", 5, 24)]


def test_typing_without_a_pause_is_saved_once(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    hands = Rep(page)
    page.get_by_label("Notes").focus()
    # A busy machine pauses between keys; the page's clock does not go on while they are typed.
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    hands.type("She calls back at three, and wants them before Friday.")
    page.clock.run_for(100)
    assert hands.saves == 0
    page.clock.run_for(100)
    saved(page)
    assert hands.saves == 1


def test_enter_before_the_customer_is_found_waits_for_them(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.keyboard.insert_text("fati")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Customer e-mail")).to_have_value("fatima@zorg.example")
    expect(page.get_by_label("Search SKU or product")).to_be_focused()


# Terms


@pytest.fixture
def two_lines(visit: Visit, rep: User) -> Page:
    """An iPad for 12, 24 or 36 months, a display for 12 or 24, the cursor in its quantity."""
    VariantFactory(product=ProductFactory(name="Display"), sku="DISPLAY", prices={12: 9, 24: 8})
    page = visit("/orders/new/", rep)
    for sku in ("IPAD-PRO-12-M2", "DISPLAY"):
        page.get_by_label("Search SKU or product").focus()
        page.keyboard.insert_text(sku)
        page.keyboard.press("Enter")
        expect(page.locator(".line code").last).to_have_text(sku)
        expect(page.get_by_label("Quantity").last).to_be_focused()
    saved(page)
    return page


def terms(page: Page) -> list[str]:
    return [each.input_value() for each in page.get_by_label("Contract length").all()]


def chosen(page: Page) -> list[str]:
    return page.locator(".rung[aria-pressed=true] .rung-months").all_text_contents()


def test_one_key_moves_the_term_of_a_line(two_lines: Page) -> None:
    two_lines.keyboard.press("PageUp")
    assert terms(two_lines) == ["24", "12"]
    expect(two_lines.locator("#totals")).to_contain_text("€34.00")
    assert chosen(two_lines) == ["24 months", "12 months"]
    expect(two_lines.get_by_label("Quantity").last).to_be_focused()
    two_lines.keyboard.press("PageUp")
    assert terms(two_lines) == ["24", "12"]


def test_missing_term_that_a_key_sets_is_no_longer_marked(visit: Visit, rep: User) -> None:
    VariantFactory(product=ProductFactory(name="Display"), sku="DISPLAY", prices={6: 9, 12: 8})
    page = visit("/orders/new/", rep)
    page.get_by_label("Search SKU or product").focus()
    page.keyboard.insert_text("DISPLAY")
    page.keyboard.press("Enter")
    term = page.get_by_label("Contract length")
    expect(term).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("PageDown")
    expect(term).to_have_value("6")
    expect(term).not_to_have_attribute("aria-invalid", "true")


def test_one_key_moves_the_terms_of_all_lines_but_those_not_offered(two_lines: Page) -> None:
    two_lines.get_by_label("Quantity").first.focus()
    two_lines.keyboard.press("Shift+PageDown")
    assert terms(two_lines) == ["36", "24"]
    expect(two_lines.locator("#search-status")).to_have_text("Not offered for 36 months: Display.")
    two_lines.get_by_label("Search SKU or product").focus()
    two_lines.keyboard.press("Shift+PageUp")
    two_lines.keyboard.press("Shift+PageUp")
    assert terms(two_lines) == ["12", "12"]
    expect(two_lines.locator("#totals")).to_contain_text("€39.00")


def test_rung_tells_what_another_term_would_mean_and_takes_it(two_lines: Page) -> None:
    rung = two_lines.locator(".line").first.get_by_role("button", name="36 months")
    expect(rung).to_have_accessible_name("36 months €20.00 -€5.00 €720.00 in all")
    rung.click()
    assert terms(two_lines) == ["36", "24"]
    expect(two_lines.locator(".line").first.locator("[aria-pressed=true]")).to_contain_text("36")


# Keys


def test_question_mark_shows_the_keys_where_no_text_is_typed(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    keys = page.get_by_role("dialog", name="Keys")
    expect(page.get_by_label("Customer e-mail")).to_be_focused()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(page.get_by_label("Customer e-mail")).to_be_focused()
    page.get_by_label("Notes").fill("Really")
    page.keyboard.press("?")
    expect(page.get_by_label("Notes")).to_have_value("Really?")
    expect(keys).to_be_hidden()


def test_every_key_that_is_shown_has_something_to_go_to(visit: Visit, rep: User) -> None:
    page = visit(f"/orders/new/?customer={Customer.objects.get().public_id}", rep)
    page.get_by_label("Search SKU or product").fill("IPAD-PRO-12-M2")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Read back to the customer")).to_be_visible()
    page.get_by_label("Last name").fill("Other than the record's")
    expect(page.get_by_text("This is not what the record says")).to_be_visible()
    shown = page.locator("#keys dd").evaluate_all(
        "all => all.map(each => [...each.querySelectorAll('kbd')].map(kbd => kbd.textContent))"
    )
    there = page.locator("[data-key]").evaluate_all("all => all.map(each => each.dataset.key)")
    with_alt = {keys[1].lower() for keys in shown if keys[0] == "Alt"}
    assert with_alt == set(there) - {"?"}


def test_alt_and_q_opens_the_quote(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.keyboard.press("Alt+q")
    expect(page).to_have_url(re.compile(r"/quote/$"))


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("c", "Customer e-mail"),
        ("s", "Search SKU or product"),
        ("a", "Contact name"),
        ("t", "Order type"),
        ("o", "Notes"),
    ],
)
def test_alt_and_a_letter_brings_the_cursor(visit: Visit, rep: User, key: str, label: str) -> None:
    page = visit("/orders/new/", rep)
    page.locator("body").press(f"Alt+{key}")
    expect(page.get_by_label(label)).to_be_focused()


def test_alt_and_h_asks_for_a_shipping_address(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.keyboard.press("Alt+h")
    expect(page.get_by_role("group", name="Shipping address")).to_be_visible()
    expect(page.get_by_label("Ship to a different address")).to_be_focused()


# When nobody answers


@pytest.fixture
def offline(page: Page, complaints: list[str]) -> Iterator[Any]:
    """Cuts the network, or brings it back. What the browser says about it is no complaint."""

    def cut_off(is_cut: bool) -> None:
        page.context.set_offline(is_cut)
        page.wait_for_function("isCut => navigator.onLine !== isCut", arg=is_cut)

    yield cut_off
    complaints[:] = [each for each in complaints if not OUTAGE.search(each)]


OUTAGE = re.compile(
    r"ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_EMPTY|htmx:(afterRequest|sendError)"
)


def test_network_that_is_gone_is_said_and_made_up_for(
    visit: Visit, rep: User, offline: Any
) -> None:
    page = visit("/orders/new/", rep)
    offline(True)
    expect(page.locator("#save-state")).to_contain_text("What you type is kept")
    page.get_by_label("Notes").fill("Typed in the tunnel")
    page.get_by_label("Search SKU or product").focus()
    page.keyboard.insert_text("IPAD-PRO-12-M2")
    page.keyboard.press("Enter")
    expect(page.locator("#order-form")).to_have_attribute("data-state", "offline")
    offline(False)
    expect(page.locator(".line code")).to_have_text(["IPAD-PRO-12-M2"])
    saved(page)
    payload = Draft.objects.get().payload
    assert payload["fields"]["notes"] == "Typed in the tunnel"
    assert [line["sku"] for line in payload["lines"]] == ["IPAD-PRO-12-M2"]


def test_submit_without_network_is_sent_when_it_returns(
    visit: Visit, rep: User, offline: Any
) -> None:
    page = visit("/orders/new/", rep)
    page.keyboard.type("fati")
    expect(page.locator("#customer-matches [aria-selected=true]")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("ipad")
    page.keyboard.press("Enter")
    expect(page.locator(".line")).to_have_count(1)
    saved(page)
    offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#order-form")).to_have_attribute("data-state", "offline")
    assert Order.objects.count() == 0
    offline(False)
    assert lines_of(landed(page)) == [("IPAD-PRO-12-M2", 1, 24)]


def test_order_that_was_placed_leaves_nothing_to_be_sent(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.keyboard.type("fati")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search SKU or product")).to_be_focused()
    page.keyboard.type("ipad")
    page.keyboard.press("Enter")
    expect(page.locator(".line")).to_have_count(1)
    saved(page)
    page.keyboard.press("Control+Enter")
    landed(page)
    page.wait_for_function("localStorage.length === 0")


def test_lost_answer_to_a_submit_still_lands_on_the_one_order(
    page: Page, visit: Visit, rep: User, offline: Any
) -> None:
    submits = []

    def lose_the_first(route: Any) -> None:
        if route.request.method != "POST":
            return route.continue_()
        submits.append(route.request.url)
        if len(submits) > 1:
            return route.continue_()
        route.fetch()
        return route.abort("connectionreset")

    # A key may overtake a route that is set on an open page.
    page.route(re.compile(r"/orders/new/drf_\w+/$"), lose_the_first)
    visit("/orders/new/", rep)
    page.keyboard.type("fati")
    expect(page.locator("#customer-matches [aria-selected=true]")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("ipad")
    page.keyboard.press("Enter")
    expect(page.locator(".line")).to_have_count(1)
    saved(page)
    page.keyboard.press("Control+Enter")
    landed(page)
    assert len(submits) == 2


# A server that dies


@pytest.fixture
def mortal(tenant: Tenant, live_server: object) -> Iterator[MortalServer]:
    """Beside the live server, for whose sake the database can be seen from outside the test."""
    with MortalServer() as server:
        yield server


@pytest.fixture
def at_the_portal(page: Page, mortal: MortalServer, rep: User) -> Page:
    client = Client()
    client.force_login(rep, "django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": mortal.url}
    page.context.add_cookies([cookie])
    page.goto(f"{mortal.url}/orders/new/")
    return page


SCRIPT = [*"fati", "Enter", *"macbook", "Enter", "5", "Enter", *"ipad", "Enter", "3"]
"""The keystrokes of an order for a known customer."""

DEATHS = [2, 4, 9, 11, 13, 18, len(SCRIPT)]
"""After so many of them: in a search, right before Enter, in a quantity, before submitting."""


GAPS = range(len(SCRIPT) + 1)
"""Before the first keystroke, between any two, and before submitting."""


def take_the_call(page: Page, server: MortalServer, deaths: list[int], pause: int = 0) -> Order:
    """Types the script; before the keystrokes of those numbers the server dies and comes back.

    `pause`: milliseconds between keystrokes.
    """
    search, quantity = page.get_by_label("Search SKU or product"), page.get_by_label("Quantity")
    next_up = iter([search, quantity, search, quantity.last])
    for number, key in enumerate([*SCRIPT, "Control+Enter"]):
        if number in deaths:
            server.kill()
        page.keyboard.press(key)
        page.wait_for_timeout(pause)
        if number in deaths:
            page.wait_for_timeout(300)
            server.start()
        if key == "Enter":
            expect(next(next_up)).to_be_focused()
    return landed(page)


def assert_complete(order: Order) -> None:
    assert order.customer_email == "fatima@zorg.example"
    assert lines_of(order) == [("MACBOOK-PRO-16-M3", 5, 24), ("IPAD-PRO-12-M2", 3, 24)]


@pytest.mark.parametrize(
    "death", [gap if gap in DEATHS else pytest.param(gap, marks=pytest.mark.soak) for gap in GAPS]
)
def test_order_survives_the_death_of_the_server(
    at_the_portal: Page, mortal: MortalServer, death: int
) -> None:
    assert_complete(take_the_call(at_the_portal, mortal, [death]))


@pytest.mark.soak
@pytest.mark.parametrize("death", GAPS)
def test_order_typed_at_the_speed_of_hands_survives_the_death_of_the_server(
    at_the_portal: Page, mortal: MortalServer, death: int
) -> None:
    """Slower than the page waits before it searches and saves: requests stand in every gap."""
    assert_complete(take_the_call(at_the_portal, mortal, [death], pause=180))


@pytest.mark.soak
def test_order_survives_a_server_that_dies_again_and_again(
    at_the_portal: Page, mortal: MortalServer
) -> None:
    assert_complete(take_the_call(at_the_portal, mortal, [*GAPS[::3]]))


def test_reload_after_the_death_of_the_server_brings_back_the_last_letter(
    at_the_portal: Page, mortal: MortalServer
) -> None:
    page = at_the_portal
    page.get_by_label("Notes").fill("Before")
    saved(page)
    mortal.kill()
    page.get_by_label("Notes").fill("Before and after")
    expect(page.locator("#order-form")).to_have_attribute("data-state", "offline")
    mortal.start()
    # Left at once: the page has not had the time to send it again.
    page.reload()
    expect(page.get_by_label("Notes")).to_have_value("Before and after")
    expect(page.get_by_label("Customer e-mail")).to_be_focused()
