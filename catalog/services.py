"""The only place that changes prices and what can be ordered.

Each function is one transaction, but for those at the end: `catalog.imports` saves by them too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from psycopg.errors import UniqueViolation

from catalog.building import (
    DUPLICATE_SKU,
    INVALID_PRICING,
    PRICE_FIELDS,
    PRODUCT_FIELDS,
    VARIANT_FIELDS,
    Builder,
    build_price,
    discount_problem,
    is_same_price,
    length_problem,
    price_problem,
)
from catalog.models import Price, PriceChange, Product, Variant
from catalog.schemas import ProductInput, ProductUpdate, VariantUpdate
from portal.errors import Conflict, Detail, DomainError, NotFound
from portal.models import Tenant
from portal.permissions import Actor

VARIANT_IN_USE = "VARIANT_IN_USE"
PRODUCT_HAS_ACTIVE_ORDERS = "PRODUCT_HAS_ACTIVE_ORDERS"
OPEN_ORDER_STATUSES = ("pending", "confirmed", "partial")

Row = TypeVar("Row", Product, Variant)
Result = TypeVar("Result")
PriceKey = tuple[int, int]
"""A variant and a contract length in months."""


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of a product that was sent; `variants` are the listed ones, and whether new."""

    product: Product
    created: bool
    variants: Sequence[tuple[Variant, bool]]


def upsert_product(*, tenant: Tenant, actor: Actor, product: ProductInput) -> Upserted:
    """Changes the product of this SKU, or adds it. Contract: Create Product.

    What is not sent stays as it is, as do variants that are not listed; a variant is found by its
    id or else its SKU, or added. The prices of a listed variant are replaced by those sent; orders
    keep what they have. A variant that is added to a discontinued product is inactive.

    Raises PermissionRefused, or DomainError with everything that is wrong: `DUPLICATE_SKU` for
    another product's variant, or one that is listed twice; `INVALID_PRICING` for what is no amount
    of the currency, or a length that is no contract's or there twice; `VALIDATION_ERROR` for an id
    that no variant of the product has.
    """
    _require_all(actor)

    def work() -> Upserted:
        row = _lock_products(tenant, sku=product.product_sku).first()
        return _write(tenant, actor, row or Product(tenant=tenant), product)

    return again_if_taken(work)


def update_product(
    *, tenant: Tenant, actor: Actor, product_id: str, product: ProductUpdate
) -> Upserted:
    """Changes a product, its SKU and status included. Contract: Update Product.

    As `upsert_product`, but a variant keeps its prices if none are sent, and one that is new needs
    its name. Besides, `DUPLICATE_SKU` at `productSku` for that of another product, Conflict
    `PRODUCT_HAS_ACTIVE_ORDERS`, NotFound.
    """
    _require_all(actor)

    def work() -> Upserted:
        row = _lock_product(tenant, product_id)
        if product.status == Product.Status.DISCONTINUED:
            # All of them before any is renamed: orders take their variants in the same order.
            _lock(tenant, product=row.pk)
        known_as = row.name
        upserted = _write(tenant, actor, row, product)
        if product.status:
            _set_status(tenant, row, product.status, known_as)
        return upserted

    return again_if_taken(work)


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
    discount_description: str = "",
    source: Price.Source = Price.Source.MANUAL,
) -> Price:
    """Sets what one device costs per month at a contract length (months), new orders only.

    Who changed the price, from what to what, is kept. Raises PermissionRefused, or DomainError
    `INVALID_PRICING` at `monthlyPrice`, `setupFee`, `discount.value` or `contractLength`.
    """
    actor.require("catalog.change_price", "You may not change prices.")
    if problem := length_problem(contract_length):
        raise DomainError.at("contractLength", INVALID_PRICING, problem)
    for path, amount in (("monthlyPrice", monthly_price), ("setupFee", setup_fee)):
        if amount is not None and (problem := price_problem(amount, tenant.currency)):
            raise DomainError.at(path, INVALID_PRICING, problem)
    if discount_value is not None and (
        problem := discount_problem(discount_type, discount_value, tenant.currency)
    ):
        raise DomainError.at("discount.value", INVALID_PRICING, problem)
    variant = _locked(tenant, variant)
    price = Price(
        tenant=tenant,
        variant=variant,
        contract_length=contract_length,
        monthly_price=monthly_price,
        setup_fee=setup_fee,
        discount_type=discount_type,
        discount_value=discount_value,
        discount_description=discount_description,
        source=source,
    )
    write_prices(tenant, actor, prices_of([variant]), wanted=[price])
    return price


