"""An order as somebody wants it to be instead: what stays, what is new, what is overridden."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count

from catalog.building import price_problem
from catalog.pricing import LineRequest, PricedLine, Quote
from orders.building import build_item, kept_line
from orders.models import REASON_LENGTH, Order, OrderItem
from orders.schemas import ItemInput, NewOrder
from portal.errors import Detail
from portal.permissions import Actor

OVERRIDABLE = {
    "unit_price": "unitPrice",
    "list_price": "listPriceOverride",
    "acquisition_cost": "acquisitionCostOverride",
}
"""What can be decided about a line, and the contract's name for it."""

AMOUNTS = (
    *("vat_rate", "prices_include_vat", "subtotal", "tax_amount", "total"),
    *("contract_value", "total_devices"),
)
"""Of an order, what follows from its items and the tenant's VAT."""

EDITED_FIELDS = (
    *("customer", "order_type", "customer_email", "customer_first_name", "customer_last_name"),
    *("customer_company", "customer_phone", "customer_type", "billing_address"),
    *("shipping_address", *AMOUNTS, "custom_fields", "notes", "extension_details"),
    "upgrade_details",
)
"""Of an order, what an edit writes anew."""

ITEM_FIELDS = [
    field.name
    for field in OrderItem._meta.concrete_fields
    if field.name not in ("id", "tenant", "order", "position", "rented_devices")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Amounts that hold for a line instead of the catalogue's, and why.

    `unit_price` is per device per month, the others for one device. None leaves it as it is.
    """

    unit_price: Decimal | None = None
    list_price: Decimal | None = None
    acquisition_cost: Decimal | None = None
    reason: str = ""

    @property
    def amounts(self) -> dict[str, Decimal]:
        values = {name: getattr(self, name) for name in OVERRIDABLE}
        return {name: value for name, value in values.items() if value is not None}

    def problems(self, position: int, currency: str) -> list[Detail]:
        """What is wrong with it, at `items.<position>.<field>`."""
        found = [
            Detail(f"items.{position}.{OVERRIDABLE[name]}", "VALIDATION_ERROR", message)
            for name, amount in self.amounts.items()
            if (message := price_problem(amount, currency))
        ]
        if self.amounts and not self.reason:
            message = "Say why the amount is another one."
            found.append(Detail(f"items.{position}.overrideReason", "VALIDATION_ERROR", message))
        if len(self.reason) > REASON_LENGTH:
            message = f"This may have {REASON_LENGTH} characters at most."
            found.append(Detail(f"items.{position}.overrideReason", "VALIDATION_ERROR", message))
        return found


@dataclass(frozen=True, slots=True)
class EditedLine:
    """How a line of the wanted order comes about: `kept` is the position that it has already."""

    kept: int | None = None
    override: Override = Override()


@dataclass(frozen=True, slots=True)
class Edit:
    """The whole order as it is wanted, shape checked; `lines` says of each item how.

    `keeps_amounts` where nothing was said about its items: VAT and totals stay what they were,
    those of an imported order too, whatever rate the tenant has by now.
    """

    order: NewOrder
    lines: Sequence[EditedLine]
    keeps_amounts: bool = False

    def requests(self, before: Mapping[int, OrderItem]) -> list[LineRequest]:
        """What is asked of the catalogue: nothing for a line that keeps SKU and length."""
        return [
            LineRequest(
                item.sku,
                item.quantity,
                item.contract_length,
                item.agreed_price,
                kept=kept_line(old) if (old := kept_item(item, line, before)) else None,
            )
            for item, line in zip(self.order.items, self.lines, strict=True)
        ]


def kept_item(
    item: ItemInput, line: EditedLine, before: Mapping[int, OrderItem]
) -> OrderItem | None:
    """The item that this line goes on from at its price; None for a new or replaced one."""
    old = before.get(line.kept) if line.kept is not None else None
    if old is None or old.sku != item.sku:
        return None
    return old if item.contract_length in (None, old.contract_length) else None


def edited_items(
    order: Order,
    before: Mapping[int, OrderItem],
    edit: Edit,
    quoted: Quote,
    *,
    actor: Actor,
    at: datetime,
) -> list[OrderItem]:
    """The items of the edited order, unsaved. Whoever goes on keeps position and row."""
    free = count(max(before, default=-1) + 1)
    items = []
    for wanted, line, priced in zip(edit.order.items, edit.lines, quoted.lines, strict=True):
        old = before.get(line.kept) if line.kept is not None else None
        kept = kept_item(wanted, line, before)
        item = _same(kept, priced) if kept else _new(order, priced, at)
        item.pk = old.pk if old else None
        item.position = old.position if old else next(free)
        _override(item, line.override, actor, at)
        items.append(item)
    return items


def _same(kept: OrderItem, priced: PricedLine) -> OrderItem:
    columns = [field.attname for field in OrderItem._meta.concrete_fields]
    values = {column: getattr(kept, column) for column in columns}
    return OrderItem(**values | {"quantity": priced.quantity})


def _new(order: Order, priced: PricedLine, at: datetime) -> OrderItem:
    item = build_item(order, priced)
    item.priced_at = at
    return item


def _override(item: OrderItem, override: Override, actor: Actor, at: datetime) -> None:
    """Sets what was decided; an amount that the line has anyway is no decision."""
    decided = {n: v for n, v in override.amounts.items() if v != getattr(item, n)}
    if not decided:
        return
    for name, amount in decided.items():
        setattr(item, name, amount)
    if "list_price" in decided:
        item.list_price_source = OrderItem.ListPriceSource.MANUAL
    if "acquisition_cost" in decided:
        item.acquisition_cost_source = OrderItem.CostSource.MANUAL
    item.overridden_at, item.override_reason = at, override.reason
    item.overridden_by_ref, item.overridden_by = actor.ref, actor.label


def is_same(old: OrderItem, new: OrderItem) -> bool:
    """Whether the row would stay as it is."""
    columns = [OrderItem._meta.get_field(name).attname for name in ITEM_FIELDS]  # type: ignore[union-attr]
    return all(getattr(old, column) == getattr(new, column) for column in columns)
