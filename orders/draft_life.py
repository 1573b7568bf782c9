"""What happens to a draft besides typing: listed, discarded and brought back, handed over."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from orders import edits
from orders.drafts import OPEN, Discarded, Revision, kept_form, locked_open, require_current
from orders.models import Draft, Order
from orders.typed import Typed
from portal.errors import Conflict, DomainError
from portal.models import Tenant, User
from portal.permissions import Actor


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


def open_drafts(*, owner: User) -> QuerySet[Draft]:
    """What the owner has typed into and neither submitted nor discarded, the last changed first."""
    return Draft.objects.filter(
        tenant=owner.tenant,
        owner=owner,
        sequence__gt=0,
        order__isnull=True,
        **OPEN,
    )


def summaries(*, owner: User, customer_id: str = "") -> list[Summary]:
    """The owner's open drafts, or those for one known customer; the last changed first.

    In one query.
    """
    drafts = open_drafts(owner=owner)
    if customer_id:
        drafts = drafts.filter(payload__fields__customer_id=customer_id)
    return [summarise(draft) for draft in drafts.select_related("handed_by", "tenant", "edits")]


def summarise(draft: Draft) -> Summary:
    fields = kept_form(draft).fields
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


def _set_discarded(draft: Draft, at: datetime | None) -> Draft:
    draft.discarded_at = at
    return _save_open(draft, "discarded_at")


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
    kept = kept_form(draft)
    if typed is not None and revision is not None:
        require_current(draft, revision)
        kept = typed.onto(kept) if revision.sequence >= draft.sequence else kept
    return _give(draft, kept, colleague)


@transaction.atomic
def reassign_drafts(*, tenant: Tenant, actor: Actor, owner: User, to: User) -> int:
    """Gives all open drafts of somebody who leaves to a colleague; returns how many there were.

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
        _give(draft, kept_form(draft), to)
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
