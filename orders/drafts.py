"""Drafts: orders being typed. The draft is the form, kept at every change until it is submitted.

A draft belongs to one owner; for everybody else it does not exist. It can be handed to a
colleague, and discarded and brought back. Submitting one creates at most one order, however often
and from wherever it is submitted.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from customers.models import Customer
from orders import edits, starting
from orders.card import known_customer
from orders.extension import follow_months
from orders.models import CustomField, Draft, Order
from orders.readback import read_back, tick_in
from orders.said import UNDECIDED, Decision, accepted, fingerprint, has_moved, prices_said
from orders.services import create_order, edit_order, read_new_order
from orders.sheet import Sheet, make_sheet, shown
from orders.typed import Typed, customer_fields
from portal.errors import Conflict, Detail, DomainError, NotFound
from portal.models import Tenant, User
from portal.permissions import Actor

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
    """A price or the VAT rate is neither as it was said nor as the rep decided; no order."""

    def __init__(self) -> None:
        super().__init__("PRICES_MOVED", "Prices have changed since they were said.")


class ReadBackChanged(Conflict):
    """What was ticked as read back to the customer is not what stands; no order was created."""

    def __init__(self) -> None:
        message = "This has changed since you read it. Read it again, or submit without the tick."
        detail = Detail("readBack", "READ_BACK_CHANGED", message)
        super().__init__(detail.code, message, [detail])


class AlreadySubmitted(Conflict):
    """The draft has become an order and takes no more changes."""

    def __init__(self, order: Order) -> None:
        super().__init__("ALREADY_SUBMITTED", f"This is already order {order.public_id}.")
        self.order = order


class Discarded(Conflict):
    """The draft was discarded; it has to be brought back before anything is done with it."""

    def __init__(self) -> None:
        super().__init__("DRAFT_DISCARDED", "This draft was discarded.")


class HandedOver(Conflict):
    """The draft belongs to a colleague since this user handed it to them."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("HANDED_OVER", f"This draft now belongs to {draft.owner.display_name}.")
        self.draft = draft


class AlreadyChanging(Conflict):
    """Whoever would have this draft is changing its order already, in another one."""

    def __init__(self, draft: Draft) -> None:
        name, order = draft.owner.display_name, draft.edits
        super().__init__("ALREADY_CHANGING", f"{name} is changing order {order} already.")


@dataclass(frozen=True, slots=True)
class Summary:
    """An open draft in a list. `total` per month, in `currency`, as it was last shown.

    `handed_by` names the colleague who handed it to its owner, "" if nobody did; `edits` the
    order that it changes, "" for a new one.
    """

    public_id: str
    customer: str
    devices: int
    total: Decimal
    currency: str
    updated_at: datetime
    handed_by: str
    handed_at: datetime | None
    edits: str


def open_draft(*, tenant: Tenant, owner: User) -> Draft:
    """A draft to type into: the owner's untouched one if there is one, so that none litter."""
    untouched = Draft.objects.filter(
        tenant=tenant,
        owner=owner,
        sequence=0,
        discarded_at__isnull=True,
        order__isnull=True,
        edits__isnull=True,
    )
    return untouched.first() or Draft.objects.create(tenant=tenant, owner=owner)


def start_from(
    *, tenant: Tenant, owner: User, order_id: str, kind: starting.Start, item: str = ""
) -> Draft:
    """A draft filled in from an order: the same again, or its extension or upgrade.

    Asked for once more, it is the same draft, unless it was typed into since. Raises what
    `starting.start` raises, and NotFound for an order of another tenant.
    """
    orders = Order.objects.filter(tenant=tenant, public_id=order_id).select_related("customer")
    order = orders.prefetch_related("items").first()
    if order is None:
        raise NotFound("There is no such order.")
    typed, focus = starting.start(
        order, kind, item=item, configured=configured_fields(tenant=tenant), zone=tenant.zone
    )
    # The first change that is typed stores the form alone.
    started = {"from": order.public_id, "kind": kind, "item": item}
    untouched = Draft.objects.filter(
        tenant=tenant,
        owner=owner,
        payload__started=started,
        discarded_at__isnull=True,
        order__isnull=True,
    )
    payload = typed.payload() | {"started": started, "focus": focus}
    return untouched.first() or Draft.objects.create(
        tenant=tenant, owner=owner, sequence=1, payload=payload
    )


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
    sheet = make_sheet(tenant, draft, typed, secrets.token_hex(8))
    said = shown(sheet)
    if draft.sequence and said != draft.quote:
        Draft.objects.filter(tenant=tenant, pk=draft.pk).update(quote=said)
    return sheet


