"""A list of orders as a CSV file: what its cells say, and how it is streamed.

A row is a line of an order, since a sheet is filtered and summed by SKU, quantity and months. What
describes the order stands in each of its rows. Its amounts stand in the first one only: the sum of
a column is then the sum of the orders, and a look-up by order id finds them.

The orders are those that the list held when the download began, newest first; each is written as
it is when its turn comes. Memory is the same for a hundred orders as for a million: one query
names their ids, which stay with the database, and some hundred orders at a time are read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django_scopes import scope

from orders.models import Export, Order, OrderItem
from orders.queries import OrderQuerySet
from portal.errors import Conflict, NotFound
from portal.models import Tenant
from portal.money import round_money
from portal.permissions import Actor
from portal.rows import take_turns
from portal.spreadsheets import BOM, Cell, as_csv

BATCH = 500
"""Orders that are read at a time."""

AT_ONCE = 2
"""Downloads that a tenant has at a time: each occupies a thread of the server until it ends."""

KEPT = timedelta(days=1)
SILENCE = timedelta(seconds=30)
"""After so long without a batch, nobody is taken to be still downloading."""

ORDER_COLUMNS = [
    *("Order id", "Status", "Type", "Source", "Created", "Rep", "Confirmed", "Confirmed by"),
    *("Cancelled", "Cancelled by", "Cancel reason", "Customer", "Company", "E-mail", "Phone"),
    "Currency",
]
AMOUNT_COLUMNS = ["Devices", "Monthly subtotal", "Monthly tax", "Monthly total", "Contract value"]
ITEM_COLUMNS = [
    *("Line", "SKU", "Product", "Variant", "Quantity", "Months"),
    *("Unit price", "Line per month", "Line contract value"),
]
COST_COLUMNS = ["List price", "Acquisition cost"]

_ORDER_FIELDS = [
    *("pk", "public_id", "status", "awaiting", "order_type", "source", "created_at", "rep"),
    *("confirmed_at", "confirmed_by", "cancelled_at", "cancelled_by", "cancel_reason"),
    *("customer_first_name", "customer_last_name", "customer_company", "customer_email"),
    *("customer_phone", "currency", "total_devices", "subtotal", "tax_amount", "total"),
    "contract_value",
]
_ITEM_FIELDS = [
    *("order_id", "position", "sku", "product_name", "variant_name", "quantity"),
    *("contract_length", "unit_price", "list_price", "acquisition_cost"),
]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the file says of an order. Moments are those of the tenant's time zone."""

    zone: ZoneInfo
    with_costs: bool

    @property
    def header(self) -> list[str]:
        costs = COST_COLUMNS if self.with_costs else []
        return [*ORDER_COLUMNS, *AMOUNT_COLUMNS, *ITEM_COLUMNS, *costs]

    def rows(self, order: Any, items: Iterable[Any]) -> Iterator[list[Cell]]:
        described = self._describe(order)
        amounts: list[Cell] = [
            order.total_devices,
            *(
                round_money(amount, order.currency)
                for amount in (
                    order.subtotal,
                    order.tax_amount,
                    order.total,
                    order.contract_value,
                )
            ),
        ]
        for item in items:
            yield [*described, *amounts, *self._line(item, order.currency)]
            amounts = [""] * len(AMOUNT_COLUMNS)

    def _describe(self, order: Any) -> list[Cell]:
        sent_back = order.awaiting == Order.Awaiting.REP
        return [
            order.public_id,
            "Back with the rep" if sent_back else Order.Status(order.status).label,
            Order.Type(order.order_type).label,
            Order.Source(order.source).label,
            self._moment(order.created_at),
            order.rep,
            self._moment(order.confirmed_at),
            order.confirmed_by,
            self._moment(order.cancelled_at),
            order.cancelled_by,
            order.cancel_reason,
            f"{order.customer_first_name} {order.customer_last_name}",
            order.customer_company,
            order.customer_email,
            order.customer_phone,
            order.currency,
        ]

    def _line(self, item: Any, currency: str) -> list[Cell]:
        per_month = item.unit_price * item.quantity
        values: list[Cell] = [
            item.position + 1,
            item.sku,
            item.product_name,
            item.variant_name,
            item.quantity,
            item.contract_length,
            round_money(item.unit_price, currency),
            round_money(per_month, currency),
            round_money(per_month * item.contract_length, currency),
        ]
        if self.with_costs:
            costs = (item.list_price, item.acquisition_cost)
            values += ["" if cost is None else round_money(cost, currency) for cost in costs]
        return values

    def _moment(self, at: datetime | None) -> str:
        """As spreadsheets read it: ISO 8601 to the second, without the T and the offset."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}" if at else ""


def file_name(tenant: Tenant) -> str:
    return f"orders-{tenant.slug}-{timezone.now().astimezone(tenant.zone):%Y-%m-%d}.csv"


@transaction.atomic
def start_export(
    *, tenant: Tenant, actor: Actor, door: Export.Door, query: str, orders: OrderQuerySet
) -> Export:
    """Notes who is about to download how many orders; the file itself is a request of its own.

    Raises Conflict `TOO_MANY_EXPORTS` while as many downloads run as a tenant may have.
    """
    total = orders.count()
    # Of two at once the second counts the first: it waits here until that is there.
    take_turns(f"export:{tenant.pk}")
    now = timezone.now()
    Export.objects.filter(created_at__lt=now - KEPT).delete()
    unfinished = Export.objects.filter(status__in=[Export.Status.WAITING, Export.Status.RUNNING])
    if unfinished.filter(updated_at__gt=now - SILENCE).count() >= AT_ONCE:
        message = "Other exports are being downloaded. Try again when they have ended."
        raise Conflict("TOO_MANY_EXPORTS", message)
    return Export.objects.create(
        tenant=tenant, asked_by_ref=actor.ref, door=door, query=query, total=total
    )


def find_export(*, actor: Actor, export_id: str) -> Export:
    """An export of the actor's own; those of others do not exist. Raises NotFound."""
    own = Export.objects.select_related("tenant").filter(asked_by_ref=actor.ref)
    found = own.filter(public_id=export_id).first()
    if found is None:
        raise NotFound("There is no such export.")
    return found


