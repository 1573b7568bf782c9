"""Insight and the export in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orders.models import Export, Order
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import PASSWORD, VariantFactory, make_order

ADMIN_LIST = "/admin/orders/order/?status=all"


@pytest.fixture
def orders(tenant: Tenant, manager: User) -> list[Order]:
    sku = VariantFactory().sku
    states = [Order.Status.PENDING, Order.Status.CONFIRMED, Order.Status.CANCELLED]
    return [make_order(sku, status=status) for status in states]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_insight_is_accessible_and_as_wide_as_the_screen(
    visit: Visit, page: Page, manager: User, orders: list[Order], scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    visit("/insight/", manager)
    page.get_by_text("The figures behind the charts").click()
    expect(page.get_by_role("columnheader", name="Cancelled")).to_be_visible()
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_charts_have_names_and_say_their_figures(
    visit: Visit, manager: User, orders: list[Order]
) -> None:
    page = visit("/insight/", manager)
    chart = page.get_by_role("img", name="Orders per week")

    expect(chart).to_be_visible()
    expect(chart.locator("desc").first).to_contain_text("2, and 1 cancelled so far.")
    expect(page.get_by_role("img", name="Monthly value per week")).to_be_visible()
    expect(page.get_by_role("table", name="By status").get_by_role("row")).to_have_count(6)
    drawn = chart.locator(".is-running .chart-main").bounding_box()
    assert drawn is not None
    assert drawn["height"] > 40


def test_period_is_chosen_with_the_keyboard(
    visit: Visit, manager: User, orders: list[Order]
) -> None:
    page = visit("/insight/", manager)
    page.get_by_role("link", name="52 weeks").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="The last 52 weeks")).to_be_visible()
    assert page.url.endswith("/insight/?weeks=52#period")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_export_page_is_accessible_and_as_wide_as_the_screen(
    visit: Visit, page: Page, manager: User, orders: list[Order], scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    visit("/orders/", manager)
    with page.expect_download():
        page.get_by_role("button", name="Export as CSV").click()
    expect(page.get_by_text("All 3 orders are in the file.")).to_be_visible()
    assert accessibility_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_list_is_exported_as_it_was_narrowed(
    visit: Visit, manager: User, orders: list[Order]
) -> None:
    """What was typed into the filters without a reload counts, too."""
    page = visit("/orders/", manager)
    page.get_by_label("Status").select_option("confirmed")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Export as CSV").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")

    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert orders[1].public_id in text
    assert len(text.splitlines()) == 2
    assert download.value.suggested_filename.startswith("orders-demo-")
    expect(page.get_by_role("heading", name="Export of 1 order")).to_be_visible()
    expect(page.get_by_text("The order is in the file.")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "1")
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_label("Status")).to_have_value("confirmed")


def test_admin_list_is_exported_as_it_was_narrowed(
    visit: Visit, page: Page, manager: User, orders: list[Order]
) -> None:
    visit(ADMIN_LIST, manager)
    assert accessibility_problems(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Export this list as CSV").click()

    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 4
    expect(page.get_by_text("All 3 orders are in the file.")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page).to_have_url(f"{page.url.split('/admin')[0]}{ADMIN_LIST}")


def test_progress_moves_without_a_reload(visit: Visit, manager: User, tenant: Tenant) -> None:
    export = Export.objects.create(
        tenant=tenant,
        asked_by_ref=manager.actor_ref,
        door=Export.Door.PORTAL,
        status=Export.Status.RUNNING,
        total=4_000,
    )
    page = visit(f"/orders/export/{export.public_id}/", manager)
    expect(page.get_by_text("0 of 4,000 orders")).to_be_visible()
    Export.objects.filter(pk=export.pk).update(done=1_500)
    expect(page.get_by_text("1,500 of 4,000 orders")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "1500")
    Export.objects.filter(pk=export.pk).update(status=Export.Status.STOPPED)
    expect(page.get_by_role("button", name="Export again")).to_be_visible()
    assert accessibility_problems(page) == []


def test_export_works_without_javascript(
    visit: Visit, browser: object, page: Page, manager: User, orders: list[Order]
) -> None:
    visit("/login/")
    plain = browser.new_context(java_script_enabled=False, base_url=page.url)
    tab = plain.new_page()
    tab.goto("/orders/")
    tab.get_by_label("User name").fill("manager")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Export as CSV").click()
    assert len(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()) == 4
    plain.close()