@transaction.atomic
def save(
    *, tenant: Tenant, owner: User, draft_id: str, typed: Typed, revision: Revision
) -> Sheet | None:
    """Stores what was typed and prices it. None if this page has already stored something newer.

    A discarded draft keeps what an open page still sends, and brings it back with the rest.
    Raises StaleDraft, AlreadySubmitted, HandedOver, NotFound.
    """
    draft = locked_open(tenant, owner, draft_id)
    _require_current(draft, revision)
    if revision.sequence <= draft.sequence:
        return None
    return _store(tenant, draft, _completed(tenant, draft, typed, revision), revision)


@transaction.atomic
def keep_refused(
    *,
    tenant: Tenant,
    owner: User,
    draft_id: str,
    typed: Typed,
    revision: Revision,
    decision: Decision = UNDECIDED,
) -> Sheet:
    """Stores what was typed when it could not be submitted, priced as of now.

    What the rep decided about moved prices stands, if these are still the ones they saw. Raises
    HandedOver, NotFound.
    """
    draft = _locked(tenant, owner, draft_id)
    typed = _completed(tenant, draft, typed, revision)
    sheet = make_sheet(tenant, draft, typed, revision.tab)
    if sheet.moved and sheet.moved.fingerprint == decision.seen:
        draft.quote = accepted(shown(sheet), sheet.moved, decision)
    return _store(tenant, draft, typed, revision)


@transaction.atomic
def submit_draft(
    *,
    tenant: Tenant,
    owner: User,
    actor: Actor,
    draft_id: str,
    typed: Typed,
    revision: Revision,
    decision: Decision = UNDECIDED,
) -> Order:
    """The order of this draft: created now, or the one that it already became.

    Its prices are those that were said. If they moved since, they are as the rep decided: the
    catalogue's, or those said for the manager to review, but then only if the decision was about
    the prices as they are now. Two submits at once wait for each other and end in one order.
    Raises what `create_order` and `read_new_order` raise, and StaleDraft, HandedOver,
    PricesMoved, ReadBackChanged, NotFound; then there is no order.
    """
    draft = _locked(tenant, owner, draft_id)
    if order := placed_order(draft):
        return order
    _require_current(draft, revision)
    if draft.discarded_at:
        raise Discarded
    typed = _completed(tenant, draft, typed, revision)
    if draft.edits_id is not None:
        return _apply(tenant, actor, draft, typed, revision, decision)
    configured = configured_fields(tenant=tenant)
    new_order = read_new_order(tenant=tenant, data=typed.contract(configured))
    if decision.keeps:
        new_order = new_order.at(prices_said(draft.quote, typed))
    read = _what_was_read(draft, typed)
    customer = known_customer(tenant, typed)
    order = create_order(
        tenant=tenant,
        actor=actor,
        new_order=new_order,
        source=Order.Source.PORTAL,
        draft=draft,
        customer_id=customer.public_id if customer else "",
        update_customer=typed.fields["customer_record"] == "update",
        read_back=read,
    )
    if has_moved(draft.quote, typed, order, decision):
        raise PricesMoved
    if read and read != read_back(typed, list(order.items.all()), order):
        raise ReadBackChanged
    _write(draft, typed, revision)
    return order


def _apply(
    tenant: Tenant,
    actor: Actor,
    draft: Draft,
    typed: Typed,
    revision: Revision,
    decision: Decision,
) -> Order:
    """The order, changed as this draft says. Raises OrderMoved, and what `submit_draft` raises."""
    order = edits.edited_order(draft)
    if happened := edits.happened_since(draft, order):
        raise edits.OrderMoved(order, happened)
    configured = configured_fields(tenant=tenant)
    new_order = read_new_order(tenant=tenant, data=typed.contract(configured))
    sheet = make_sheet(tenant, draft, typed, revision.tab)
    if sheet.moved and sheet.moved.fingerprint != decision.seen:
        raise PricesMoved
    if decision.keeps:
        new_order = new_order.at(prices_said(draft.quote, typed))
    read = _what_was_read(draft, typed)
    customer = known_customer(tenant, typed)
    changed = edit_order(
        tenant=tenant,
        actor=actor,
        order_id=order.public_id,
        version=order.version,
        edit=edits.edit_of(draft, order, typed, new_order),
        reason=typed.fields.get("edit_reason", ""),
        customer_id=customer.public_id if customer else "",
        update_customer=typed.fields["customer_record"] == "update",
        read_back=read,
    )
    if not decision.keeps and edits.paid_otherwise(sheet, changed.items.all()):
        raise PricesMoved
    if read and read != read_back(typed, list(changed.items.all()), changed):
        raise ReadBackChanged
    draft.applied_at = timezone.now()
    _write(draft, typed, revision)
    return changed


