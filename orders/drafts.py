"""Drafts: orders being typed. The draft is the form, kept at every change until it is submitted.

A draft belongs to one owner; for everybody else it does not exist. Submitting one creates at most
one order, however often and from wherever it is submitted.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.pricing import LineRequest, Offer, PricedLine, Quote, Totals, quote
from catalog.search import search_variants
from customers.models import Customer
from orders.forms import Typed, TypedLine, customer_fields, line_part, typed_number
from orders.models import MAX_QUANTITY, CustomField, Draft, Order
from orders.services import create_order, read_new_order
from portal.errors import Conflict, Detail, NotFound
from portal.models import Tenant, User
from portal.permissions import Actor
from portal.text import normalize_email

_LATEST = 2**53
"""The highest sequence number that a browser counts to exactly."""


@dataclass(frozen=True, slots=True)
class Revision:
    """Which page posts, and how new what it posts is.

    `tab` is the page as it was loaded, `base` the number of the last change that it shows the
    answer to, `sequence` the number of this change.
    """

    tab: str
    base: int
    sequence: int

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Revision":
        """From a posted form; what is no number counts as 0."""

        def number(name: str) -> int:
            text = str(values.get(name, ""))
            if not text.isascii() or not text.isdecimal():
                return 0
            # Python refuses to read thousands of digits.
            return min(int(text), _LATEST) if len(text) < 100 else _LATEST

        tab = str(values.get("tab", ""))[:32].replace("\0", "")
        return cls(tab, number("base"), number("sequence"))


class StaleDraft(Conflict):
    """The draft was changed elsewhere since this page loaded it; nothing was stored."""

    def __init__(self) -> None:
        super().__init__("STALE_DRAFT", "This order was changed in another tab or browser.")


class PricesMoved(Conflict):
    """A price or the VAT rate is no longer what the rep was shown; no order was created."""

    def __init__(self) -> None:
        super().__init__("PRICES_MOVED", "Prices have changed since they were shown.")


class AlreadySubmitted(Conflict):
    """The draft has become an order and takes no more changes."""

    def __init__(self, order: Order) -> None:
        super().__init__("ALREADY_SUBMITTED", f"This is already order {order.public_id}.")
        self.order = order


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line with what it costs now. `priced` is None, and `problem` says why, if it cannot be.
    `wrong` is the part of the line that it is about: sku, quantity or length.

    `offer` is what its SKU names, None if nothing. `was`: the price per device and month that was
    shown last, if another one holds now.
    """

    typed: TypedLine
    priced: PricedLine | None
    problem: str
    wrong: str
    offer: Offer | None
    was: Decimal | None

    @property
    def chosen(self) -> str:
        """The contract length to show as chosen: the one typed, or the one that applies."""
        if self.typed.contract_length or self.priced is None:
            return self.typed.contract_length
        return str(self.priced.contract_length)

    @property
    def lengths(self) -> list[str]:
        return [str(months) for months in self.offer.prices] if self.offer else []

    @property
    def monthly_total(self) -> Decimal:
        return self.priced.monthly_total if self.priced else Decimal(0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A detail that was typed otherwise than the customer's record has it."""

    label: str
    record: str
    typed: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A draft as the page shows it: what was typed, its lines priced now, the known customer.

    `changed`: the lines whose price cell is not what the page shows already.
    `vat_moved`: the VAT rate, or whether prices include it, is not what was shown last.
    """

    draft: Draft
    typed: Typed
    lines: Sequence[SheetLine]
    changed: Sequence[SheetLine]
    totals: Totals
    vat_moved: bool
    totals_moved: bool
    customer: Customer | None
    differences: Sequence[Difference]
    tab: str

    @property
    def is_chosen(self) -> bool:
        """Whether the customer was chosen and calls with another e-mail than the record has."""
        return self.customer is not None and self.customer.email_key != _email_key(self.typed)

    @property
    def is_new_customer(self) -> bool:
        return self.customer is None and bool(_email_key(self.typed))


@dataclass(frozen=True, slots=True)
class Summary:
    """An open draft in a list. `total` per month, in `currency`, as it was last shown."""

    public_id: str
    customer: str
    devices: int
    total: Decimal
    currency: str
    updated_at: datetime


def open_draft(*, tenant: Tenant, owner: User) -> Draft:
    """A draft to type into: the owner's untouched one if there is one, so that none litter."""
    untouched = Draft.objects.filter(
        tenant=tenant,
        owner=owner,
        sequence=0,
        discarded_at__isnull=True,
        order__isnull=True,
    )
    return untouched.first() or Draft.objects.create(tenant=tenant, owner=owner)


def find_draft(*, tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """The owner's draft. Raises NotFound, for a foreign one too."""
    draft = Draft.objects.filter(tenant=tenant, owner=owner, public_id=draft_id).first()
    if draft is None:
        raise NotFound("There is no such draft.")
    return draft


def load(*, tenant: Tenant, owner: User, draft_id: str, customer_id: str = "") -> Sheet:
    """The draft priced as of now. What the page will show is stored, as the price that was said.

    An untouched draft is filled with the customer of `customer_id`, if one is given.
    """
    draft = find_draft(tenant=tenant, owner=owner, draft_id=draft_id)
    typed = _kept(draft)
    if customer_id and not draft.sequence:
        known = Customer.objects.filter(tenant=tenant, public_id=customer_id.replace("\0", ""))
        customer = known.first()
        fields = customer_fields(customer) if customer else {}
        typed = Typed(fields, []).onto(typed)
    sheet = _sheet(tenant, draft, typed, secrets.token_hex(8))
    shown = _shown(sheet)
    if draft.sequence and shown != draft.quote:
        Draft.objects.filter(tenant=tenant, pk=draft.pk).update(quote=shown)
    return sheet


@transaction.atomic
def save(
    *, tenant: Tenant, owner: User, draft_id: str, typed: Typed, revision: Revision
) -> Sheet | None:
    """Stores what was typed and prices it. None if this page has already stored something newer.

    Raises StaleDraft, AlreadySubmitted, NotFound.
    """
    draft = _locked(tenant, owner, draft_id)
    if order := placed_order(draft):
        raise AlreadySubmitted(order)
    _require_current(draft, revision)
    if revision.sequence <= draft.sequence:
        return None
    return _store(tenant, draft, typed.onto(_kept(draft)), revision)


@transaction.atomic
def keep_refused(
    *, tenant: Tenant, owner: User, draft_id: str, typed: Typed, revision: Revision
) -> Sheet:
    """Stores what was typed when it could not be submitted, priced as of now."""
    draft = _locked(tenant, owner, draft_id)
    return _store(tenant, draft, typed.onto(_kept(draft)), revision)


@transaction.atomic
def submit_draft(
    *,
    tenant: Tenant,
    owner: User,
    actor: Actor,
    draft_id: str,
    typed: Typed,
    revision: Revision,
) -> Order:
    """The order of this draft: created now, or the one that it already became.

    Two submits at once wait for each other and end in one order. Raises what `create_order` and
    `read_new_order` raise, and StaleDraft, PricesMoved, NotFound; then there is no order.
    """
    draft = _locked(tenant, owner, draft_id)
    if order := placed_order(draft):
        return order
    _require_current(draft, revision)
    typed = typed.onto(_kept(draft))
    configured = configured_fields(tenant=tenant)
    new_order = read_new_order(tenant=tenant, data=typed.contract(configured))
    customer = _known_customer(tenant, typed)
    order = create_order(
        tenant=tenant,
        actor=actor,
        new_order=new_order,
        source=Order.Source.PORTAL,
        draft=draft,
        customer_id=customer.public_id if customer else "",
        update_customer=typed.fields["customer_record"] == "update",
    )
    if _have_moved(draft.quote, typed, order):
        raise PricesMoved
    _write(draft, typed, revision)
    return order


def discard(*, tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """Takes the draft out of the list. It can be restored. A submitted one stays as it is."""
    draft = find_draft(tenant=tenant, owner=owner, draft_id=draft_id)
    return _set_discarded(draft, timezone.now())


def restore(*, tenant: Tenant, owner: User, draft_id: str) -> Draft:
    draft = find_draft(tenant=tenant, owner=owner, draft_id=draft_id)
    return _set_discarded(draft, None)


def summaries(*, owner: User) -> list[Summary]:
    """The owner's open drafts, the last changed first, in one query."""
    drafts = Draft.objects.filter(
        tenant=owner.tenant,
        owner=owner,
        sequence__gt=0,
        discarded_at__isnull=True,
        order__isnull=True,
    )
    return [_summary(draft, owner.tenant.currency) for draft in drafts]


def configured_fields(*, tenant: Tenant) -> list[CustomField]:
    return list(CustomField.objects.filter(tenant=tenant))


def placed_order(draft: Draft) -> Order | None:
    """The order that this draft became, if it did."""
    return Order.objects.filter(tenant=draft.tenant_id, draft=draft).first()


def new_line(*, tenant: Tenant, sku: str = "", text: str = "") -> SheetLine | None:
    """A new line of one device, priced: of this SKU, or of what matches the text best.

    None if nothing that can be ordered matches.
    """
    if not sku:
        found = search_variants(tenant=tenant, text=text, limit=1)
        if not found or not found[0].is_orderable:
            return None
        sku = found[0].sku
    typed = TypedLine(secrets.token_hex(4), sku, "1", "")
    [line] = _price(tenant, [typed], {})[1]
    return line if line.lengths else None


def _locked(tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """The draft, locked; only a later query sees what was committed while this one waited."""
    rows = Draft.objects.filter(
        tenant=tenant, owner=owner, public_id=draft_id, discarded_at__isnull=True
    )
    draft = rows.select_for_update().first()
    if draft is None:
        raise NotFound("There is no such draft.")
    return draft


def _kept(draft: Draft) -> Typed:
    return Typed.from_payload(draft.payload)


def _require_current(draft: Draft, revision: Revision) -> None:
    """A page may write if it wrote last, or if nothing was written since it was loaded."""
    wrote_last = draft.payload.get("tab", "") == revision.tab
    if not wrote_last and revision.base != draft.sequence:
        raise StaleDraft


def _store(tenant: Tenant, draft: Draft, typed: Typed, revision: Revision) -> Sheet:
    sheet = _sheet(tenant, draft, typed, revision.tab, base=revision.base)
    draft.quote = _shown(sheet)
    _write(draft, typed, revision)
    return sheet


def _write(draft: Draft, typed: Typed, revision: Revision) -> None:
    draft.payload = typed.payload() | {"tab": revision.tab}
    draft.sequence = max(revision.sequence, draft.sequence + 1)
    draft.updated_at = timezone.now()
    draft.save(update_fields=["payload", "sequence", "quote", "updated_at"])


def _set_discarded(draft: Draft, at: datetime | None) -> Draft:
    if placed_order(draft) is None:
        draft.discarded_at = at
        draft.save(update_fields=["discarded_at"])
    return draft


def _sheet(tenant: Tenant, draft: Draft, typed: Typed, tab: str, base: int | None = None) -> Sheet:
    before = draft.quote
    quoted, lines = _price(tenant, typed.lines, before)
    customer = _known_customer(tenant, typed)
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
        customer=customer,
        differences=_differences(customer, typed),
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
        return detail.message
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


def _have_moved(before: Mapping[str, Any], typed: Typed, order: Order) -> bool:
    if before and before["vat"] != [order.vat_rate, order.prices_include_vat]:
        return True
    items = {item.position: item for item in order.items.all()}
    return any(
        _was(before, line, items[position]) is not None for position, line in enumerate(typed.lines)
    )


def _vat(totals: Totals) -> list[Any]:
    return [totals.vat_rate, totals.prices_include_vat]


def _shown(sheet: Sheet) -> dict[str, Any]:
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


def _known_customer(tenant: Tenant, typed: Typed) -> Customer | None:
    """Whose e-mail this is, or else the one who was chosen and calls with another e-mail."""
    key = _email_key(typed)
    chosen = typed.fields.get("customer_id", "").replace("\0", "")
    if not key and not chosen:
        return None
    found = list(Customer.objects.filter(Q(email_key=key) | Q(public_id=chosen), tenant=tenant))
    return min(found, key=lambda customer: customer.email_key != key, default=None)


def _email_key(typed: Typed) -> str:
    """The e-mail as it is unique, or "" while it is none yet."""
    try:
        return normalize_email(typed.fields.get("customer-email", ""))
    except ValueError:
        return ""


_COMPARED = ("first_name", "last_name", "company", "phone", "customer_type")


def _differences(customer: Customer | None, typed: Typed) -> list[Difference]:
    if customer is None:
        return []
    return [
        Difference(
            str(Customer._meta.get_field(name).verbose_name).capitalize(),  # type: ignore[union-attr]
            getattr(customer, name),
            text,
        )
        for name in _COMPARED
        if (text := typed.fields.get(f"customer-{name}", "").strip())
        and text != getattr(customer, name)
    ]


def _summary(draft: Draft, currency: str) -> Summary:
    fields = _kept(draft).fields
    first, last, company, email = (
        fields.get(f"customer-{name}", "").strip()
        for name in ("first_name", "last_name", "company", "email")
    )
    name = f"{first} {last}".strip()
    return Summary(
        public_id=draft.public_id,
        customer=", ".join(filter(None, (name, company))) or email,
        devices=draft.quote.get("devices", 0),
        total=Decimal(draft.quote.get("total", 0)),
        currency=currency,
        updated_at=draft.updated_at,
    )
