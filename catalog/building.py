"""Makes the rows of a product that is sent, unsaved, and says what is wrong with it.

Pure functions: `catalog.services` finds the rows that there are, and saves.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from catalog.models import Price, Product, Variant
from catalog.schemas import (
    PricingTierInput,
    ProductInput,
    ProductUpdate,
    VariantUpdate,
)
from portal.errors import Detail
from portal.models import MAX_CONTRACT_LENGTH, Tenant
from portal.money import DECIMAL_PLACES, MAX_UNIT_PRICE, fits_currency
from portal.shapes import ContractModel

VALIDATION_ERROR = "VALIDATION_ERROR"
INVALID_PRICING = "INVALID_PRICING"
DUPLICATE_SKU = "DUPLICATE_SKU"
FINEST = Decimal(1).scaleb(-DECIMAL_PLACES)
"""The last decimal that is kept of a percentage."""

PRODUCT_FIELDS = {
    "product_sku": "sku",
    "name": "name",
    "specification": "specification",
    "category": "category",
    "brand": "brand",
    "description": "description",
    "images": "images",
}
"""The columns of a product by what the contract calls them, in Python's spelling."""
VARIANT_FIELDS = {
    "variant_sku": "sku",
    "variant_name": "name",
    "grade": "grade",
    "condition": "condition",
    "color_name": "color",
    "images": "images",
    "list_price": "list_price",
    "acquisition_cost": "acquisition_cost",
}
PRICE_FIELDS = (
    *("monthly_price", "setup_fee", "discount_type", "discount_value", "discount_description"),
    *("source", "calculated_at", "preset_used"),
)


def price_problem(amount: Decimal, currency: str) -> str | None:
    """What is wrong with an amount of money as a catalogue price, in words."""
    if not 0 <= amount <= MAX_UNIT_PRICE:
        return f"Enter an amount from 0 to {MAX_UNIT_PRICE:,}."
    if not fits_currency(amount, currency):
        return f"{currency} has no amounts as fine as this."
    return None


