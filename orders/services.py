"""The only place that creates or changes an order (besides `orders.bulk`, for import and demo).

Every door (form, API, admin) calls these functions; each is one transaction, raises DomainError
with a code and a path, and leaves nothing behind when it does. What an order must be for it, and
who may do it, is said in `orders.rules`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet, prefetch_related_objects
from django.utils import timezone

from catalog.pricing import LineRequest, Quote, quote, sum_up
from customers.models import Customer
from customers.services import Caller, customer_for_order, customer_problems, find_customer
from orders import changes, rules
from orders.building import (
    build_caller,
    build_event,
    build_first_events,
    build_item,
    build_order,
    by_variant,
)
from orders.custom_fields import custom_field_problems
from orders.editing import AMOUNTS, EDITED_FIELDS, ITEM_FIELDS, Edit, edited_items, is_same
from orders.loading import remember_items
from orders.merging import merged
from orders.models import NOTES_LENGTH, REASON_LENGTH, Draft, Order, OrderEvent, OrderItem
from orders.reasons import History, find_reasons, history, risk_of
from orders.schemas import NewOrder, OrderUpdate
from orders.told import tell, tell_taken_over
from portal.errors import Conflict, Detail, DomainError, NotFound, ValidationFailed
from portal.models import Tenant, User
from portal.permissions import Actor
from portal.rows import ROWS_PER_INSERT
from portal.shapes import parse
from portal.text import clean

Kind = OrderEvent.Kind


def read_new_order(*, tenant: Tenant, data: Any) -> NewOrder:
    """Checks the shape of an order as a shop or the form sends it, custom fields included.

    Raises ValidationFailed with every field that is wrong, together. Contract: Create Order.
    """
    new_order, problems = parse(NewOrder, data)
    problems += _custom_field_problems(tenant, data)
    if problems or new_order is None:
        raise ValidationFailed(problems)
    return new_order


def read_order_update(*, tenant: Tenant, data: Any) -> OrderUpdate:
    """Checks the shape of what is to be changed about an order, custom fields if they are sent.

    Raises ValidationFailed with every field that is wrong, together.
    """
    update, problems = parse(OrderUpdate, data)
    if isinstance(data, dict) and "customFields" in data:
        problems += _custom_field_problems(tenant, data)
    if problems or update is None:
        raise ValidationFailed(problems)
    return update


def _custom_field_problems(tenant: Tenant, data: Any) -> list[Detail]:
    sent = data.get("customFields") if isinstance(data, dict) else None
    if sent is not None and not isinstance(sent, dict):
        return []
    return list(custom_field_problems(tenant=tenant, sent=sent or {}))


def quote_for(*, tenant: Tenant, new_order: NewOrder, to_order: bool = False) -> Quote:
    """The prices and totals that an order of these items would have now (see `quote`)."""
    return quote(
        tenant=tenant,
        lines=[
            LineRequest(item.sku, item.quantity, item.contract_length, item.agreed_price)
            for item in new_order.items
        ],
        to_order=to_order,
    )


def create_order(
    *,
    tenant: Tenant,
    actor: Actor,
    new_order: NewOrder,
    source: Order.Source,
    draft: Draft | None = None,
    customer_id: str = "",
    update_customer: bool = False,
    read_back: Sequence[str] = (),
) -> Order:
    """Creates a pending order at today's catalogue prices and links or creates its customer.

    A line at an agreed price keeps that one, with the catalogue's beside it. The order keeps
    copies of names, prices and addresses. The portal may name a known customer by id, when they
    call with a new address, may ask to update their record, and tells the sentences that were
    read back to them; those and the agreed prices are in the order's events. Raises
    PermissionRefused, NotFound for an unknown id, or DomainError with every line that cannot be
    ordered (`VARIANT_NOT_FOUND`, `VARIANT_INACTIVE`, `INVALID_CONTRACT_LENGTH`) and, for an
    inactive customer, `VALIDATION_ERROR` at `customer.email`. Contract: Create Order.
    """
    with _one_transaction():
        ready = _ready(tenant, actor, new_order, customer_id, to_order=True)
        # Whoever has opened one around it lets a refusal end that: no savepoint is needed.
        with transaction.atomic(savepoint=False):
            customer = customer_for_order(
                tenant=tenant,
                actor=actor,
                caller=ready.caller,
                known=ready.known,
                update=update_customer,
            )
            order, items = _build(tenant, actor, new_order, ready, customer, source)
            order.draft = draft
            order.save(force_insert=True)
            OrderItem.objects.bulk_create(by_variant(items))
            OrderEvent.objects.bulk_create(build_first_events(order, items, actor, read_back))
    remember_items(order, items)
    return order


def _one_transaction() -> AbstractContextManager[Any]:
    """The one that is open, or a new one."""
    return nullcontext() if connection.in_atomic_block else transaction.atomic()


def preview_order(
    *, tenant: Tenant, actor: Actor, new_order: NewOrder
) -> tuple[Order, list[OrderItem]]:
    """The order that `create_order` would make of this now and its items, unsaved.

    Its customer is the one who would be found, or a new one without a key. Raises what
    `create_order` raises.
    """
    ready = _ready(tenant, actor, new_order)
    customer = ready.known or Customer(tenant=tenant)
    return _build(tenant, actor, new_order, ready, customer, Order.Source.API)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What was found out about a new order before anything is written; nothing is wrong."""

    quoted: Quote
    caller: Caller
    known: Customer | None
    at: datetime


