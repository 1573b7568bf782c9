"""The catalogue and orders at once, in real transactions of their own."""

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Price, PriceChange, Product, Variant
from catalog.schemas import ProductInput, ProductUpdate
from catalog.services import (
    require_unused_product,
    set_product_status,
    set_variant_status,
    update_product,
    upsert_product,
)
from orders.editing import Edit, EditedLine
from orders.models import Order
from orders.services import edit_order
from portal.models import Tenant
from portal.shapes import read
from tests.factories import (
    SYSTEM,
    ProductFactory,
    VariantFactory,
    make_order,
    new_order,
    product_body,
    variant_body,
)
from tests.orders.test_concurrency import create, in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def upsert(tenant: Tenant, body: dict[str, Any]) -> Callable[[], tuple[bool, list[bool]]]:
    """A task that sends the product, and returns whether it and its variants were new."""

    def work() -> tuple[bool, list[bool]]:
        product = read(ProductInput, body)
        upserted = upsert_product(tenant=tenant, actor=SYSTEM, product=product)
        return upserted.created, [is_new for _, is_new in upserted.variants]

    return work


def waiting(number: int) -> None:
    """Returns when so many transactions of this database wait for a lock."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} AND wait_event_type = 'Lock'")
            if cursor.fetchone() == (number,):
                return
        time.sleep(0.01)
    raise AssertionError(f"There are never {number} that wait.")


def test_api_that_waits_in_a_circle_is_told_to_try_again(
    tenant: Tenant, api_client: Client
) -> None:
    """Nothing of ours locks a variant before its product: somebody at the database may."""
    variant = VariantFactory(sku="MAC-1", product__sku="MAC")
    locked = Event()

    def by_hand() -> Any:
        with transaction.atomic(), connection.cursor() as cursor:
            # Whoever looks first is the one to give way: that is the API.
            cursor.execute("SET LOCAL deadlock_timeout = '1h'")
            Variant.objects.select_for_update().get(pk=variant.pk)
            locked.set()
            waiting(1)
            return Product.objects.select_for_update().get(pk=variant.product_id).status

    def discontinue() -> Any:
        assert locked.wait(timeout=10)
        path = f"/v1/products/{variant.product.public_id}"
        response = api_client.put(path, {"status": "discontinued"}, "application/json")
        return response.status_code, response.json()["error"]["message"]

    told = "Somebody else changed the same just now. Nothing was done; try again."
    assert in_threads(tenant, by_hand, discontinue) == ["active", (503, told)]
    assert Product.objects.get().status == "active"


def test_variants_are_locked_before_any_is_renamed_and_retired(tenant: Tenant) -> None:
    """In one order, as orders take theirs: a rename alone goes by what is sent."""
    variants = VariantFactory.create_batch(3, product=ProductFactory(sku="MAC"))
    bodies = [variant_body(each.sku, variantName="Gold") for each in reversed(variants)]
    body = {"status": "discontinued", "variants": bodies}
    product_id = variants[0].product.public_id
    with CaptureQueriesContext(connection) as made:
        update_product(
            tenant=tenant, actor=SYSTEM, product_id=product_id, product=read(ProductUpdate, body)
        )
    assert {(v.name, v.status) for v in Variant.objects.all()} == {("Gold", "inactive")}
    first = next(query["sql"] for query in made if '"catalog_variant"' in query["sql"])
    assert first.endswith('ORDER BY "catalog_variant"."id" ASC FOR UPDATE')


def test_product_is_locked_before_its_variant_is_written(
    tenant: Tenant, manager_client: Client
) -> None:
    """Its entry in the search is made of both, and others lock the product first."""
    variant = VariantFactory()
    form = manager_client.get(f"/admin/catalog/variant/{variant.pk}/change/")
    fields = form.context["adminform"].form.initial | {"name": "Gold", "images": ""}
    inline = {"prices-TOTAL_FORMS": 0, "prices-INITIAL_FORMS": 0}
    sent = {name: "" if value is None else value for name, value in fields.items()}

    def by_form() -> None:
        manager_client.post(f"/admin/catalog/variant/{variant.pk}/change/", sent | inline)

    def by_service() -> None:
        which: Any = {"tenant": tenant, "variant_id": variant.public_id}
        set_variant_status(actor=SYSTEM, status=Variant.Status.INACTIVE, **which)

    for write in (by_form, by_service):
        with CaptureQueriesContext(connection) as made:
            write()
        written = [each["sql"] for each in made if " UPDATE" in f" {each['sql']}"]
        assert "FOR NO KEY UPDATE" in written[0]
        assert 'FROM "catalog_product"' in written[0]
        assert any(sql.startswith('UPDATE "catalog_variant"') for sql in written)


@pytest.mark.parametrize("_round", range(3))
def test_same_new_product_at_once_is_one(tenant: Tenant, _round: int) -> None:
    bodies = [product_body("MAC", variant_body("MAC-1", {24: price})) for price in (1, 2, 3, 4)]
    outcomes = in_threads(tenant, *(upsert(tenant, body) for body in bodies))
    assert sorted(outcomes, key=str) == [(False, [False])] * 3 + [(True, [True])]
    assert (Product.objects.count(), Variant.objects.count(), Price.objects.count()) == (1, 1, 1)
    last = PriceChange.objects.order_by("pk").last()
    assert last is not None
    assert Price.objects.get().monthly_price == last.new_price
    assert PriceChange.objects.count() == 4


def test_product_added_after_it_was_looked_for_is_the_same_one(tenant: Tenant) -> None:
    body = product_body("MAC", variant_body("MAC-1"))
    held = Event()

    def first() -> Any:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE catalog_variant")
            held.set()
            waiting(1)  # The second has found no product, and asks for its variants.
            return upsert(tenant, body)()

    def second() -> Any:
        assert held.wait(timeout=10)
        return upsert(tenant, body)()

    assert in_threads(tenant, first, second) == [(True, [True]), (False, [False])]


def test_same_new_variant_of_two_products_is_of_one(tenant: Tenant) -> None:
    shared = variant_body("SHARED")
    bodies = [product_body(sku, shared) for sku in ("MAC", "DELL")]
    outcomes = in_threads(tenant, *(upsert(tenant, body) for body in bodies))
    assert sorted(outcomes, key=str) == [(True, [True]), "DUPLICATE_SKU"]
    assert (Product.objects.count(), Variant.objects.count()) == (1, 1)


def test_second_waits_for_the_first_and_sees_what_it_added(tenant: Tenant) -> None:
    sent, waits = Event(), Event()

    def slow() -> Any:
        with transaction.atomic():
            outcome = upsert(tenant, product_body("MAC", variant_body("MAC-1")))()
            sent.set()
            assert not waits.wait(timeout=0.3)
        return outcome

    def fast() -> Any:
        assert sent.wait(timeout=10)
        outcome = upsert(
            tenant, product_body("MAC", variant_body("MAC-1"), variant_body("MAC-2"))
        )()
        waits.set()
        return outcome

    assert in_threads(tenant, slow, fast) == [(True, [True]), (False, [False, True])]


def test_same_free_sku_is_given_to_one_of_two_products(tenant: Tenant) -> None:
    products = ProductFactory(), ProductFactory()

    def rename(product: Product) -> Callable[[], str]:
        sent = read(ProductUpdate, {"productSku": "MAC"})
        which: Any = {"tenant": tenant, "product_id": product.public_id, "product": sent}
        return lambda: update_product(actor=SYSTEM, **which).product.sku

    assert set(in_threads(tenant, *map(rename, products))) == {"MAC", "DUPLICATE_SKU"}


def test_same_new_variants_in_different_order_never_wait_in_a_circle(tenant: Tenant) -> None:
    variants = [variant_body(f"SHARED-{n}") for n in range(300)]
    first, second = product_body("MAC", *variants), product_body("DELL", *variants[::-1])
    outcomes = in_threads(tenant, upsert(tenant, first), upsert(tenant, second))
    assert sorted(outcomes, key=str) == [(True, [True] * 300), "DUPLICATE_SKU"]
    assert (Product.objects.count(), Variant.objects.count()) == (1, 300)


def test_new_prices_and_names_do_not_wait_for_orders(tenant: Tenant) -> None:
    variant = VariantFactory(sku="MAC-1", product__sku="MAC")
    ordered, done = Event(), Event()

    def order() -> bool:
        with transaction.atomic():
            make_order("MAC-1")
            ordered.set()
            return done.wait(timeout=10)

    def change() -> Any:
        assert ordered.wait(timeout=10)
        body = product_body("MAC", variant_body("MAC-1", {24: 1}, variantName="Gold"), name="Mac")
        outcome = upsert(tenant, body)()
        done.set()
        return outcome

    assert in_threads(tenant, order, change) == [True, (False, [False])]
    variant.refresh_from_db()
    assert (variant.name, variant.prices.get().monthly_price) == ("Gold", 1)


def test_status_waits_for_the_order_that_takes_the_variant_up(tenant: Tenant) -> None:
    variant = VariantFactory()
    ordered = Event()

    def order() -> str:
        with transaction.atomic():
            placed = make_order(variant.sku)
            ordered.set()
            waiting(1)
        return str(placed.status)

    def switch_off() -> str:
        assert ordered.wait(timeout=10)
        which: Any = {"tenant": tenant, "variant_id": variant.public_id}
        return set_variant_status(actor=SYSTEM, status=Variant.Status.INACTIVE, **which).status

    assert in_threads(tenant, order, switch_off) == ["pending", "VARIANT_IN_USE"]


def test_discontinuing_and_ordering_never_wait_in_a_circle(tenant: Tenant) -> None:
    """The order names the variants the other way round than they are locked."""
    product = ProductFactory()
    first, second = VariantFactory(product=product), VariantFactory(product=product)
    locked = Event()

    def hold() -> None:
        with transaction.atomic():
            list(Variant.objects.select_for_update().filter(pk=first.pk))
            locked.set()
            waiting(2)

    def discontinue() -> str:
        assert locked.wait(timeout=10)
        which: Any = {"tenant": tenant, "product_id": product.public_id}
        return set_product_status(actor=SYSTEM, status=Product.Status.DISCONTINUED, **which).status

    def order() -> str:
        assert locked.wait(timeout=10)
        waiting(1)
        return str(make_order(second.sku, first.sku).status)

    refused = [None, "discontinued", "VARIANT_INACTIVE"]
    assert in_threads(tenant, hold, discontinue, order) == refused
    assert not Order.objects.exists()


def test_discontinuing_and_sending_never_wait_in_a_circle(tenant: Tenant) -> None:
    bodies = [variant_body(f"MAC-{n}") for n in range(20)]
    product = upsert_product(
        tenant=tenant, actor=SYSTEM, product=read(ProductInput, product_body("MAC", *bodies))
    ).product

    def discontinue() -> str:
        which: Any = {"tenant": tenant, "product_id": product.public_id}
        return set_product_status(actor=SYSTEM, status=Product.Status.DISCONTINUED, **which).status

    body = product_body("MAC", *bodies[::-1], name="Changed")
    outcomes = in_threads(tenant, discontinue, upsert(tenant, body))
    assert outcomes == ["discontinued", (False, [False] * 20)]
    assert set(Variant.objects.values_list("status", flat=True)) == {"inactive"}


def test_product_is_locked_before_its_variants_in_a_form_too(tenant: Tenant) -> None:
    product = VariantFactory(sku="MAC-1", product__sku="MAC").product
    checked = Event()

    def save_form() -> None:
        with transaction.atomic():
            require_unused_product(tenant=tenant, product=product)
            checked.set()
            waiting(1)
            product.name = "Typed"
            product.save()

    def send() -> Any:
        assert checked.wait(timeout=10)
        return upsert(tenant, product_body("MAC", variant_body("MAC-1"), name="Sent"))()

    assert in_threads(tenant, save_form, send) == [None, (False, [False])]
    product.refresh_from_db()
    assert product.name == "Sent"


def pausing_after(text: str, reached: Event, work: Callable[[], Any]) -> Any:
    """What the work returns; after its first statement with that text, somebody waits for it."""

    def pause(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if text in sql and not reached.is_set():
            reached.set()
            waiting(1)
        return result

    with connection.execute_wrapper(pause):
        return work()


def test_variant_that_is_being_ordered_is_not_switched_off(tenant: Tenant) -> None:
    variant, priced = VariantFactory(), Event()

    def order() -> str:
        status: str = pausing_after(
            "catalog_price", priced, lambda: create(tenant, variant.sku, "new@example.com").status
        )
        return status

    def switch_off() -> str:
        assert priced.wait(timeout=10)
        which: Any = {"tenant": tenant, "variant_id": variant.public_id}
        return set_variant_status(actor=SYSTEM, status=Variant.Status.INACTIVE, **which).status

    assert in_threads(tenant, order, switch_off) == ["pending", "VARIANT_IN_USE"]


def test_lines_that_are_replaced_and_added_and_a_discontinued_product_wait_in_no_circle(
    tenant: Tenant,
) -> None:
    product, replaced = ProductFactory(), Event()
    low, high = VariantFactory.create_batch(2, product=product)
    order = make_order()
    edit = Edit(new_order(high.sku, low.sku), [EditedLine(kept=0), EditedLine()])

    def change() -> str:
        which: Any = {"tenant": tenant, "order_id": order.public_id}
        status: str = pausing_after(
            'UPDATE "orders_orderitem"',
            replaced,
            lambda: edit_order(actor=SYSTEM, edit=edit, **which).status,
        )
        return status

    def discontinue() -> str:
        assert replaced.wait(timeout=10)
        which: Any = {"tenant": tenant, "product_id": product.public_id}
        off = Product.Status.DISCONTINUED
        return set_product_status(actor=SYSTEM, status=off, **which).status

    assert in_threads(tenant, change, discontinue) == ["pending", "PRODUCT_HAS_ACTIVE_ORDERS"]
