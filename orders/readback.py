"""An order read back to the customer: whole sentences that a rep can say as they stand.

Who orders, what, for how long and at what price, what it comes to, where it goes and who pays.
They are made from what was typed and from prices, of a draft and of its order alike: the same
words mean that the order is what was read.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from orders.fields import AddressForm
from orders.models import Order
from orders.said import fingerprint
from orders.typed import Typed, storable, typed_number
from portal.formats import day, money, number

_WORDS = (
    *("One", "Two", "Three", "Four", "Five", "Six"),
    *("Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"),
)
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_LONGEST = 300
"""Characters of a field that are read; no field accepts more."""


class Line(Protocol):
    """Devices of one kind. `unit_price` is per device per month, over `contract_length` months."""

    @property
    def product_name(self) -> str: ...
    @property
    def variant_name(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def contract_length(self) -> int: ...
    @property
    def unit_price(self) -> Decimal: ...


class Totals(Protocol):
    """What it comes to, in `currency`: per month, and `contract_value` over the whole terms."""

    @property
    def currency(self) -> str: ...
    @property
    def vat_rate(self) -> Decimal: ...
    @property
    def prices_include_vat(self) -> bool: ...
    @property
    def subtotal(self) -> Decimal: ...
    @property
    def total(self) -> Decimal: ...
    @property
    def contract_value(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What there is to read. `missing` says what is needed first; until then it cannot be ticked.

    `is_read`: the rep ticked these sentences. `is_stale`: they ticked others, which these were
    before (`last_read` is the fingerprint of those). `is_new`: the page does not show them yet.
    """

    sentences: list[str]
    missing: str
    last_read: str
    is_read: bool
    is_stale: bool
    is_new: bool

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.sentences)


def tick_in(typed: Typed) -> str:
    """The fingerprint of the sentences that were ticked as read, or ""."""
    tick = typed.fields.get("read_back", "")
    return tick if _FINGERPRINT.fullmatch(tick) else ""


def read_back(typed: Typed, lines: Sequence[Line], totals: Totals) -> list[str]:
    """The sentences for these lines. What is not known yet is left out; `missing` names it."""
    sentences = [
        *_customer(typed),
        *_type(typed, totals.currency),
        *(_devices(line, totals.currency) for line in lines),
        *(_amounts(lines, totals) if lines else ()),
        *_addresses(typed),
    ]
    return list(map(storable, sentences))


def missing(typed: Typed, of_lines: Iterable[str]) -> str:
    """What the order still needs before it can be read back, or ""; `of_lines` of its lines."""
    needed: list[str] = []
    if not (_said(typed, "customer-first_name") and _said(typed, "customer-last_name")):
        needed.append("the customer’s name")
    if not _email(typed):
        needed.append("the e-mail address")
    needed += of_lines if typed.lines else ["the devices"]
    places = ["billing", "shipping"] if typed.fields["ship_elsewhere"] else ["billing"]
    for place in places:
        parts = [
            str(AddressForm.base_fields[name].label).lower()
            for name in ("contact_name", "street_address", "city", "country")
            if not _said(typed, f"{place}-{name}")
        ]
        if len(parts) == 4:
            needed.append(f"the {place} address")
        elif parts:
            needed.append(f"the {_listed(parts)} of the {place} address")
    return storable(f"Still missing: {_listed(needed)}.") if needed else ""


def _said(typed: Typed, name: str) -> str:
    """What was typed into a field, on one line."""
    return " ".join(typed.fields.get(name, "")[:_LONGEST].split())


def _email(typed: Typed) -> str:
    """Their e-mail, but not the name or number that somebody is looked for by in the same field."""
    said = _said(typed, "customer-email")
    return said if "@" in said else ""


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _customer(typed: Typed) -> Iterator[str]:
    name = f"{_said(typed, 'customer-first_name')} {_said(typed, 'customer-last_name')}".strip()
    company = _said(typed, "customer-company")
    if name or company:
        yield f"This order is for {' of '.join(filter(None, (name, company)))}."
    email, phone = _email(typed), _said(typed, "customer-phone")
    if email or phone:
        reached = filter(None, (email and f"at {email}", phone and f"on {phone}"))
        yield f"We can reach you {' or '.join(reached)}."


def _type(typed: Typed, currency: str) -> Iterator[str]:
    match typed.fields["order_type"]:
        case Order.Type.EXTENSION:
            order = _said(typed, "extension-original_order_id")
            months = typed_number(_said(typed, "extension-extension_months"))
            until = _day(_said(typed, "extension-new_end_date"))
            yield (
                f"It extends {f'order {order}' if order else 'an earlier rental'}"
                f"{f' by {_months(months)}' if isinstance(months, Decimal) else ''}"
                f"{f', until {until}' if until else ''}."
            )
        case Order.Type.UPGRADE:
            device = _said(typed, "upgrade-previous_device") or "an earlier device"
            serial = _said(typed, "upgrade-previous_serial_number")
            amount = typed_number(_said(typed, "upgrade-previous_monthly_amount"))
            price = money(amount, currency) if isinstance(amount, Decimal) else ""
            yield (
                f"It replaces {device}"
                f"{f', serial number {serial}' if serial else ''}"
                f"{f', until now {price} a month' if price else ''}."
            )


def _day(text: str) -> str:
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


def _months(months: Decimal | int) -> str:
    return "one month" if months == 1 else f"{number(months)} months"


def _devices(line: Line, currency: str) -> str:
    count = line.quantity
    many = _WORDS[count - 1] if count <= len(_WORDS) else number(count)
    what = ", ".join(filter(None, (line.product_name, line.variant_name)))
    price = money(line.unit_price, currency)
    each = "" if count == 1 else " each"
    return f"{many} {what}, for {_months(line.contract_length)} at {price} a month{each}."


def _amounts(lines: Sequence[Line], totals: Totals) -> Iterator[str]:
    """The total per month and, unless it is one month only, over the terms."""
    monthly, rate = money(totals.total, totals.currency), number(totals.vat_rate.normalize())
    if not totals.vat_rate:
        vat, of_value = "", ""
    elif totals.prices_include_vat:
        vat = of_value = f", including {rate} % VAT"
    else:
        net = money(totals.subtotal, totals.currency)
        vat, of_value = f" with {rate} % VAT, or {net} without", ", without VAT"
    yield f"In total that is {monthly} a month{vat}."
    terms = {line.contract_length for line in lines}
    if terms != {1}:
        over = f"the {_months(terms.pop())}" if len(terms) == 1 else "all terms together"
        yield f"Over {over} it comes to {money(totals.contract_value, totals.currency)}{of_value}."


def _addresses(typed: Typed) -> Iterator[str]:
    billing, shipping = _address(typed, "billing"), _address(typed, "shipping")
    if not typed.fields["ship_elsewhere"]:
        if billing:
            yield f"We ship it to {billing}, and the bill goes there too."
        return
    if shipping:
        yield f"We ship it to {shipping}."
    if billing:
        yield f"The bill goes to {billing}."


def _address(typed: Typed, prefix: str) -> str:
    place = f"{_said(typed, f'{prefix}-postal_code')} {_said(typed, f'{prefix}-city')}".strip()
    before = ("contact_name", "company", "building_info", "street_address", "locality")
    parts = [
        *(_said(typed, f"{prefix}-{name}") for name in before),
        place,
        *(_said(typed, f"{prefix}-{name}") for name in ("admin_area", "country")),
    ]
    return ", ".join(filter(None, parts))