def download(*, export: Export, sheet: Sheet, orders: OrderQuerySet) -> Iterator[str]:
    """The file, some hundred orders at a time; how far it is stands in the export's row.

    Raises Conflict `ALREADY_DOWNLOADED`, at once, for an export whose download has begun before.
    """
    waiting = Export.objects.filter(pk=export.pk, status=Export.Status.WAITING)
    if not waiting.update(status=Export.Status.RUNNING, updated_at=timezone.now()):
        raise Conflict("ALREADY_DOWNLOADED", "This export was downloaded before. Export again.")
    newest = orders.select_related(None).prefetch_related(None).order_by("-created_at", "-pk")
    return _stream(export, sheet, newest.values_list("pk", flat=True).iterator(BATCH))


def _stream(export: Export, sheet: Sheet, ids: Iterator[int]) -> Iterator[str]:
    """What has been asked for again has left: only then does it count.

    The tenant's scope is open while something is read or written, and never across a `yield`:
    whoever takes the chunks would work in it.
    """
    outcome = Export.Status.STOPPED
    try:
        yield BOM + as_csv([sheet.header])
        while batch := list(islice(ids, BATCH)):
            with scope(tenant=export.tenant):
                text = as_csv(_rows(sheet, batch))
            yield text
            export.done += len(batch)
            _note(export, Export.Status.RUNNING)
        outcome = Export.Status.FINISHED
    finally:
        _note(export, outcome)


def _note(export: Export, status: Export.Status) -> None:
    with scope(tenant=export.tenant):
        Export.objects.filter(pk=export.pk).update(
            done=export.done, status=status, updated_at=timezone.now()
        )


def _rows(sheet: Sheet, batch: list[int]) -> Iterator[list[Cell]]:
    """The rows of these orders, in this order: two queries however many they are."""
    orders = Order.objects.filter(pk__in=batch).values_list(*_ORDER_FIELDS, named=True)
    lines = OrderItem.objects.filter(order__in=batch).order_by("order_id", "position")
    found = {order.pk: order for order in orders.order_by()}
    items = {
        pk: list(group)
        for pk, group in groupby(
            lines.values_list(*_ITEM_FIELDS, named=True), key=lambda item: item.order_id
        )
    }
    for pk in batch:
        yield from sheet.rows(found[pk], items.get(pk, ()))
