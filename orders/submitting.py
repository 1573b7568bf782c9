"""A draft becomes its order, or changes the one that it edits; or why it does not, yet.

Submitting a draft creates at most one order, however often and from wherever it is submitted.
"""

from django.db import transaction
from django.utils import timezone

from orders import edits
from orders.card import known_customer
from orders.custom_fields import configured_fields
from orders.drafts import (
    AlreadySubmitted,
    Discarded,
    Revision,
    completed,
    kept_form,
    locked,
    locked_open,
    placed_order,
    require_current,
    store,
    write,
)
from orders.models import Draft, Order
from orders.readback import read_back, tick_in
from orders.said import UNDECIDED, Decision, accepted, fingerprint, has_moved, prices_said
from orders.services import create_order, edit_order, read_new_order
from orders.sheet import Sheet, make_sheet, shown
from orders.typed import Typed
from portal.errors import Conflict, Detail
from portal.models import Tenant, User
from portal.permissions import Actor


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
    PricesMoved, ReadBackChanged, NotFound; then there is no order. Raises AlreadySubmitted if
    there is one, and something was typed since that is not in it.
    """
    draft = locked(tenant, owner, draft_id)
    if order := placed_order(draft):
        if typed.beyond(kept_form(draft)):
            raise AlreadySubmitted(order, draft)
        return order
    require_current(draft, revision)
    if draft.discarded_at:
        raise Discarded
    typed = completed(tenant, draft, typed, revision)
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
    draft.submitted_at = order.created_at
    write(draft, typed, revision)
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
    write(draft, typed, revision)
    return changed


def _what_was_read(draft: Draft, typed: Typed) -> list[str]:
    """The sentences that were ticked as read to the customer; none if nothing was ticked."""
    tick = tick_in(typed)
    if not tick:
        return []
    sentences: list[str] = draft.quote.get("readBack", [])
    if fingerprint(sentences) != tick:
        raise ReadBackChanged
    return sentences


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
    AlreadySubmitted, by another tab meanwhile, HandedOver, NotFound.
    """
    draft = locked_open(tenant, owner, draft_id)
    typed = completed(tenant, draft, typed, revision)
    if decision.seen:
        sheet = make_sheet(tenant, draft, typed, revision.tab)
        if sheet.moved and sheet.moved.fingerprint == decision.seen:
            draft.quote = accepted(shown(sheet), sheet.moved, decision)
    return store(tenant, draft, typed, revision)


@transaction.atomic
def take_over(
    *, tenant: Tenant, owner: User, draft_id: str, typed: Typed, revision: Revision
) -> tuple[Sheet, list[str]]:
    """Puts what was typed on top of the order as somebody else has saved it meanwhile.

    Returns what the page shows then, and the fields that both changed: there, what was typed
    here stands. Raises AlreadySubmitted, HandedOver, NotFound.
    """
    draft = locked_open(tenant, owner, draft_id)
    order = edits.edited_order(draft)
    merged, clashes = edits.take_over(draft, order, completed(tenant, draft, typed, revision))
    edits.begin(draft, order)
    return store(tenant, draft, merged, revision), clashes
