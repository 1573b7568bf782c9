"""Finding variants as a rep types."""

from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product, Variant
from catalog.search import search_variants
from portal.models import Tenant
from tests.factories import ProductFactory, VariantFactory


@pytest.fixture
def catalogue(tenant: Tenant) -> None:
    pro = ProductFactory(name="MacBook Pro 16", brand="Apple", sku="MBP16", specification="M3 Max")
    VariantFactory(product=pro, sku="MACBOOK-PRO-16-M3", name="36 GB", color="Space Black")
    VariantFactory(product=pro, sku="MACBOOK-PRO-16-M3-B", name="36 GB", grade="B")
    # No number in its SKU, which the factory would give it: one of the searches is for a number.
    air = ProductFactory(
        name="Air sleeve for MacBook", brand="Apple", category="Accessories", sku="SLEEVE"
    )
    VariantFactory(product=air, sku="SLEEVE-13", name="Grey")
    carbon = ProductFactory(name="ThinkPad X1 Carbon", brand="Lenovo", aliases="Nano, Thinky")
    VariantFactory(product=carbon, sku="20K-LEN", name="32 GB")
    screen = ProductFactory(name="UltraSharp 27", brand="Dell", category="Monitors")
    VariantFactory(product=screen, sku="DELL-U2722D-MONITOR", name="Für das Büro")


def skus(tenant: Tenant, text: str) -> list[str]:
    return [found.sku for found in search_variants(tenant=tenant, text=text)]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MACBOOK-PRO-16-M3", ["MACBOOK-PRO-16-M3", "MACBOOK-PRO-16-M3-B"]),
        ("macbook-pro-16-m3-b", ["MACBOOK-PRO-16-M3-B", "MACBOOK-PRO-16-M3"]),
        ("macbookpro16m3b", ["MACBOOK-PRO-16-M3-B"]),
        ("macbook_pro 16/m3", ["MACBOOK-PRO-16-M3", "MACBOOK-PRO-16-M3-B"]),
        ("apple 16", ["MACBOOK-PRO-16-M3", "MACBOOK-PRO-16-M3-B"]),
        ("black m3", ["MACBOOK-PRO-16-M3"]),
        ("monitors dell", ["DELL-U2722D-MONITOR"]),
        ("tpx1c", ["20K-LEN"]),
        ("TPX 32", ["20K-LEN"]),
        ("px1c", []),
        ("thinky", ["20K-LEN"]),
        ("us27", ["DELL-U2722D-MONITOR"]),
        ("buro", ["DELL-U2722D-MONITOR"]),
        ("BÜRO", ["DELL-U2722D-MONITOR"]),
        ("sleve", ["SLEEVE-13"]),
        ("ultrasharp 28 zzz", []),
        ("100%", []),
        ("", []),
        (" -_% ", []),
        ("\0", []),
    ],
)
def test_search_finds_words_in_any_order(tenant: Tenant, text: str, expected: list[str]) -> None:
    assert skus(tenant, text) == expected


@pytest.mark.usefixtures("catalogue")
def test_search_puts_sku_prefix_before_product_name(tenant: Tenant) -> None:
    assert skus(tenant, "macbook") == ["MACBOOK-PRO-16-M3", "MACBOOK-PRO-16-M3-B", "SLEEVE-13"]


def test_search_puts_words_before_initials(tenant: Tenant) -> None:
    for name in ("Magic Bar", "Combo", "Zoom Mobile"):
        VariantFactory(product=ProductFactory(name=name), sku=f"X-{name[0]}")
    assert skus(tenant, "mb") == ["X-C", "X-M"]


def test_search_puts_names_with_all_words_first(tenant: Tenant) -> None:
    names = {"A-1": "Keyboard for iPad Pro 12.9″", "A-2": "iPad Air 11″", "A-3": "iPad Pro 12.9″"}
    for sku, name in names.items():
        product = ProductFactory(sku=f"P-{sku}", name=name, specification="12 W")
        VariantFactory(product=product, sku=sku)
    assert skus(tenant, "ipad 12") == ["A-3", "A-1", "A-2"]


@pytest.mark.usefixtures("catalogue")
def test_search_puts_words_that_stand_together_first(tenant: Tenant) -> None:
    assert skus(tenant, "grade b")[0] == "MACBOOK-PRO-16-M3-B"


@pytest.mark.usefixtures("catalogue")
def test_search_forgives_a_typo(tenant: Tenant) -> None:
    assert set(skus(tenant, "macbok")) == {"MACBOOK-PRO-16-M3", "MACBOOK-PRO-16-M3-B", "SLEEVE-13"}


@pytest.mark.usefixtures("catalogue")
def test_search_puts_what_cannot_be_ordered_last(tenant: Tenant) -> None:
    Variant.objects.filter(sku="MACBOOK-PRO-16-M3").update(status=Variant.Status.INACTIVE)
    Product.objects.filter(name="Air sleeve for MacBook").update(status="discontinued")
    found = search_variants(tenant=tenant, text="macbook")
    assert [(each.sku, each.is_orderable) for each in found] == [
        ("MACBOOK-PRO-16-M3-B", True),
        ("MACBOOK-PRO-16-M3", False),
        ("SLEEVE-13", False),
    ]


def test_search_tells_the_price_at_every_contract_length(tenant: Tenant) -> None:
    VariantFactory(sku="A-1", prices={36: "9.50", 12: "12.00"})
    VariantFactory(sku="A-2", prices={})
    assert [found.prices for found in search_variants(tenant=tenant, text="a-")] == [
        {12: Decimal("12.000"), 36: Decimal("9.500")},
        {},
    ]


@pytest.mark.parametrize(("text", "queries"), [("sku", 1), ("Prodcut", 2)])
@pytest.mark.parametrize("variants", [1, 12])
def test_search_takes_two_queries_at_most(
    tenant: Tenant,
    django_assert_num_queries: DjangoAssertNumQueries,
    text: str,
    queries: int,
    variants: int,
) -> None:
    VariantFactory.create_batch(variants)
    with django_assert_num_queries(queries):
        assert len(search_variants(tenant=tenant, text=text)) == min(variants, 10)


def test_search_stays_in_the_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    VariantFactory(tenant=other_tenant, sku="THEIRS-1")
    assert skus(tenant, "theirs") == []


@pytest.mark.usefixtures("catalogue")
def test_search_page_marks_what_cannot_be_added(rep_client: Client) -> None:
    Variant.objects.filter(sku="SLEEVE-13").update(status=Variant.Status.INACTIVE)
    html = rep_client.get("/catalog/search/", {"q": "sleeve"}).content.decode()
    assert 'aria-disabled="true"' in html
    assert "data-sku" not in html
