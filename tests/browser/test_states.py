"""Every state of the pages that a call passes through, looked over by axe at several sizes."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from catalog.models import Price
from customers.models import Customer
from orders import draft_life
from orders.models import Draft, Order
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.browser.test_composer import paste
from tests.browser.test_new_order import add, fill_in_customer, press, wait_until_saved
from tests.factories import (
    PASSWORD,
    CustomerFactory,
    ProductFactory,
    UserFactory,
    VariantFactory,
    address,
    make_order,
)

NEW, HOME = "/orders/new/", "/"
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark"), (2560, "light")]
EXPECTED = re.compile(r"Failed to load resource|htmx:|Response Status Error")

State = Callable[["Stage"], None]


class Stage:
    """The page, and the people and things that a state needs."""

    def __init__(self, visit: Visit, page: Page, rep: User) -> None:
        self.visit, self.page, self.rep = visit, page, rep

    def draft(self) -> dict[str, Any]:
        """The draft on the page, as the services know it."""
        draft = Draft.objects.get()
        return {"tenant": draft.tenant, "owner": self.rep, "draft_id": draft.public_id}

    def filled(self) -> Page:
        """An order that could be submitted, on the page and stored."""
        self.visit(NEW, self.rep)
        fill_in_customer(self.page)
        add(self.page, "macbook")
        add(self.page, "ipad pro")
        wait_until_saved(self.page)
        return self.page

    def handed_over(self) -> None:
        draft_life.hand_over(**self.draft(), to="maria@portal.example")

    def calling(self) -> Page:
        """Noor, who is known, was chosen, and what is known of her has been looked up."""
        self.visit(NEW, self.rep)
        self.page.keyboard.type("noor")
        press(self.page, "Enter")
        expect(self.page.locator(".caller")).to_contain_text("On contract")
        wait_until_saved(self.page)
        return self.page


@pytest.fixture(autouse=True)
def world(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24, vat_rate=21)
    macbook = ProductFactory(name="MacBook Pro 16″", brand="Apple", sku="MBP")
    sku = VariantFactory(product=macbook, sku="MACBOOK-PRO-16-M3", name="M3 Pro, 36 GB").sku
    for name in ("iPad Pro", "iPad Air"):
        code = name.upper().replace(" ", "-")
        VariantFactory(product=ProductFactory(name=name, sku=code), sku=code, name="Silver")
    UserFactory(username="maria", first_name="Maria", last_name="Jansen")
    CustomerFactory(
        email="noor@stadsmakers.example",
        company="Stadsmakers",
        phone="+31 10 555 0187",
        last_billing_address=address(),
        last_shipping_address=address(city="Gouda"),
    )
    person = {"email": "noor@stadsmakers.example", "firstName": "Noor", "lastName": "el Idrissi"}
    make_order(sku, customer=person, status="confirmed")
    make_order(sku, customer=person)
    ending = make_order(sku, customer=person, status="confirmed")
    Order.objects.filter(pk=ending.pk).update(confirmed_at=timezone.now() - timedelta(days=700))


@pytest.fixture
def stage(visit: Visit, page: Page, rep: User, complaints: list[str]) -> Iterator[Stage]:
    """What the browser says about answers that a state consists of is no complaint."""
    yield Stage(visit, page, rep)
    complaints[:] = [each for each in complaints if not EXPECTED.search(each)]


def empty(stage: Stage) -> None:
    stage.visit(NEW, stage.rep)


def filled(stage: Stage) -> None:
    stage.filled()


def calling(stage: Stage) -> None:
    stage.calling()


def customers_open(stage: Stage) -> None:
    stage.visit(NEW, stage.rep).keyboard.type("noor")
    expect(stage.page.locator("#customer-matches [aria-selected=true]")).to_be_visible()


def products_open(stage: Stage) -> None:
    stage.filled().get_by_label("Search SKU or product").press_sequentially("ipad")
    expect(stage.page.locator("#search-results [role=option]")).to_have_count(2)


def nothing_found(stage: Stage) -> None:
    stage.filled().get_by_label("Search SKU or product").press_sequentially("zzzz")
    expect(stage.page.locator("#search-status")).to_contain_text("Nothing matches")


def preview_open(stage: Stage) -> None:
    search = stage.visit(NEW, stage.rep).get_by_label("Search SKU or product")
    search.press_sequentially("2 mbp16; zzz; 3 ipad")
    expect(stage.page.locator("#search-results")).to_contain_text("Matches nothing")


def choices_open(stage: Stage) -> None:
    stage.visit(NEW, stage.rep).get_by_label("Search SKU or product").focus()
    paste(stage.page, "5\tmbp16\t24\n3\tipad\t12\n7\tzzz\t12")
    expect(stage.page.locator("[data-choose]").first).to_be_visible()
    wait_until_saved(stage.page)


def read_back(stage: Stage) -> None:
    press(stage.filled(), "Alt+r")
    wait_until_saved(stage.page)


def read_back_changed(stage: Stage) -> None:
    read_back(stage)
    stage.page.get_by_label("Quantity").first.fill("20")
    expect(stage.page.locator("#read-back-changed")).to_be_visible()


def moved_after_read_back(stage: Stage) -> None:
    read_back(stage)
    Price.objects.filter(contract_length=24).update(monthly_price="26.00")
    Tenant.objects.update(vat_rate=19)
    press(stage.page, "Control+Enter")
    expect(stage.page.locator("#moved")).to_be_focused()


def refused(stage: Stage) -> None:
    page = stage.filled()
    page.get_by_label("City").fill("")
    page.get_by_label("Customer e-mail").fill("nobody")
    page.get_by_label("Quantity").first.fill("0")
    press(page, "Control+Enter")
    expect(page.locator("#notices")).to_contain_text("City")


def offline(stage: Stage) -> None:
    stage.filled().context.set_offline(True)
    stage.page.get_by_label("Notes").fill("Typed in the tunnel")
    expect(stage.page.locator("#order-form")).to_have_attribute("data-state", "offline")


def saving(stage: Stage) -> None:
    stage.filled().route("**/save/", lambda route: None)
    stage.page.reload()
    stage.page.get_by_label("Notes").fill("On its way")
    expect(stage.page.locator("#save-state")).to_have_text("Saving…")


def looking_up(stage: Stage) -> None:
    stage.page.route("**/caller/**", lambda route: None)
    stage.visit(NEW, stage.rep).keyboard.type("noor")
    press(stage.page, "Enter")
    expect(stage.page.locator(".loads-wait")).to_be_visible()


def look_up_failed(stage: Stage) -> None:
    stage.page.route("**/caller/**", lambda route: route.fulfill(status=500))
    stage.visit(NEW, stage.rep).keyboard.type("noor")
    press(stage.page, "Enter")
    expect(stage.page.locator(".loads-failed")).to_be_visible()


def trouble(stage: Stage) -> None:
    stage.page.route("**/catalog/**", lambda route: route.fulfill(status=500))
    stage.visit(NEW, stage.rep).get_by_label("Search SKU or product").press_sequentially("ipad")
    expect(stage.page.locator("#trouble")).to_contain_text("Something went wrong")


def lookalikes(stage: Stage) -> None:
    page = stage.visit(NEW, stage.rep)
    page.keyboard.type("noor@stadsmaker.example")
    page.get_by_label("First name").fill("Noor")
    expect(page.locator(".lookalikes")).to_be_visible()


def record_differs(stage: Stage) -> None:
    stage.calling().get_by_label("Last name").fill("Jansen")
    expect(stage.page.get_by_label("Update the record")).to_be_visible()
    wait_until_saved(stage.page)


def known_by_another_address(stage: Stage) -> None:
    stage.calling().get_by_label("Customer e-mail").fill("noor@home.example")
    expect(stage.page.get_by_role("button", name="Somebody else")).to_be_visible()


def inactive_customer(stage: Stage) -> None:
    Customer.objects.update(status="inactive")
    stage.visit(NEW, stage.rep).keyboard.type("noor@stadsmakers.example")
    expect(stage.page.locator(".record-refused")).to_be_visible()


def extension(stage: Stage) -> None:
    stage.visit(NEW, stage.rep).get_by_label("Order type").select_option("extension")
    expect(stage.page.get_by_label("New end date")).to_be_visible()


def upgrade(stage: Stage) -> None:
    stage.visit(NEW, stage.rep).get_by_label("Order type").select_option("upgrade")
    expect(stage.page.get_by_role("group", name="What is replaced")).to_be_visible()


def keys(stage: Stage) -> None:
    stage.filled().get_by_role("button", name="all keys").click()
    expect(stage.page.get_by_role("dialog", name="Keys")).to_be_visible()


def logged_out(stage: Stage) -> None:
    stage.filled().context.clear_cookies(name="sessionid")
    stage.page.get_by_label("Notes").fill("Typed while logged out")
    expect(stage.page.get_by_role("dialog").get_by_label("Password")).to_be_focused()


def wrong_password(stage: Stage) -> None:
    logged_out(stage)
    dialog = stage.page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(f"{PASSWORD}!")
    press(stage.page, "Enter")
    expect(dialog).to_contain_text("Is Caps Lock on?")


def stale(stage: Stage) -> None:
    other = stage.filled().context.new_page()
    other.goto(stage.page.url)
    other.get_by_label("Notes").fill("Newer")
    wait_until_saved(other)
    other.close()
    stage.page.get_by_label("First name").fill("Mine")
    expect(stage.page.locator("#notices")).to_contain_text("changed in another tab")
    expect(stage.page.locator("#notices")).to_be_in_viewport()


def discarded_elsewhere(stage: Stage) -> None:
    stage.filled()
    draft_life.discard(**stage.draft())
    stage.page.get_by_label("Notes").fill("Still on the phone")
    expect(stage.page.locator("#notices")).to_contain_text("This draft was discarded.")
    expect(stage.page.locator("#notices")).to_be_in_viewport()


def discarded(stage: Stage) -> None:
    stage.filled().get_by_role("button", name="Discard draft").click()
    expect(stage.page.get_by_role("button", name="Undo")).to_be_visible()


def hand_over_dialog(stage: Stage) -> None:
    stage.filled().get_by_role("button", name="Hand over").first.click()
    expect(stage.page.get_by_label("Colleague")).to_be_focused()


def handed_over(stage: Stage) -> None:
    stage.filled()
    stage.handed_over()
    stage.page.get_by_label("Notes").fill("Typed too late")
    expect(stage.page.get_by_role("alert").first).to_contain_text("now belongs to Maria Jansen")


def already_submitted(stage: Stage) -> None:
    press(stage.filled(), "Control+Enter")
    expect(stage.page).to_have_url(re.compile("/orders/ord_"))
    stage.page.go_back()
    expect(stage.page.locator("#notices")).to_contain_text("already order")


def order_placed(stage: Stage) -> None:
    press(stage.filled(), "Control+Enter")
    expect(stage.page.locator("#messages")).to_contain_text("is submitted")


def no_drafts(stage: Stage) -> None:
    stage.visit(HOME, stage.rep)


def list_of_drafts(stage: Stage) -> None:
    stage.filled().goto(stage.page.url.partition("/orders/")[0])
    expect(stage.page.get_by_role("link", name="Nina Vos")).to_be_visible()


def discarded_in_list(stage: Stage) -> None:
    list_of_drafts(stage)
    stage.page.get_by_role("button", name="Discard").click()
    expect(stage.page.get_by_role("button", name="Undo")).to_be_focused()
    # Before htmx has settled, 20 ms later, the button does what it does without JavaScript.
    expect(stage.page.locator(".htmx-added")).to_have_count(0)


def restored_in_list(stage: Stage) -> None:
    discarded_in_list(stage)
    press(stage.page, "Enter")
    expect(stage.page.get_by_role("link", name="Nina Vos")).to_be_focused()


def handed_over_in_list(stage: Stage) -> None:
    list_of_drafts(stage)
    stage.page.get_by_role("button", name="Hand over").first.click()
    stage.page.get_by_label("Colleague").select_option("maria@portal.example")
    stage.page.get_by_role("dialog").get_by_role("button", name="Hand over").click()
    expect(stage.page.locator("#drafts")).to_contain_text("You handed this draft to Maria")


def quote(stage: Stage) -> None:
    stage.filled().get_by_role("link", name="Quote").click()
    expect(stage.page.get_by_label("Valid until")).to_be_visible()


def quote_sent(stage: Stage) -> None:
    quote(stage)
    stage.page.get_by_role("button", name="Send by e-mail").click()
    expect(stage.page.locator("#messages")).to_contain_text("The quote is sent")


def customer_page(stage: Stage) -> None:
    stage.visit(f"/customers/{Customer.objects.get().public_id}/", stage.rep)
    expect(stage.page.get_by_role("region", name="On contract")).to_contain_text("Ends")


NEW_ORDER = [
    *(empty, filled, calling, customers_open, products_open, nothing_found, preview_open),
    *(choices_open, read_back, read_back_changed, moved_after_read_back, refused, offline, saving),
    *(looking_up, look_up_failed, trouble, lookalikes, record_differs, known_by_another_address),
    *(inactive_customer, extension, upgrade, keys, logged_out, wrong_password, stale),
    *(discarded_elsewhere, discarded, hand_over_dialog, handed_over, already_submitted),
]
AROUND = [
    *(order_placed, no_drafts, list_of_drafts, discarded_in_list, restored_in_list),
    *(handed_over_in_list, quote, quote_sent, customer_page),
]


@pytest.mark.parametrize("state", [*NEW_ORDER, *AROUND], ids=lambda state: state.__name__)
def test_state_is_accessible_and_as_wide_as_the_screen(stage: Stage, state: State) -> None:
    # Colours that are on their way from light to dark would be looked at halfway.
    stage.page.emulate_media(reduced_motion="reduce")
    state(stage)
    for width, scheme in LOOKS:
        stage.page.set_viewport_size({"width": width, "height": 900})
        stage.page.emulate_media(color_scheme=scheme)
        assert accessibility_problems(stage.page) == [], (width, scheme)
        assert stage.page.evaluate("document.documentElement.scrollWidth") == width
