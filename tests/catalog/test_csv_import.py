"""The catalogue from a CSV file: what is read, what is planned, what is done."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_scopes import scope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.imports.applying import ROWS_AT_ONCE, import_catalogue
from catalog.imports.planning import Outcome, Plan, make_plan
from catalog.imports.reading import MAX_ROWS, REQUIRED, read_sheet
from catalog.imports.report import report_of
from catalog.models import Price, PriceChange, Product, Variant
from portal.errors import PermissionRefused, ValidationFailed
from portal.models import Tenant
from portal.permissions import SCOPES, Actor
from tests.catalog.csv_files import csv_file, row
from tests.catalog.search import search_variants
from tests.factories import SYSTEM, ProductFactory, VariantFactory, open_tenant


def run(*rows: dict[str, str], actor: Actor = SYSTEM, **how: Any) -> Plan:
    return import_bytes(csv_file(*rows, **how), actor=actor)


def import_bytes(content: bytes, actor: Actor = SYSTEM) -> Plan:
    return import_catalogue(tenant=open_tenant(), actor=actor, content=content)


def counts(plan: Plan) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, refused."""
    done = (plan.count(outcome) for outcome in Outcome)
    return (*done, len(plan.errors))


def errors(plan: Plan) -> list[tuple[int, str]]:
    return [(each.row, each.error) for each in plan.errors]


def refused(content: bytes) -> list[str]:
    """Why the whole file is refused; nothing is written."""
    with pytest.raises(ValidationFailed) as refusal:
        import_bytes(content)
    assert {detail.path for detail in refusal.value.details} == {"csvFile"}
    assert not Product.objects.exists()
    return [detail.message for detail in refusal.value.details]


def prices(sku: str = "MBP-16-SILVER") -> dict[int, Decimal]:
    rows = Price.objects.filter(variant__sku=sku)
    return dict(rows.values_list("contract_length", "monthly_price"))


# The file as a whole


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n , \r\n", "The file is empty."),
        (csv_file(), "There is no row below the header."),
        (
            csv_file(row(Brand="Café"), encoding="latin-1"),
            "Line 2 is not in UTF-8. In Excel, save the file as “CSV UTF-8”.",
        ),
        (
            csv_file(row(), encoding="utf-16"),
            "Line 1 is not in UTF-8. In Excel, save the file as “CSV UTF-8”.",
        ),
        (b"PK\x03\x04\x14\x00", "This is a workbook. In Excel, save it as “CSV UTF-8”."),
        (csv_file(row()) + b'"a', "Row 3: its quotation marks do not match."),
        (csv_file(row()) + b'"a"b,', "Row 3: its quotation marks do not match."),
    ],
)
def test_file_that_is_no_table_is_refused(tenant: Tenant, content: bytes, message: str) -> None:
    assert refused(content) == [message]


@pytest.mark.parametrize("missing", REQUIRED)
def test_file_without_a_required_column_is_refused(tenant: Tenant, missing: str) -> None:
    given = row()
    del given[missing]
    assert refused(csv_file(given)) == [f"The column “{missing}” is missing."]


@pytest.mark.parametrize("first", ["Name,Colour", "sep=;", "Product SKU|Variant SKU|Brand"])
def test_header_that_is_none_is_shown_and_all_missing_columns_named(
    tenant: Tenant, first: str
) -> None:
    assert refused(f"{first}\r\na,b\r\n".encode()) == [
        f"The first row is no header that is known: “{first}”.",
        *(f"The column “{name}” is missing." for name in REQUIRED),
    ]


@pytest.mark.parametrize("twice", ["Brand", " brand ", "BRAND", "12mo_Price", "012MO_price"])
def test_file_with_a_column_twice_is_refused(tenant: Tenant, twice: str) -> None:
    lines = csv_file(row(**{"12mo_Price": 1})).decode().splitlines()
    content = f"{lines[0]},{twice}\r\n{lines[1]},1\r\n".encode()
    name = "Brand" if "b" in twice.lower() else "12mo_Price"
    assert refused(content) == [f"The column “{name}” is there twice."]


