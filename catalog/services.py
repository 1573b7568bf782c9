"""The only place that changes prices and what can be ordered. Each function is one transaction."""

from decimal import Decimal

from django.db import transaction

from catalog.models import Price, PriceChange, Product, Variant
from portal.errors import Conflict, DomainError
from portal.models import MAX_CONTRACT_LENGTH, Tenant
from portal.money import MAX_UNIT_PRICE, fits_currency
from portal.permissions import Actor

INVALID_PRICING = "INVALID_PRICING"
VARIANT_IN_USE = "VARIANT_IN_USE"
PRODUCT_HAS_ACTIVE_ORDERS = "PRODUCT_HAS_ACTIVE_ORDERS"
OPEN_ORDER_STATUSES = ("pending", "confirmed", "partial")


def price_problem(amount: Decimal, currency: str) -> str | None:
    """What is wrong with an amount of money as a catalogue price, in words."""
    if not 0 <= amount <= MAX_UNIT_PRICE:
        return f"Enter an amount from 0 to {MAX_UNIT_PRICE}."
    if not fits_currency(amount, currency):
        return f"{currency} has no amounts as fine as this."
    return None


@transaction.atomic
def set_price(
    *,
    tenant: Tenant,
    actor: Actor,
    variant: Variant,
    contract_length: int,
    monthly_price: Decimal,
    setup_fee: Decimal | None = None,
    discount_type: str = "",
    discount_value: Decimal | None = None,
    source: Price.Source = Price.Source.MANUAL,
) -> Price:
    """Sets what one device costs per month at a contract length (months), new orders only.

    Who changed the price, from what to what, is kept. Raises PermissionRefused, or DomainError
    `INVALID_PRICING` at `monthlyPrice` or `contractLength`.
    """
    actor.require("catalog.change_price", "You may not change prices.")
    if not 1 <= contract_length <= MAX_CONTRACT_LENGTH:
        message = f"Enter 1 to {MAX_CONTRACT_LENGTH} months."
        raise DomainError.at("contractLength", INVALID_PRICING, message)
    if problem := price_problem(monthly_price, tenant.currency):
        raise DomainError.at("monthlyPrice", INVALID_PRICING, problem)
    variant = _locked(tenant, variant)
    price = variant.prices.filter(contract_length=contract_length).first()
    old = price.monthly_price if price else None
    price = price or Price(tenant=tenant, variant=variant, contract_length=contract_length)
    price.monthly_price = monthly_price
    price.setup_fee = setup_fee
    price.discount_type, price.discount_value = discount_type, discount_value
    price.source = source
    price.save()
    _record(variant, actor, contract_length, old, monthly_price)
    return price


@transaction.atomic
def remove_price(*, tenant: Tenant, actor: Actor, variant: Variant, contract_length: int) -> None:
    """Stops offering a variant at a contract length; orders that exist keep their price."""
    actor.require("catalog.delete_price", "You may not remove prices.")
    variant = _locked(tenant, variant)
    price = variant.prices.filter(contract_length=contract_length).first()
    if price is not None:
        price.delete()
        _record(variant, actor, contract_length, price.monthly_price, None)


@transaction.atomic
def set_variant_status(
    *, tenant: Tenant, actor: Actor, variant: Variant, status: Variant.Status
) -> Variant:
    """Lets a variant be ordered, or no longer.

    Raises Conflict `VARIANT_IN_USE` while an open order needs it, and PermissionRefused.
    """
    actor.require("catalog.change_variant", "You may not change variants.")
    if status == Variant.Status.INACTIVE:
        require_unused_variant(tenant=tenant, variant=variant)
    variant.status = status
    variant.save(update_fields=["status", "updated_at"])
    return variant


@transaction.atomic
def set_product_status(
    *, tenant: Tenant, actor: Actor, product: Product, status: Product.Status
) -> Product:
    """Discontinues a product with all its variants, or revives it, without its variants.

    Raises Conflict `PRODUCT_HAS_ACTIVE_ORDERS` while an open order needs one of its variants,
    and PermissionRefused.
    """
    actor.require("catalog.change_product", "You may not change products.")
    if status == Product.Status.DISCONTINUED:
        require_unused_product(tenant=tenant, product=product)
        for variant in product.variants.filter(status=Variant.Status.ACTIVE):
            variant.status = Variant.Status.INACTIVE
            variant.save(update_fields=["status", "updated_at"])
    product.status = status
    product.save(update_fields=["status", "updated_at"])
    return product


def require_unused_variant(*, tenant: Tenant, variant: Variant) -> None:
    """Raises Conflict `VARIANT_IN_USE` if an open order needs the variant.

    Inside a transaction: the row stays locked, so that no order can take it up meanwhile.
    """
    if ids := _open_orders(_lock(tenant, pk=variant.pk)):
        message = f"{variant.sku} is needed by open orders: {ids}."
        raise Conflict.at("status", VARIANT_IN_USE, message)


def require_unused_product(*, tenant: Tenant, product: Product) -> None:
    """Raises Conflict `PRODUCT_HAS_ACTIVE_ORDERS` if an open order needs one of its variants.

    Inside a transaction, like `require_unused_variant`.
    """
    if ids := _open_orders(_lock(tenant, product=product.pk)):
        message = f"{product.name} is needed by open orders: {ids}."
        raise Conflict.at("status", PRODUCT_HAS_ACTIVE_ORDERS, message)


def _locked(tenant: Tenant, variant: Variant) -> Variant:
    return Variant.objects.select_for_update().get(tenant=tenant, pk=variant.pk)


def _lock(tenant: Tenant, **which: int) -> list[int]:
    rows = Variant.objects.select_for_update().filter(tenant=tenant, **which).order_by("pk")
    return [row.pk for row in rows]


def _open_orders(variants: list[int]) -> str:
    """The first open orders of these variants, to be named; empty if there are none."""
    found = Variant.objects.filter(
        pk__in=variants, order_items__order__status__in=OPEN_ORDER_STATUSES
    )
    ids = found.order_by().values_list("order_items__order__public_id", flat=True).distinct()[:4]
    first = [str(order_id) for order_id in ids]
    return ", ".join(first[:3]) + (" and more" if len(first) > 3 else "")


def _record(
    variant: Variant,
    actor: Actor,
    contract_length: int,
    old_price: Decimal | None,
    new_price: Decimal | None,
) -> None:
    if old_price != new_price:
        PriceChange.objects.create(
            tenant=variant.tenant,
            variant=variant,
            contract_length=contract_length,
            old_price=old_price,
            new_price=new_price,
            actor_ref=actor.ref,
            actor=actor.label,
        )
