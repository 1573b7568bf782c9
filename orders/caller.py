"""Who is calling: what a rep wants to have in view about a known customer while they speak."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Count, DateField, F, Func, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import TruncDate

from customers.models import Customer
from orders.draft_life import Summary, summaries
from orders.letters import one_line
from orders.models import Order, OrderItem
from orders.typed import address_fields
from portal.models import Tenant, User

ORDERS_SHOWN, DEVICES_SHOWN, ITEMS_SHOWN = 5, 6, 6
SOON = timedelta(days=60)
"""A contract that ends within this time is worth a word, and one that ended so long ago is."""

ORDERS_LOOKED_AT = 1_000
"""Of their last orders. A shop may place all of its orders as one customer, and a contract's end,
which is computed, is in no index.
"""

_ORDERS_TO_REPEAT, _ITEMS_TO_REPEAT = 20, 200
_ON_CONTRACT = (Order.Status.CONFIRMED, Order.Status.PARTIAL, Order.Status.FULFILLED)


class ContractEnd(Func):
    """The last day of a contract: its start and so many whole months, clamped to a month's end."""

    template = "(%(expressions)s))::date"
    arg_joiner = " + make_interval(0, "
    output_field = DateField()


@dataclass(frozen=True, slots=True)
class Devices:
    """Devices of one line on contract until `ends`; `days` from today, negative if it is over."""

    quantity: int
    name: str
    variant: str
    order_id: str
    ends: date
    days: int

    @property
    def is_over(self) -> bool:
        return self.days < 0

    @property
    def ends_soon(self) -> bool:
        return 0 <= self.days <= SOON.days


@dataclass(frozen=True, slots=True)
class Ordered:
    """What was ordered last of a SKU. `sku` as it is called now, empty if it is gone for good."""

    sku: str
    name: str
    variant: str
    quantity: int
    contract_length: int
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class LastAddress:
    """An address of the record. `fields`: how it fills the form, as JSON, by purpose."""

    title: str
    address: dict[str, Any]
    fields: Sequence[tuple[str, str]]

    @property
    def line(self) -> str:
        return one_line(self.address)


@dataclass(frozen=True, slots=True)
class LastOrders:
    """The status of each of a customer's last orders by its key, the newest first.

    `of_last` is how many they are if there are more; 0 if these are all.
    """

    statuses: Mapping[int, str]
    of_last: int

    @classmethod
    def of(cls, customer: Customer) -> "LastOrders":
        """The last `ORDERS_LOOKED_AT` of them, which is all that is read of a large customer."""
        orders = Order.objects.filter(customer=customer).order_by("-created_at", "-pk")
        found = list(orders.values_list("pk", "status")[: ORDERS_LOOKED_AT + 1])
        looked_at = found[:ORDERS_LOOKED_AT]
        return cls(dict(looked_at), len(looked_at) if len(found) > len(looked_at) else 0)

    def in_status(self, *statuses: str) -> list[int]:
        return [pk for pk, status in self.statuses.items() if status in statuses]


@dataclass(frozen=True, slots=True)
class OnContract:
    """Lines on contract, the first to end first, and how many `more` there are.

    Those of the last `of_last` orders, if the customer has more orders than that.
    """

    lines: Sequence[Devices]
    more: int
    of_last: int


@dataclass(frozen=True, slots=True)
class CallerPanel:
    """A known customer at a glance. What is cut off is counted in `more_…`.

    Without `sees_orders` there are no orders in it: whoever asked may not see them. All but drafts
    and addresses is of the last `of_last` orders, if they have more than that.
    """

    customer: Customer
    drafts: Sequence[Summary]
    sees_orders: bool
    pending: Sequence[Order]
    more_pending: int
    devices: Sequence[Devices]
    more_devices: int
    ordered: Sequence[Ordered]
    more_ordered: int
    addresses: Sequence[LastAddress]
    of_last: int

    @property
    def count_pending(self) -> int:
        return len(self.pending) + self.more_pending

    @property
    def count_devices(self) -> int:
        """Lines, not devices."""
        return len(self.devices) + self.more_devices


