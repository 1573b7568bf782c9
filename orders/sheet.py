"""A draft as the page shows it: what was typed, priced now, beside what was said before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from catalog.building import price_problem
from catalog.matching import Option
from catalog.models import SKU_LENGTH
from catalog.pricing import LineRequest, Offer, PricedLine, Quote, Totals, quote, sum_up
from orders.building import kept_line
from orders.card import CustomerCard, card_for, same_caller
from orders.models import MAX_LINES, MAX_QUANTITY, Draft, OrderItem
from orders.readback import ReadBack, missing, read_back, tick_in
from orders.said import Moved, MovedLine, Said, Vat, fingerprint, recall
from orders.typed import Typed, TypedLine, line_part, message_of, typed_number
from portal.errors import Detail
from portal.models import Tenant
from portal.money import MAX_UNIT_PRICE
from portal.permissions import Actor


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

    `offer` is what its SKU names, None if nothing. `said`: the price that was said of it, if any
    was. `choices`: what an unknown SKU can mean. Of an order that is changed: `kept` is the item
    that the line was, `is_decided` says that somebody decided on another price than was
    said, `remark` is what the reviewer said of it, `doubts` what is no amount of those that were
    decided on, `refused` what a submit refused of them, both by the part of the line.
    """

    typed: TypedLine
    priced: PricedLine | None
    problem: str
    wrong: str
    offer: Offer | None
    said: Said | None
    choices: Sequence[Option] = ()
    kept: OrderItem | None = None
    is_decided: bool = False
    remark: str = ""
    doubts: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def wrong_amounts(self) -> Mapping[str, str]:
        """What is wrong with each amount that can be decided on, "" if nothing is."""
        return {**dict.fromkeys(("price", "list", "cost"), ""), **self.doubts, **self.refused}

    @property
    def chosen(self) -> str:
        """The contract length to show as chosen: the one typed, or the one that applies."""
        if self.typed.contract_length or self.priced is None:
            return self.typed.contract_length
        return str(self.priced.contract_length)

    @property
    def ladder(self) -> list[Rung]:
        """Every contract length of the variant, beside the one that is chosen."""
        prices = self.prices
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
    def prices(self) -> dict[int, Decimal]:
        """Per device and month, by length; the one that an item has already, as it has it."""
        prices = dict(self.offer.prices) if self.offer else {}
        if self.kept:
            prices[self.kept.contract_length] = self.kept.unit_price
        return dict(sorted(prices.items()))

    @property
    def lengths(self) -> list[str]:
        return [str(months) for months in self.prices]

    @property
    def monthly_total(self) -> Decimal:
        return self.priced.monthly_total if self.priced else Decimal(0)

    @property
    def is_known(self) -> bool:
        """Whether it is clear which device is meant."""
        return self.offer is not None or self.priced is not None

    @property
    def name(self) -> str:
        known = self.offer or self.kept
        return known.product_name if known else self.typed.sku

    @property
    def variant_name(self) -> str:
        known = self.offer or self.kept
        return known.variant_name if known else ""

    @property
    def was(self) -> Decimal | None:
        """The price per device and month that was said, if another one holds now."""
        if self.priced is None or self.said is None or self.is_decided:
            return None
        return self.said.price if self.said.price != self.priced.unit_price else None

    @property
    def as_said(self) -> PricedLine | None:
        """The line at the price that was said; None while it cannot be ordered."""
        if self.priced is None or self.problem:
            return None
        if self.said is None or self.is_decided:
            return self.priced
        return replace(self.priced, unit_price=self.said.price)

    @property
    def moved(self) -> MovedLine | None:
        """What has changed since it was said, if anything has."""
        if self.said is None or (self.priced is not None and self.was is None):
            return None
        return MovedLine(
            id=self.typed.id,
            sku=self.typed.sku.strip(),
            name=self.name,
            quantity=_quantity(self.typed) or 0,
            contract_length=self.said.contract_length,
            said=self.said.price,
            now=self.priced.unit_price if self.priced else None,
            gone=_gone(self.wrong, self.said),
        )

    @property
    def missing(self) -> str:
        """What the line still needs, in words; "" if it can be ordered as it is."""
        match self.wrong:
            case "sku":
                if not self.is_known:
                    return f"what “{self.typed.sku.strip()[:SKU_LENGTH]}” stands for"
                return f"a replacement for {self.name}"
            case "length":
                return f"the contract length of {self.name}"
            case "quantity":
                return f"the quantity of {self.name}"
        return ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A draft as the page shows it: what was typed, its lines priced now, who is calling.

    `changed`: the lines whose price cell is not what the page shows already; `card` is None if
    what it shows of the customer is. `moved`: what is not as it was said any more.
    """

    draft: Draft
    typed: Typed
    lines: Sequence[SheetLine]
    changed: Sequence[SheetLine]
    totals: Totals
    moved: Moved
    totals_moved: bool
    card: CustomerCard | None
    read_back: ReadBack
    tab: str

    @property
    def total_said(self) -> Decimal:
        """Per month, with the VAT that was said, lines that are gone since included."""
        lines = [each for line in self.lines if (each := line.moved or line.priced)]
        return _sum_up(lines, self.moved.vat_said, self.totals).total

    @property
    def left_out(self) -> int:
        """How many lines the totals are without: those with no price or no quantity yet."""
        return sum(line.priced is None or not line.priced.quantity for line in self.lines)

    @property
    def too_many(self) -> str:
        """That there are more lines than an order may have, "" if there are not."""
        number = len(self.lines)
        if number <= MAX_LINES:
            return ""
        return f"An order has at most {MAX_LINES} lines. Remove {number - MAX_LINES} of them."

    @property
    def difference(self) -> Decimal:
        """Of the totals per month: what stands now, less what was said."""
        return self.totals.total - self.total_said


def new_lines(tenant: Tenant, typed: Sequence[TypedLine]) -> list[SheetLine]:
    """Lines that no page has shown yet, priced."""
    return _price(tenant, typed, {}, {}, {})[1]


def make_sheet(
    tenant: Tenant, draft: Draft, typed: Typed, tab: str, base: int | None = None
) -> Sheet:
    """What this page shows for what was typed, priced now.

    `base` is the number of the last change whose answer the page shows; if nothing was stored
    since, only what differs from that answer is in `changed`.
    """
    before, kept = draft.quote, Typed.from_payload(draft.payload)
    is_latest = base == draft.sequence
    shows_caller = is_latest and same_caller(typed, kept)
    decided = _decisions(draft, typed.lines)
    quoted, lines = _price(tenant, typed.lines, before, kept_items(draft), decided)
    totals = quoted.totals
    if draft.edits_id is not None:
        lines = [replace(line, doubts=_doubts(line.typed, totals.currency)) for line in lines]
    moved = _moved(before, lines, totals)
    return Sheet(
        draft=draft,
        typed=typed,
        lines=lines,
        changed=_changed(before, kept, lines) if is_latest else lines,
        totals=totals,
        moved=moved,
        totals_moved=before.get("total") != totals.total
        or before.get("devices") != totals.total_devices,
        card=None if shows_caller else card_for(draft.owner, tenant, typed),
        read_back=_read_back(before, typed, lines, totals, moved, is_latest),
        tab=tab,
    )


def kept_items(draft: Draft) -> dict[str, OrderItem]:
    """The items of the order that the draft changes, by the id of the line that goes on from it."""
    if draft.edits_id is None:
        return {}
    items = OrderItem.objects.filter(tenant=draft.tenant_id, order=draft.edits_id)
    return {kept_id(item): item for item in items}


def kept_id(item: OrderItem) -> str:
    """No other line has such an id: others are hexadecimal."""
    return f"k{item.position}"


def _changed(before: Mapping[str, Any], kept: Typed, lines: Sequence[SheetLine]) -> list[SheetLine]:
    """The lines that are not as the draft has them, typed or priced."""
    typed = {line.id: line for line in kept.lines}
    shown = before.get("lines", {})
    return [
        line
        for line in lines
        if typed.get(line.typed.id) != line.typed
        or _cell(line) != {name: shown.get(line.typed.id, _NOTHING).get(name) for name in _NOTHING}
    ]


_NOTHING: Mapping[str, Any] = {"isPriced": False, "prices": {}}
"""What the page shows of the price of a line that it does not know."""


def _cell(line: SheetLine) -> dict[str, Any]:
    """What the page shows of the line's price: whether it has one, and those of every length."""
    return {
        "isPriced": line.priced is not None,
        "prices": {str(months): price for months, price in line.prices.items()},
    }


