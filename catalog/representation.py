"""Products and variants as the API shows them (contract: Products).

The typed dicts describe them for the OpenAPI document; the functions make them from rows that are
loaded, and ask for nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from catalog.models import Price, Product, Variant
from catalog.services import Upserted
from portal.models import Tenant
from portal.money import round_money
from portal.shown import Count, Cursor, Number, Success, given, moment


class Discount(TypedDict):
    type: Price.DiscountType
    value: Number
    description: NotRequired[str]


class PricingTier(TypedDict):
    """Per device and month, in the tenant's currency. `contractLength` in months."""

    contractLength: Count
    monthlyPrice: Number
    setupFee: NotRequired[Number]
    discount: NotRequired[Discount]
    source: NotRequired[Price.Source]
    calculatedAt: NotRequired[str]
    presetUsed: NotRequired[str]


class VariantBody(TypedDict):
    """What an SKU names. Costs are shown to keys with `costs:read`."""

    variantId: str
    tenantId: str
    productId: str
    productSku: str
    variantSku: str
    variantName: str
    grade: str
    condition: NotRequired[str]
    colorName: NotRequired[str]
    images: NotRequired[list[str]]
    listPrice: NotRequired[Number]
    acquisitionCost: NotRequired[Number]
    pricing: list[PricingTier]
    status: Variant.Status
    createdAt: str
    updatedAt: str


class ProductSync(TypedDict):
    """Of products that come from a shop; ours do not, and have none."""

    source: Literal["manual", "shopify", "woocommerce"]
    externalId: NotRequired[str]
    lastSyncedAt: NotRequired[str]
    syncStatus: NotRequired[Literal["synced", "pending", "error"]]
    syncError: NotRequired[str]
    readOnlyFields: NotRequired[list[str]]


class ProductBody(TypedDict):
    """A product. Lists leave the variants out and say how many there are."""

    productId: str
    tenantId: str
    productSku: str
    name: str
    specification: str
    category: str
    brand: str
    description: NotRequired[str]
    images: NotRequired[list[str]]
    status: Product.Status
    _sync: NotRequired[ProductSync]
    variants: NotRequired[list[VariantBody]]
    variantCount: NotRequired[Annotated[int, Field(json_schema_extra={"x-additive": True})]]
    createdAt: str
    updatedAt: str


class ProductList(TypedDict):
    products: list[ProductBody]
    count: Count
    limit: Count
    hasMore: bool
    nextCursor: Cursor


class VariantList(TypedDict):
    variants: list[VariantBody]
    count: Count
    limit: Count
    hasMore: bool
    nextCursor: Cursor


class VariantResult(TypedDict):
    variantSku: str
    operation: Literal["create", "update"]


class ProductUpsertResponse(TypedDict):
    success: Success
    message: str
    productId: str
    productSku: str
    operation: Literal["created", "updated"]
    variantResults: list[VariantResult]


class ProductDeleteResponse(TypedDict):
    success: Success
    message: str
    productId: str
    productSku: str


class Ack(TypedDict):
    success: Success
    message: str


def product_body(product: Product, tenant: Tenant, **more: Any) -> dict[str, Any]:
    """The contract's product object; `more` are its variants, or how many there are."""
    return {
        "productId": product.public_id,
        "tenantId": tenant.slug,
        "productSku": product.sku,
        "name": product.name,
        "specification": product.specification,
        "category": product.category,
        "brand": product.brand,
        **given(description=product.description, images=product.images),
        "status": product.status,
        **more,
        "createdAt": moment(product.created_at),
        "updatedAt": moment(product.updated_at),
    }


def listed_product_body(product: Any, tenant: Tenant) -> dict[str, Any]:
    """As it stands in a list, with `variant_count` known."""
    return product_body(product, tenant, variantCount=product.variant_count)


def variant_body(
    variant: Variant, tiers: Iterable[Mapping[str, Any]], tenant: Tenant, *, with_costs: bool
) -> dict[str, Any]:
    """The contract's variant object, its amounts with the decimals of the currency.

    Its product is loaded; `tiers` are the columns of each of its prices.
    """
    product, currency = variant.product, tenant.currency
    costs = {"listPrice": variant.list_price, "acquisitionCost": variant.acquisition_cost}
    return {
        "variantId": variant.public_id,
        "tenantId": tenant.slug,
        "productId": product.public_id,
        "productSku": product.sku,
        "variantSku": variant.sku,
        "variantName": variant.name,
        "grade": variant.grade,
        **given(condition=variant.condition, colorName=variant.color, images=variant.images),
        **(_amounts(currency, costs) if with_costs else {}),
        "pricing": [_tier(tier, currency) for tier in tiers],
        "status": variant.status,
        "createdAt": moment(variant.created_at),
        "updatedAt": moment(variant.updated_at),
    }


def upserted_body(upserted: Upserted) -> dict[str, Any]:
    """What the contract answers to a product that was sent."""
    product = upserted.product
    operation = "created" if upserted.created else "updated"
    return {
        "success": True,
        "message": f"Product {operation}.",
        "productId": product.public_id,
        "productSku": product.sku,
        "operation": operation,
        "variantResults": [
            {"variantSku": variant.sku, "operation": "create" if is_new else "update"}
            for variant, is_new in upserted.variants
        ],
    }


def _tier(tier: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {
        "contractLength": tier["contract_length"],
        "monthlyPrice": round_money(tier["monthly_price"], currency),
        **_amounts(currency, {"setupFee": tier["setup_fee"]}),
        **({"discount": _discount(tier, currency)} if tier["discount_type"] else {}),
        "source": tier["source"],
        **given(calculatedAt=tier["calculated_at"], presetUsed=tier["preset_used"]),
    }


def _discount(tier: Mapping[str, Any], currency: str) -> dict[str, Any]:
    kind, value = tier["discount_type"], tier["discount_value"]
    return {
        "type": kind,
        "value": round_money(value, currency) if kind == Price.DiscountType.FIXED else value,
        **given(description=tier["discount_description"]),
    }


def _amounts(currency: str, amounts: Mapping[str, Decimal | None]) -> dict[str, Decimal]:
    return {
        name: round_money(amount, currency)
        for name, amount in amounts.items()
        if amount is not None
    }
