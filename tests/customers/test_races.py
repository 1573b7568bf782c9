"""Two who change or use the same record at once, in real transactions of their own."""

from threading import Event
from typing import Any

import pytest
from django.db import transaction

from customers.models import Customer
from customers.services import Changes, update_customer
from orders.models import Order
from portal.errors import DomainError
from portal.models import Tenant
from tests.factories import SYSTEM, CustomerFactory, VariantFactory
from tests.orders.test_concurrency import create, in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def update(customer: Customer, **changes: Any) -> Customer:
    return update_customer(
        tenant=customer.tenant,
        actor=SYSTEM,
        customer_id=customer.public_id,
        changes=Changes(**changes),
    )


@pytest.mark.parametrize("_round", range(3))
def test_two_updates_at_once_both_stay(tenant: Tenant, _round: int) -> None:
    customer = CustomerFactory()
    in_threads(
        tenant,
        lambda: update(customer, first_name="Zoë", email="zoe@example.com"),
        lambda: update(customer, phone="010 1234567", company="Stadsmakers"),
    )
    customer.refresh_from_db()
    assert (customer.first_name, customer.email_key) == ("Zoë", "zoe@example.com")
    assert (customer.phone, customer.company) == ("010 1234567", "Stadsmakers")


@pytest.mark.parametrize("_round", range(3))
def test_email_given_to_two_customers_at_once_becomes_one_of_theirs(
    tenant: Tenant, _round: int
) -> None:
    first, second = CustomerFactory(), CustomerFactory()
    outcomes = in_threads(
        tenant,
        lambda: update(first, email="new@example.com", phone="1").email_key,
        lambda: update(second, email="New@example.com", phone="1").email_key,
    )
    assert set(outcomes) == {"new@example.com", "VALIDATION_ERROR"}
    # Whoever was refused has nothing of it.
    assert Customer.objects.filter(phone="1").count() == 1


def test_email_given_away_while_a_new_caller_orders_with_it_is_one_customer(
    tenant: Tenant,
) -> None:
    sku, customer = VariantFactory().sku, CustomerFactory()
    order, outcome = in_threads(
        tenant,
        lambda: create(tenant, sku, "new@example.com"),
        lambda: update(customer, email="new@example.com").email_key,
    )
    owner = Customer.objects.get(email_key="new@example.com")
    assert order.customer_id == owner.pk
    assert outcome == ("new@example.com" if owner == customer else "VALIDATION_ERROR")


def test_order_is_refused_to_who_becomes_inactive_meanwhile(tenant: Tenant) -> None:
    sku, customer = VariantFactory().sku, CustomerFactory(email="noor@example.com")
    inactive, waits = Event(), Event()

    def deactivate() -> None:
        with transaction.atomic():
            update(customer, status="inactive")
            inactive.set()
            # The order finds an active customer, and waits for the row.
            assert not waits.wait(timeout=0.5)

    def order() -> list[str]:
        assert inactive.wait(timeout=10)
        try:
            create(tenant, sku, "noor@example.com")
        except DomainError as error:
            return [detail.path for detail in error.details]
        finally:
            waits.set()
        return []

    _, refused = in_threads(tenant, deactivate, order)
    assert refused == ["customer.email"]
    assert Order.objects.count() == 0


def test_customer_who_orders_meanwhile_stays_active(tenant: Tenant) -> None:
    sku, customer = VariantFactory().sku, CustomerFactory(email="noor@example.com")
    ordered, waits = Event(), Event()

    def order() -> None:
        with transaction.atomic():
            create(tenant, sku, "noor@example.com")
            ordered.set()
            assert not waits.wait(timeout=0.5)

    def deactivate() -> None:
        assert ordered.wait(timeout=10)
        try:
            update(customer, status="inactive")
        finally:
            waits.set()

    _, outcome = in_threads(tenant, order, deactivate)
    assert outcome == "CUSTOMER_HAS_PENDING_ORDERS"
    customer.refresh_from_db()
    assert (customer.status, Order.objects.count()) == ("active", 1)


@pytest.mark.parametrize("_round", range(3))
def test_of_order_and_deactivation_at_once_one_wins(tenant: Tenant, _round: int) -> None:
    sku, customer = VariantFactory().sku, CustomerFactory(email="noor@example.com")
    outcomes = in_threads(
        tenant,
        lambda: create(tenant, sku, "noor@example.com").status,
        lambda: update(customer, status="inactive").status,
    )
    assert outcomes in (
        ["pending", "CUSTOMER_HAS_PENDING_ORDERS"],
        ["VALIDATION_ERROR", "inactive"],
    )
