"""A draft as the page shows it: what was typed, priced now, beside what was said before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from catalog.matching import Option
from catalog.pricing import LineRequest, Offer, PricedLine, Quote, Totals, quote
from orders.card import CustomerCard, known_customer
from orders.models import MAX_QUANTITY, Draft, Order
from orders.typed import Typed, TypedLine, line_part, message_of, typed_number
from portal.errors import Detail
from portal.models import Tenant


@dataclass(frozen=True, slots=True)
class Rung:
    """One contract length of a line: what choosing it would mean.

    `unit_price` is per device per month; `difference` what that is more (or less) than at the
    chosen length; `term_total` for all devices of the line over the whole term, 0 while their
    number is not known.
    """

    months: int
    unit_price: Decimal
    term_total: Decimal
    difference: Decimal
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line with what it costs now. `priced` is None, and `problem` says why, if it cannot be.
    `wrong` is the part of the line that it is about: sku, quantity or length.

    `offer` is what its SKU names, None if nothing. `was`: the price per device and month that was
    shown last, if another one holds now. `choices`: what an unknown SKU can mean.
    """

    typed: TypedLine
    priced: PricedLine | None
    problem: str
    wrong: str
    offer: Offer | None
    was: Decimal | None
    choices: Sequence[Option] = ()

    @property
    def chosen(self) -> str:
        """The contract length to show as chosen: the one typed, or the one that applies."""
        if self.typed.contract_length or self.priced is None:
            return self.typed.contract_length
        return str(self.priced.contract_length)

    @property
    def ladder(self) -> list[Rung]:
        """Every contract length of the variant, beside the one that is chosen."""
        prices = self.offer.prices if self.offer else {}
        chosen = prices.get(self.priced.contract_length) if self.priced else None
        quantity = self.priced.quantity if self.priced else 0
        return [
            Rung(
                months=months,
                unit_price=price,
                term_total=price * months * quantity,
                difference=price - chosen if chosen is not None else Decimal(0),
                is_chosen=str(months) == self.chosen,
            )
            for months, price in prices.items()
        ]

    @property
    def lengths(self) -> list[str]:
        return [str(months) for months in self.offer.prices] if self.offer else []

    @property
    def monthly_total(self) -> Decimal:
        return self.priced.monthly_total if self.priced else Decimal(0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A draft as the page shows it: what was typed, its lines priced now, who is calling.

    `changed`: the lines whose price cell is not what the page shows already, `card_moved` whether
    what it shows of the customer is not.
    `vat_moved`: the VAT rate, or whether prices include it, is not what was shown last.
    """

    draft: Draft
    typed: Typed
    lines: Sequence[SheetLine]
    changed: Sequence[SheetLine]
    totals: Totals
    vat_moved: bool
    totals_moved: bool
    card: CustomerCard
    card_moved: bool
    tab: str


def new_lines(tenant: Tenant, typed: Sequence[TypedLine]) -> list[SheetLine]:
    """Lines that no page has shown yet, priced."""
    return _price(tenant, typed, {})[1]


def make_sheet(
    tenant: Tenant, draft: Draft, typed: Typed, tab: str, base: int | None = None
) -> Sheet:
    """What this page shows for what was typed, priced now.

    `base` is the number of the last change whose answer the page shows; if nothing was stored
    since, only what differs from that answer is in `changed`.
    """
    before = draft.quote
    quoted, lines = _price(tenant, typed.lines, before)
    card = CustomerCard(known_customer(tenant, typed), typed)
    totals = quoted.totals
    return Sheet(
        draft=draft,
        typed=typed,
        lines=lines,
        changed=_changed(draft, lines) if base == draft.sequence else lines,
        totals=totals,
        vat_moved=bool(before) and before["vat"] != _vat(totals),
        totals_moved=before.get("total") != totals.total
        or before.get("devices") != totals.total_devices,
        card=card,
        card_moved=base != draft.sequence or card.says_more_than(_kept(draft)),
        tab=tab,
    )


def _changed(draft: Draft, lines: Sequence[SheetLine]) -> list[SheetLine]:
    """The lines that are not as the draft has them, typed or priced."""
    kept = {line.id: line for line in _kept(draft).lines}
    shown = draft.quote.get("lines", {})
    return [
        line
        for line in lines
        if kept.get(line.typed.id) != line.typed
        or line.was is not None
        or (line.priced is not None) != (line.typed.id in shown)
    ]


def _kept(draft: Draft) -> Typed:
    return Typed.from_payload(draft.payload)


def _price(
    tenant: Tenant, lines: Sequence[TypedLine], before: Mapping[str, Any]
) -> tuple[Quote, list[SheetLine]]:
    """Every line priced, in one query; a line with a bad quantity has its unit price, no total."""
    quantities = [_quantity(line) for line in lines]
    quoted = quote(
        tenant=tenant,
        lines=[
            LineRequest(line.sku.strip(), quantity or 0, _months(line.contract_length))
            for line, quantity in zip(lines, quantities, strict=True)
        ],
    )
    priced = {line.position: line for line in quoted.lines}
    problems = {int(detail.path.split(".")[1]): detail for detail in quoted.problems}
    return quoted, [
        SheetLine(
            typed=line,
            priced=priced.get(position),
            problem=_line_problem(problems.get(position), quantities[position]),
            wrong=_wrong_part(problems.get(position), quantities[position]),
            offer=quoted.offers.get(position),
            was=_was(before, line, priced.get(position)),
        )
        for position, line in enumerate(lines)
    ]


def _quantity(line: TypedLine) -> int | None:
    """The whole number that was typed, or None. Whether an order may have it, the schema says."""
    value = typed_number(line.quantity)
    if isinstance(value, str) or not 1 <= value <= MAX_QUANTITY or value != int(value):
        return None
    return int(value)


def _months(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None


def _line_problem(detail: Detail | None, quantity: int | None) -> str:
    if detail is not None:
        return message_of(detail)
    return "" if quantity else f"Enter a whole number from 1 to {MAX_QUANTITY:,}."


def _wrong_part(detail: Detail | None, quantity: int | None) -> str:
    if detail is not None:
        return line_part(detail.path)
    return "" if quantity else "quantity"


class _Priced(Protocol):
    @property
    def sku(self) -> str: ...
    @property
    def contract_length(self) -> int: ...
    @property
    def unit_price(self) -> Decimal: ...


def _was(before: Mapping[str, Any], line: TypedLine, now: _Priced | None) -> Decimal | None:
    """The price shown for this line last, if it was for the same thing and is another now."""
    shown = before.get("lines", {}).get(line.id)
    if shown is None or now is None:
        return None
    if (shown["sku"], shown["contractLength"]) != (now.sku, now.contract_length):
        return None
    price: Decimal = shown["unitPrice"]
    return price if price != now.unit_price else None


def have_moved(before: Mapping[str, Any], typed: Typed, order: Order) -> bool:
    if before and before["vat"] != [order.vat_rate, order.prices_include_vat]:
        return True
    items = {item.position: item for item in order.items.all()}
    return any(
        _was(before, line, items[position]) is not None for position, line in enumerate(typed.lines)
    )


def _vat(totals: Totals) -> list[Any]:
    return [totals.vat_rate, totals.prices_include_vat]


def shown(sheet: Sheet) -> dict[str, Any]:
    """What the page shows for this draft, kept as the prices that were said."""
    totals = sheet.totals
    return {
        "lines": {
            line.typed.id: {
                "sku": line.priced.sku,
                "contractLength": line.priced.contract_length,
                "unitPrice": line.priced.unit_price,
            }
            for line in sheet.lines
            if line.priced is not None
        },
        "vat": _vat(totals),
        "total": totals.total,
        "devices": totals.total_devices,
    }