def _ready(
    tenant: Tenant,
    actor: Actor,
    new_order: NewOrder,
    customer_id: str = "",
    *,
    to_order: bool = False,
) -> _Ready:
    actor.require("orders.add_order", "You may not create orders.")
    quoted = quote_for(tenant=tenant, new_order=new_order, to_order=to_order)
    caller, at = build_caller(new_order), timezone.now()
    before = history(tenant=tenant, caller=caller, new_order=new_order, at=at)
    known = find_customer(tenant=tenant, caller=caller, customer_id=customer_id, annotations=before)
    if problems := [*quoted.problems, *customer_problems(known)]:
        raise DomainError.of(problems)
    return _Ready(quoted, caller, known, at)


def _build(
    tenant: Tenant,
    actor: Actor,
    new_order: NewOrder,
    ready: _Ready,
    customer: Customer,
    source: Order.Source,
) -> tuple[Order, list[OrderItem]]:
    """The order and its items, unsaved."""
    order = build_order(
        tenant=tenant,
        actor=actor,
        new_order=new_order,
        totals=ready.quoted.totals,
        customer=customer,
        caller=ready.caller,
        source=source,
        at=ready.at,
    )
    items = [build_item(order, line) for line in ready.quoted.lines]
    _find_reasons(tenant, order, items, ready.known)
    return order, items


@transaction.atomic
def edit_order(
    *,
    tenant: Tenant,
    actor: Actor,
    order_id: str,
    version: int | None = None,
    edit: Edit,
    reason: str = "",
    customer_id: str = "",
    update_customer: bool = False,
    read_back: Sequence[str] = (),
) -> Order:
    """Makes a pending or confirmed order say what the edit says.

    Kept lines keep their price, new ones have the catalogue's; VAT is today's. A confirmed order
    returns to pending, unless nothing but its notes changed; one that waited for its rep goes
    back to the queue. Of the order nothing is written if nothing changed, unless it waited for its
    rep. Raises Conflict `STATE_CONFLICT` for a stale version or another state, PermissionRefused
    for somebody else's order or an override by whom may not, NotFound, and DomainError with every
    line that cannot be ordered, as `create_order`.
    """
    reason = _reason(reason)
    order = _locked(tenant, order_id, version)
    return _edit(order, actor, edit, reason, customer_id, update_customer, read_back)


