"""Several lines from one text, typed or pasted, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from orders.models import Draft
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import ProductFactory, VariantFactory


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24)
    macbook = ProductFactory(name="MacBook Pro 16", brand="Apple", sku="MBP")
    VariantFactory(product=macbook, sku="MACBOOK-PRO-16-M3", name="36 GB")
    for name, sku in (("iPad Pro 12.9", "IPAD-PRO-12-M2"), ("iPad Air", "IPAD-AIR")):
        VariantFactory(product=ProductFactory(name=name, sku=sku), sku=sku)


def type_and_enter(page: Page, text: str) -> None:
    page.get_by_label("Search SKU or product").focus()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def paste(page: Page, text: str) -> None:
    page.get_by_label("Search SKU or product").evaluate(
        """(input, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", text);
            input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        text,
    )


def kept_lines() -> list[tuple[str, str, str]]:
    payload = Draft.objects.get().payload
    return [
        (line["quantity"], line["sku"], line["contract_length"])
        for line in payload.get("lines", [])
    ]


def expect_saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text("Saved")


def test_typed_parts_become_lines_and_a_choice_made_by_key(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    type_and_enter(page, "5 mbp16 24; 3 ipad 12")
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator("#search-status")).to_have_text(
        "2 lines are added. Choose what “ipad 12” means."
    )
    choices = page.get_by_role("group", name="Which “ipad 12” is meant?").get_by_role("button")
    expect(choices).to_have_count(3)
    expect(choices.first).to_be_focused()
    expect_saved(page)
    assert kept_lines() == [("5", "MACBOOK-PRO-16-M3", "24"), ("3", "ipad 12", "")]
    assert accessibility_problems(page) == []
    page.keyboard.press("Tab")
    expect(choices.nth(1)).to_contain_text("12 months · €90.00 per month")
    page.keyboard.press("Enter")
    expect(page.locator("[data-choose]")).to_have_count(0)
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator("#totals")).to_contain_text("€215.00")
    expect_saved(page)
    assert kept_lines() == [("5", "MACBOOK-PRO-16-M3", "24"), ("3", "IPAD-AIR", "12")]


def test_pasted_rows_become_lines_and_the_unknown_one_comes_back(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    paste(page, "Product\tQty\tMonths\tPrice\nMBP16\t2\t36\t€1\niPad Air\t7\t\t\nfoo\t7\t12\t€2\n")
    expect(page.locator(".line code")).to_have_text(["MACBOOK-PRO-16-M3", "IPAD-AIR"])
    expect(page.get_by_label("Search SKU or product")).to_have_value("7 foo 12 months")
    expect_saved(page)
    assert kept_lines() == [("2", "MACBOOK-PRO-16-M3", "36"), ("7", "IPAD-AIR", "24")]


def test_two_hundred_pasted_rows_become_lines(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    name = "iPad Air with a name as long as spreadsheets have them, and longer still"
    paste(page, "Product\tSKU\tQty\n" + f"{name}\tIPAD-AIR\t2\n" * 200)
    expect(page.locator(".line")).to_have_count(200, timeout=60_000)
    expect_saved(page)
    assert kept_lines() == [("2", "IPAD-AIR", "24")] * 200


def test_long_text_of_parts_is_added_as_it_is_pasted(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    paste(page, "; ".join(["2 IPAD-AIR for 12 months"] * 45))
    expect(page.locator(".line")).to_have_count(45)


def test_preview_is_taken_with_the_pointer(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.get_by_label("Search SKU or product").press_sequentially("2 mbp16; ipad air")
    page.locator("#search-results [role=option]", has_text="Add 2 lines").click()
    expect(page.locator(".line")).to_have_count(2)
    expect(page.get_by_label("Search SKU or product")).to_have_value("")


def test_open_choice_is_still_there_after_a_reload(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    type_and_enter(page, "2 ipad; mbp16")
    expect(page.locator("[data-choose]")).to_have_count(2)
    # Which has no other length yet.
    page.locator("[data-choose]").first.press("PageDown")
    expect_saved(page)
    page.reload()
    page.get_by_role("button", name="iPad Air").press("Enter")
    expect(page.locator(".line code")).to_have_text(["IPAD-AIR", "MACBOOK-PRO-16-M3"])
    expect_saved(page)
    assert kept_lines() == [("2", "IPAD-AIR", "24"), ("1", "MACBOOK-PRO-16-M3", "24")]


def test_options_say_what_a_typed_quantity_comes_to(visit: Visit, rep: User) -> None:
    page = visit("/orders/new/", rep)
    page.get_by_label("Search SKU or product").press_sequentially("5 mbp16 36")
    option = page.locator("#search-results [aria-selected=true]")
    expect(option).to_contain_text("36 months · €100.00 per month")
    assert accessibility_problems(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_label("Quantity")).to_have_value("5")
    expect(page.get_by_label("Contract length")).to_have_value("36")


@pytest.mark.parametrize("width", [1440, 390])
def test_preview_says_what_enter_will_add(visit: Visit, rep: User, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    visit("/orders/new/", rep)
    page.get_by_label("Search SKU or product").press_sequentially("2 mbp16; foo; ipad")
    option = page.locator("#search-results [aria-selected=true]")
    expect(option).to_contain_text("Add 2 lines")
    expect(option).to_contain_text("Matches nothing")
    assert accessibility_problems(page) == []
    page.keyboard.press("Enter")
    expect(page.locator(".line")).to_have_count(2)
    expect(page.get_by_label("Search SKU or product")).to_have_value("foo")
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
