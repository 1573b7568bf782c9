"""The races of the suite, often enough to meet the rare ones: `make soak`."""

import pytest
from django.test import Client

from customers.models import Customer
from orders.models import Order, OrderEvent
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import VariantFactory
from tests.orders import test_api_races as over_http
from tests.orders.test_concurrency import PAIRS, create, in_threads, managers, race

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

__all__ = ["managers"]

ROUNDS = 200


@pytest.mark.parametrize("steps", PAIRS, ids=" and ".join)
def test_two_decisions_never_both_win(
    tenant: Tenant, rep_actor: Actor, managers: list[Actor], steps: tuple[str, str]
) -> None:
    VariantFactory()
    for _ in range(ROUNDS):
        race(tenant, rep_actor, managers, *steps)
    assert OrderEvent.objects.count() == 2 * ROUNDS


def test_callers_with_one_email_never_become_two_customers(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    for number in range(ROUNDS):
        in_threads(
            tenant,
            lambda number=number: create(tenant, sku, f"Caller{number}@example.com"),
            lambda number=number: create(tenant, sku, f"CALLER{number}@example.com"),
        )
    assert (Customer.objects.count(), Order.objects.count()) == (ROUNDS, 2 * ROUNDS)


@pytest.mark.parametrize("steps", over_http.PAIRS, ids=" and ".join)
def test_program_and_manager_never_both_win(
    tenant: Tenant,
    rep_actor: Actor,
    api_client: Client,
    manager_client: Client,
    steps: tuple[str, str],
) -> None:
    VariantFactory(sku="A")
    for _ in range(ROUNDS):
        over_http.decide(tenant, rep_actor, api_client, manager_client, steps)
