"""The races of the suite, often enough to meet the rare ones: `make soak`."""

from collections.abc import Callable

import pytest

from customers.models import Customer
from orders.models import Order, OrderEvent
from orders.services import cancel_order, confirm_order
from portal.models import Tenant
from tests.factories import SYSTEM, VariantFactory, make_order
from tests.orders.test_concurrency import create, in_threads

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

ROUNDS = 200
Change = Callable[..., Order]


@pytest.mark.parametrize("first", [confirm_order, cancel_order])
@pytest.mark.parametrize("second", [confirm_order, cancel_order])
def test_two_reviewers_never_both_win(tenant: Tenant, first: Change, second: Change) -> None:
    sku = VariantFactory().sku
    for _ in range(ROUNDS):
        order = make_order(sku)
        seen = {"tenant": tenant, "actor": SYSTEM, "order_id": order.public_id, "version": 1}
        outcomes = in_threads(
            tenant,
            lambda seen=seen: first(**seen).status,
            lambda seen=seen: second(**seen).status,
        )
        assert outcomes.count("STATE_CONFLICT") == 1
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