@transaction.atomic
def update_order(*, tenant: Tenant, actor: Actor, order_id: str, update: OrderUpdate) -> Order:
    """Changes those fields of a pending or confirmed order that were sent, as `edit_order` does;
    without items, VAT and totals stay as well.

    They are put on top of what the order says now, so that of two programs that change different
    fields neither undoes the other's work. Raises what `edit_order` raises.
    """
    actor.require("orders.change_order", "You may not change orders.")
    order = _locked(tenant, order_id, update.version)
    prefetch_related_objects([order], "items")
    # Who does not say anything about the customer means the one whose order it is.
    customer_id = "" if update.customer else order.customer.public_id
    return _edit(order, actor, merged(order, update), update.reason, customer_id)


def _edit(
    order: Order,
    actor: Actor,
    edit: Edit,
    reason: str,
    customer_id: str = "",
    update_customer: bool = False,
    read_back: Sequence[str] = (),
) -> Order:
    """What `edit_order` says, of an order that is locked."""
    tenant = order.tenant
    _raise(rules.edit_problem(order, actor))
    before = {item.position: item for item in order.items.all()}
    was = changes.snapshot(order, before.values())
    customer = _customer_of_edit(tenant, order, edit, actor, customer_id, update_customer)
    items = _edit_rows(tenant, actor, order, before, edit, customer)
    changed = changes.difference(was, changes.snapshot(order, items))
    returned = order.awaiting == Order.Awaiting.REP
    if not changed and not returned:
        # As it is stored: what was sent may say the same in other words.
        return _locked(tenant, order.public_id, None)
    data: dict[str, Any] = {"changes": changed}
    if changed.keys() == {"notes"} and not returned:
        kind = Kind.NOTED
        _save(order, "notes")
    else:
        kind = Kind.RESUBMITTED if returned else Kind.EDITED
        if order.status == Order.Status.CONFIRMED:
            data["confirmedBy"] = order.confirmed_by
        _back_to_review(tenant, order, before, items, customer)
    if read_back:
        _record(order, Kind.READ_BACK, actor, data={"sentences": list(read_back)})
    _record(order, kind, actor, reason=reason, data=data)
    remember_items(order, items)
    return order


def _back_to_review(
    tenant: Tenant,
    order: Order,
    before: Mapping[int, OrderItem],
    items: Sequence[OrderItem],
    customer: Customer,
) -> None:
    """Saves the order as it was edited; whoever confirmed it has to look at it again."""
    order.status, order.awaiting = Order.Status.PENDING, Order.Awaiting.MANAGER
    order.confirmed_at, order.confirmed_by_ref, order.confirmed_by = None, "", ""
    _save_items(order, before, items)
    _find_reasons(tenant, order, items, customer)
    _save(order, *EDITED_FIELDS, *_REVIEWED_FIELDS)


@transaction.atomic
def replace_notes(
    *, tenant: Tenant, actor: Actor, order_id: str, version: int | None = None, notes: str
) -> Order:
    """Replaces the notes, at most 5,000 characters, in any state; what was there is in the event.

    Raises ValidationFailed at `notes`, Conflict, PermissionRefused, NotFound.
    Contract: Update Order Notes.
    """
    notes = _text("notes", notes, NOTES_LENGTH)
    order = _locked(tenant, order_id, version)
    _raise(rules.notes_problem(order, actor))
    if notes == order.notes:
        return order
    data = {"changes": {"notes": [order.notes or None, notes or None]}}
    order.notes = notes
    _save(order, "notes")
    _record(order, Kind.NOTED, actor, data=data)
    return order


