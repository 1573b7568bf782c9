"""An order as it is, with what a program sends put on top: what `PATCH /v1/orders/…` asks for."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from customers.models import CustomerType
from customers.schemas import Address, CustomerInput
from orders.editing import Edit, EditedLine
from orders.models import Order, OrderItem
from orders.schemas import ExtensionDetails, ItemInput, NewOrder, OrderUpdate, UpgradeDetails


def merged(order: Order, update: OrderUpdate) -> Edit:
    """The whole order as it is wanted: what was sent instead of what it says, the rest kept."""
    items = list(order.items.all())
    wanted = _as_placed(order, items).model_copy(update=update.changes)
    if update.items is None:
        lines = [EditedLine(kept=item.position) for item in items]
        return Edit(wanted, lines, keeps_amounts=True)
    return Edit(wanted, going_on(update.items, items))


def going_on(wanted: Iterable[ItemInput], items: Iterable[OrderItem]) -> list[EditedLine]:
    """Which line of the order each of these goes on from, each line at most once.

    A line of the same SKU and contract length, before one of the same SKU whose length is not
    said, before one of the same SKU and another length, whose place it takes. Of several the
    first.
    """
    wanted, free = list(wanted), list(items)
    kept: dict[int, int] = {}
    for goes_on in (_same_line, _length_unsaid, _same_sku):
        for number, item in enumerate(wanted):
            old = next((old for old in free if goes_on(item, old)), None)
            if old is not None and number not in kept:
                kept[number] = old.position
                free.remove(old)
    return [EditedLine(kept=kept.get(number)) for number, _ in enumerate(wanted)]


def _same_sku(item: ItemInput, old: OrderItem) -> bool:
    return item.sku == old.sku


def _same_line(item: ItemInput, old: OrderItem) -> bool:
    return _same_sku(item, old) and item.contract_length == old.contract_length


def _length_unsaid(item: ItemInput, old: OrderItem) -> bool:
    return _same_sku(item, old) and item.contract_length is None


def _as_placed(order: Order, items: Iterable[OrderItem]) -> NewOrder:
    """What would be sent to place the order as it is. It was checked when it was; not again."""
    return NewOrder.model_construct(
        order_type=Order.Type(order.order_type),
        extension_details=_known(ExtensionDetails.model_construct, order.extension_details),
        upgrade_details=_known(UpgradeDetails.model_construct, order.upgrade_details),
        customer=CustomerInput.model_construct(
            email=order.customer_email,
            first_name=order.customer_first_name,
            last_name=order.customer_last_name,
            company=order.customer_company,
            phone=order.customer_phone,
            customer_type=CustomerType(order.customer_type),
        ),
        custom_fields=order.custom_fields,
        billing_address=Address.model_construct(**order.billing_address),
        shipping_address=Address.model_construct(**order.shipping_address),
        items=[
            ItemInput.model_construct(
                sku=item.sku,
                quantity=item.quantity,
                contract_length=Decimal(item.contract_length),
            )
            for item in items
        ],
        notes=order.notes,
    )


def _known(construct: Callable[..., Any], stored: dict[str, Any] | None) -> Any:
    return None if stored is None else construct(**stored)
