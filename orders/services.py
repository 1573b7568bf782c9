"""The only place that creates or changes an order (besides `orders.bulk`, for import and demo).

Every door (form, API, admin) calls these functions; each is one transaction, raises DomainError
with a code and a path, and leaves nothing behind when it does.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.pricing import LineRequest, Quote, quote
from customers.services import customer_for_order, customer_problems, find_customer
from orders.building import (
    build_caller,
    build_event,
    build_first_events,
    build_item,
    build_order,
)
from orders.custom_fields import custom_field_problems
from orders.models import REASON_LENGTH, Draft, Order, OrderEvent, OrderItem
from orders.schemas import NewOrder, parse
from portal.errors import (
    Conflict,
    Detail,
    DomainError,
    NotFound,
    PermissionRefused,
    ValidationFailed,
)
from portal.models import Tenant
from portal.permissions import Actor
from portal.text import clean

STATE_CONFLICT = "STATE_CONFLICT"


def read_new_order(*, tenant: Tenant, data: Any) -> NewOrder:
    """Checks the shape of an order as a shop or the form sends it, custom fields included.

    Raises ValidationFailed with every field that is wrong, together. Contract: Create Order.
    """
    new_order, problems = parse(NewOrder, data)
    sent = data.get("customFields") if isinstance(data, dict) else None
    if sent is None or isinstance(sent, dict):
        problems = [*problems, *custom_field_problems(tenant=tenant, sent=sent or {})]
    if problems or new_order is None:
        raise ValidationFailed(problems)
    return new_order


def quote_for(*, tenant: Tenant, new_order: NewOrder) -> Quote:
    """The prices and totals that an order of these items would have now."""
    return quote(
        tenant=tenant,
        lines=[
            LineRequest(item.sku, item.quantity, item.contract_length, item.agreed_price)
            for item in new_order.items
        ],
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
    actor.require("orders.add_order", "You may not create orders.")
    quoted = quote_for(tenant=tenant, new_order=new_order)
    caller = build_caller(new_order)
    known = find_customer(tenant=tenant, caller=caller, customer_id=customer_id)
    if problems := [*quoted.problems, *customer_problems(known)]:
        raise DomainError.of(problems)
    # Nothing is refused from here on: a transaction around it needs no savepoint to return to.
    with transaction.atomic(savepoint=False):
        customer = customer_for_order(
            tenant=tenant, actor=actor, caller=caller, known=known, update=update_customer
        )
        order = build_order(
            tenant=tenant,
            actor=actor,
            new_order=new_order,
            quoted=quoted,
            customer=customer,
            caller=caller,
            source=source,
            at=timezone.now(),
        )
        order.draft = draft
        order.save(force_insert=True)
        items = [build_item(order, line) for line in quoted.lines]
        OrderItem.objects.bulk_create(items)
        OrderEvent.objects.bulk_create(build_first_events(order, items, actor, read_back))
    # As if prefetched: the caller renders what was just written without asking for it again.
    order._prefetched_objects_cache = {"items": items}  # type: ignore[attr-defined]
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
    Raises PermissionRefused for an actor who may not, or who created the order and lacks the
    permission to confirm their own; NotFound for another tenant's order.
    """
    actor.require("orders.confirm_order", "You may not confirm orders.")
    reason = _reason(reason)
    order = _locked(tenant, order_id, version)
    if order.status != Order.Status.PENDING or order.awaiting != Order.Awaiting.MANAGER:
        raise Conflict(STATE_CONFLICT, _why_not(order, "confirmed"))
    if order.created_by_ref == actor.ref and not actor.can("orders.confirm_own_order"):
        raise PermissionRefused("You created this order; somebody else has to confirm it.")
    order.status = Order.Status.CONFIRMED
    order.confirmed_at = timezone.now()
    order.confirmed_by_ref, order.confirmed_by = actor.ref, actor.label
    _save(order, "status", "confirmed_at", "confirmed_by_ref", "confirmed_by")
    _record(order, OrderEvent.Kind.CONFIRMED, actor, reason=reason)
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
    if order.status == Order.Status.CANCELLED:
        raise DomainError("ALREADY_CANCELLED", _why_not(order, "cancelled"))
    if order.status not in (Order.Status.PENDING, Order.Status.CONFIRMED):
        raise DomainError("ORDER_NOT_CANCELLABLE", _why_not(order, "cancelled"))
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
    _record(order, OrderEvent.Kind.CANCELLED, actor, reason=reason)
    return order


def _locked(tenant: Tenant, order_id: str, version: int | None) -> Order:
    order = Order.objects.select_for_update().filter(tenant=tenant, public_id=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    if version is not None and version != order.version:
        raise Conflict(STATE_CONFLICT, f"{_last_change(order)} Look at it again first.")
    return order


def _why_not(order: Order, verb: str) -> str:
    state = order.get_status_display().lower()
    if order.awaiting == Order.Awaiting.REP:
        state = "back with its rep"
    return f"It cannot be {verb}: it is {state}. {_last_change(order)}"


def _last_change(order: Order) -> str:
    event = order.events.latest("at", "id")
    return f"{event.actor} last changed it ({event.get_kind_display().lower()})."


def _reason(reason: str) -> str:
    try:
        reason = clean(reason, multiline=True)
    except ValueError as error:
        raise ValidationFailed([Detail("reason", "VALIDATION_ERROR", str(error))]) from error
    if len(reason) > REASON_LENGTH:
        message = f"This may have {REASON_LENGTH} characters at most."
        raise ValidationFailed([Detail("reason", "VALIDATION_ERROR", message)])
    return reason


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
    build_event(order, kind, actor, reason=reason, data=data).save(force_insert=True)
