"""Makes the rows of a product that is sent, unsaved, and says what is wrong with it.

Pure functions: `catalog.services` finds the rows that there are, and saves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
NEEDED = {
    "sku": "productSku",
    "name": "name",
    "specification": "specification",
    "category": "category",
    "brand": "brand",
}
"""What a product cannot be added without, and what the contract calls it."""
NEEDED_OF_VARIANT = {"name": "variantName"}


@dataclass(slots=True)
class Target:
    """A product that is sent, and its row: a new one, or one that is locked.

    `path` stands before the paths of what is wrong with it. `variants` are the rows of those that
    are sent, in that order, and whether each is new.
    """

    path: str
    sent: ProductInput | ProductUpdate
    product: Product
    variants: list[tuple[Variant, bool]] = field(default_factory=list)
    is_new: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_new = self.product.pk is None

    @property
    def status(self) -> str:
        """What it is going to be."""
        wanted = self.sent.status if isinstance(self.sent, ProductUpdate) else None
        return wanted or self.product.status


def price_problem(amount: Decimal, currency: str) -> str | None:
    """What is wrong with an amount of money as a catalogue price, in words."""
    if not 0 <= amount <= MAX_UNIT_PRICE:
        return f"Enter an amount from 0 to {MAX_UNIT_PRICE}."
    if not fits_currency(amount, currency):
        return f"{currency} has no amounts as fine as this."
    return None


class Builder:
    """Sets on the rows of a tenant what is sent for them, and collects all that is wrong with it.

    `taken` are the variants that have an SKU or an id that is sent, whatever product they are of.
    `products` and `variants` are then the rows to be saved, with the columns that change.
    """

    def __init__(self, tenant: Tenant, taken: Sequence[Variant]) -> None:
        self.tenant = tenant
        self.by_sku = {variant.sku: variant for variant in taken}
        self.by_id = {variant.public_id: variant for variant in taken}
        self.seen: set[str] = set()
        self.products: list[tuple[Product, set[str]]] = []
        self.variants: list[tuple[Variant, set[str]]] = []
        self.problems: list[Detail] = []

    def build(self, target: Target) -> None:
        product = target.product
        columns = _apply(product, target.sent, PRODUCT_FIELDS)
        if columns or target.is_new:
            self.products.append((product, columns))
        if target.is_new:
            self._need(target.path, product, NEEDED)
        for number, sent in enumerate(target.sent.variants):
            path = f"{target.path}variants.{number}."
            row = self._row(path, product, sent)
            is_new = row.pk is None
            if is_new and target.status == Product.Status.DISCONTINUED:
                row.status = Variant.Status.INACTIVE
            columns = _apply(row, sent, VARIANT_FIELDS)
            if columns or is_new:
                self.variants.append((row, columns))
            if is_new:
                self._need(path, row, NEEDED_OF_VARIANT)
            target.variants.append((row, is_new))
            self._check_amounts(path, sent)

    def _row(self, path: str, product: Product, sent: VariantUpdate) -> Variant:
        """The variant that is meant, or a new one."""
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
        return Variant(tenant=self.tenant, product=product)

    def _need(self, path: str, row: Product | Variant, needed: Mapping[str, str]) -> None:
        for column, name in needed.items():
            if not getattr(row, column):
                self._refuse(path + name, VALIDATION_ERROR, "This field is required.")

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
        discount = tier.discount
        if discount is None:
            return
        if discount.type == Price.DiscountType.FIXED:
            self._check_amount(f"{path}discount.value", discount.value)
        elif problem := percentage_problem(discount.value):
            self._refuse(f"{path}discount.value", INVALID_PRICING, problem)

    def _check_amount(self, path: str, amount: Decimal | None) -> None:
        if amount is not None and (problem := price_problem(amount, self.tenant.currency)):
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


def percentage_problem(percentage: Decimal) -> str | None:
    if 0 <= percentage <= 100 and percentage == percentage.quantize(FINEST):
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
