"""The search against its rules, worked out by hand, for what one might type by chance."""

import random
from itertools import product as every

import pytest
from django.utils import timezone

from catalog import refresh as refreshing
from catalog.models import Product, Variant
from catalog.refresh import refresh_search
from portal.models import Tenant
from tests.catalog.by_hand import Catalogue, questions
from tests.catalog.search import search_variants
from tests.factories import ProductFactory

LIMIT = 10
FAMILIES = {
    "Apple": ["MacBook Pro 16", "MacBook Air 13", "iPad Pro 12.9″", "iPhone 15"],
    "Lenovo": ["ThinkPad X1 Carbon", "ThinkPad T14", "Yoga Book 9"],
    "Dell": ["Latitude 5440", "UltraSharp 27″ U2722D"],
    "Café Ünïversal": ["Würfel Ø 24"],
}
SIZES = ["256 GB", "512GB", "512 GB", "1 TB"]
COLORS = ["Space Black", "Silver", "Zilver"]


@pytest.fixture
def catalogue(tenant: Tenant) -> Catalogue:
    """Two hundred variants, one in ten under a part number, some that cannot be ordered."""
    names = [(brand, name) for brand, family in FAMILIES.items() for name in family]
    for number, (brand, name) in enumerate(names):
        made = ProductFactory(
            sku=f"P{number}", name=name, brand=brand, aliases="fleet" if number % 4 == 1 else ""
        )
        forms = enumerate(every(SIZES, COLORS, "AB"))
        Variant.objects.bulk_create(new(made, n, *form) for n, form in forms)
    Product.objects.filter(sku="P6").update(status=Product.Status.DISCONTINUED)
    return Catalogue(tenant)


def new(product: Product, n: int, size: str, color: str, grade: str) -> Variant:
    speaking = f"{product.name}-{size}-{color}-{grade}".upper().replace(" ", "-")
    return Variant(
        tenant=product.tenant,
        product=product,
        sku=f"{n:02}HK{product.sku}{n * 37 % 89}DMH" if n % 10 == 3 else speaking,
        name=f"{size}, {color}",
        color=color,
        grade=grade,
        status=Variant.Status.INACTIVE if n % 7 == 5 else Variant.Status.ACTIVE,
    )


@pytest.mark.parametrize("most_ordered", [0, 40, 4000])
def test_search_finds_what_it_has_to(
    tenant: Tenant, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, most_ordered: int
) -> None:
    """In new catalogues, in large ones with all their tiers, and in small ones with but one."""
    monkeypatch.setattr(refreshing, "MOST_ORDERED", most_ordered)
    monkeypatch.setattr(refreshing, "OFTEN_ORDERED", most_ordered)
    if most_ordered:
        refresh_search(tenant=tenant, now=timezone.now())
    variants = Variant.objects.select_related("product")
    texts = [
        f"{each.sku} {each.product.name} {each.name} {each.product.brand} grade {each.grade}"
        for each in variants.order_by("pk")
    ]
    asked = [*questions(texts, 150, random.Random(1)), *"abcdefg0123456789", "mb", "pro", "ook"]
    problems = {
        text: problem
        for text in asked
        if (problem := catalogue.problem(text, find(tenant, text), LIMIT))
    }
    assert problems == {}


def find(tenant: Tenant, text: str) -> list:
    return search_variants(tenant=tenant, text=text, limit=LIMIT)
