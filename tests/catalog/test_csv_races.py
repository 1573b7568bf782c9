"""Others change the catalogue while a file is imported."""

from collections.abc import Callable
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from catalog.imports.applying import import_catalogue
from catalog.imports.planning import Outcome, Plan
from catalog.models import Price, PriceChange, Product, Variant
from catalog.services import set_price
from orders.models import Order
from portal.errors import Conflict
from portal.models import Tenant
from portal.permissions import sync_roles
from tests.catalog.csv_files import csv_file, row
from tests.factories import SYSTEM, ProductFactory, TenantFactory, VariantFactory, make_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant() -> Any:
    sync_roles()
    tenant = TenantFactory(slug="demo")
    with scope(tenant=tenant):
        yield tenant


def import_meanwhile(tenant: Tenant, content: bytes, hurry: Callable[[], Any]) -> Plan:
    """Imports while what `hurry` does is not committed; the import has to wait for it."""
    plans: list[Plan] = []

    def slower() -> None:
        try:
            with scope(tenant=tenant):
                plans.append(import_catalogue(tenant=tenant, actor=SYSTEM, content=content))
        finally:
            connection.close()

    with transaction.atomic():
        hurry()
        thread = Thread(target=slower)
        thread.start()
        thread.join(timeout=1)
        assert not plans, "the import should wait"
    thread.join(timeout=20)
    return plans[0]


@pytest.mark.parametrize("known", [False, True])
def test_sku_that_somebody_else_adds_is_updated(tenant: Tenant, known: bool) -> None:
    product = ProductFactory(sku="MBP-16") if known else None
    plan = import_meanwhile(
        tenant,
        csv_file(row("V", Color="Red")),
        lambda: VariantFactory(sku="V", product=product or ProductFactory(sku="MBP-16")),
    )
    assert plan.count(Outcome.UPDATED) == 1
    assert Variant.objects.get().color == "Red"


def test_sku_that_somebody_else_adds_to_another_product_is_refused(tenant: Tenant) -> None:
    content = csv_file(row("V"), row("W"))
    plan = import_meanwhile(
        tenant, content, lambda: VariantFactory(sku="V", product=ProductFactory(sku="X"))
    )
    assert [(each.row, each.error) for each in plan.errors] == [
        (2, "Variant SKU: “V” is a variant of the product “X”.")
    ]
    assert set(Variant.objects.values_list("sku", "product__sku")) == {("V", "X"), ("W", "MBP-16")}


def test_price_that_somebody_else_sets_is_the_old_one(tenant: Tenant) -> None:
    variant = VariantFactory(sku="V", product=ProductFactory(sku="MBP-16"), prices={12: "5"})

    def set_first() -> None:
        set_price(
            tenant=tenant,
            actor=SYSTEM,
            variant=variant,
            contract_length=12,
            monthly_price=Decimal(7),
        )

    import_meanwhile(tenant, csv_file(row("V", **{"12mo_Price": "9"})), set_first)
    assert Price.objects.get().monthly_price == 9
    recorded = PriceChange.objects.order_by("id").values_list("old_price", "new_price")
    assert list(recorded) == [(5, 7), (7, 9)]


def test_orders_are_taken_while_an_import_runs(tenant: Tenant) -> None:
    VariantFactory(sku="V", product=ProductFactory(sku="MBP-16"))
    orders: list[Order] = []

    def order() -> None:
        try:
            with scope(tenant=tenant):
                orders.append(make_order("V"))
        finally:
            connection.close()

    def while_it_runs(done: int) -> None:
        thread = Thread(target=order)
        thread.start()
        thread.join(timeout=20)
        assert len(orders) == 1

    content = csv_file(row("V", Color="Red", **{"12mo_Price": "9"}))
    import_catalogue(tenant=tenant, actor=SYSTEM, content=content, progress=while_it_runs)
    assert orders[0].items.get().unit_price == 25


def test_import_gives_up_when_skus_are_taken_again_and_again(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION always_taken() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE unique_violation; END $$;
            CREATE TRIGGER always_taken BEFORE INSERT ON catalog_variant
            FOR EACH ROW EXECUTE FUNCTION always_taken()
            """
        )
    try:
        with pytest.raises(Conflict) as refusal:
            import_catalogue(tenant=tenant, actor=SYSTEM, content=csv_file(row()))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "DROP TRIGGER always_taken ON catalog_variant; DROP FUNCTION always_taken()"
            )
    assert refusal.value.code == "STATE_CONFLICT"
    assert not Product.objects.exists()


def test_products_are_locked_before_their_variants(tenant: Tenant) -> None:
    """As everybody does who changes both: nobody waits for each other in a circle."""
    import_catalogue(tenant=tenant, actor=SYSTEM, content=csv_file(row("V-1")))
    with CaptureQueriesContext(connection) as made:
        import_catalogue(tenant=tenant, actor=SYSTEM, content=csv_file(row("V-1")))
    locks = [query["sql"] for query in made if "FOR NO KEY UPDATE" in query["sql"]]
    tables = [sql.partition('FROM "')[2].partition('"')[0] for sql in locks]
    assert tables[:2] == ["catalog_product", "catalog_variant"]
