"""What the rep has said on the phone, and what has moved since.

A draft remembers in `quote` what its page showed: per line the price that was shown first
(`unitPrice`) and the prices that are shown now, by contract length (`prices`); in `vat` the rate
and the inclusive flag that were shown first. What was said stays said, whatever is shown later,
until the rep decides, it holds again, or the line becomes another one.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from orders.models import Order, OrderItem
from orders.typed import Typed, TypedLine
from portal.formats import number


class _Taxed(Protocol):
    @property
    def vat_rate(self) -> Decimal: ...
    @property
    def prices_include_vat(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Vat:
    """The VAT rate in percent, and whether prices include it."""

    rate: Decimal
    included: bool

    @classmethod
    def of(cls, taxed: _Taxed) -> "Vat":
        """At 0 % it makes no difference whether prices include it."""
        return cls(taxed.vat_rate, taxed.prices_include_vat and bool(taxed.vat_rate))

    @classmethod
    def recall(cls, quote: Mapping[str, Any], now: "Vat") -> "Vat":
        """The VAT that was said; without a price nothing was said of it."""
        if not quote.get("lines"):
            return now
        rate, included = quote["vat"]
        return cls(Decimal(rate), included and bool(rate))

    def __str__(self) -> str:
        return f"{number(self.rate.normalize())} %{', included' if self.included else ''}"


@dataclass(frozen=True, slots=True)
class MovedLine:
    """A line that was said at one price per device and month and now has another.

    `now` is None if it can no longer be ordered so: `gone` says why.
    """

    id: str
    sku: str
    name: str
    quantity: int
    contract_length: int
    said: Decimal
    now: Decimal | None
    gone: str = ""

    @property
    def difference(self) -> Decimal | None:
        """Per month, for the whole line."""
        return None if self.now is None else (self.now - self.said) * self.quantity

    @property
    def monthly_total(self) -> Decimal:
        return self.said * self.quantity

    @property
    def contract_value(self) -> Decimal:
        return self.monthly_total * self.contract_length


@dataclass(frozen=True, slots=True)
class Moved:
    """What is no longer as it was said. False if everything still is."""

    lines: Sequence[MovedLine]
    vat_said: Vat
    vat_now: Vat

    def __bool__(self) -> bool:
        return bool(self.lines) or self.has_new_vat

    @property
    def has_new_vat(self) -> bool:
        return self.vat_said != self.vat_now

    @property
    def has_gone(self) -> bool:
        """Whether a line cannot be ordered any more."""
        return any(line.now is None for line in self.lines)

    @property
    def has_new_prices(self) -> bool:
        return any(line.now is not None for line in self.lines)

    @property
    def fingerprint(self) -> str:
        """Of the prices said and now: who decides about them decides about these and no others."""
        amounts: list[Any] = [
            (line.id, line.sku, line.contract_length, _plain(line.said), _plain(line.now))
            for line in self.lines
            if line.now is not None
        ]
        amounts += [(_plain(vat.rate), vat.included) for vat in (self.vat_said, self.vat_now)]
        return fingerprint(map(str, amounts))


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rep decided about the moved prices that the page showed (`seen`, a fingerprint).

    `keeps`: the order goes to review at the prices that were said; otherwise the new ones hold.
    """

    keeps: bool = False
    seen: str = ""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Decision":
        """From a posted form; anything else than a decision is none."""
        choice, _, seen = str(values.get("prices", "")).partition("-")
        return cls(choice == "said", seen) if choice in ("said", "new") else cls()


UNDECIDED = Decision()


def fingerprint(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"


class _Priced(Protocol):
    @property
    def sku(self) -> str: ...
    @property
    def contract_length(self) -> int: ...


class Said(NamedTuple):
    """A price per device and month, at a contract length in months."""

    contract_length: int
    price: Decimal


def recall(quote: Mapping[str, Any], line: TypedLine, priced: _Priced | None) -> Said | None:
    """At what price this line was said; None if nothing was said of it.

    Of every other length than the chosen one, the page showed the price as well.
    """
    kept = quote.get("lines", {}).get(line.id)
    sku = priced.sku if priced else line.sku.strip()
    if kept is None or kept["sku"] != sku:
        return None
    length = priced.contract_length if priced else line.months or kept["contractLength"]
    if length is None:
        return None
    if length == kept["contractLength"]:
        return Said(length, Decimal(kept["unitPrice"]))
    shown = kept.get("prices", {}).get(str(length))
    return None if shown is None else Said(length, Decimal(shown))


def prices_said(quote: Mapping[str, Any], typed: Typed) -> list[Decimal | None]:
    """The price at which each line was said, by position; None for a line that is new."""
    return [said.price if (said := recall(quote, line, None)) else None for line in typed.lines]


def has_moved(quote: Mapping[str, Any], typed: Typed, order: Order, decision: Decision) -> bool:
    """Whether the order's prices are neither as they were said nor as the rep decided."""
    items = {item.position: item for item in order.items.all()}
    moved_lines = []
    for position, line in enumerate(typed.lines):
        item = items[position]
        said = recall(quote, line, item)
        catalogue = item.catalogue_price
        if said and said.price != catalogue:
            moved_lines.append(_moved_item(line.id, said.price, item))
        if item.unit_price != (said.price if said and decision.keeps else catalogue):
            return True
    vat = Vat.of(order)
    moved = Moved(moved_lines, Vat.recall(quote, vat), vat)
    return bool(moved) and moved.fingerprint != decision.seen


def _moved_item(line_id: str, said: Decimal, item: OrderItem) -> MovedLine:
    return MovedLine(
        id=line_id,
        sku=item.sku,
        name=item.product_name,
        quantity=item.quantity,
        contract_length=item.contract_length,
        said=said,
        now=item.catalogue_price,
    )


def accepted(quote: Mapping[str, Any], moved: Moved, decision: Decision) -> dict[str, Any]:
    """What is said from now on: today's VAT and, unless the said prices are kept, the new ones."""
    lines = dict(quote["lines"])
    for line in moved.lines:
        if line.now is not None and not decision.keeps:
            lines[line.id] = {**lines[line.id], "unitPrice": line.now}
    return {**quote, "lines": lines, "vat": [moved.vat_now.rate, moved.vat_now.included]}