@transaction.atomic
def comment_order(*, tenant: Tenant, actor: Actor, order_id: str, comment: str) -> Order:
    """Adds a comment, at most 1,000 characters, that everybody sees who sees the order.

    Whoever is about to decide sees it first: it makes a new version, as everything does.
    Raises ValidationFailed at `comment`, PermissionRefused, NotFound.
    """
    actor.require("orders.view_order", "You may not see orders.")
    comment = _text("comment", comment, REASON_LENGTH)
    if not comment:
        raise ValidationFailed([Detail("comment", "VALIDATION_ERROR", "Write something.")])
    order = _locked(tenant, order_id, None)
    _save(order)
    _record(order, Kind.COMMENTED, actor, reason=comment)
    return order


@transaction.atomic
def confirm_order(
    *,
    tenant: Tenant,
    actor: Actor,
    order_id: str,
    version: int | None = None,
    reason: str = "",
) -> Order:
    """Confirms a pending order: it goes out at these prices.

    `version` is the one that the reviewer saw; if the order moved on, Conflict `STATE_CONFLICT`.
    Raises PermissionRefused, with the tenant's rule if it is one that refuses (`FOUR_EYES`,
    `ABOVE_LIMIT`); NotFound for another tenant's order.
    """
    actor.require("orders.confirm_order", "You may not confirm orders.")
    reason = _reason(reason)
    order = _locked(tenant, order_id, version)
    _raise(rules.confirm_problem(order, actor, tenant))
    order.status = Order.Status.CONFIRMED
    order.confirmed_at = timezone.now()
    order.confirmed_by_ref, order.confirmed_by = actor.ref, actor.label
    _save(order, "status", "confirmed_at", "confirmed_by_ref", "confirmed_by")
    _record(order, Kind.CONFIRMED, actor, reason=reason)
    return order


@transaction.atomic
def cancel_order(
    *,
    tenant: Tenant,
    actor: Actor,
    order_id: str,
    version: int | None = None,
    reason: str = "",
) -> Order:
    """Cancels a pending or confirmed order, for good. `reason` may have 1,000 characters.

    Raises DomainError `ALREADY_CANCELLED` or, once devices are rented, `ORDER_NOT_CANCELLABLE`;
    Conflict `STATE_CONFLICT` for a stale version; PermissionRefused; NotFound.
    Contract: Cancel Order.
    """
    actor.require("orders.cancel_order", "You may not cancel orders.")
    reason = _reason(reason)
    order = _locked(tenant, order_id, version)
    _raise(rules.cancel_problem(order, actor))
    order.status, order.awaiting = Order.Status.CANCELLED, Order.Awaiting.MANAGER
    order.cancelled_at, order.cancel_reason = timezone.now(), reason
    order.cancelled_by_ref, order.cancelled_by = actor.ref, actor.label
    _save(
        order,
        "status",
        "awaiting",
        "cancelled_at",
        "cancel_reason",
        "cancelled_by_ref",
        "cancelled_by",
    )
    _record(order, Kind.CANCELLED, actor, reason=reason)
    return order


@transaction.atomic
def send_back_order(
    *,
    tenant: Tenant,
    actor: Actor,
    order_id: str,
    version: int | None = None,
    reason: str = "",
    remarks: Mapping[str, str] | None = None,
) -> Order:
    """Gives a pending order back to its rep, who corrects it under the same id.

    `remarks` say what is wrong by field (`customer.phone`, `items.0`). Needs a reason or a remark,
    each at most 1,000 characters: ValidationFailed at `reason` or `remarks.<field>`. Raises
    Conflict `STATE_CONFLICT`, PermissionRefused, NotFound.
    """
    actor.require("orders.send_back_order", "You may not send orders back.")
    reason = _reason(reason)
    said = {
        path: text
        for path, remark in (remarks or {}).items()
        if (text := _text(f"remarks.{path}", remark, REASON_LENGTH))
    }
    if not reason and not said:
        message = "Say what the rep should correct."
        raise ValidationFailed([Detail("reason", "VALIDATION_ERROR", message)])
    order = _locked(tenant, order_id, version)
    _raise(rules.send_back_problem(order, actor))
    order.awaiting = Order.Awaiting.REP
    _save(order, "awaiting")
    _record(order, Kind.SENT_BACK, actor, reason=reason, data={"remarks": said} if said else None)
    return order


