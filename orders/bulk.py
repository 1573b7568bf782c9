"""Orders in bulk, for import and demo data: the one writer of orders besides `orders.services`.

Writes orders that happened elsewhere or earlier, with their whole history. It asks for no
permission and refuses nothing but what the schema, the catalogue and the database refuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice

from django.db import transaction

from catalog.pricing import LineRequest, Quote, quote
from customers.models import Customer
from orders.building import (
    build_caller,
    build_event,
    build_first_events,
    build_item,
    build_order,
    by_variant,
)
from orders.models import Order, OrderEvent, OrderItem
from orders.reasons import find_reasons, histories, risk_of
from orders.schemas import NewOrder
from portal.errors import DomainError
from portal.models import Tenant
from portal.permissions import Actor

ROWS_PER_INSERT = 2_000
ROWS_PER_UPDATE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened to an order after it was created, not before the step before.

    `rented` is, for progress, how many devices of each item are rented from then on, by
    position; `reason` at most 1,000 characters.
    """

    kind: OrderEvent.Kind
    at: datetime
    actor: Actor
    reason: str = ""
    rented: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order as it was placed, by whom and when, under the id that it brings, and its life."""

    order_id: str
    new_order: NewOrder
    customer: Customer
    source: Order.Source
    actor: Actor
    at: datetime
    steps: Sequence[Step] = ()


@dataclass(slots=True)
class _Rows:
    new_order: NewOrder
    order: Order
    items: list[OrderItem]
    events: list[OrderEvent]


@transaction.atomic
def write_orders(*, tenant: Tenant, records: Sequence[OrderRecord]) -> None:
    """Writes the orders, all or none, in the same number of queries however many they are.

    They are at catalogue prices where none was agreed. Keep a call to some thousand records: all
    their rows are held in memory. Raises DomainError if a line cannot be ordered, IntegrityError
    for an id that is taken or an impossible history.
    """
    quotes = _quotes(tenant, records)
    written = [
        _rows(tenant, record, quoted) for record, quoted in zip(records, quotes, strict=True)
    ]
    Order.objects.bulk_create([rows.order for rows in written], ROWS_PER_INSERT)
    OrderItem.objects.bulk_create(
        by_variant(chain.from_iterable(rows.items for rows in written)), ROWS_PER_INSERT
    )
    OrderEvent.objects.bulk_create(
        list(chain.from_iterable(rows.events for rows in written)), ROWS_PER_INSERT
    )
    # The history of a pending order may lie in this very batch.
    _find_reasons(tenant, [rows for rows in written if rows.order.status == Order.Status.PENDING])


def _find_reasons(tenant: Tenant, pending: Sequence[_Rows]) -> None:
    """Finds, and writes, what the reviewers of these orders should see."""
    before = histories(
        tenant=tenant,
        asked=[
            (
                rows.order.customer,
                build_caller(rows.new_order),
                rows.new_order,
                rows.order.created_at,
            )
            for rows in pending
        ],
    )
    for rows, history in zip(pending, before, strict=True):
        rows.order.reasons = find_reasons(
            tenant=tenant,
            order=rows.order,
            items=rows.items,
            history=history,
            record=rows.order.customer,
        )
        rows.order.risk = risk_of(rows.order.reasons)
    unusual = [rows.order for rows in pending if rows.order.reasons]
    Order.objects.bulk_update(unusual, ["reasons", "risk"], ROWS_PER_UPDATE)


def _quotes(tenant: Tenant, records: Sequence[OrderRecord]) -> list[Quote]:
    """One quote per record, from one query for all their lines."""
    together = quote(
        tenant=tenant,
        lines=[
            LineRequest(item.sku, item.quantity, item.contract_length, item.agreed_price)
            for record in records
            for item in record.new_order.items
        ],
    )
    if together.problems:
        raise DomainError.of(together.problems)
    lines = iter(together.lines)
    return [
        Quote(
            tenant=tenant,
            lines=[
                replace(line, position=position)
                for position, line in enumerate(islice(lines, len(record.new_order.items)))
            ],
        )
        for record in records
    ]


def _rows(tenant: Tenant, record: OrderRecord, quoted: Quote) -> _Rows:
    order = build_order(
        tenant=tenant,
        actor=record.actor,
        new_order=record.new_order,
        totals=quoted.totals,
        customer=record.customer,
        caller=build_caller(record.new_order),
        source=record.source,
        at=record.at,
    )
    order.public_id = record.order_id
    items = [build_item(order, line) for line in quoted.lines]
    first = build_first_events(order, items, record.actor)
    return _Rows(
        record.new_order,
        order,
        items,
        [*first, *(_happen(order, items, step) for step in record.steps)],
    )


def _happen(order: Order, items: Sequence[OrderItem], step: Step) -> OrderEvent:
    """Changes the unsaved order as the step says, and returns its event."""
    data = {}
    match step.kind:
        case OrderEvent.Kind.CONFIRMED:
            order.status, order.confirmed_at = Order.Status.CONFIRMED, step.at
            order.confirmed_by_ref, order.confirmed_by = step.actor.ref, step.actor.label
        case OrderEvent.Kind.CANCELLED:
            order.status, order.cancelled_at = Order.Status.CANCELLED, step.at
            order.cancelled_by_ref, order.cancelled_by = step.actor.ref, step.actor.label
            order.cancel_reason = step.reason
        case OrderEvent.Kind.PROGRESSED:
            for item, rented in zip(items, step.rented, strict=True):
                item.rented_devices = rented
            order.rented_devices = sum(step.rented)
            complete = order.rented_devices == order.total_devices
            order.status = Order.Status.FULFILLED if complete else Order.Status.PARTIAL
            data = {"rentedDevices": order.rented_devices}
    order.version += 1
    order.updated_at = step.at
    return build_event(order, step.kind, step.actor, reason=step.reason, data=data)
