"""A manager imports the catalogue from a file, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from catalog.imports.runs import run_waiting
from catalog.models import CatalogImport, Product, Variant
from portal.models import Tenant, User
from tests.browser.conftest import Visit, accessibility_problems
from tests.catalog.csv_files import csv_file, row
from tests.factories import PASSWORD, CatalogImportFactory, ProductFactory, VariantFactory

PRODUCTS = reverse("admin:catalog_product_changelist")
CHOOSE = reverse("admin:catalog_product_import")


@pytest.fixture
def file(tenant: Tenant, tmp_path: Path) -> Path:
    """Two new rows, one that changes a variant, one that is the same, and two that are refused."""
    product = ProductFactory(
        sku="XPS-13", name="Dell XPS 13", brand="Dell", specification="Core Ultra 7"
    )
    of_xps = {"Product_SKU": "XPS-13", "Product_Name": "Dell XPS 13", "Brand": "Dell"}
    of_xps["Specification"] = "Core Ultra 7"
    costs = {"list_price": "2899", "acquisition_cost": "2310.50"}
    VariantFactory(sku="XPS-13-SAME", product=product, color="Silver", **costs)
    VariantFactory(sku="XPS-13-OLD", product=product, color="Silver", status="inactive", **costs)
    prices = {"12mo_Price": "182.95", "24mo_Price": "111.95"}
    rows = [
        row("MBP-16-SILVER", Color="Silver", **prices, Stock="5"),
        row("MBP-16-BLACK", Color="Space Black", Grade="B", **prices),
        row("XPS-13-SAME", **of_xps),
        row(
            "XPS-13-OLD",
            Color="Graphite",
            List_Price="1799.00",
            **of_xps,
            **{"24mo_Price": "62.50"},
        ),
        row("IPAD-13", Product_SKU="IPAD", Product_Name="iPad Pro 13", List_Price="0", Grade="F"),
        row("MBP-16-GREY", Brand="Aple", Color="Grey"),
    ]
    path = tmp_path / "Prices autumn 2026.csv"
    path.write_bytes(csv_file(*rows, separator=";"))
    return path


def choose(page: Page, path: Path) -> None:
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Show what would change").click()


def test_file_is_looked_at_and_imported_with_the_keyboard(
    visit: Visit, manager: User, file: Path
) -> None:
    page = visit(PRODUCTS, manager)
    page.get_by_role("link", name="Import CSV").focus()
    page.keyboard.press("Enter")
    # What opens the browser's own dialog cannot be typed into; the rest is keys.
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_label("CSV file").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Dry run: nothing is imported yet")).to_be_visible()
    changes = page.get_by_role("table", name="What would be done")
    old = changes.get_by_role("row", name="XPS-13-OLD")
    expect(old).to_contain_text("List Price 2899.00 1799.00")
    expect(old).to_contain_text("The variant is inactive, and stays so.")
    expect(page.get_by_text("leave out: Stock")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the refused rows").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert [line.split(";")[5] for line in text.splitlines()] == [
        "Variant SKU", "IPAD-13", "MBP-16-GREY",
    ]  # fmt: skip
    assert Variant.objects.count() == 2

    page.get_by_role("button", name="Import now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("4 rows will be imported in a moment.")).to_be_visible()
    run_waiting()
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    expect(page.get_by_role("table", name="What was done")).to_be_visible()
    assert Variant.objects.count() == 4
    page.get_by_role("link", name="Choose another file").click()
    recent = page.get_by_role("table", name="Files of the last seven days")
    expect(recent.get_by_role("row", name="Prices autumn 2026.csv")).to_contain_text("Imported")


def test_progress_moves_without_a_reload(visit: Visit, manager: User, tenant: Tenant) -> None:
    run = CatalogImportFactory(status="waiting", total=4_000)
    page = visit(f"{CHOOSE}{run.public_id}/", manager)
    expect(page.get_by_text("4,000 rows will be imported in a moment.")).to_be_visible()
    CatalogImport.objects.filter(pk=run.pk).update(done=1_500)
    expect(page.get_by_text("1,500 of 4,000 rows")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "1500")
    assert accessibility_problems(page) == []
    CatalogImport.objects.filter(pk=run.pk).update(status="failed", problem="Others were faster.")
    expect(page.get_by_text("Others were faster.")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_file_that_is_none_is_refused_beside_the_field(
    visit: Visit, page: Page, manager: User, tmp_path: Path, forgive: Any
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"Product Name,Brand\r\nA,B\r\n")
    visit(CHOOSE, manager)
    choose(page, path)
    expect(page.get_by_role("alert")).to_contain_text("The column “Product SKU” is missing.")
    expect(page.get_by_label("CSV file")).to_have_attribute("aria-invalid", "true")
    assert accessibility_problems(page) == []
    forgive("400")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_are_accessible_and_as_wide_as_the_screen(
    visit: Visit, page: Page, manager: User, file: Path, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})

    def look() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert accessibility_problems(page) == []

    visit(PRODUCTS, manager)
    look()
    page.get_by_role("link", name="Import CSV").click()
    expect(page.get_by_label("CSV file")).to_be_visible()
    look()
    choose(page, file)
    expect(page.get_by_role("button", name="Import now")).to_be_visible()
    look()
    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    look()
    ProductFactory(sku="MBP-16", name="Somebody else’s")
    run_waiting()
    expect(page.get_by_text("The catalogue was changed after the dry run")).to_be_visible()
    look()


def test_import_works_without_javascript(
    visit: Visit, browser: Any, page: Page, manager: User, file: Path
) -> None:
    visit("/login/")
    plain = browser.new_context(java_script_enabled=False, base_url=page.url)
    tab = plain.new_page()
    tab.goto(CHOOSE)
    tab.get_by_label("User name").fill("manager")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    choose(tab, file)
    tab.get_by_role("button", name="Import now").click()
    run_waiting()
    tab.get_by_role("link", name="Look again").click()
    expect(tab.get_by_role("heading", name="Imported")).to_be_visible()
    assert Product.objects.count() == 2
    plain.close()
