"""What happened to an order stays as it was written."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from orders.models import Order, OrderEvent
from orders.services import cancel_order, confirm_order
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import make_order


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda event: OrderEvent.objects.update(reason="Rewritten"),
        lambda event: OrderEvent.objects.filter(pk=event.pk).delete(),
        lambda event: OrderEvent.objects.bulk_update([event], ["reason"]),
    ],
    ids=["save", "delete", "update", "delete many", "bulk update"],
)
def test_event_stays_as_it_is(tenant: Tenant, change: Callable[[OrderEvent], object]) -> None:
    event = make_order().events.get()
    with (
        pytest.raises(IntegrityError, match="cannot be changed or deleted"),
        transaction.atomic(),
    ):
        change(event)
    assert list(OrderEvent.objects.values_list("reason", flat=True)) == [""]


def test_order_with_a_history_cannot_be_deleted(tenant: Tenant) -> None:
    order = make_order()
    with pytest.raises(ProtectedError):
        order.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk)._raw_delete("default")


def test_history_is_told_in_order_with_the_version_of_each_step(
    tenant: Tenant, rep_actor: Actor, manager_actor: Actor
) -> None:
    order = make_order(actor=rep_actor)
    this = {"tenant": tenant, "actor": manager_actor, "order_id": order.public_id}
    confirm_order(**this, version=1, reason="Known customer.")
    cancel_order(**this, version=2, reason="Withdrew.")
    events = order.events.values_list("kind", "version", "actor", "actor_ref", "reason")
    assert list(events) == [
        ("created", 1, rep_actor.label, rep_actor.ref, ""),
        ("confirmed", 2, manager_actor.label, manager_actor.ref, "Known customer."),
        ("cancelled", 3, manager_actor.label, manager_actor.ref, "Withdrew."),
    ]
    order.refresh_from_db()
    assert (order.version, order.updated_at) == (3, order.events.latest("at").at)


def test_amounts_in_events_are_exact(tenant: Tenant) -> None:
    order = make_order()
    assert order.events.get().data == {"total": Decimal("50.00")}
    assert isinstance(order.events.get().data["total"], Decimal)
