"""Who is calling: what a rep wants to have in view about a known customer while they speak."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, DateField, F, Func, Window
from django.db.models.functions import TruncDate

from customers.models import Customer
from orders.draft_life import Summary, summaries
from orders.models import Order, OrderItem
from orders.typed import address_fields
from portal.models import Tenant, User

ORDERS_SHOWN, DEVICES_SHOWN, ITEMS_SHOWN = 5, 6, 6
SOON = timedelta(days=60)
"""A contract that ends within this time is worth a word, and one that ended so long ago is."""

_ORDERS_LOOKED_AT, _ITEMS_LOOKED_AT = 20, 200
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
        """On one line: street, town and country."""
        names = ("streetAddress", "buildingInfo", "postalCode", "city", "country")
        return ", ".join(str(self.address[name]) for name in names if self.address.get(name))


@dataclass(frozen=True, slots=True)
class CallerPanel:
    """A known customer at a glance. What is cut off is counted in `more_…`.

    Without `sees_orders` there are no orders in it: whoever asked may not see them.
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
    addresses, in four queries; no order to a rep who may not see orders. `besides` is the draft
    that the rep is typing now.
    """
    sees_orders = rep.has_perm("orders.view_order")
    # One without devices is a page that was opened for them and left for another.
    begun = [
        draft
        for draft in summaries(owner=rep, customer_id=customer.public_id)
        if draft.public_id != besides and (draft.devices or draft.edits)
    ]
    pending, more_pending = _first(_pending(customer), ORDERS_SHOWN) if sees_orders else ([], 0)
    devices, more_devices = (
        devices_on_contract(tenant=tenant, customer=customer, today=today)
        if sees_orders
        else ([], 0)
    )
    ordered = _last_ordered(customer) if sees_orders else []
    return CallerPanel(
        customer=customer,
        drafts=begun[:ORDERS_SHOWN],
        sees_orders=sees_orders,
        pending=pending,
        more_pending=more_pending,
        devices=devices,
        more_devices=more_devices,
        ordered=ordered[:ITEMS_SHOWN],
        more_ordered=max(0, len(ordered) - ITEMS_SHOWN),
        addresses=_addresses(customer),
    )


def devices_on_contract(
    *, tenant: Tenant, customer: Customer, today: date, limit: int = DEVICES_SHOWN
) -> tuple[list[Devices], int]:
    """Lines on contract, the first to end first, and how many more there are than `limit`.

    A contract runs from the order's confirmation, on the tenant's calendar. One that is over is
    still told for 60 days: whoever calls may want to extend it.
    """
    started = TruncDate("order__confirmed_at", tzinfo=tenant.zone)
    lines = OrderItem.objects.filter(order__customer=customer, order__status__in=_ON_CONTRACT)
    rows, more = _first(
        lines.annotate(ends=ContractEnd(started, F("contract_length")))
        .filter(ends__gte=today - SOON)
        .select_related("order")
        .order_by("ends", "order_id", "position"),
        limit,
    )
    return [_devices(row, today) for row in rows], more


def _pending(customer: Customer) -> Any:
    return Order.objects.filter(customer=customer, status=Order.Status.PENDING)


def _first(rows: Any, limit: int) -> tuple[list[Any], int]:
    """The first rows, and how many there are beyond; in one query."""
    found = list(rows.annotate(found=Window(Count("*")))[:limit])
    return found, found[0].found - len(found) if found else 0


def _devices(item: Any, today: date) -> Devices:
    return Devices(
        quantity=item.quantity,
        name=item.product_name,
        variant=item.variant_name,
        order_id=item.order.public_id,
        ends=item.ends,
        days=(item.ends - today).days,
    )


def _last_ordered(customer: Customer) -> list[Ordered]:
    """The last line of each SKU in the last orders that were not cancelled, the newest first."""
    orders = Order.objects.filter(customer=customer).exclude(status=Order.Status.CANCELLED)
    items: Iterable[OrderItem] = (
        OrderItem.objects.filter(order__in=orders.values("pk")[:_ORDERS_LOOKED_AT])
        .select_related("order", "variant__product")
        .order_by("-order__created_at", "-order_id", "position")[:_ITEMS_LOOKED_AT]
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
