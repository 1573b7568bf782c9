"""Drafts: orders being typed. The draft is the form, kept at every change until it is submitted.

A draft belongs to one owner; for everybody else it does not exist. How it becomes an order is in
`orders.submitting`, whatever else happens to it in `orders.draft_life`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from customers.models import Customer
from orders import edits, starting
from orders.custom_fields import configured_fields
from orders.extension import follow_months
from orders.models import Draft, Order
from orders.sheet import Sheet, make_sheet, shown
from orders.typed import Typed, customer_fields
from portal.errors import Conflict, NotFound
from portal.models import Tenant, User

_LATEST = 2**53
"""The highest sequence number that a browser counts to exactly."""


# By hand: both are asked at every change, and the ORM would take longer to write them down than
# the database to answer.
_LOCKED = "SELECT * FROM orders_draft WHERE tenant_id = %s AND public_id = %s FOR UPDATE"
_PLACED = "SELECT 1 FROM orders_order WHERE tenant_id = %s AND draft_id = %s"


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


class AlreadySubmitted(Conflict):
    """The draft has become an order and takes no more changes."""

    def __init__(self, order: Order, draft: Draft) -> None:
        super().__init__("ALREADY_SUBMITTED", f"This is already order {order.public_id}.")
        self.order = order
        self.draft = draft


class Discarded(Conflict):
    """The draft was discarded; it has to be brought back before anything is done with it."""

    def __init__(self) -> None:
        super().__init__("DRAFT_DISCARDED", "This draft was discarded.")


class HandedOver(Conflict):
    """The draft belongs to a colleague since this user handed it to them."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("HANDED_OVER", f"This draft now belongs to {draft.owner.display_name}.")
        self.draft = draft


OPEN = {"submitted_at": None, "applied_at": None, "discarded_at": None}
"""Neither submitted nor discarded, as far as the draft itself knows: by the index of these."""


def open_draft(*, tenant: Tenant, owner: User) -> Draft:
    """A draft to type into: the owner's untouched one if there is one, so that none litter."""
    untouched = Draft.objects.filter(
        tenant=tenant,
        owner=owner,
        sequence=0,
        order__isnull=True,
        edits__isnull=True,
        **OPEN,
    )
    return untouched.first() or Draft.objects.create(tenant=tenant, owner=owner)


def start_from(
    *, tenant: Tenant, owner: User, order_id: str, kind: starting.Start, item: str = ""
) -> Draft:
    """A draft filled in from an order: the same again, or its extension or upgrade.

    Asked for once more, it is the same draft, unless it was typed into since; filled in anew, if
    the order was changed. Raises what `starting.start` raises, and NotFound for an order of another
    tenant.
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
        order__isnull=True,
        **OPEN,
    )
    payload = typed.payload() | {"started": started, "focus": focus}
    draft = untouched.first()
    if draft is None:
        return Draft.objects.create(tenant=tenant, owner=owner, sequence=1, payload=payload)
    if draft.payload == payload or _begin_anew(draft, payload):
        return draft
    # Somebody has just begun to type into it.
    return Draft.objects.create(tenant=tenant, owner=owner, sequence=1, payload=payload)


def _begin_anew(draft: Draft, payload: dict[str, Any]) -> bool:
    """Fills an untouched draft in anew, if it still is; a page that shows it as it was is stale."""
    same = Draft.objects.filter(pk=draft.pk, sequence=draft.sequence)
    return bool(same.update(payload=payload, quote={}, sequence=draft.sequence + 1))


def find_draft(*, tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """The owner's draft. Raises NotFound, for a foreign one too."""
    draft = Draft.objects.filter(tenant=tenant, owner=owner, public_id=draft_id).first()
    if draft is None:
        raise NotFound("There is no such draft.")
    return _held_by(owner, draft)


def _held_by(owner: User, draft: Draft) -> Draft:
    """The same draft, without asking the database again who its owner is and what they may do."""
    draft.owner = owner
    return draft


