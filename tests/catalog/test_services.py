"""Prices and statuses of the catalogue, and what refuses them."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Price, PriceChange, Product, Variant
from catalog.services import remove_price, set_price, set_product_status, set_variant_status
from portal.errors import Conflict, DomainError, PermissionRefused
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import TenantFactory, VariantFactory, make_order

OPEN = ["pending", "confirmed", "partial"]
CLOSED = ["fulfilled", "cancelled"]


def changes() -> list[tuple[int, Decimal | None, Decimal | None]]:
    return list(
        PriceChange.objects.order_by("id").values_list("contract_length", "old_price", "new_price")
    )


def price(variant: Variant, actor: Actor, amount: str, months: int = 24, **extra: Any) -> Price:
    return set_price(
        tenant=variant.tenant,
        actor=actor,
        variant=variant,
        contract_length=months,
        monthly_price=Decimal(amount),
        **extra,
    )


def test_new_price_is_set_and_recorded(manager_actor: Actor, tenant: Tenant) -> None:
    variant = VariantFactory(prices={})
    price(variant, manager_actor, "12.50")
    assert [p.monthly_price for p in variant.prices.all()] == [Decimal("12.500")]
    change = PriceChange.objects.get()
    assert (change.old_price, change.new_price) == (None, Decimal("12.500"))
    assert (change.actor_ref, change.actor) == (manager_actor.ref, manager_actor.label)
    assert change.variant == variant


def test_changed_price_is_recorded_and_the_same_price_is_not(manager_actor: Actor) -> None:
    variant = VariantFactory(prices={24: "10"})
    price(variant, manager_actor, "11")
    price(variant, manager_actor, "11.00", setup_fee=Decimal(5))
    assert changes() == [(24, Decimal(10), Decimal(11))]
    assert variant.prices.get().setup_fee == Decimal(5)


def test_removed_price_is_recorded(manager_actor: Actor, tenant: Tenant) -> None:
    variant = VariantFactory(prices={12: "30", 24: "10"})
    for _ in range(2):
        remove_price(tenant=tenant, actor=manager_actor, variant=variant, contract_length=24)
    assert [p.contract_length for p in variant.prices.all()] == [12]
    assert changes() == [(24, Decimal(10), None)]


def test_order_keeps_its_price(manager_actor: Actor) -> None:
    variant = VariantFactory(prices={24: "10"})
    order = make_order(variant.sku)
    price(variant, manager_actor, "11")
    order.refresh_from_db()
    assert order.subtotal == Decimal(10)
    assert order.items.get().unit_price == Decimal(10)


@pytest.mark.parametrize(
    ("currency", "amount", "fits"),
    [
        ("EUR", "0", True),
        ("EUR", "9999999.99", True),
        ("EUR", "10000000", False),
        ("EUR", "-0.01", False),
        ("EUR", "1.005", False),
        ("JPY", "1.5", False),
        ("BHD", "1.005", True),
    ],
)
def test_price_has_to_fit_the_currency(
    tenant: Tenant, manager_actor: Actor, currency: str, amount: str, fits: bool
) -> None:
    tenant.currency = currency
    tenant.save()
    variant = VariantFactory(prices={}, tenant=tenant)
    if fits:
        price(variant, manager_actor, amount)
    else:
        with pytest.raises(DomainError) as refused:
            price(variant, manager_actor, amount)
        assert refused.value.code == "INVALID_PRICING"
        assert [d.path for d in refused.value.details] == ["monthlyPrice"]
    assert Price.objects.count() == PriceChange.objects.count() == int(fits)


@pytest.mark.parametrize("months", [0, 121])
def test_price_has_to_be_for_one_to_120_months(manager_actor: Actor, months: int) -> None:
    with pytest.raises(DomainError) as refused:
        price(VariantFactory(prices={}), manager_actor, "10", months)
    assert [d.path for d in refused.value.details] == ["contractLength"]


def test_reps_change_nothing(rep_actor: Actor, tenant: Tenant) -> None:
    variant = VariantFactory(prices={24: "10"})
    common: dict[str, Any] = {"tenant": tenant, "actor": rep_actor}
    for forbidden in (
        lambda: price(variant, rep_actor, "1"),
        lambda: remove_price(variant=variant, contract_length=24, **common),
        lambda: set_variant_status(
            variant_id=variant.public_id, status=Variant.Status.INACTIVE, **common
        ),
        lambda: set_product_status(
            product_id=variant.product.public_id, status=Product.Status.DISCONTINUED, **common
        ),
    ):
        with pytest.raises(PermissionRefused):
            forbidden()
    assert changes() == []
    assert Variant.objects.get().is_orderable


@pytest.mark.parametrize("status", OPEN)
def test_variant_of_an_open_order_stays_active(
    manager_actor: Actor, tenant: Tenant, status: str
) -> None:
    variant = VariantFactory()
    order = make_order(
        items=[{"sku": variant.sku, "quantity": 2, "contractLength": 24}], status=status
    )
    with pytest.raises(Conflict) as refused:
        set_variant_status(
            tenant=tenant,
            actor=manager_actor,
            variant_id=variant.public_id,
            status=Variant.Status.INACTIVE,
        )
    assert (refused.value.code, refused.value.status) == ("VARIANT_IN_USE", 409)
    assert order.public_id in refused.value.message
    variant.refresh_from_db()
    assert variant.status == "active"


@pytest.mark.parametrize("status", CLOSED)
def test_variant_of_closed_orders_becomes_inactive_and_active_again(
    manager_actor: Actor, tenant: Tenant, status: str
) -> None:
    variant = VariantFactory()
    make_order(variant.sku, status=status)
    common: dict[str, Any] = {"tenant": tenant, "actor": manager_actor}
    for wanted in (Variant.Status.INACTIVE, Variant.Status.ACTIVE):
        set_variant_status(variant_id=variant.public_id, status=wanted, **common)
        variant.refresh_from_db()
        assert variant.status == wanted


@pytest.mark.parametrize("status", OPEN)
def test_product_of_an_open_order_is_not_discontinued(
    manager_actor: Actor, tenant: Tenant, status: str
) -> None:
    variant = VariantFactory()
    other = VariantFactory(product=variant.product)
    make_order(items=[{"sku": variant.sku, "quantity": 2, "contractLength": 24}], status=status)
    with pytest.raises(Conflict) as refused:
        set_product_status(
            tenant=tenant,
            actor=manager_actor,
            product_id=variant.product.public_id,
            status=Product.Status.DISCONTINUED,
        )
    assert (refused.value.code, refused.value.status) == ("PRODUCT_HAS_ACTIVE_ORDERS", 409)
    assert {v.status for v in Variant.objects.filter(pk__in=[variant.pk, other.pk])} == {"active"}
    assert Product.objects.get().status == "active"


def test_discontinuing_takes_the_variants_along_and_reviving_does_not(
    manager_actor: Actor, tenant: Tenant
) -> None:
    variant, unrelated = VariantFactory(), VariantFactory()
    common: dict[str, Any] = {"tenant": tenant, "actor": manager_actor}
    common["product_id"] = variant.product.public_id
    set_product_status(status=Product.Status.DISCONTINUED, **common)
    assert dict(Variant.objects.values_list("pk", "status")) == {
        variant.pk: "inactive",
        unrelated.pk: "active",
    }
    set_product_status(status=Product.Status.ACTIVE, **common)
    variant.refresh_from_db()
    assert (variant.product.status, variant.status) == ("active", "inactive")


def test_variant_of_another_tenant_is_not_priced(manager: User, manager_actor: Actor) -> None:
    foreign = VariantFactory(tenant=TenantFactory(), prices={})
    with pytest.raises(Variant.DoesNotExist):
        set_price(
            tenant=manager.tenant,
            actor=manager_actor,
            variant=foreign,
            contract_length=24,
            monthly_price=Decimal(1),
        )