class Builder:
    """Sets on a product and its variants what is sent for them, and collects all that is wrong.

    The product is a new row or one that is locked; `taken` are the variants that have an SKU or an
    id that is sent, whatever product they are of. `product_columns` and `changed` are then what has
    to be saved, with the columns that change; `variants` are the rows of those that are sent, in
    that order, and whether each is new.
    """

    def __init__(
        self, product: Product, sent: ProductInput | ProductUpdate, taken: Sequence[Variant]
    ) -> None:
        self.product, self.sent = product, sent
        self.by_sku = {variant.sku: variant for variant in taken}
        self.by_id = {variant.public_id: variant for variant in taken}
        self.seen: set[str] = set()
        self.product_columns = _apply(product, sent, PRODUCT_FIELDS)
        self.variants: list[tuple[Variant, bool]] = []
        self.changed: list[tuple[Variant, set[str]]] = []
        self.problems: list[Detail] = []
        for number, variant in enumerate(sent.variants):
            self._build(f"variants.{number}.", variant)

    def _build(self, path: str, sent: VariantUpdate) -> None:
        row = self._row(path, sent)
        is_new = row.pk is None
        columns = _apply(row, sent, VARIANT_FIELDS)
        if columns or is_new:
            self.changed.append((row, columns))
        if is_new and not row.name:
            self._refuse(f"{path}variantName", VALIDATION_ERROR, "This field is required.")
        self.variants.append((row, is_new))
        self._check_amounts(path, sent)

    def _row(self, path: str, sent: VariantUpdate) -> Variant:
        """The variant that is meant, or a new one: inactive, as all of a discontinued product."""
        product = self.product
        owner = self.by_sku.get(sent.variant_sku)
        known = self.by_id.get(sent.variant_id) if sent.variant_id else owner
        if sent.variant_id and (known is None or known.product_id != product.pk):
            message = "This product has no such variant."
            self._refuse(f"{path}variantId", VALIDATION_ERROR, message)
        elif owner is not None and owner.product_id != product.pk:
            self._refuse(f"{path}variantSku", DUPLICATE_SKU, of_another_product(owner))
        elif owner not in (None, known):
            message = f"“{sent.variant_sku}” is the SKU of another variant of this product."
            self._refuse(f"{path}variantSku", DUPLICATE_SKU, message)
        elif self.seen & {sent.variant_sku, known and known.public_id}:
            message = f"“{sent.variant_sku}” is listed twice."
            self._refuse(f"{path}variantSku", DUPLICATE_SKU, message)
        elif known is not None:
            self.seen |= {sent.variant_sku, known.public_id}
            return known
        self.seen.add(sent.variant_sku)
        status = self.sent.status if isinstance(self.sent, ProductUpdate) else None
        gone = (status or product.status) == Product.Status.DISCONTINUED
        of_product = Variant.Status.INACTIVE if gone else Variant.Status.ACTIVE
        return Variant(tenant=product.tenant, product=product, status=of_product)

    def _check_amounts(self, path: str, sent: VariantUpdate) -> None:
        self._check_amount(f"{path}listPrice", sent.list_price)
        self._check_amount(f"{path}acquisitionCost", sent.acquisition_cost)
        lengths: set[int] = set()
        for number, tier in enumerate(sent.pricing):
            self._check_tier(f"{path}pricing.{number}.", tier)
            if tier.contract_length in lengths:
                message = f"There is a price for {tier.contract_length} months already."
                self._refuse(f"{path}pricing.{number}.contractLength", INVALID_PRICING, message)
            lengths.add(tier.contract_length)

    def _check_tier(self, path: str, tier: PricingTierInput) -> None:
        if problem := length_problem(tier.contract_length):
            self._refuse(f"{path}contractLength", INVALID_PRICING, problem)
        self._check_amount(f"{path}monthlyPrice", tier.monthly_price)
        self._check_amount(f"{path}setupFee", tier.setup_fee)
        if (discount := tier.discount) is None:
            return
        currency = self.product.tenant.currency
        if problem := discount_problem(discount.type, discount.value, currency):
            self._refuse(f"{path}discount.value", INVALID_PRICING, problem)

    def _check_amount(self, path: str, amount: Decimal | None) -> None:
        if amount is not None and (problem := price_problem(amount, self.product.tenant.currency)):
            self._refuse(path, INVALID_PRICING, problem)

    def _refuse(self, path: str, code: str, message: str) -> None:
        self.problems.append(Detail(path, code, message))


def of_another_product(owner: Variant) -> str:
    """Why no other product can have a variant of this SKU."""
    return f"“{owner.sku}” is a variant of the product “{owner.product.sku}”."


def length_problem(months: int) -> str | None:
    if 1 <= months <= MAX_CONTRACT_LENGTH:
        return None
    return f"Enter 1 to {MAX_CONTRACT_LENGTH} months."


def discount_problem(kind: str, value: Decimal, currency: str) -> str | None:
    """Why no price has such a discount: an amount per month, or a percentage."""
    if kind == Price.DiscountType.FIXED:
        return price_problem(value, currency)
    if 0 <= value <= 100 and value == value.quantize(FINEST):
        return None
    return f"Enter a percentage from 0 to 100, with {DECIMAL_PLACES} decimals at most."


def _apply(row: Product | Variant, sent: ContractModel, fields: Mapping[str, str]) -> set[str]:
    """Sets what is sent; returns the columns that change by it."""
    changed = set()
    for name, column in fields.items():
        if name in sent.model_fields_set and getattr(row, column) != getattr(sent, name):
            setattr(row, column, getattr(sent, name))
            changed.add(column)
    return changed


def build_price(tenant: Tenant, variant: Variant, tier: PricingTierInput) -> Price:
    """The price of a variant that has been saved."""
    discount = tier.discount
    return Price(
        tenant=tenant,
        variant=variant,
        contract_length=tier.contract_length,
        monthly_price=tier.monthly_price,
        setup_fee=tier.setup_fee,
        discount_type=discount.type if discount else "",
        discount_value=discount.value if discount else None,
        discount_description=discount.description if discount else "",
        source=tier.source,
        calculated_at=tier.calculated_at,
        preset_used=tier.preset_used,
    )


def is_same_price(old: Price | None, new: Price) -> bool:
    return old is not None and all(getattr(old, c) == getattr(new, c) for c in PRICE_FIELDS)
