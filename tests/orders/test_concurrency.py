"""Two people at once, in real transactions of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scope

from catalog.models import Variant
from catalog.services import set_variant_status
from customers.models import Customer
from customers.services import change_email
from orders.models import Order, OrderEvent
from orders.services import cancel_order, confirm_order, create_order
from portal.errors import DomainError
from portal.models import Tenant
from tests.factories import (
    SYSTEM,
    CustomerFactory,
    VariantFactory,
    make_order,
    new_order,
    order_body,
)

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(tenant: Tenant, *tasks: Callable[[], Any]) -> list[Any]:
    """What the tasks return, or the code of their refusal, each on a connection of its own."""
    ready = Barrier(len(tasks), timeout=10)

    def run(task: Callable[[], Any]) -> Any:
        try:
            with scope(tenant=tenant):
                connection.ensure_connection()
                ready.wait()
                return task()
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(timeout=20) for future in [pool.submit(run, task) for task in tasks]]


def create(tenant: Tenant, sku: str, email: str) -> Order:
    customer = order_body()["customer"] | {"email": email}
    return create_order(
        tenant=tenant,
        actor=SYSTEM,
        new_order=new_order(sku, customer=customer),
        source=Order.Source.API,
    )


@pytest.mark.parametrize("_round", range(3))
def test_same_new_email_in_different_case_is_one_customer(tenant: Tenant, _round: int) -> None:
    sku = VariantFactory().sku
    first, second = in_threads(
        tenant,
        lambda: create(tenant, sku, "New@example.com"),
        lambda: create(tenant, sku, "nEW@EXAMPLE.com"),
    )
    customer = Customer.objects.get()
    assert customer.email_key == "new@example.com"
    assert (first.customer_id, second.customer_id) == (customer.pk, customer.pk)
    assert {order.customer_email for order in Order.objects.all()} == {
        "New@example.com",
        "nEW@EXAMPLE.com",
    }


def test_second_caller_waits_for_the_first_to_be_saved(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    created, waits = Event(), Event()

    def slow() -> Order:
        with transaction.atomic():
            order = create(tenant, sku, "new@example.com")
            created.set()
            assert not waits.wait(timeout=0.3)
        return order

    def fast() -> Order:
        assert created.wait(timeout=10)
        order = create(tenant, sku, "NEW@example.com")
        waits.set()
        return order

    first, second = in_threads(tenant, slow, fast)
    assert first.customer_id == second.customer_id == Customer.objects.get().pk


def test_second_caller_creates_the_customer_when_the_first_gives_up(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    created = Event()

    def gives_up() -> None:
        with transaction.atomic():
            create(tenant, sku, "new@example.com")
            created.set()
            transaction.set_rollback(True)

    def stays() -> Order:
        assert created.wait(timeout=10)
        return create(tenant, sku, "NEW@example.com")

    _, order = in_threads(tenant, gives_up, stays)
    assert order.customer == Customer.objects.get()
    assert Customer.objects.get().email == "NEW@example.com"
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (confirm_order, cancel_order),
        (confirm_order, confirm_order),
        (cancel_order, cancel_order),
    ],
)
def test_two_reviewers_of_one_version_end_in_one_change(
    tenant: Tenant, first: Callable[..., Order], second: Callable[..., Order]
) -> None:
    order = make_order()
    seen = {"tenant": tenant, "actor": SYSTEM, "order_id": order.public_id, "version": 1}
    outcomes = in_threads(tenant, lambda: first(**seen).status, lambda: second(**seen).status)
    order.refresh_from_db()
    assert sorted(outcomes) == sorted([order.status, "STATE_CONFLICT"])
    assert order.version == 2
    assert list(order.events.values_list("kind", flat=True)) == ["created", order.status]


@pytest.mark.parametrize(
    ("change", "refusal"), [(confirm_order, "STATE_CONFLICT"), (cancel_order, "ALREADY_CANCELLED")]
)
def test_same_change_twice_without_a_version_happens_once(
    tenant: Tenant, change: Callable[..., Order], refusal: str
) -> None:
    order = make_order()
    once = {"tenant": tenant, "actor": SYSTEM, "order_id": order.public_id}
    outcomes = in_threads(tenant, *[lambda: change(**once).version] * 2)
    assert set(outcomes) == {2, refusal}
    assert OrderEvent.objects.count() == 2


def test_variant_switched_off_meanwhile_is_ordered_or_not_never_half(tenant: Tenant) -> None:
    """An order that was priced before the variant was switched off stands, to be reviewed."""
    variant = VariantFactory()

    def switch_off() -> str:
        off = Variant.Status.INACTIVE
        return set_variant_status(tenant=tenant, actor=SYSTEM, variant=variant, status=off).status

    switched, outcome = in_threads(
        tenant, switch_off, lambda: create(tenant, variant.sku, "new@example.com").status
    )
    assert (switched, outcome) in [
        ("inactive", "pending"),
        ("inactive", "VARIANT_INACTIVE"),
        ("VARIANT_IN_USE", "pending"),
    ]
    created = int(outcome == "pending")
    assert (Order.objects.count(), Customer.objects.count()) == (created, created)


def test_two_customers_cannot_get_the_same_email(tenant: Tenant) -> None:
    customers = CustomerFactory(), CustomerFactory()
    outcomes = in_threads(
        tenant,
        lambda: change_email(customer=customers[0], email="new@example.com").email_key,
        lambda: change_email(customer=customers[1], email="New@example.com").email_key,
    )
    assert set(outcomes) == {"new@example.com", "VALIDATION_ERROR"}