@transaction.atomic
def remove_price(*, tenant: Tenant, actor: Actor, variant: Variant, contract_length: int) -> None:
    """Stops offering a variant at a contract length; orders that exist keep their price."""
    actor.require("catalog.delete_price", "You may not remove prices.")
    variant = _locked(tenant, variant)
    before = prices_of([variant])
    if price := before.get((variant.pk, contract_length)):
        write_prices(tenant, actor, before, gone=[price])


@transaction.atomic
def set_variant_status(
    *, tenant: Tenant, actor: Actor, variant_id: str, status: Variant.Status
) -> Variant:
    """Lets a variant be ordered, or no longer. Contract: Update Variant Status.

    Raises Conflict `VARIANT_IN_USE` while an open order needs it, `STATE_CONFLICT` for one that is
    to be ordered while its product is discontinued; PermissionRefused, NotFound.
    """
    actor.require("catalog.change_variant", "You may not change variants.")
    product = _lock_products(tenant, variants__public_id=variant_id).first()
    rows = Variant.objects.select_for_update(no_key=True)
    variant = rows.filter(tenant=tenant, public_id=variant_id).first()
    if product is None or variant is None:
        raise NotFound("There is no such variant.")
    if variant.status == status:
        return variant
    if status == Variant.Status.INACTIVE:
        _require_unused(tenant, variant)
    elif problem := discontinued_problem(product):
        raise Conflict.at("status", "STATE_CONFLICT", problem)
    variant.status = status
    variant.save(update_fields=["status", "updated_at"])
    return variant


@transaction.atomic
def set_product_status(
    *, tenant: Tenant, actor: Actor, product_id: str, status: Product.Status
) -> Product:
    """Discontinues a product with all its variants, or revives it, without its variants.

    Raises Conflict `PRODUCT_HAS_ACTIVE_ORDERS` while an open order needs one of its variants,
    PermissionRefused, NotFound. Contract: Delete Product.
    """
    actor.require("catalog.change_product", "You may not change products.")
    product = _lock_product(tenant, product_id)
    _set_status(tenant, product, status, product.name)
    return product


def discontinued_problem(product: Product) -> str | None:
    """Why no variant of the product can be made active, or None."""
    if product.status == Product.Status.ACTIVE:
        return None
    return f"The product {product.name} is discontinued; make it active first."


def require_unused_variant(*, tenant: Tenant, variant: Variant) -> None:
    """Raises Conflict `VARIANT_IN_USE` if an open order needs the variant.

    Inside a transaction: the row stays locked, so that no order can take it up meanwhile.
    """
    lock_products_of(tenant=tenant, variant=variant)
    _require_unused(tenant, variant)


def _require_unused(tenant: Tenant, variant: Variant) -> None:
    if ids := _open_orders(_lock(tenant, pk=variant.pk)):
        message = f"{variant.sku} is needed by open orders: {ids}."
        raise Conflict.at("status", VARIANT_IN_USE, message)


def lock_products_of(*, tenant: Tenant, variant: Variant) -> None:
    """Before a variant is written: its entry in the search is made of its product too, which
    others lock before its variants. If it moves to another one, both.
    """
    before = Variant.objects.filter(pk=variant.pk).values_list("product", flat=True)
    list(_lock_products(tenant, pk__in={variant.product_id, *before}))