def caller_panel(
    *, tenant: Tenant, rep: User, customer: Customer, today: date, besides: str = ""
) -> CallerPanel:
    """What the rep has begun for them, pending orders, devices on contract, last ordered items and
    addresses, in five queries at most; no order to a rep who may not see orders. `besides` is the
    draft that the rep is typing now.
    """
    sees_orders = rep.has_perm("orders.view_order")
    # One without devices is a page that was opened for them and left for another.
    begun = [
        draft
        for draft in summaries(owner=rep, customer_id=customer.public_id)
        if draft.public_id != besides and (draft.devices or draft.edits)
    ]
    last = LastOrders.of(customer) if sees_orders else LastOrders({}, 0)
    pending = last.in_status(Order.Status.PENDING)
    devices = _on_contract(tenant, last, today, DEVICES_SHOWN)
    ordered = _last_ordered(last)
    return CallerPanel(
        customer=customer,
        drafts=begun[:ORDERS_SHOWN],
        sees_orders=sees_orders,
        pending=list(Order.objects.as_rows().filter(pk__in=pending[:ORDERS_SHOWN])),
        more_pending=max(0, len(pending) - ORDERS_SHOWN),
        devices=devices.lines,
        more_devices=devices.more,
        ordered=ordered[:ITEMS_SHOWN],
        more_ordered=max(0, len(ordered) - ITEMS_SHOWN),
        addresses=_addresses(customer),
        of_last=last.of_last,
    )


def devices_on_contract(
    *, tenant: Tenant, customer: Customer, today: date, limit: int = DEVICES_SHOWN
) -> OnContract:
    """What the customer has on contract, `limit` lines at most.

    A contract runs from the order's confirmation, on the tenant's calendar. One that is over is
    still told for 60 days: whoever calls may want to extend it.
    """
    return _on_contract(tenant, LastOrders.of(customer), today, limit)


def _on_contract(tenant: Tenant, last: LastOrders, today: date, limit: int) -> OnContract:
    started = TruncDate("order__confirmed_at", tzinfo=tenant.zone)
    rows: Any = (
        OrderItem.objects.filter(_of(last.in_status(*_ON_CONTRACT)))
        .annotate(ends=ContractEnd(started, F("contract_length")))
        .filter(ends__gte=today - SOON)
        .select_related("order")
        .only("quantity", "product_name", "variant_name", "order__public_id")
        .order_by("ends", "order_id", "position")
    )
    found = list(rows.annotate(found=Window(Count("*")))[:limit])
    more = found[0].found - len(found) if found else 0
    return OnContract([_devices(row, today) for row in found], more, last.of_last)


def _of(orders: list[int]) -> RawSQL:
    """That a line is of one of these orders, each looked up in the index of their lines.

    Shown a thousand keys, the planner takes 10 ms to weigh them, and may read the table instead.
    """
    return RawSQL(
        "orders_orderitem.order_id = ANY (ARRAY(SELECT unnest(%s::bigint[])))",
        [orders],
        output_field=BooleanField(),
    )


def _devices(item: Any, today: date) -> Devices:
    return Devices(
        quantity=item.quantity,
        name=item.product_name,
        variant=item.variant_name,
        order_id=item.order.public_id,
        ends=item.ends,
        days=(item.ends - today).days,
    )


def _last_ordered(orders: LastOrders) -> list[Ordered]:
    """The last line of each SKU in the last orders that were not cancelled, the newest first."""
    kept = orders.in_status(*{*Order.Status.values} - {Order.Status.CANCELLED})
    items: Iterable[OrderItem] = (
        OrderItem.objects.filter(order__in=kept[:_ORDERS_TO_REPEAT])
        .select_related("order", "variant__product")
        .order_by("-order__created_at", "-order_id", "position")[:_ITEMS_TO_REPEAT]
    )
    last: dict[str, Ordered] = {}
    for item in items:
        variant = item.variant
        last.setdefault(
            item.sku,
            Ordered(
                sku=variant.sku if variant and variant.is_orderable else "",
                name=item.product_name,
                variant=item.variant_name,
                quantity=item.quantity,
                contract_length=item.contract_length,
                ordered_at=item.order.created_at,
            ),
        )
    return list(last.values())


def _addresses(customer: Customer) -> list[LastAddress]:
    """The last billing address, and the last shipping address if it is another one."""
    billing, shipping = customer.last_billing_address, customer.last_shipping_address
    named = [("Billing", billing)] if billing else []
    if shipping and shipping != billing:
        named.append(("Shipping", shipping))
    elif named:
        named = [("Billing and shipping", billing)]
    return [
        LastAddress(
            title,
            address,
            [
                ("Bill to it", json.dumps(address_fields("billing", address))),
                (
                    "Ship to it",
                    json.dumps({"ship_elsewhere": "on"} | address_fields("shipping", address)),
                ),
            ],
        )
        for title, address in named
    ]