@pytest.mark.parametrize("months", ["0", "121", "9" * 30])
def test_file_with_prices_of_no_contract_length_is_refused(tenant: Tenant, months: str) -> None:
    [message] = refused(csv_file(row(**{f"{months}mo_Price": 1})))
    assert message.startswith(f"The column “{months[:20]}mo_Price” is for no contract length")


def test_file_of_too_many_rows_is_refused(tenant: Tenant) -> None:
    one = csv_file(row()).splitlines(keepends=True)
    assert refused(one[0] + one[1] * (MAX_ROWS + 1)) == [
        "A file may have 10,000 rows at most. Split it."
    ]


def test_file_of_too_many_columns_is_refused(tenant: Tenant) -> None:
    assert refused(csv_file({**row(), **{f"c{n}": "" for n in range(493)}})) == [
        "A file may have 500 columns at most."
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_table_is_read_however_it_was_saved(
    tenant: Tenant, separator: str, encoding: str, end: str
) -> None:
    given = row(Product_Name='MacBook "Pro" 16, 2024; M3')
    text = csv_file(given, separator=separator).decode().replace("\r\n", end)
    assert counts(import_bytes(text.encode(encoding))) == (1, 0, 0, 0)
    assert Product.objects.get().name == 'MacBook "Pro" 16, 2024; M3'


def test_columns_are_known_in_any_case_and_order_and_unknown_ones_named(tenant: Tenant) -> None:
    given = {f" {name.upper()} ": value for name, value in reversed(row().items())}
    plan = run({"Stock\0": "5", **given, "": "", "Étage": "2"})
    assert counts(plan) == (1, 0, 0, 0)
    assert plan.ignored == ["Stock\ufffd", "Étage"]


def test_rows_are_numbered_as_in_a_spreadsheet(tenant: Tenant) -> None:
    """Empty rows count, and a row with line breaks in it is one; trailing ones are nothing."""
    bad = row("B", List_Price="0")
    lines = csv_file(row("A", Specification="M3\nPro"), bad).decode().splitlines(keepends=True)
    content = "".join([*lines[:3], "\r\n", ",,,,,,,\r\n", *lines[3:], "\r\n", ",,\r\n"])
    assert errors(import_bytes(content.encode())) == [(5, "List Price: Enter an amount above 0.")]


# Rows that are refused

AMOUNT = "Enter an amount such as 1299.50, without currency or separators."
RANGE = "Enter an amount from 0 to 9,999,999.999."


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        *[({name: ""}, f"{name}: This field is required.") for name in REQUIRED],
        *[({name: " \u00a0"}, f"{name}: This field is required.") for name in REQUIRED],
        ({"List Price": "0"}, "List Price: Enter an amount above 0."),
        ({"List Price": "-0.00"}, "List Price: Enter an amount above 0."),
        ({"List Price": "-5"}, "List Price: Enter an amount above 0."),
        ({"List Price": "10000000"}, f"List Price: {RANGE}"),
        ({"List Price": "9" * 20}, f"List Price: {RANGE}"),
        ({"List Price": "1.005"}, "List Price: EUR has no amounts as fine as this."),
        ({"List Price": "1." + "0" * 19 + "1"}, "List Price: EUR has no amounts as fine as this."),
        ({"List Price": "1299,5"}, "List Price: Write it with a decimal point: 1299.5."),
        ({"List Price": "1,299.50"}, f"List Price: {AMOUNT}"),
        ({"List Price": "€ 5"}, f"List Price: {AMOUNT}"),
        ({"List Price": "1e3"}, f"List Price: {AMOUNT}"),
        ({"List Price": "NaN"}, f"List Price: {AMOUNT}"),
        ({"List Price": "Infinity"}, f"List Price: {AMOUNT}"),
        ({"List Price": "1_000"}, f"List Price: {AMOUNT}"),
        ({"List Price": "١٢"}, f"List Price: {AMOUNT}"),
        ({"List Price": "=5+5"}, f"List Price: {AMOUNT}"),
        ({"List Price": "9" * 5_000}, f"List Price: {AMOUNT}"),
        ({"Acquisition Cost": "-0.01"}, f"Acquisition Cost: {RANGE}"),
        ({"12mo_Price": "-1"}, f"12mo_Price: {RANGE}"),
        ({"12mo_Price": "n/a"}, f"12mo_Price: {AMOUNT}"),
        ({"Grade": "F"}, "Grade: Choose A, B, C, D or E."),
        ({"Grade": "AB"}, "Grade: Choose A, B, C, D or E."),
        ({"Product Name": "x" * 201}, "Product Name: This may have 200 characters at most."),
        ({"Product SKU": "x" * 101}, "Product SKU: This may have 100 characters at most."),
        ({"Variant SKU": "x" * 101}, "Variant SKU: This may have 100 characters at most."),
        ({"Brand": "x" * 101}, "Brand: This may have 100 characters at most."),
        ({"Category": "x" * 101}, "Category: This may have 100 characters at most."),
        ({"Specification": "x" * 501}, "Specification: This may have 500 characters at most."),
        ({"Specification": "x" * 200_000}, "Specification: This may have 500 characters at most."),
        ({"Color": "x" * 51}, "Color: This may have 50 characters at most."),
        *[
            ({name: f"a{char}b"}, f"{name}: It contains a character that cannot be seen ({code}).")
            for name in ("Product SKU", "Variant SKU", "Product Name", "Color")
            for char, code in (("\0", "U+0000"), ("\u200b", "U+200B"), ("\u202e", "U+202E"))
        ],
        (
            {"Variant SKU": "a\nb"},
            "Variant SKU: It contains a character that cannot be seen (U+000A).",
        ),
        (
            {"Grade": "Z", "List Price": "0", "Color": "a\0"},
            "List Price: Enter an amount above 0. "
            "Color: It contains a character that cannot be seen (U+0000). "
            "Grade: Choose A, B, C, D or E.",
        ),
        ({"Variant SKU": "TAKEN"}, "Variant SKU: “TAKEN” is a variant of the product “OTHER”."),
        ({"Variant SKU": "GOOD"}, "Variant SKU: “GOOD” is in row 2 already."),
        ({"Product SKU": "P", "Brand": "B"}, "Brand: row 2 says “Apple” of the same product."),
        (
            {"Product SKU": "P", "Category": "C", "Product Name": "N"},
            "Product Name: row 2 says “MacBook Pro 16” of the same product. "
            "Category: row 2 says “Laptops” of the same product.",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_bad_row_is_named_and_skipped_and_the_others_are_imported(
    tenant: Tenant, changes: dict[str, str], error: str
) -> None:
    taken = VariantFactory(sku="TAKEN", product=ProductFactory(sku="OTHER", name="Other"))
    good = row("GOOD", Product_SKU="P", **{"12mo_Price": "5"}, Color="", Grade="")
    plan = run(good, {**row("BAD", Product_SKU="Q", Color="Red"), **changes})
    assert errors(plan) == [(3, error)]
    assert counts(plan) == (1, 0, 0, 1)
    assert set(Product.objects.values_list("sku", flat=True)) == {"OTHER", "P"}
    assert set(Variant.objects.values_list("sku", flat=True)) == {"TAKEN", "GOOD"}
    taken.refresh_from_db()
    assert taken.list_price is None


def test_row_of_more_cells_than_columns_is_refused(tenant: Tenant) -> None:
    """As one is that has a decimal comma, or a comma in a text without quotation marks."""
    lines = csv_file(row("A"), row("B")).splitlines(keepends=True)
    shifted = lines[1].replace(b"2899.00", b"2899,00")
    assert errors(import_bytes(lines[0] + shifted + lines[2])) == [
        (
            2,
            "There are more cells than columns. "
            "A cell that contains a comma needs quotation marks around it.",
        )
    ]


def test_row_that_a_decimal_comma_moved_is_refused_though_its_last_cells_are_blank(
    tenant: Tenant,
) -> None:
    header, line = csv_file(row("A", **{"36mo_Price": ""})).splitlines()
    moved = line.replace(b"2899.00", b"2899,00")
    assert moved.endswith(b",")
    assert len(moved.split(b",")) == len(header.split(b",")) + 1
    [(number, error)] = errors(import_bytes(header + b"\n" + moved))
    assert (number, error.startswith("There are more cells than columns.")) == (2, True)
    assert not Variant.objects.exists()


def test_blank_cells_behind_the_last_column_are_nothing_between_semicolons(tenant: Tenant) -> None:
    header, line = csv_file(row("A")).replace(b",", b";").splitlines()
    assert errors(import_bytes(header + b"\n" + line + b";;")) == []


def test_row_below_a_refused_one_is_held_against_it(tenant: Tenant) -> None:
    """Put right and imported later, the row above would take back what the row below said."""
    plan = run(row("A", List_Price="0"), row("A"), row("B", Brand="Dell"), row("C"))
    assert errors(plan) == [
        (2, "List Price: Enter an amount above 0."),
        (3, "Variant SKU: “A” is in row 2 already."),
        (4, "Brand: row 2 says “Apple” of the same product."),
    ]
    assert list(Variant.objects.values_list("sku", flat=True)) == ["C"]


@pytest.mark.parametrize(
    ("currency", "amount", "error"),
    [
        ("JPY", "5.5", "List Price: JPY has no amounts as fine as this."),
        ("JPY", "5.0", None),
        ("BHD", "5.005", None),
        ("BHD", "5.0005", "List Price: BHD has no amounts as fine as this."),
    ],
)
def test_amounts_have_the_decimals_of_the_currency(
    tenant: Tenant, currency: str, amount: str, error: str | None
) -> None:
    tenant.currency = currency
    plan = import_catalogue(
        tenant=tenant,
        actor=SYSTEM,
        content=csv_file(row(List_Price=amount, Acquisition_Cost="5")),
    )
    assert errors(plan) == ([(2, error)] if error else [])


# What is done


def test_row_creates_product_variant_and_prices(tenant: Tenant) -> None:
    plan = run(row(Grade="b", Color="Silver", **{"12mo_Price": "182.95", "18mo_price": "130"}))
    assert counts(plan) == (1, 0, 0, 0)
    variant = Variant.objects.select_related("product").get()
    product = variant.product
    assert (product.sku, product.name, product.category) == ("MBP-16", "MacBook Pro 16", "Laptops")
    assert (product.brand, product.specification, product.status) == ("Apple", "M3 Pro", "active")
    assert (variant.sku, variant.name, variant.grade) == (
        "MBP-16-SILVER", "Silver, grade B", "B",
    )  # fmt: skip
    assert (variant.color, variant.status) == ("Silver", "active")
    assert (variant.list_price, variant.acquisition_cost) == (Decimal(2899), Decimal("2310.5"))
    assert re.fullmatch("prod_.{10}", product.public_id)
    assert re.fullmatch("var_.{10}", variant.public_id)
    assert prices() == {12: Decimal("182.95"), 18: Decimal(130)}


@pytest.mark.parametrize(
    ("grade", "color", "name"),
    [
        ("", "", "Grade A"),
        ("A", "Silver", "Silver"),
        ("c", "Silver", "Silver, grade C"),
        ("E", "", "Grade E"),
    ],
)
def test_new_variant_is_named_by_color_and_grade(
    tenant: Tenant, grade: str, color: str, name: str
) -> None:
    run(row(Grade=grade, Color=color))
    assert Variant.objects.get().name == name


def test_grade_is_a_without_the_column(tenant: Tenant) -> None:
    run(row())
    assert Variant.objects.get().grade == "A"


def test_rows_of_one_product_make_one_product(tenant: Tenant) -> None:
    assert counts(run(row("A"), row("B"), row("C", Product_SKU="mbp-16"))) == (3, 0, 0, 0)
    assert sorted(Product.objects.values_list("sku", flat=True)) == ["MBP-16", "mbp-16"]


def test_same_file_again_changes_nothing(tenant: Tenant) -> None:
    given = row(Grade="B", Color="Silver", **{"12mo_Price": "5", "24mo_Price": "4"})
    run(given)
    before = list(Variant.objects.values()), list(Product.objects.values())
    assert counts(run(given)) == (0, 0, 1, 0)
    assert (list(Variant.objects.values()), list(Product.objects.values())) == before
    assert PriceChange.objects.count() == 2


def test_blank_optional_cells_leave_what_there_is(tenant: Tenant) -> None:
    run(row(Grade="B", Color="Silver", **{"12mo_Price": "5", "24mo_Price": "4"}))
    again = run(row(Grade="", Color="", **{"12mo_Price": "", "24mo_Price": " "}))
    assert (counts(again), counts(run(row()))) == ((0, 0, 1, 0), (0, 0, 1, 0))
    variant = Variant.objects.get()
    assert (variant.grade, variant.color) == ("B", "Silver")
    assert prices() == {12: Decimal(5), 24: Decimal(4)}


def test_changes_are_told_from_and_to(tenant: Tenant) -> None:
    run(row(Grade="A", Color="Silver", **{"12mo_Price": "5"}))
    changed = row(Product_Name="MacBook", Color="Black", List_Price="3000",
                  **{"12mo_Price": "5.50", "24mo_Price": "4"})  # fmt: skip
    plan = run(changed)
    assert counts(plan) == (0, 1, 0, 0)
    assert [(each.field, each.old, each.new) for each in plan.rows[0].changes] == [
        ("Product Name", "MacBook Pro 16", "MacBook"),
        ("Variant name", "Silver", "Black"),
        ("Color", "Silver", "Black"),
        ("List Price", "2899.00", "3000.00"),
        ("12mo_Price", "5.00", "5.50"),
        ("24mo_Price", "", "4.00"),
    ]
    assert Product.objects.get().name == "MacBook"
    assert Variant.objects.get().name == "Black"
    assert prices() == {12: Decimal("5.5"), 24: Decimal(4)}


def test_name_that_somebody_typed_stays(tenant: Tenant) -> None:
    VariantFactory(sku="V", name="36 GB / 1 TB", color="Silver", product=ProductFactory(sku="P"))
    run(row("V", Product_SKU="P", Color="Black"))
    variant = Variant.objects.get()
    assert (variant.name, variant.color) == ("36 GB / 1 TB", "Black")


def test_what_the_file_does_not_know_stays(tenant: Tenant) -> None:
    product = ProductFactory(sku="P", aliases="mac", description="Text")
    variant = VariantFactory(sku="V", product=product, condition="Good", prices={})
    Price.objects.create(
        tenant=tenant, variant=variant, contract_length=12, monthly_price=9, setup_fee=5,
        discount_type="fixed", discount_value=1, source="suggested",
    )  # fmt: skip
    run(row("V", Product_SKU="P", **{"12mo_Price": "8"}))
    product.refresh_from_db()
    variant.refresh_from_db()
    price = Price.objects.get()
    assert (product.aliases, product.description, variant.condition) == ("mac", "Text", "Good")
    assert (price.monthly_price, price.setup_fee, price.discount_value) == (8, 5, 1)
    assert price.source == "manual"


def test_every_changed_price_is_recorded(tenant: Tenant, manager_actor: Actor) -> None:
    VariantFactory(sku="V", product=ProductFactory(sku="P"), prices={12: "5", 24: "4"})
    given = {"12mo_Price": "6", "24mo_Price": "4.00", "36mo_Price": "3"}
    run(row("V", Product_SKU="P", **given), actor=manager_actor)
    recorded = PriceChange.objects.order_by("contract_length")
    assert list(recorded.values_list("contract_length", "old_price", "new_price")) == [
        (12, 5, 6),
        (36, None, 3),
    ]
    assert {(each.actor_ref, each.actor) for each in recorded} == {
        (manager_actor.ref, manager_actor.label)
    }


def test_nothing_is_revived(tenant: Tenant) -> None:
    gone = ProductFactory(sku="GONE", status="discontinued")
    VariantFactory(sku="OLD", product=gone, status="inactive")
    VariantFactory(sku="REST", product=ProductFactory(sku="P"), status="inactive")
    plan = run(
        row("OLD", Product_SKU="GONE", Brand="B"),
        row("NEW", Product_SKU="GONE", Brand="B"),
        row("REST", Product_SKU="P"),
    )
    assert counts(plan) == (1, 2, 0, 0)
    assert [each.remark for each in plan.rows] == [
        "The product is discontinued, and stays so.",
        "The product is discontinued, and stays so.",
        "The variant is inactive, and stays so.",
    ]
    gone.refresh_from_db()
    assert (gone.status, gone.brand) == ("discontinued", "B")
    assert set(Variant.objects.values_list("sku", "status")) == {
        ("OLD", "inactive"), ("NEW", "inactive"), ("REST", "inactive"),
    }  # fmt: skip


def test_cells_that_look_like_formulas_are_text(tenant: Tenant) -> None:
    """The apostrophe that our own files write before them is not part of the text."""
    run(row(Product_Name="=1+1", Brand="'@home", Category="-x"))
    product = Product.objects.get()
    assert (product.name, product.brand, product.category) == ("=1+1", "@home", "-x")


def test_line_breaks_in_a_cell_become_spaces(tenant: Tenant) -> None:
    run(row(Specification="M3 Pro\r\n  36 GB\n\n1 TB "))
    assert Product.objects.get().specification == "M3 Pro 36 GB 1 TB"


def test_search_finds_what_was_imported_and_renamed(tenant: Tenant) -> None:
    product = ProductFactory(sku="MBP-16")
    VariantFactory(sku="OTHER", name="Gold", product=product)
    run(row(Color="Silver"))
    assert found("macbook silver") == ["MBP-16-SILVER"]
    assert found("mbp16") == ["MBP-16-SILVER", "OTHER"]
    run(row(Product_Name="ThinkPad X1", Color="Black"))
    assert found("thinkpad black") == ["MBP-16-SILVER"]
    assert found("thinkpad other") == ["OTHER"]
    assert found("macbook") == []
    assert product.variants.count() == 2


def found(text: str) -> list[str]:
    return sorted(hit.sku for hit in search_variants(tenant=open_tenant(), text=text))


def test_other_tenants_are_neither_seen_nor_touched(tenant: Tenant, other_tenant: Tenant) -> None:
    theirs = VariantFactory(
        sku="MBP-16-SILVER", tenant=other_tenant, product__sku="X", product__tenant=other_tenant
    )
    assert counts(run(row())) == (1, 0, 0, 0)
    with scope(tenant=other_tenant):
        theirs.refresh_from_db()
        assert (theirs.product.sku, theirs.list_price) == ("X", None)


# Who may, and what goes wrong


@pytest.mark.parametrize("missing", sorted(SCOPES["catalog:write"] - {"catalog.delete_price"}))
def test_import_needs_every_permission(tenant: Tenant, missing: str) -> None:
    actor = Actor("user:1", "x", frozenset(SCOPES["catalog:write"] - {missing}))
    with pytest.raises(PermissionRefused):
        run(row(), actor=actor)
    assert not Product.objects.exists()


def test_nothing_is_kept_of_an_import_that_fails_half_way(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(done: int) -> None:
        assert Variant.objects.count() == done == ROWS_AT_ONCE
        raise RuntimeError

    rows = [row(f"V-{number}") for number in range(ROWS_AT_ONCE + 1)]
    with pytest.raises(RuntimeError):
        import_catalogue(tenant=tenant, actor=SYSTEM, content=csv_file(*rows), progress=fail)
    assert not Product.objects.exists()
    assert not Variant.objects.exists()


def test_statements_are_the_same_for_any_number_of_rows(tenant: Tenant) -> None:
    def statements(*rows: dict[str, str]) -> int:
        with CaptureQueriesContext(connection) as captured:
            run(*rows)
        return len(captured)

    def rows(product: str, number: int, **changes: str) -> list[dict[str, str]]:
        return [
            row(f"{product}-{n}", Product_SKU=f"{product}-{n // 2}", **changes)
            for n in range(number)
        ]

    changed = {"Brand": "B", "List Price": "5", "12mo_Price": "3"}
    with connection.cursor() as cursor:
        # Autovacuum would find nothing that is committed, and the next import count it anew.
        cursor.execute("LOCK TABLE catalog_variant IN SHARE UPDATE EXCLUSIVE MODE")
    run(row("WARM"))
    assert statements(*rows("A", 1)) == statements(*rows("B", 300))
    assert statements(*rows("A", 1, **changed)) == statements(*rows("B", 300, **changed))


# Whatever the file says

GOOD: dict[str, list[str]] = {
    "Product Name": ["N", "N", "M"],
    "Product SKU": ["P", " P ", "Q"],
    "Category": ["C"],
    "Brand": ["B"],
    "Specification": ["S", "a\nb"],
    "Grade": ["", "A", "b"],
    "Color": ["", "Red", "=1"],
    "Variant SKU": ["V1", "V2", "V3", "V4", "V5"],
    "List Price": ["5", "6.50"],
    "Acquisition Cost": ["0", "3"],
    "12mo_Price": ["", "1", "2", "2.00"],
    "24mo_Price": ["", "", "3"],
}
BAD = [
    {"Product Name": ""},
    {"Product SKU": "\0"},
    {"Grade": "F"},
    {"Variant SKU": ""},
    {"List Price": "0"},
    {"Acquisition Cost": "1,5"},
    {"12mo_Price": "0.001"},
]
rows = st.builds(
    lambda cells, bad: cells | bad,
    st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in GOOD.items()}),
    st.sampled_from([*BAD, *[{}] * 3 * len(BAD)]),
)
files = st.lists(rows, min_size=1, max_size=6)


def state() -> dict[str, Any]:
    """What the catalogue says of each variant: its own columns, its product's and its prices."""
    found: dict[str, Any] = {}
    for variant in Variant.objects.select_related("product").prefetch_related("prices"):
        product = variant.product
        found[variant.sku] = {
            "Product SKU": product.sku,
            "Product Name": product.name,
            "Category": product.category,
            "Brand": product.brand,
            "Specification": product.specification,
            "Grade": variant.grade,
            "Color": variant.color,
            "List Price": variant.list_price,
            "Acquisition Cost": variant.acquisition_cost,
        } | {
            f"{price.contract_length}mo_Price": price.monthly_price
            for price in variant.prices.all()
        }
    return found


def said(cells: dict[str, str]) -> dict[str, Any]:
    """What a good row says, blank cells left out: our own reading of it."""
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        text = " ".join(cell.split())
        if text:
            is_amount = "Price" in name or "Cost" in name
            values[name] = Decimal(text) if is_amount else text.upper() if name == "Grade" else text
    return {name: value for name, value in values.items() if name != "Variant SKU"}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=files, second=files)