@transaction.atomic
def recall_order(
    *,
    tenant: Tenant,
    actor: Actor,
    order_id: str,
    version: int | None = None,
    reason: str = "",
) -> Order:
    """Takes a rep's own pending order out of the queue, to be corrected and submitted again.

    Raises Conflict `STATE_CONFLICT`, PermissionRefused, NotFound.
    """
    reason = _reason(reason)
    order = _locked(tenant, order_id, version)
    _raise(rules.recall_problem(order, actor))
    order.awaiting = Order.Awaiting.REP
    _save(order, "awaiting")
    _record(order, Kind.RECALLED, actor, reason=reason)
    return order


@transaction.atomic
def reassign_orders(
    *, tenant: Tenant, actor: Actor, orders: QuerySet[Order], to: User, reason: str = ""
) -> int:
    """Gives orders to another rep, who looks after them from now on; returns how many there were.

    Whoever created them stays their creator. Raises PermissionRefused, and DomainError at `to`
    for somebody who is not an active user of the tenant.
    """
    actor.require("orders.reassign_order", "You may not give orders to somebody else.")
    reason = _reason(reason)
    if to.tenant_id != tenant.pk or not to.is_active:
        raise DomainError.at("to", "VALIDATION_ERROR", "Choose an active user of this tenant.")
    others = orders.filter(tenant=tenant).exclude(rep_ref=to.actor_ref)
    locked = list(others.order_by("pk").select_for_update(of=("self",)))
    at = timezone.now()
    # Whoever leaves may look after thousands: all at once, not in statements for each.
    Order.objects.filter(pk__in=[order.pk for order in locked]).update(
        rep_ref=to.actor_ref, rep=to.email, version=F("version") + 1, updated_at=at
    )
    events = [_reassigned(tenant, order, actor, to, reason, at) for order in locked]
    OrderEvent.objects.bulk_create(events, ROWS_PER_INSERT)
    tell_taken_over(to, events)
    return len(locked)


def _reassigned(
    tenant: Tenant, order: Order, actor: Actor, to: User, reason: str, at: datetime
) -> OrderEvent:
    """Sets on the locked order that it is the rep's now, and returns the event, both unsaved."""
    data = {"changes": {"rep": [order.rep, to.email]}}
    order.tenant, order.rep_ref, order.rep = tenant, to.actor_ref, to.email
    order.version, order.updated_at = order.version + 1, at
    return build_event(order, Kind.REASSIGNED, actor, reason=reason, data=data)


_REVIEWED_FIELDS = (
    *("status", "awaiting", "confirmed_at", "confirmed_by_ref", "confirmed_by"),
    *("reasons", "risk"),
)


def _raise(problem: DomainError | None) -> None:
    if problem is not None:
        raise problem