def load(*, tenant: Tenant, owner: User, draft_id: str, customer_id: str = "") -> Sheet:
    """The draft priced as of now. What the page will show is stored, as the price that was said.

    An untouched draft is filled with the customer of `customer_id`, if one is given and the owner
    may see customers.
    """
    draft = find_draft(tenant=tenant, owner=owner, draft_id=draft_id)
    typed = kept_form(draft)
    if customer_id and not draft.sequence and owner.has_perm("customers.view_customer"):
        known = Customer.objects.filter(tenant=tenant, public_id=customer_id.replace("\0", ""))
        customer = known.first()
        fields = customer_fields(customer) if customer else {}
        typed = Typed(fields, []).onto(typed)
    sheet = make_sheet(tenant, draft, typed, secrets.token_hex(8))
    said = shown(sheet)
    if draft.sequence and said != draft.quote:
        # Unless a change was stored or a quote was sent meanwhile, with what was said for that.
        same = {"sequence": draft.sequence, "quoted_at": draft.quoted_at}
        Draft.objects.filter(tenant=tenant, pk=draft.pk, **same).update(quote=said)
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
    require_current(draft, revision)
    if revision.sequence <= draft.sequence:
        return None
    typed = completed(tenant, draft, typed, revision)
    return store(tenant, draft, typed, revision, base=revision.base)


def placed_order(draft: Draft) -> Order | None:
    """The order that this draft became, or that it has changed, if it did."""
    if draft.edits_id is not None:
        return draft.edits if draft.applied_at else None
    return Order.objects.get(draft=draft) if _is_placed(draft) else None


def _is_placed(draft: Draft) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_PLACED, [draft.tenant_id, draft.pk])
        return cursor.fetchone() is not None


def locked_open(tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """The draft, locked, to be changed. Raises AlreadySubmitted, HandedOver, NotFound."""
    draft = locked(tenant, owner, draft_id)
    if order := placed_order(draft):
        raise AlreadySubmitted(order, draft)
    return draft


def locked(tenant: Tenant, owner: User, draft_id: str) -> Draft:
    """The draft, locked; only a later query sees what was committed while this one waited.

    Raises NotFound, or HandedOver for whoever handed it on.
    """
    draft = next(iter(Draft.objects.raw(_LOCKED, [tenant.pk, draft_id])), None)
    if draft is None or owner.pk not in {draft.owner_id, *draft.former_owners}:
        raise NotFound("There is no such draft.")
    if draft.owner_id != owner.pk:
        raise HandedOver(draft)
    return _held_by(owner, draft)


def completed(tenant: Tenant, draft: Draft, typed: Typed, revision: Revision) -> Typed:
    """What the page posted, with what it did not show, and what follows from it."""
    before = kept_form(draft)
    is_latest = revision.base == draft.sequence
    return follow_months(
        tenant=tenant, before=before, typed=typed.onto(before), is_latest=is_latest
    )


def kept_form(draft: Draft) -> Typed:
    return Typed.from_payload(draft.payload)


def require_current(draft: Draft, revision: Revision) -> None:
    """A page may write if it wrote last, or if nothing was written since it was loaded."""
    wrote_last = draft.payload.get("tab", "") == revision.tab
    if not wrote_last and revision.base != draft.sequence:
        raise StaleDraft


def store(
    tenant: Tenant, draft: Draft, typed: Typed, revision: Revision, *, base: int | None = None
) -> Sheet:
    """Keeps what was typed and what the page shows then: all, or what is new since `base`."""
    sheet = make_sheet(tenant, draft, typed, revision.tab, base=base)
    draft.quote = shown(sheet)
    write(draft, typed, revision)
    return sheet


def write(draft: Draft, typed: Typed, revision: Revision) -> None:
    draft.payload = typed.payload() | edits.stored_base(draft) | {"tab": revision.tab}
    draft.sequence = max(revision.sequence, draft.sequence + 1)
    draft.updated_at = timezone.now()
    draft.save(
        update_fields=[
            *("payload", "sequence", "quote", "updated_at"),
            *("edits_version", "applied_at", "submitted_at"),
        ]
    )