def require_unused_product(*, tenant: Tenant, product: Product) -> None:
    """Raises Conflict `PRODUCT_HAS_ACTIVE_ORDERS` if an open order needs one of its variants.

    Inside a transaction, like `require_unused_variant`.
    """
    _require_unused_product(tenant, product, product.name)


def _require_unused_product(tenant: Tenant, product: Product, known_as: str) -> None:
    # Whoever changes a product locks it before its variants: no two wait for each other.
    list(_lock_products(tenant, pk=product.pk))
    if ids := _open_orders(_lock(tenant, product=product.pk)):
        message = f"{known_as} is needed by open orders: {ids}."
        raise Conflict.at("status", PRODUCT_HAS_ACTIVE_ORDERS, message)


def _set_status(tenant: Tenant, product: Product, status: Product.Status, known_as: str) -> None:
    """`known_as` is its name before this request: a refusal takes a new one back."""
    active = product.variants.filter(status=Variant.Status.ACTIVE)
    discontinues = status == Product.Status.DISCONTINUED
    if product.status == status and not (discontinues and active.exists()):
        return
    if discontinues:
        _require_unused_product(tenant, product, known_as)
        active.update(status=Variant.Status.INACTIVE, updated_at=timezone.now())
    product.status = status
    product.save(update_fields=["status", "updated_at"])


_WRITES = ("product", "variant", "price")


def _require_all(actor: Actor) -> None:
    for what in _WRITES:
        for permission in (f"catalog.add_{what}", f"catalog.change_{what}"):
            actor.require(permission, f"You may not change {what}s.")
    actor.require("catalog.delete_price", "You may not remove prices.")


class _AddedMeanwhile(Exception):
    """Somebody else has added the product since it was looked for."""


def again_if_taken(work: Callable[[], Result]) -> Result:
    """Does the work in a transaction, and anew when somebody took the same SKU meanwhile.

    Raises Conflict `STATE_CONFLICT` when that goes on.
    """
    for _ in range(3):
        try:
            with transaction.atomic():
                return work()
        except _AddedMeanwhile:
            pass
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise
    raise Conflict("STATE_CONFLICT", "Somebody else saved the same just now.")


def _write(
    tenant: Tenant, actor: Actor, product: Product, sent: ProductInput | ProductUpdate
) -> Upserted:
    """Saves what is sent, in the same number of statements for any number of rows.

    Locks go from products to variants, in the order of their keys, and new rows come in that of
    their SKUs: nobody who does the same waits for us while we wait for them.
    """
    is_new, taken = product.pk is None, _taken(tenant, product, sent.product_sku)
    product.tenant = tenant
    named = _lock_named(tenant, sent.variants)
    if is_new and any(variant.product.sku == sent.product_sku for variant in named):
        raise _AddedMeanwhile
    built = Builder(product, sent, named)
    if problems := [*taken, *built.problems]:
        raise DomainError.of(problems)
    if is_new or built.product_columns:
        changed = [(product, built.product_columns)]
        save_rows(Product.objects.all(), changed, set(PRODUCT_FIELDS.values()))
    save_rows(Variant.objects.all(), built.changed, set(VARIANT_FIELDS.values()))
    priced = [
        (variant, each.pricing)
        for (variant, _), each in zip(built.variants, sent.variants, strict=True)
        if each.pricing
    ]
    before = prices_of(variant for variant, _ in priced)
    wanted = [build_price(tenant, variant, tier) for variant, tiers in priced for tier in tiers]
    kept = {_key(price) for price in wanted}
    gone = [price for key, price in before.items() if key not in kept]
    write_prices(tenant, actor, before, wanted, gone)
    return Upserted(product, is_new, built.variants)


