"""Finding variants as a rep types."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product, Variant
from catalog.refresh import refresh_search
from portal.models import Tenant
from portal.patience import KEYSTROKE
from tests.catalog.search import search_variants
from tests.factories import ProductFactory, VariantFactory
from tests.locks import locked_table


@pytest.fixture(params=["new", "refreshed"])
def catalogue(tenant: Tenant, request: pytest.FixtureRequest) -> None:
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
    if request.param == "refreshed":
        refresh_search(tenant=tenant, now=timezone.now())


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
        ("macbookpro black", ["MACBOOK-PRO-16-M3"]),
        ("32gb", ["20K-LEN"]),
        ("thikpad carbonn", ["20K-LEN"]),
        ("ultrashrap 27", ["DELL-U2722D-MONITOR"]),
        ("ultrasharrpp", ["DELL-U2722D-MONITOR"]),
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


def test_search_takes_a_number_before_other_words_as_it_is(tenant: Tenant) -> None:
    for name in ("Galaxy S2 16", "Galaxy S2 165"):
        VariantFactory(product=ProductFactory(name=name), sku=name)
    assert skus(tenant, "16 galaxy") == ["Galaxy S2 16"]
    assert skus(tenant, "galaxy 16") == ["Galaxy S2 16", "Galaxy S2 165"]
    assert skus(tenant, "165 galaxy") == ["Galaxy S2 165"]
    assert skus(tenant, "1 galaxy") == ["Galaxy S2 16", "Galaxy S2 165"]


def test_search_finds_a_number_and_its_unit_together_or_apart(tenant: Tenant) -> None:
    macbook = ProductFactory(sku="MBP", name="MacBook Pro 16")
    for sku, name in (("MBP-B", "16 GB"), ("MBP-C", "8 GB"), ("MBP-D", "1 TB")):
        VariantFactory(product=macbook, sku=sku, name=name)
    assert skus(tenant, "16gb macbook") == ["MBP-B"]
    assert skus(tenant, "8gb") == ["MBP-C"]
    assert skus(tenant, "macbok 1tb") == ["MBP-D"]
    VariantFactory(product=ProductFactory(name="16 GB Memory Kit"), sku="KIT-1", name="Green")
    assert skus(tenant, "16gb macbook") == ["MBP-B"]
    VariantFactory(product=macbook, sku="MBP-A", name="16GB")
    VariantFactory(product=ProductFactory(name="ThinkPad"), sku="TP-1", name="16GB")
    for text in ("16gb macbook", "16gb macbok"):
        assert skus(tenant, text) == ["MBP-A", "MBP-B"]
    # All of them are 16 inches, and have some GB.
    assert skus(tenant, "16 gb macbook") == ["MBP-B", "MBP-A", "MBP-C"]
    assert sorted(skus(tenant, "16gb")) == ["KIT-1", "MBP-A", "MBP-B", "TP-1"]


def test_search_puts_whole_words_before_longer_ones(tenant: Tenant) -> None:
    for name in ("Dock 165", "Dock 16", "Hub for dock 16"):
        VariantFactory(product=ProductFactory(name=name), sku=f"X-{name}")
    assert skus(tenant, "dock 16") == ["X-Dock 16", "X-Hub for dock 16", "X-Dock 165"]


def test_search_never_guesses_a_number(tenant: Tenant) -> None:
    VariantFactory(sku="X-5440")
    assert skus(tenant, "5441") == []


@pytest.mark.parametrize("number", [1, 12])
def test_search_page_takes_the_same_queries_for_any_number_of_matches(
    rep_client: Client, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    VariantFactory.create_batch(number)
    # Session, user, permissions; the limit of time, the search, the end of the limit.
    with django_assert_num_queries(6):
        html = rep_client.get("/catalog/search/", {"q": "sku"}).content.decode()
    assert html.count('role="option"') == min(number, 10)


@pytest.mark.parametrize(
    ("number", "said"), [(9, "9 matches"), (10, "First 10; type more."), (11, "First 10; type")]
)
def test_search_page_counts_as_far_as_it_shows(rep_client: Client, number: int, said: str) -> None:
    VariantFactory.create_batch(number)
    assert said in rep_client.get("/catalog/search/", {"q": "sku"}).text


@pytest.mark.django_db(transaction=True)
def test_search_page_that_takes_too_long_says_so(
    rep_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    VariantFactory(sku="SLOW-1")

    with monkeypatch.context() as patch, locked_table("catalog_searchentry"):
        patch.setattr("catalog.views.KEYSTROKE", KEYSTROKE)
        html = rep_client.get("/catalog/search/", {"q": "slow"}).content.decode()
    assert "The search for “slow” takes too long. Type a little more." in html
    assert 'data-sku="SLOW-1"' in rep_client.get("/catalog/search/", {"q": "slow"}).content.decode()


@pytest.mark.usefixtures("catalogue")
def test_search_page_marks_what_cannot_be_added(rep_client: Client) -> None:
    Variant.objects.filter(sku="SLEEVE-13").update(status=Variant.Status.INACTIVE)
    html = rep_client.get("/catalog/search/", {"q": "sleeve"}).content.decode()
    assert 'aria-disabled="true"' in html
    assert "data-sku" not in html
