"""Finding products and variants over the API: one, or a page of those that match."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from catalog.building import PRICE_FIELDS
from catalog.models import Price, Product, ProductQuerySet, Variant
from portal.errors import NotFound
from portal.listing import ListQuery, Rows, limit
from portal.models import Tenant
from portal.permissions import Actor
from portal.shapes import Omissible

MOST_VARIANTS = 5_000
"""Variants of a page, and how many there are on one unless told."""

Tiers = defaultdict[int, list[dict[str, Any]]]
"""Prices, column by column, of each variant."""
_TIER = ("variant_id", "contract_length", *PRICE_FIELDS)
Limit: Any = limit(MOST_VARIANTS, MOST_VARIANTS)


class ProductsQuery(ListQuery):
    status: Annotated[
        Annotated[Product.Status, Field(strict=False)] | None,
        Omissible(),
        WithJsonSchema({"type": "string", "x-values": Product.Status.values}),
        Field(description="Only products that are `active` or `discontinued`."),
    ] = None
    category: Annotated[str, Field(description="Only products of this category.")] = ""
    brand: Annotated[str, Field(description="Only products of this brand.")] = ""


class VariantsQuery(ListQuery):
    limit: Limit = MOST_VARIANTS
    status: Annotated[
        Annotated[Variant.Status, Field(strict=False)] | None,
        Omissible(),
        WithJsonSchema({"type": "string", "x-values": Variant.Status.values}),
        Field(description="Only variants that are `active` or `inactive`."),
    ] = None
    product_sku: Annotated[str, Field(description="Only variants of this product.")] = ""
    grade: Annotated[str, Field(description="Only variants of this grade.")] = ""
    sku: Annotated[str, Field(description="Only the variant of this SKU.")] = ""
    category: Annotated[str, Field(description="Only variants of products of it.")] = ""
    brand: Annotated[str, Field(description="Only variants of products of it.")] = ""


def page_of_products(*, tenant: Tenant, actor: Actor, query: ProductsQuery) -> Rows[Product]:
    """A page of the products that match all that is asked, newest first, with `variant_count`.

    Raises PermissionRefused, or ValidationFailed at `startAfter`. Contract: List Products.
    """
    actor.require("catalog.view_product", "You may not see products.")
    asked = {"status": query.status, "category": query.category, "brand": query.brand}
    found: ProductQuerySet = Product.objects.filter(tenant=tenant, **_asked(asked))
    return Rows(found.with_variant_count(), query)


def page_of_variants(
    *, tenant: Tenant, actor: Actor, query: VariantsQuery
) -> tuple[Rows[Variant], Tiers]:
    """A page of the variants that match all that is asked, newest first, and their prices.

    Raises PermissionRefused, or ValidationFailed at `startAfter`. Contract: List Variants.
    """
    actor.require("catalog.view_variant", "You may not see variants.")
    asked = {
        "status": query.status,
        "grade": query.grade,
        "sku": query.sku,
        "product__sku": query.product_sku,
        "product__category": query.category,
        "product__brand": query.brand,
    }
    found = Variant.objects.filter(tenant=tenant, **_asked(asked))
    page = Rows(found.select_related("product"), query)
    return page, _tiers(tenant, page.rows)


def find_product(
    *, tenant: Tenant, actor: Actor, product_id: str
) -> tuple[Product, list[Variant], Tiers]:
    """The product of this id, its variants by SKU, and their prices.

    Raises PermissionRefused, NotFound. Contract: Get Product.
    """
    actor.require("catalog.view_product", "You may not see products.")
    product = Product.objects.filter(tenant=tenant, public_id=product_id).first()
    if product is None:
        raise NotFound("There is no such product.")
    variants = list(Variant.objects.filter(product=product).order_by("sku"))
    for variant in variants:
        variant.product = product
    return product, variants, _tiers(tenant, variants)


def _tiers(tenant: Tenant, variants: Iterable[Variant]) -> Tiers:
    """The prices of the variants, by contract length: values, of which a page has 60,000."""
    tiers: Tiers = defaultdict(list)
    rows = Price.objects.filter(tenant=tenant, variant__in=[variant.pk for variant in variants])
    for row in rows.order_by("variant_id", "contract_length").values(*_TIER):
        tiers[row["variant_id"]].append(row)
    return tiers


def _asked(filters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value}