def _moved(before: Mapping[str, Any], lines: Sequence[SheetLine], totals: Totals) -> Moved:
    vat = Vat.of(totals)
    moved = [each for line in lines if (each := line.moved)]
    return Moved(moved, Vat.recall(before, vat), vat)


def _gone(wrong: str, said: Said) -> str:
    if wrong == "length":
        return f"No longer for {said.contract_length} months"
    return "No longer rented out" if wrong == "sku" else ""


def _sum_up(lines: Sequence[MovedLine | PricedLine], vat: Vat, totals: Totals) -> Totals:
    return sum_up(
        lines,
        currency=totals.currency,
        vat_rate=vat.rate,
        prices_include_vat=vat.included,
    )


def _read_back(
    before: Mapping[str, Any],
    typed: Typed,
    lines: Sequence[SheetLine],
    totals: Totals,
    moved: Moved,
    is_latest: bool,
) -> ReadBack:
    """What there is to read: as it was said, until the rep decides about what has moved."""
    as_said = [each for line in lines if (each := line.as_said)]
    sentences = read_back(typed, as_said, _sum_up(as_said, moved.vat_said, totals))
    needed = missing(typed, [words for line in lines if (words := line.missing)])
    now, last, tick = fingerprint(sentences), before.get("read", ""), tick_in(typed)
    # Not ticked any more: by the rep, or because the page showed other sentences since.
    last_read = tick or ("" if last == now else last)
    return ReadBack(
        sentences=sentences,
        missing=needed,
        last_read=last_read,
        is_read=tick == now and not needed,
        is_stale=last_read not in ("", now),
        is_new=not is_latest or _read(before) != (sentences, needed),
    )


