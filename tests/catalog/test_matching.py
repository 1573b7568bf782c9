"""What a typed part can mean in the catalogue."""

from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.asking import read_parts
from catalog.matching import Match, match_parts
from catalog.models import Variant
from portal.models import Tenant
from tests.factories import ProductFactory, VariantFactory


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    def add(name: str, *skus: str, **variant: object) -> None:
        about = str(variant.pop("specification", ""))
        product = ProductFactory(sku=f"P-{skus[0]}", name=name, specification=about)
        for sku in skus:
            VariantFactory(product=product, sku=sku, **variant)

    add("MacBook Pro 16″", "MBP-16", "MBP-16-B")
    add("MacBook Air 13″", "MBA-13", specification="24 GB")
    add("iPad Pro 12.9″", "IPAD-PRO", prices={24: "40.00"})
    add("iPad Air", "IPAD-AIR", prices={12: "30.00"})
    add("24″ P2423D", "DELL-P24")
    add("EliteBook 840 G10", "HP-840")
    add("Studio X50", "X50-POLY")
    add("Latitude 5440", "LAT-5440")
    add("Hub", "DOCK 24")
    add("Dock", "DOCK-B")
    add("Old Phone", "PHONE-1", status=Variant.Status.INACTIVE)
    add("New Phone", "PHONE-2", prices={})


def matches(tenant: Tenant, text: str, limit: int = 6) -> list[Match]:
    return match_parts(tenant=tenant, parts=read_parts(text), limit=limit)


def told(match: Match) -> list[str]:
    """The options as `quantity × SKU @ length`, one that cannot be ordered so in brackets."""
    texts = []
    for option in match.options:
        quantity, length = option.reading.quantity, option.reading.length
        text = f"{quantity and f'{quantity} × '}{option.found.sku}{length and f' @ {length}'}"
        texts.append(text if option.is_offered else f"({text})")
    return texts


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("mbp16", ["MBP-16", "MBP-16-B"]),
        ("macbok", ["MBA-13", "MBP-16", "MBP-16-B"]),
        ("5 mbp16", ["5 × MBP-16", "5 × MBP-16-B"]),
        ("5 mbp16 24", ["5 × MBP-16 @ 24", "5 × MBP-16-B @ 24"]),
        ("mbp16 24 months", ["MBP-16 @ 24", "MBP-16-B @ 24"]),
        # Nothing has these as words, so the numbers are more than words.
        ("mbp16 36", ["MBP-16 @ 36", "MBP-16-B @ 36"]),
        ("mbp16 x3", ["3 × MBP-16", "3 × MBP-16-B"]),
        # Both readings find something; a number in the name is first of all that.
        ("3 ipad 12", ["3 × IPAD-PRO", "3 × IPAD-AIR @ 12"]),
        ("3 mba 24", ["3 × MBA-13 @ 24", "3 × MBA-13"]),
        ("ipad 12", ["IPAD-PRO"]),
        ("studio x50", ["X50-POLY"]),
        # What stands in a name with its number is that rather than so many.
        ("24 p2423d", ["DELL-P24", "24 × DELL-P24"]),
        ("840 g10", ["HP-840", "840 × HP-840"]),
        ("840 elitebook", ["840 × HP-840"]),
        ("840 g1", ["840 × HP-840"]),
        # A SKU is what has just that for its SKU, whatever else it may be.
        ("2 dock 24", ["2 × DOCK 24", "2 × DOCK-B @ 24", "2 × DOCK 24 @ 24"]),
        # A number that is no length on offer is a word where it can be, else it is named.
        ("2 latitude 5440", ["2 × LAT-5440"]),
        ("5 macbook 16", ["5 × MBP-16", "5 × MBP-16-B"]),
        ("5 latitude 25", ["(5 × LAT-5440 @ 25)"]),
        ("5 ipad 24 months", ["5 × IPAD-PRO @ 24"]),
        ("0 latitude", ["0 × LAT-5440"]),
        ("20000 latitude", ["20000 × LAT-5440"]),
        ("phone", ["(PHONE-2)", "(PHONE-1)"]),
        ("3 nothing 24", []),
    ],
)
def test_part_alone_can_mean(tenant: Tenant, text: str, options: list[str]) -> None:
    [match] = matches(tenant, text)
    assert told(match) == options


@pytest.mark.parametrize(
    ("quantity", "total"),
    [("5", "125"), ("1,000", "25000"), ("many", None), ("-1", None), ("9" * 900, None)],
)
def test_option_costs_what_so_many_cost(tenant: Tenant, quantity: str, total: str | None) -> None:
    [match] = matches(tenant, f"SKU\tQty\tMonths\nLAT-5440\t{quantity}\t24")
    expected = None if total is None else Decimal(total)
    assert [option.monthly_total for option in match.options] == [expected]