def test_dry_run_is_what_is_done_and_no_row_is_done_by_half(
    tenant: Tenant, first: list[dict[str, str]], second: list[dict[str, str]]
) -> None:
    with transaction.atomic():
        run(*first)
        before, changes = state(), PriceChange.objects.count()
        content = csv_file(*second)
        planned = report_of(make_plan(tenant=tenant, sheet=read_sheet(content)))
        assert state() == before

        plan = import_bytes(content)
        assert report_of(plan) == planned
        expected, imported = dict(before), {each.number: each for each in plan.rows}
        for number, cells in enumerate(second, start=2):
            if number in imported:
                sku = cells["Variant SKU"]
                old = before.get(sku, {"Grade": "A", "Color": ""})
                expected[sku] = old | said(cells)
                outcome = "created" if sku not in before else "updated"
                changed = old | said(cells) != old
                assert imported[number].outcome == (outcome if changed else "unchanged")
        for sku, values in expected.items():
            # A product is one for all its variants, those that the file does not name as well.
            of_product = next(
                (said(cells) for number, cells in enumerate(second, start=2) if number in imported
                 and said(cells)["Product SKU"] == values["Product SKU"]), {},
            )  # fmt: skip
            expected[sku] = values | {
                name: of_product[name]
                for name in ("Product Name", "Category", "Brand", "Specification")
                if of_product
            }
        after = state()
        assert after == expected
        moved = sum(
            after[sku].get(name) != before.get(sku, {}).get(name)
            for sku in after
            for name in ("12mo_Price", "24mo_Price")
        )
        assert PriceChange.objects.count() - changes == moved
        assert len(imported) + len(plan.errors) == len(second)
        transaction.set_rollback(True)