def _read(quote: Mapping[str, Any]) -> tuple[list[str], str]:
    return quote.get("readBack", []), quote.get("missing", "")


def _price(
    tenant: Tenant,
    lines: Sequence[TypedLine],
    before: Mapping[str, Any],
    items: Mapping[str, OrderItem],
    decided: Mapping[int, Decimal],
) -> tuple[Quote, list[SheetLine]]:
    """Every line priced, in one query; a line with a bad quantity has its unit price, no total."""
    quantities = [_quantity(line) for line in lines]
    origins = [_origin(line, items) for line in lines]
    kept = [_kept_item(line, item) for line, item in zip(lines, origins, strict=True)]
    quoted = quote(
        tenant=tenant,
        lines=[
            LineRequest(
                line.sku.strip(),
                quantity or 0,
                line.months,
                kept=kept_line(item) if item else None,
            )
            for line, quantity, item in zip(lines, quantities, kept, strict=True)
        ],
    )
    if decided:
        quoted = replace(
            quoted,
            lines=[
                replace(line, unit_price=decided.get(line.position, line.unit_price))
                for line in quoted.lines
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
            said=recall(before, line, priced.get(position)),
            kept=origins[position],
            is_decided=position in decided,
        )
        for position, line in enumerate(lines)
    ]


def _origin(line: TypedLine, items: Mapping[str, OrderItem]) -> OrderItem | None:
    """The item that this line was, unless it is another device now."""
    item = items.get(line.id)
    return item if item is not None and item.sku == line.sku.strip() else None


def _kept_item(line: TypedLine, origin: OrderItem | None) -> OrderItem | None:
    """The item whose price this line keeps: it is still for as long."""
    is_kept = origin and line.contract_length in ("", str(origin.contract_length))
    return origin if is_kept else None


def _decisions(draft: Draft, lines: Sequence[TypedLine]) -> dict[int, Decimal]:
    """The prices that were decided on, by position: of an order that is changed, by who may."""
    amounts = {
        position: amount
        for position, line in enumerate(lines)
        if (amount := _decided_amount(line.price)) is not None
    }
    if not amounts or draft.edits_id is None:
        return {}
    return amounts if Actor.from_user(draft.owner).can("orders.override_price") else {}


def _decided_amount(text: str) -> Decimal | None:
    """An amount that was decided on; None if nothing was, or not yet anything that is one."""
    amount = typed_number(text)
    in_range = isinstance(amount, Decimal) and 0 <= amount <= MAX_UNIT_PRICE
    return amount if isinstance(amount, Decimal) and in_range else None


def _doubts(line: TypedLine, currency: str) -> dict[str, str]:
    """What is wrong with the amounts that were decided on, as submitting would say it."""
    texts = {"price": line.price, "list": line.list_price, "cost": line.cost}
    problems = {part: _amount_problem(text.strip(), currency) for part, text in texts.items()}
    return {part: problem for part, problem in problems.items() if problem}


def _amount_problem(text: str, currency: str) -> str | None:
    amount = typed_number(text)
    if isinstance(amount, Decimal):
        return price_problem(amount, currency)
    return "Enter an amount." if text else None


def _quantity(line: TypedLine) -> int | None:
    """The whole number that was typed, or None. Whether an order may have it, the schema says."""
    value = typed_number(line.quantity)
    if isinstance(value, str) or not 1 <= value <= MAX_QUANTITY or value != int(value):
        return None
    return int(value)


def _line_problem(detail: Detail | None, quantity: int | None) -> str:
    if detail is not None:
        return message_of(detail)
    return "" if quantity else f"Enter a whole number from 1 to {MAX_QUANTITY:,}."


def _wrong_part(detail: Detail | None, quantity: int | None) -> str:
    if detail is not None:
        return line_part(detail.path)
    return "" if quantity else "quantity"


def shown(sheet: Sheet) -> dict[str, Any]:
    """What the page shows for this draft, with what was said kept as it was."""
    totals, vat = sheet.totals, sheet.moved.vat_said
    return {
        "lines": {
            line.typed.id: memory for line in sheet.lines if (memory := _memory(line)) is not None
        },
        "vat": [vat.rate, vat.included],
        "total": totals.total,
        "devices": totals.total_devices,
        "readBack": sheet.read_back.sentences,
        "missing": sheet.read_back.missing,
        "read": sheet.read_back.last_read,
    }


def _memory(line: SheetLine) -> dict[str, Any] | None:
    said = line.said
    if line.priced and not said and not line.is_decided:
        said = Said(line.priced.contract_length, line.priced.unit_price)
    if not (said or line.is_known):
        return None
    return {
        "sku": line.typed.sku.strip(),
        "contractLength": said.contract_length if said else None,
        "unitPrice": said.price if said else None,
        **_cell(line),
    }
