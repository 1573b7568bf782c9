from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import ProtectedError

from catalog.models import PriceChange, Product, Variant
from portal.models import Tenant
from tests.factories import PriceFactory, ProductFactory, VariantFactory, make_order


@pytest.fixture
def variant(tenant: Tenant) -> Variant:
    product = ProductFactory(
        sku="MBP",
        name="MacBook Pro 16",
        brand="Apple",
        category="Laptops",
        specification="Ünïcode M3",
    )
    return VariantFactory(product=product, sku="MBP-1", name="Silver", color="Zilver", grade="B")


def search_text() -> str:
    text: str = Variant.objects.values_list("search_text", flat=True).get()
    return text


def test_search_text_has_what_a_rep_may_remember(variant: Variant) -> None:
    assert search_text() == (
        "mbp-1 apple macbook pro 16 silver zilver grade b laptops unicode m3 mbp"
    )


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("product", c) for c in ("sku", "name", "brand", "category", "specification", "aliases")),
        *(("variant", c) for c in ("sku", "name", "color", "grade")),
    ],
)
def test_search_text_follows_product_and_variant(variant: Variant, table: str, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE catalog_{table} SET {column} = 'RÉNAMED'")  # noqa: S608
    assert "renamed" in search_text()


def test_search_text_follows_the_product_it_moves_to(variant: Variant) -> None:
    variant.product = ProductFactory(name="Moved")
    variant.save()
    assert "moved" in search_text()


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("MacBook Pro 16″", "mbp16"),
        ("iPad Pro 12.9", "ipp129"),
        ("ThinkPad X1 Carbon", "tpx1c"),
        ("Galaxy Tab Active5", "gta5"),
        ("iPhone SE (3rd generation)", "ipse3rdg"),
        ("Élan Écran 5", "ee5"),
        ("XPS 13", "xps13"),
        ("″", ""),
    ],
)
def test_initials_are_first_letters_of_words_and_humps_and_every_number(
    variant: Variant, name: str, initials: str
) -> None:
    Product.objects.update(name=name)
    assert Variant.objects.values_list("initials", flat=True).get() == initials


def test_initials_cannot_be_written(variant: Variant) -> None:
    Variant.objects.update(initials="anything")
    assert Variant.objects.values_list("initials", flat=True).get() == "mbp16"


def test_search_text_cannot_be_written(variant: Variant) -> None:
    Variant.objects.update(search_text="anything")
    assert search_text().startswith("mbp-1 apple")


def test_product_that_stays_as_it_is_touches_no_variant(variant: Variant) -> None:
    def row_version() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid FROM catalog_variant")
            return str(cursor.fetchone())

    before = row_version()
    Product.objects.update(name="MacBook Pro 16", status="discontinued")
    assert row_version() == before


@pytest.mark.parametrize(
    ("status", "product_status", "orderable"),
    [
        ("active", "active", True),
        ("inactive", "active", False),
        ("active", "discontinued", False),
    ],
)
def test_variant_is_orderable_while_it_and_its_product_are_offered(
    tenant: Tenant, status: str, product_status: str, orderable: bool
) -> None:
    variant = VariantFactory(status=status, product__status=product_status)
    assert variant.is_orderable is orderable


@pytest.mark.parametrize("value", ["-0.01", "10000000", "1.0001"])
@pytest.mark.parametrize("field", ["monthly_price", "setup_fee", "discount_value"])
def test_price_out_of_range_is_refused(tenant: Tenant, field: str, value: str) -> None:
    price = PriceFactory()
    setattr(price, field, Decimal(value))
    with pytest.raises(ValidationError) as refused:
        price.clean_fields()
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize("months", [0, 121])
def test_contract_length_out_of_range_is_refused(tenant: Tenant, months: int) -> None:
    with pytest.raises(ValidationError) as refused:
        PriceFactory.build(tenant=tenant, variant=None, contract_length=months).clean_fields(
            exclude=["variant"]
        )
    assert list(refused.value.message_dict) == ["contract_length"]


def test_what_was_ordered_cannot_be_deleted(tenant: Tenant) -> None:
    variant = VariantFactory(prices={24: 25})
    make_order(variant.sku)
    variant.prices.all().delete()
    with pytest.raises(ProtectedError):
        variant.delete()


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (Product(name="MacBook Pro"), "MacBook Pro"),
        (Variant(sku="MBP-1"), "MBP-1"),
        (PriceFactory.build(tenant=None, variant=None), "24 months"),
        (PriceChange(contract_length=24, old_price=1, new_price=2), "24 months: 1 → 2"),
    ],
)
def test_row_has_a_name(row: Any, text: str) -> None:
    assert str(row) == text