def _lock_named(tenant: Tenant, sent: Sequence[VariantUpdate]) -> list[Variant]:
    """The variants, of any product, that have an SKU or an id that is sent."""
    named = Q(sku__in=[variant.variant_sku for variant in sent])
    if ids := [variant.variant_id for variant in sent if variant.variant_id]:
        named |= Q(public_id__in=ids)
    found = Variant.objects.filter(named, tenant=tenant).select_related("product").order_by("pk")
    # Not against orders, which only need that the row stays: they do not wait for each other.
    return list(found.select_for_update(of=("self",), no_key=True))


def _taken(tenant: Tenant, product: Product, sku: str) -> list[Detail]:
    """That the SKU which a product should have is another's."""
    is_same = product.pk is None or sku in ("", product.sku)
    if is_same or not Product.objects.filter(tenant=tenant, sku=sku).exists():
        return []
    return [Detail("productSku", DUPLICATE_SKU, f"There is another product with the SKU “{sku}”.")]


def save_rows(
    rows: QuerySet[Row], changes: Sequence[tuple[Row, set[str]]], fields: set[str]
) -> None:
    """Adds the new rows, and writes the others that changed, however many in a statement each."""
    new = [row for row, _ in changes if row.pk is None]
    known = [(row, columns) for row, columns in changes if row.pk is not None]
    rows.bulk_create(sorted(new, key=lambda row: row.sku))
    # Without the SKU: a statement that may change that waits for every order with such a device.
    rows.bulk_create(
        [row for row, columns in known if columns != {"sku"}],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[*sorted(fields - {"sku"}), "updated_at"],
    )
    renamed = [row for row, columns in known if "sku" in columns]
    for row in renamed:
        row.updated_at = timezone.now()
    rows.bulk_update(renamed, ["sku", "updated_at"])


def _lock_product(tenant: Tenant, product_id: str) -> Product:
    product = _lock_products(tenant, public_id=product_id).first()
    if product is None:
        raise NotFound("There is no such product.")
    return product


def _lock_products(tenant: Tenant, **which: object) -> QuerySet[Product]:
    found = Product.objects.filter(tenant=tenant, **which).order_by("pk")
    return found.select_for_update(of=("self",), no_key=True)


def _locked(tenant: Tenant, variant: Variant) -> Variant:
    rows = Variant.objects.select_for_update(no_key=True)
    return rows.get(tenant=tenant, pk=variant.pk)


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


def _key(price: Price) -> PriceKey:
    return price.variant_id, price.contract_length


def prices_of(variants: Iterable[Variant]) -> dict[PriceKey, Price]:
    """All prices of the variants."""
    rows = Price.objects.filter(variant__in=[variant.pk for variant in variants])
    return {_key(price): price for price in rows}


def write_prices(
    tenant: Tenant,
    actor: Actor,
    before: Mapping[PriceKey, Price],
    wanted: Sequence[Price] = (),
    gone: Sequence[Price] = (),
) -> None:
    """The one place that writes prices, and with each who changed it.

    `before` has the prices that there are of those, by their keys; the variants are locked.
    """
    changed = [price for price in wanted if not is_same_price(before.get(_key(price)), price)]
    if not (changed or gone):
        return
    Price.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["variant", "contract_length"],
        update_fields=[*PRICE_FIELDS, "updated_at"],
    )
    Price.objects.filter(pk__in=[price.pk for price in gone]).delete()
    amounts = {key: price.monthly_price for key, price in before.items()}
    told = [(price, price.monthly_price) for price in changed] + [(price, None) for price in gone]
    PriceChange.objects.bulk_create(
        PriceChange(
            tenant=tenant,
            variant_id=price.variant_id,
            contract_length=price.contract_length,
            old_price=old,
            new_price=new,
            actor_ref=actor.ref,
            actor=actor.label,
        )
        for price, new in told
        if (old := amounts.get(_key(price))) != new
    )
    variants = {price.variant_id for price in (*changed, *gone)}
    Variant.objects.filter(pk__in=variants).update(updated_at=timezone.now())
