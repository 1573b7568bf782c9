"""Starting points: an order that exists, as the first text of a new one."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from orders.models import CustomField, Order, OrderItem
from orders.typed import Typed, TypedLine, address_fields
from portal.errors import Conflict, DomainError
from portal.formats import typable
from portal.money import round_money


class Start(StrEnum):
    AGAIN = "again"
    EXTEND = "extend"
    UPGRADE = "upgrade"


def start(
    order: Order, kind: Start, *, item: str, configured: Iterable[CustomField], zone: tzinfo
) -> tuple[Typed, str]:
    """What is typed for a new order that starts from this one, and the field to go on in.

    `item` is the position of the device to replace. Raises Conflict for an order whose devices
    are not on contract, DomainError at `item`; ordering again is always possible.
    """
    confirmed_at = order.confirmed_at if order.is_on_contract else None
    if kind != Start.AGAIN and confirmed_at is None:
        verb = "extended" if kind == Start.EXTEND else "upgraded"
        message = f"Only an order that is confirmed and not cancelled can be {verb}."
        raise Conflict("STATE_CONFLICT", message)
    fields = who_orders(order) | dict(custom_field_texts(order, configured))
    items = list(order.items.all())
    if kind == Start.UPGRADE:
        return Typed(fields | _upgrade(_chosen(items, item), order.currency), []), "id_search"
    lines = _lines(items)
    if confirmed_at and kind == Start.EXTEND:
        fields |= _extension(order, items, confirmed_at.astimezone(zone).date())
        return Typed(fields, lines), "id_extension-extension_months"
    fields["order_type"] = Order.Type.STANDARD
    return Typed(fields, lines), f"id_line-{lines[0].id}-quantity"


def contract_end(start: date, months: int) -> date:
    """So many months later, or that month's last day: from 31 January 28 February, 31 March."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def who_orders(order: Order) -> dict[str, str]:
    """Customer and addresses as the order has them, which may differ from the record since."""
    fields = {
        "customer_id": order.customer.public_id,
        "customer-email": order.customer_email,
        "customer-first_name": order.customer_first_name,
        "customer-last_name": order.customer_last_name,
        "customer-company": order.customer_company,
        "customer-phone": order.customer_phone,
        "customer-customer_type": order.customer_type,
    }
    fields |= address_fields("billing", order.billing_address)
    if not order.ships_to_billing:
        fields |= {"ship_elsewhere": "on"} | address_fields("shipping", order.shipping_address)
    return fields


def custom_field_texts(
    order: Order, configured: Iterable[CustomField]
) -> Iterable[tuple[str, str]]:
    """Those that the tenant has configured today; the form has no place for others."""
    for field in configured:
        value: Any = (order.custom_fields or {}).get(field.key)
        if isinstance(value, str):
            yield f"custom-{field.key}", value
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            yield f"custom-{field.key}", typable(value)


def _lines(items: Sequence[OrderItem]) -> list[TypedLine]:
    """Everything as it was ordered; what is no longer offered says so on its line."""
    return [
        TypedLine(f"i{item.position}", item.sku, str(item.quantity), str(item.contract_length))
        for item in items
    ]


def _extension(order: Order, items: Sequence[OrderItem], begun: date) -> dict[str, str]:
    """For as long again as the contract that ends first, which is the one to talk about."""
    months = min(item.contract_length for item in items)
    return {
        "order_type": Order.Type.EXTENSION,
        "extension-original_order_id": order.public_id,
        "extension-extension_months": str(months),
        "extension-previous_end_date": contract_end(begun, months).isoformat(),
        "extension-new_end_date": contract_end(begun, 2 * months).isoformat(),
    }


def _chosen(items: Sequence[OrderItem], position: str) -> OrderItem:
    """The item of this position; without one, the only item."""
    if not position and len(items) == 1:
        return items[0]
    for item in items:
        if str(item.position) == position:
            return item
    raise DomainError.at("item", "VALIDATION_ERROR", "Choose the device to replace.")


def _upgrade(item: OrderItem, currency: str) -> dict[str, str]:
    """Serial number and subscription are for the rep: one device of the item is replaced."""
    return {
        "order_type": Order.Type.UPGRADE,
        "upgrade-previous_device": f"{item.product_name} {item.variant_name}".strip(),
        "upgrade-previous_monthly_amount": typable(round_money(item.unit_price, currency)),
    }