def _locked(tenant: Tenant, order_id: str, version: int | None) -> Order:
    order = Order.objects.select_for_update().filter(tenant=tenant, public_id=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    order.tenant = tenant
    if version is not None and version != order.version:
        message = f"{rules.last_change(order)} Look at it again first."
        raise Conflict(rules.STATE_CONFLICT, message)
    return order


def _customer_of_edit(
    tenant: Tenant, order: Order, edit: Edit, actor: Actor, customer_id: str, update: bool
) -> Customer:
    """Whose order it is now, with their history before it: of the known customer with this id or
    e-mail, or still of the one it was. Raises DomainError for an inactive other customer.
    """
    caller = build_caller(edit.order)
    before = history(tenant=tenant, caller=caller, new_order=edit.order, at=order.created_at)
    known = find_customer(tenant=tenant, caller=caller, customer_id=customer_id, annotations=before)
    if known is None:
        known = Customer.objects.annotate(**before).get(pk=order.customer_id)
    elif known.pk != order.customer_id and (problems := [*customer_problems(known)]):
        raise DomainError.of(problems)
    said = (caller.billing_address, caller.shipping_address)
    moved = said != (order.billing_address, order.shipping_address)
    stays = known.pk == order.customer_id and not update
    # What is remembered of them may be newer than this order.
    later = Order.objects.filter(customer=known, created_at__gt=order.created_at)
    latest = (moved or not stays) and not later.exists()
    if stays and not latest:
        return known
    return customer_for_order(
        tenant=tenant, actor=actor, caller=caller, known=known, update=update, latest=latest
    )


def _edit_rows(
    tenant: Tenant,
    actor: Actor,
    order: Order,
    before: Mapping[int, OrderItem],
    edit: Edit,
    customer: Customer,
) -> list[OrderItem]:
    """Sets on the order what the edit says, unsaved, and returns its items, unsaved.

    Raises DomainError with every line that cannot be ordered or overridden so.
    """
    quoted = quote(tenant=tenant, lines=edit.requests(before), to_order=True)
    overrides = [line.override for line in edit.lines]
    problems = [p for n, each in enumerate(overrides) for p in each.problems(n, order.currency)]
    if problems := [*quoted.problems, *problems]:
        raise DomainError.of(problems)
    if any(each.amounts for each in overrides):
        actor.require("orders.override_price", "You may not override prices or costs.")
    at = timezone.now()
    items = edited_items(order, before, edit, quoted, actor=actor, at=at)
    wanted = build_order(
        tenant=tenant,
        actor=actor,
        new_order=edit.order,
        totals=sum_up(
            items,
            currency=order.currency,
            vat_rate=tenant.vat_rate,
            prices_include_vat=tenant.prices_include_vat,
        ),
        customer=customer,
        caller=build_caller(edit.order),
        source=Order.Source(order.source),
        at=at,
    )
    for name in EDITED_FIELDS:
        if not (edit.keeps_amounts and name in AMOUNTS):
            setattr(order, name, getattr(wanted, name))
    return items


def _save_items(order: Order, before: Mapping[int, OrderItem], items: Sequence[OrderItem]) -> None:
    """Writes the rows that changed; a line that is no longer wanted goes."""
    kept = {item.position for item in items if item.position in before}
    order.items.exclude(position__in=kept).delete()
    changed = [
        item for item in items if item.position in kept and not is_same(before[item.position], item)
    ]
    OrderItem.objects.bulk_update(changed, ITEM_FIELDS)
    OrderItem.objects.bulk_create(by_variant(i for i in items if i.position not in kept))


def _find_reasons(
    tenant: Tenant, order: Order, items: Sequence[OrderItem], known: Customer | None
) -> None:
    order.reasons = find_reasons(
        tenant=tenant, order=order, items=items, history=History.of(known), record=known
    )
    order.risk = risk_of(order.reasons)


def _reason(reason: str) -> str:
    return _text("reason", reason, REASON_LENGTH)


def _text(path: str, text: str, most: int) -> str:
    """The text, cleaned. Raises ValidationFailed at the path."""
    try:
        text = clean(text, multiline=True)
    except ValueError as error:
        raise ValidationFailed([Detail(path, "VALIDATION_ERROR", str(error))]) from error
    if len(text) > most:
        message = f"This may have {most:,} characters at most."
        raise ValidationFailed([Detail(path, "VALIDATION_ERROR", message)])
    return text


def _save(order: Order, *fields: str) -> None:
    order.version += 1
    order.updated_at = timezone.now()
    order.save(update_fields=[*fields, "version", "updated_at"])


def _record(
    order: Order,
    kind: OrderEvent.Kind,
    actor: Actor,
    *,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Writes down what happened, and tells whom it concerns, in the same transaction."""
    event = build_event(order, kind, actor, reason=reason, data=data)
    event.save(force_insert=True)
    tell(order, event)
