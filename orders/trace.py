"""How each number of a line came about: from the catalogue's price to the order's total."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.models import PriceChange
from orders.models import Order, OrderEvent, OrderItem
from portal.formats import moment, money, number
from portal.money import quantum, round_money

FEW_LINES = 5
"""Of an order with more, the lines are counted instead of written out."""


@dataclass(frozen=True, slots=True)
class Step:
    """One number on the way: what it is, what it comes to, and why."""

    label: str
    amount: str
    why: Sequence[str]


def find_change(item: OrderItem) -> PriceChange | None:
    """The last change to the catalogue price that the line was priced at; None if it is the first
    price that there was, or not known.

    A change that was under way while the line was priced is no part of its price.
    """
    if item.variant_id is None or item.catalogue_price is None:
        return None
    return PriceChange.objects.filter(
        variant=item.variant_id,
        contract_length=item.contract_length,
        new_price=item.catalogue_price,
        at__lte=item.priced_at,
    ).first()


def trace(
    order: Order,
    item: OrderItem,
    *,
    items: Sequence[OrderItem],
    events: Iterable[OrderEvent],
    change: PriceChange | None,
    with_costs: bool,
) -> list[Step]:
    """Every step to the numbers of this line, of all the `items` of the order."""
    steps = [
        _catalogue_price(order, item, change),
        *_agreed_price(order, item, events),
        _rounding(order, item),
        _per_month(order, item),
        _contract_value(order, item),
        _subtotal(order, items),
        _vat(order),
        _total(order),
    ]
    return [*steps, *(_costs(order, item) if with_costs else ())]


def _catalogue_price(order: Order, item: OrderItem, change: PriceChange | None) -> Step:
    label = "Catalogue price"
    if item.catalogue_price is None:
        return Step(label, "Unknown", ["The order was imported without it."])
    what = f"One {item.sku} per month, for {item.contract_length} months, on "
    return Step(
        label,
        money(item.catalogue_price, order.currency),
        [f"{what}{moment(item.priced_at)}.", _of_change(order, change)],
    )


def _of_change(order: Order, change: PriceChange | None) -> str:
    if change is None:
        return "It is unchanged since it was added to the catalogue."
    if change.old_price is None:
        return f"{change.actor} added it to the catalogue on {moment(change.at)}."
    was = money(change.old_price, order.currency)
    return f"{change.actor} changed it from {was} on {moment(change.at)}."


def _agreed_price(order: Order, item: OrderItem, events: Iterable[OrderEvent]) -> Iterator[Step]:
    """The price that holds instead of the catalogue's, if one does, and who said or decided so."""
    if not item.has_agreed_price:
        return
    said = _said(order, item, events)
    if said is not None:
        label, why = "Price said on the phone", f"{said.actor} submitted it on {moment(said.at)}."
    elif item.overridden_by:
        label, why = "Decided price", _decided(item)
    else:
        label, why = "Agreed price", "The order was submitted or imported with it."
    yield Step(label, money(item.unit_price, order.currency), [why])


def _said(order: Order, item: OrderItem, events: Iterable[OrderEvent]) -> OrderEvent | None:
    """The event that brought the line at the price that it has."""
    if order.source != Order.Source.PORTAL:
        return None
    this = (item.position, item.sku, item.unit_price)
    return next(
        (
            event
            for event in events
            for line in event.data.get("agreedPrices", ())
            if (line["position"], line["sku"], line["said"]) == this
        ),
        None,
    )


def _decided(item: OrderItem) -> str:
    if not item.overridden_by:
        return "The order was imported with it."
    at = moment(item.overridden_at) if item.overridden_at else ""
    return f"{item.overridden_by} decided it on {at}: “{item.override_reason}”"


def _rounding(order: Order, item: OrderItem) -> Step:
    rounded = round_money(item.unit_price, order.currency)
    how = f"To {money(quantum(order.currency), order.currency)}, half up"
    had_to = (
        "nothing had to be rounded" if rounded == item.unit_price else f"from {item.unit_price}"
    )
    return Step("Rounded", money(rounded, order.currency), [f"{how}; {had_to}."])


def _per_month(order: Order, item: OrderItem) -> Step:
    each = money(item.unit_price, order.currency)
    why = f"{number(item.quantity)} × {each}"
    return Step("Per month", money(item.monthly_total, order.currency), [why])


def _contract_value(order: Order, item: OrderItem) -> Step:
    monthly = money(item.monthly_total, order.currency)
    why = f"{monthly} × {item.contract_length} months"
    return Step("Contract value", money(item.contract_value, order.currency), [why])


def _subtotal(order: Order, items: Sequence[OrderItem]) -> Step:
    why = " + ".join(money(item.monthly_total, order.currency) for item in items)
    if len(items) == 1:
        why = "This is the only line."
    elif len(items) > FEW_LINES:
        why = f"What all {number(len(items))} lines are per month, added up."
    return Step("Subtotal of the order", money(order.subtotal, order.currency), [why])


def _vat(order: Order) -> Step:
    rate = order.vat_rate
    label, amount = f"VAT {number(rate)} %", money(order.tax_amount, order.currency)
    if not rate:
        return Step(label, amount, ["None is charged."])
    divisor = 100 + rate if order.prices_include_vat else Decimal(100)
    kind = "The prices include it" if order.prices_include_vat else "It comes on top of the prices"
    sum_ = f"{money(order.subtotal, order.currency)} × {number(rate)} / {number(divisor)}"
    return Step(label, amount, [f"{kind}: {sum_}, rounded once, on the subtotal."])


def _total(order: Order) -> Step:
    why = "The subtotal, which has the VAT in it."
    if not order.prices_include_vat:
        parts = (money(each, order.currency) for each in (order.subtotal, order.tax_amount))
        why = " + ".join(parts)
    return Step("Total of the order per month", money(order.total, order.currency), [why])


def _costs(order: Order, item: OrderItem) -> list[Step]:
    copied = f"The catalogue had it on {moment(item.priced_at)}."
    if item.catalogue_price is None:
        copied = "The order was imported with it."
    why_listed = {
        OrderItem.ListPriceSource.VARIANT: copied,
        OrderItem.ListPriceSource.MANUAL: _decided(item),
        OrderItem.ListPriceSource.UNKNOWN: "The catalogue had none.",
    }
    why_cost = {
        OrderItem.CostSource.VARIANT: copied,
        OrderItem.CostSource.MANUAL: _decided(item),
        OrderItem.CostSource.LIST_PRICE: "The catalogue had none; the list price stands in for it.",
        OrderItem.CostSource.UNKNOWN: "The catalogue had neither a cost nor a list price.",
    }
    listed, cost = (
        "Unknown" if amount is None else money(amount, order.currency)
        for amount in (item.list_price, item.acquisition_cost)
    )
    return [
        Step("List price", listed, [why_listed[OrderItem.ListPriceSource(item.list_price_source)]]),
        Step("Cost", cost, [why_cost[OrderItem.CostSource(item.acquisition_cost_source)]]),
    ]
