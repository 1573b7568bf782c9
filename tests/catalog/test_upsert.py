"""A product that is sent, with its variants and prices: what becomes of it, and what refuses it."""

from decimal import Decimal
from typing import Any

from catalog.models import Price, PriceChange, Product, Variant
from catalog.schemas import ProductInput
from catalog.services import Upserted, upsert_product
from portal.models import Tenant
from portal.shapes import read
from tests.factories import (
    SYSTEM,
    open_tenant,
    product_body,
    variant_body,
)


def upsert(body: dict[str, Any], **options: Any) -> Upserted:
    product = read(ProductInput, body)
    return upsert_product(tenant=open_tenant(), actor=SYSTEM, product=product, **options)


def outcome(upserted: Upserted) -> tuple[bool, list[tuple[str, bool]]]:
    return upserted.created, [(variant.sku, new) for variant, new in upserted.variants]


def prices(sku: str) -> dict[int, Decimal]:
    rows = Price.objects.filter(variant__sku=sku)
    return dict(rows.values_list("contract_length", "monthly_price"))


def changes() -> list[tuple[str, int, Decimal | None, Decimal | None]]:
    rows = PriceChange.objects.order_by("id")
    return list(rows.values_list("variant__sku", "contract_length", "old_price", "new_price"))


def test_unknown_product_is_added_with_its_variants_and_prices(tenant: Tenant) -> None:
    made = upsert(product_body("MAC", variant_body("MAC-1", {12: 30, 24: 25})))
    assert outcome(made) == (True, [("MAC-1", True)])
    product = Product.objects.get()
    assert (product.sku, product.name, product.status) == ("MAC", "MacBook Pro 16", "active")
    variant = Variant.objects.get()
    assert (variant.sku, variant.name, variant.product) == ("MAC-1", "Silver", product)
    assert variant.search_text == "mac-1 apple macbook pro 16 silver  grade a laptops m3 pro mac"
    assert prices("MAC-1") == {12: 30, 24: 25}
    assert changes() == [("MAC-1", 12, None, 30), ("MAC-1", 24, None, 25)]


def test_known_product_is_changed_and_what_is_not_listed_stays(tenant: Tenant) -> None:
    upsert(product_body("MAC", variant_body("MAC-1", {24: 25}), variant_body("MAC-2", {24: 26})))
    again = upsert(
        product_body(
            "MAC",
            variant_body("MAC-2", {12: 31, 24: 26}, variantName="Black"),
            variant_body("MAC-3", {24: 9}),
            name="MacBook",
        )
    )
    assert outcome(again) == (False, [("MAC-2", False), ("MAC-3", True)])
    assert [product.name for product in Product.objects.all()] == ["MacBook"]
    assert [(v.sku, v.name) for v in Variant.objects.order_by("sku")] == [
        ("MAC-1", "Silver"),
        ("MAC-2", "Black"),
        ("MAC-3", "Silver"),
    ]
    assert prices("MAC-1") == {24: 25}
    assert changes()[2:] == [("MAC-2", 12, None, 31), ("MAC-3", 24, None, 9)]