@transaction.atomic
def take_over(
    *, tenant: Tenant, owner: User, draft_id: str, typed: Typed, revision: Revision
) -> tuple[Sheet, list[str]]:
    """Puts what was typed on top of the order as somebody else has saved it meanwhile.

    Returns what the page shows then, and the fields that both changed: there, what was typed
    here stands. Raises HandedOver, NotFound.
    """
    draft = _locked(tenant, owner, draft_id)
    order = edits.edited_order(draft)
    merged, clashes = edits.take_over(draft, order, _completed(tenant, draft, typed, revision))
    edits.begin(draft, order)
    return _store(tenant, draft, merged, revision), clashes


@transaction.atomic
def discard(*, tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """Takes the draft out of the list; `restore` brings it back.

    Raises AlreadySubmitted, HandedOver, NotFound.
    """
    return _set_discarded(locked_open(tenant, owner, draft_id), timezone.now())


@transaction.atomic
def restore(*, tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """Brings a discarded draft back as it was. Raises AlreadyChanging, and what `discard` does."""
    return _set_discarded(locked_open(tenant, owner, draft_id), None)


def colleagues(*, tenant: Tenant, user: User) -> QuerySet[User]:
    """Who a draft of this user can be handed to: active people of the tenant who may order."""
    return who_may_order(tenant=tenant).exclude(pk=user.pk)


def who_may_order(*, tenant: Tenant) -> QuerySet[User]:
    may_order = User.objects.with_perm(
        "orders.add_order", backend="django.contrib.auth.backends.ModelBackend"
    )
    return may_order.filter(tenant=tenant).order_by("first_name", "last_name", "username")


@transaction.atomic
def hand_over(
    *,
    tenant: Tenant,
    owner: User,
    draft_id: str,
    to: str,
    typed: Typed | None = None,
    revision: Revision | None = None,
) -> Draft:
    """Gives the draft to the colleague whose e-mail is `to`; its former owner sees it no more.

    What is typed on the page that it is handed over from goes along. Raises DomainError at
    `colleague`, StaleDraft, Discarded, AlreadySubmitted, AlreadyChanging, HandedOver, NotFound.
    """
    draft = locked_open(tenant, owner, draft_id)
    if draft.discarded_at:
        raise Discarded
    colleague = colleagues(tenant=tenant, user=owner).filter(email=to.replace("\0", "")).first()
    if colleague is None:
        raise DomainError.at("colleague", "VALIDATION_ERROR", "Choose who takes the draft over.")
    kept = _kept(draft)
    if typed is not None and revision is not None:
        _require_current(draft, revision)
        kept = typed.onto(kept) if revision.sequence >= draft.sequence else kept
    return _give(draft, kept, colleague)


@transaction.atomic
def reassign_drafts(*, tenant: Tenant, actor: Actor, owner: User, to: User) -> int:
    """Gives all open drafts of somebody who leaves to a colleague; returns how many it were.

    One that changes an order which the colleague is changing already stays: theirs goes on.
    Raises PermissionRefused, and DomainError at `to` for somebody who cannot take them.
    """
    actor.require("orders.reassign_order", "You may not give drafts to somebody else.")
    if not colleagues(tenant=tenant, user=owner).filter(pk=to.pk).exists():
        raise DomainError.at("to", "VALIDATION_ERROR", "Choose a colleague who may order.")
    theirs = Draft.objects.filter(owner=to, edits=OuterRef("edits"), applied_at=None)
    given = (
        open_drafts(owner=owner)
        .filter(tenant=tenant)
        .exclude(Exists(theirs.filter(discarded_at=None)))
    )
    locked = list(given.order_by("pk").select_for_update(of=("self",)))
    # Only this query sees what was submitted while they were waited for.
    submitted = set(Order.objects.filter(draft__in=locked).values_list("draft_id", flat=True))
    waiting = [draft for draft in locked if draft.pk not in submitted]
    for draft in waiting:
        _give(draft, _kept(draft), to)
    return len(waiting)


def _give(draft: Draft, kept: Typed, to: User) -> Draft:
    """Without its tab, and with a new number: every page that is open now is out of date."""
    former = draft.owner
    draft.payload = kept.payload() | edits.stored_base(draft)
    draft.sequence += 1
    draft.owner, draft.handed_by = to, former
    draft.former_owners = [*{*draft.former_owners, former.pk}]
    draft.handed_at = draft.updated_at = timezone.now()
    return _save_open(draft)


def open_drafts(*, owner: User) -> QuerySet[Draft]:
    """What the owner has typed into and neither submitted nor discarded, the last changed first."""
    return Draft.objects.filter(
        tenant=owner.tenant,
        owner=owner,
        sequence__gt=0,
        discarded_at__isnull=True,
        order__isnull=True,
        applied_at__isnull=True,
    )


def summaries(*, owner: User) -> list[Summary]:
    """The owner's open drafts, the last changed first, in one query."""
    drafts = open_drafts(owner=owner)
    return [summarise(draft) for draft in drafts.select_related("handed_by", "tenant", "edits")]


def summarise(draft: Draft) -> Summary:
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
        currency=draft.tenant.currency,
        updated_at=draft.updated_at,
        handed_by=draft.handed_by.display_name if draft.handed_by else "",
        handed_at=draft.handed_at,
        edits=draft.edits.public_id if draft.edits else "",
    )


def configured_fields(*, tenant: Tenant) -> list[CustomField]:
    return list(CustomField.objects.filter(tenant=tenant))


def placed_order(draft: Draft) -> Order | None:
    """The order that this draft became, or that it has changed, if it did."""
    if draft.edits_id is not None:
        return draft.edits if draft.applied_at else None
    return Order.objects.filter(tenant=draft.tenant_id, draft=draft).first()


def _locked(tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """The draft, locked; only a later query sees what was committed while this one waited.

    Raises NotFound, or HandedOver for whoever handed it on.
    """
    theirs = Draft.objects.filter(
        Q(owner=owner) | Q(former_owners__contains=[owner.pk]), tenant=tenant
    )
    draft = theirs.filter(public_id=draft_id).select_for_update().first()
    if draft is None:
        raise NotFound("There is no such draft.")
    if draft.owner_id != owner.pk:
        raise HandedOver(draft)
    return draft


def locked_open(tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """The draft, locked, to be changed. Raises AlreadySubmitted, HandedOver, NotFound."""
    draft = _locked(tenant, owner, draft_id)
    if order := placed_order(draft):
        raise AlreadySubmitted(order)
    return draft


def _completed(tenant: Tenant, draft: Draft, typed: Typed, revision: Revision) -> Typed:
    """What the page posted, with what it did not show, and what follows from it."""
    before = _kept(draft)
    is_latest = revision.base == draft.sequence
    return follow_months(
        tenant=tenant, before=before, typed=typed.onto(before), is_latest=is_latest
    )


def _kept(draft: Draft) -> Typed:
    return Typed.from_payload(draft.payload)


def _require_current(draft: Draft, revision: Revision) -> None:
    """A page may write if it wrote last, or if nothing was written since it was loaded."""
    wrote_last = draft.payload.get("tab", "") == revision.tab
    if not wrote_last and revision.base != draft.sequence:
        raise StaleDraft


def _what_was_read(draft: Draft, typed: Typed) -> list[str]:
    """The sentences that were ticked as read to the customer; none if nothing was ticked."""
    tick = tick_in(typed)
    if not tick:
        return []
    sentences: list[str] = draft.quote.get("readBack", [])
    if fingerprint(sentences) != tick:
        raise ReadBackChanged
    return sentences


def _store(tenant: Tenant, draft: Draft, typed: Typed, revision: Revision) -> Sheet:
    sheet = make_sheet(tenant, draft, typed, revision.tab, base=revision.base)
    draft.quote = shown(sheet)
    _write(draft, typed, revision)
    return sheet


def _write(draft: Draft, typed: Typed, revision: Revision) -> None:
    draft.payload = typed.payload() | edits.stored_base(draft) | {"tab": revision.tab}
    draft.sequence = max(revision.sequence, draft.sequence + 1)
    draft.updated_at = timezone.now()
    draft.save(
        update_fields=[
            *("payload", "sequence", "quote", "updated_at"),
            *("edits_version", "applied_at"),
        ]
    )


def _set_discarded(draft: Draft, at: datetime | None) -> Draft:
    draft.discarded_at = at
    return _save_open(draft, "discarded_at")


def _save_open(draft: Draft, *fields: str) -> Draft:
    """Raises AlreadyChanging: an owner has one open draft for each order that they change."""
    if draft.edits_id is None:
        draft.save(update_fields=fields or None)
        return draft
    try:
        with transaction.atomic():
            draft.save(update_fields=fields or None)
    except IntegrityError as error:
        raise AlreadyChanging(draft) from error
    return draft