def test_what_can_be_had_for_the_usual_months_is_the_first_of_its_product(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(default_contract_length=24)
    tenant.refresh_from_db()
    for name, aliases in (("Yoga", ""), ("Other", "yoga")):
        product = ProductFactory(sku=f"P-{name}", name=name, aliases=aliases)
        VariantFactory(product=product, sku=f"{name}-A", prices={12: "10.00"})
        VariantFactory(product=product, sku=f"{name}-B", prices={24: "10.00"})
    [match] = matches(tenant, "yoga")
    assert told(match) == ["Yoga-B", "Yoga-A", "Other-B", "Other-A"]
    [match] = matches(tenant, "Yoga-A")
    assert told(match)[0] == "Yoga-A"


@pytest.mark.parametrize("text", ["yoga\nyoga x5 24", "yoga x5 24\nyoga", "yoga; yoga x5 /24"])
def test_what_the_typed_length_has_stands_further_down(tenant: Tenant, text: str) -> None:
    product = ProductFactory(sku="YOGA", name="Yoga Book")
    for n in range(9):
        VariantFactory(product=product, sku=f"YOGA-{n}", prices={12: "10.00"})
    VariantFactory(product=product, sku="YOGA-Z", prices={24: "10.00"})
    timed = [told(match) for match in matches(tenant, text) if "24" in match.part.text]
    assert timed == [["5 × YOGA-Z @ 24"]]


def test_both_readings_have_their_share_of_the_options(tenant: Tenant) -> None:
    for number in range(5):
        VariantFactory(
            product=ProductFactory(sku=f"I-{number}", name=f"iPad 12 {number}"), sku=f"I12-{number}"
        )
    [match] = matches(tenant, "3 ipad 12", limit=4)
    assert told(match) == ["3 × I12-0", "3 × I12-1", "3 × IPAD-AIR @ 12", "3 × I12-0 @ 12"]


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("MBP-16; x", "MBP-16"),
        ("mbp 16; x", "MBP-16"),
        ("5 MBP-16 24; x", "MBP-16"),
        ("latitude; x", "LAT-5440"),
        ("latitude 5440; x", "LAT-5440"),
        ("macbook; x", None),
        ("3 ipad 12; x", None),
        ("latitde; x", None),
        ("phone; x", None),
        ("nothing; x", None),
    ],
)
def test_one_of_several_parts_is_certain(tenant: Tenant, text: str, certain: str | None) -> None:
    option = matches(tenant, text)[0].certain
    assert (option.found.sku if option else None) == certain


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("mbp16", 1),
        ("5 mbp16 24", 1),
        ("mbp16 36", 2),
        ("macbok", 2),
        ("5 nothing 24", 3),
        ("mbp16; 3 ipad 12", 2),
        ("MBP-16; IPAD-PRO", 1),
        ("mbp16; macbok; nothing; 5 nothing else; ipad", 4),
        ("; ", 0),
    ],
)
def test_match_takes_few_queries_however_many_parts(
    tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries, text: str, queries: int
) -> None:
    with django_assert_num_queries(queries):
        matches(tenant, text)


def test_match_stays_in_the_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    VariantFactory(tenant=other_tenant, sku="THEIRS-1")
    assert [match.options for match in matches(tenant, "THEIRS-1; 2 theirs 24")] == [[], []]


def options(client: Client, text: str) -> str:
    response = client.get("/catalog/search/", {"q": text})
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_search_page_says_quantity_months_and_price(rep_client: Client) -> None:
    html = options(rep_client, "5 latitude 24")
    assert 'data-sku="LAT-5440" data-quantity="5" data-length="24"' in html
    assert "24 months · <strong>€125.00</strong> per month" in html
    assert "5 ×" in html


def test_search_page_names_a_length_that_is_not_offered(rep_client: Client) -> None:
    html = options(rep_client, "5 latitude 25 months")
    assert 'data-sku="LAT-5440" data-quantity="5" data-length="25"' in html
    assert "Not for 25 months" in html


def test_search_page_without_quantity_shows_every_price(rep_client: Client) -> None:
    html = options(rep_client, "latitude")
    assert "data-quantity" not in html
    assert "data-length" not in html
    assert "€30.00" in html
    assert "1 match " in html


def test_search_page_previews_several_parts(rep_client: Client) -> None:
    html = options(rep_client, "2 latitude 24; macbook; nothing")
    assert html.count('role="option"') == 1
    assert 'data-q="2 latitude 24; macbook; nothing"' in html
    assert "Add 2 lines" in html
    assert "24 months · €50.00 per month" in html
    assert "To be chosen, such as MacBook Air 13″" in html
    assert "Matches nothing" in html


def test_search_page_previews_nothing_that_cannot_be_added(rep_client: Client) -> None:
    html = options(rep_client, "nothing; phone")
    assert "<li" not in html
    assert "Nothing matches “nothing; phone”." in html


def test_search_page_counts_the_parts_that_it_does_not_preview(rep_client: Client) -> None:
    html = options(rep_client, ";".join(["latitude"] * 14))
    assert "Add 14 lines" in html
    assert "and 2 more" in html


def test_search_page_says_nothing_about_an_empty_field(rep_client: Client) -> None:
    """The sentence about what was just added stays."""
    assert options(rep_client, "") == ""


@pytest.mark.parametrize("text", ["", ";", "\t", "\0", "x" * 10_000, "z " * 5000, ";" * 10_000])
def test_search_page_answers_anything(rep_client: Client, text: str) -> None:
    assert "<li" not in options(rep_client, text)
