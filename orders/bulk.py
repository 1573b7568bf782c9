"""Orders in bulk, for import and demo data: the one writer of orders besides `orders.services`.

Writes orders that happened elsewhere or earlier, with their whole history. It asks for no
permission and refuses nothing but what the schema, the catalogue and the database refuse.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any

from django.db import transaction

from catalog.models import Variant
from catalog.pricing import LineRequest, Quote, Totals, quote
from customers.models import Customer
from customers.services import Caller
from orders.building import (
    build_caller,
    build_event,
    build_first_events,
    build_historic_item,
    build_item,
    build_order,
    by_variant,
)
from orders.historic import HistoricOrder
from orders.loading import remember_items
from orders.models import Order, OrderEvent, OrderItem
from orders.reasons import find_reasons, histories, risk_of
from orders.schemas import NewOrder
from portal.errors import DomainError
from portal.models import Tenant
from portal.permissions import Actor
from portal.rows import ROWS_PER_INSERT

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
    """An order as it was placed, by whom and when, under the id that it brings, and its life.

    A `HistoricOrder` also brings its prices and totals, when it last changed and who placed it, as
    text; `creator` is who that is, if they are known here, and `data` what to keep with the event
    that the actor created it.
    """

    order_id: str
    new_order: NewOrder
    customer: Customer
    source: Order.Source
    actor: Actor
    at: datetime
    steps: Sequence[Step] = ()
    creator: Actor | None = None
    data: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Rows:
    new_order: NewOrder
    caller: Caller
    order: Order
    items: list[OrderItem] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)


@transaction.atomic
def write_orders(*, tenant: Tenant, records: Sequence[OrderRecord]) -> None:
    """Writes the orders, all or none, in the same number of queries however many they are.

    They are at catalogue prices where none was agreed; a `HistoricOrder` is at its own. Keep a
    call to some thousand records: all their rows are held in memory. Raises DomainError if a line
    cannot be ordered, IntegrityError for an id that is taken or an impossible history.
    """
    written = _build(tenant, records)
    Order.objects.bulk_create([rows.order for rows in written], ROWS_PER_INSERT)
    OrderItem.objects.bulk_create(
        by_variant(chain.from_iterable(rows.items for rows in written)), ROWS_PER_INSERT
    )
    OrderEvent.objects.bulk_create(
        list(chain.from_iterable(rows.events for rows in written)), ROWS_PER_INSERT
    )
    # The history of a pending order may lie in this very batch.
    _find_reasons(tenant, [rows for rows in written if rows.order.status == Order.Status.PENDING])


def build_orders(*, tenant: Tenant, records: Sequence[OrderRecord]) -> list[Order]:
    """The orders with their items as `write_orders` would write them, unsaved."""
    built = _build(tenant, records)
    for rows in built:
        remember_items(rows.order, rows.items)
    return [rows.order for rows in built]


def _build(tenant: Tenant, records: Sequence[OrderRecord]) -> list[_Rows]:
    quotes = _quotes(tenant, [r for r in records if not isinstance(r.new_order, HistoricOrder)])
    past = [r.new_order for r in records if isinstance(r.new_order, HistoricOrder)]
    variants = _variants(tenant, past)
    return [
        _rows_of_the_past(tenant, record, record.new_order, variants)
        if isinstance(record.new_order, HistoricOrder)
        else _rows(tenant, record, next(quotes))
        for record in records
    ]


def _quotes(tenant: Tenant, records: Sequence[OrderRecord]) -> Iterator[Quote]:
    """One quote per record, from one query for all their lines."""
    if not records:
        return
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
    for record in records:
        own = enumerate(islice(lines, len(record.new_order.items)))
        yield Quote(tenant=tenant, lines=[replace(line, position=n) for n, line in own])


def _variants(tenant: Tenant, past: Sequence[HistoricOrder]) -> dict[str, Variant]:
    """What the SKUs of these orders name today; those that are retired are missing."""
    skus = {item.sku for order in past for item in order.items}
    if not skus:
        return {}
    found = Variant.objects.filter(tenant=tenant, sku__in=skus)
    return {variant.sku: variant for variant in found.only("sku", "name")}


def _rows(tenant: Tenant, record: OrderRecord, quoted: Quote) -> _Rows:
    rows = _placed(tenant, record, quoted.totals)
    rows.items = [build_item(rows.order, line) for line in quoted.lines]
    rows.events = _live(record, rows)
    return rows


def _rows_of_the_past(
    tenant: Tenant, record: OrderRecord, past: HistoricOrder, variants: Mapping[str, Variant]
) -> _Rows:
    rows = _placed(tenant, record, past.sums(tenant))
    rows.order.created_by = past.created_by or rows.order.created_by
    rows.items = [
        build_historic_item(rows.order, position, line, variants.get(line.sku))
        for position, line in enumerate(past.items)
    ]
    rows.events = _live(record, rows)
    rows.order.updated_at = past.changed_at
    return rows


def _placed(tenant: Tenant, record: OrderRecord, totals: Totals) -> _Rows:
    """The order when it was placed, without its lines yet."""
    caller = build_caller(record.new_order)
    order = build_order(
        tenant=tenant,
        actor=record.creator or record.actor,
        new_order=record.new_order,
        totals=totals,
        customer=record.customer,
        caller=caller,
        source=record.source,
        at=record.at,
    )
    order.public_id = record.order_id
    return _Rows(record.new_order, caller, order)


def _live(record: OrderRecord, rows: _Rows) -> list[OrderEvent]:
    """What happened to the order, from its first event on."""
    first = build_first_events(rows.order, rows.items, record.actor, data=record.data)
    return [*first, *(_happen(rows.order, rows.items, step) for step in record.steps)]


def _find_reasons(tenant: Tenant, pending: Sequence[_Rows]) -> None:
    """Finds, and writes, what the reviewers of these orders should see."""
    before = histories(
        tenant=tenant,
        asked=[
            (rows.order.customer, rows.caller, rows.new_order, rows.order.created_at)
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
