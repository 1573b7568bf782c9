"""What may be done to an order now, by whom, and the tenant's rules that say so."""

from orders.models import Order, OrderEvent
from portal.errors import Conflict, DomainError, PermissionRefused
from portal.formats import money
from portal.models import Tenant
from portal.permissions import Actor

STATE_CONFLICT = "STATE_CONFLICT"
FOUR_EYES = "FOUR_EYES"
ABOVE_LIMIT = "ABOVE_LIMIT"

CHANGING = frozenset(
    {
        OrderEvent.Kind.CREATED,
        OrderEvent.Kind.EDITED,
        OrderEvent.Kind.RESUBMITTED,
        OrderEvent.Kind.NOTED,
    }
)
"""What makes an order somebody's own."""


def confirm_problem(order: Order, actor: Actor, tenant: Tenant) -> DomainError | None:
    """Why this actor cannot confirm the order now; None if they can.

    PermissionRefused with the tenant's rule that fires: `FOUR_EYES` for an order that
    they created or changed themselves, `ABOVE_LIMIT` for one of a higher contract value than they
    may confirm. Conflict `STATE_CONFLICT` for an order that does not wait for a manager.
    """
    if not actor.can("orders.confirm_order"):
        return PermissionRefused("You may not confirm orders.")
    if order.status != Order.Status.PENDING or order.awaiting != Order.Awaiting.MANAGER:
        return Conflict(STATE_CONFLICT, why_not(order, "confirmed"))
    if tenant.four_eyes and not actor.can("orders.confirm_own_order"):
        if order.created_by_ref == actor.ref:
            message = "You created this order; somebody else has to confirm it."
            return PermissionRefused(message, rule=FOUR_EYES)
        if is_changed_by(order, actor):
            message = "You changed this order; somebody else has to confirm it."
            return PermissionRefused(message, rule=FOUR_EYES)
    limit = tenant.confirm_limit
    above = limit is not None and order.contract_value > limit
    if limit is not None and above and not actor.can("orders.confirm_large_order"):
        value, most = (money(amount, order.currency) for amount in (order.contract_value, limit))
        message = f"Its contract value of {value} is above {most}; you may not confirm that much."
        return PermissionRefused(message, rule=ABOVE_LIMIT)
    return None


def is_changed_by(order: Order, actor: Actor) -> bool:
    """Whether the actor wrote any of what the order says."""
    return any(
        event.actor_ref == actor.ref and event.kind in CHANGING for event in order.events.all()
    )


def is_own(order: Order, actor: Actor) -> bool:
    """Whether the actor looks after the order or created it."""
    return actor.ref in (order.rep_ref, order.created_by_ref)


def edit_problem(order: Order, actor: Actor) -> DomainError | None:
    """Why this actor cannot change what the order says now; None if they can."""
    if not actor.can("orders.change_order"):
        return PermissionRefused("You may not change orders.")
    if not is_own(order, actor) and not actor.can("orders.change_any_order"):
        return PermissionRefused("You may change your own orders only.")
    if order.status not in (Order.Status.PENDING, Order.Status.CONFIRMED):
        return Conflict(STATE_CONFLICT, why_not(order, "changed"))
    return None


def notes_problem(order: Order, actor: Actor) -> DomainError | None:
    """Why this actor cannot replace the notes, which every state allows; None if they can."""
    if actor.can("orders.change_order") and (
        is_own(order, actor) or actor.can("orders.change_any_order")
    ):
        return None
    return PermissionRefused("You may change the notes of your own orders only.")


def send_back_problem(order: Order, actor: Actor) -> DomainError | None:
    """Why this actor cannot send the order back to its rep; None if they can."""
    if not actor.can("orders.send_back_order"):
        return PermissionRefused("You may not send orders back.")
    return _not_in_queue(order, "sent back")


def recall_problem(order: Order, actor: Actor) -> DomainError | None:
    """Why this actor cannot take the order out of the queue to correct it; None if they can."""
    if not actor.can("orders.change_order") or not is_own(order, actor):
        return PermissionRefused("You may recall your own orders only.")
    return _not_in_queue(order, "recalled")


def cancel_problem(order: Order, actor: Actor) -> DomainError | None:
    """Why this actor cannot cancel the order; None if they can. Contract: Cancel Order."""
    if not actor.can("orders.cancel_order"):
        return PermissionRefused("You may not cancel orders.")
    if order.status in (Order.Status.PENDING, Order.Status.CONFIRMED):
        return None
    already = order.status == Order.Status.CANCELLED
    code = "ALREADY_CANCELLED" if already else "ORDER_NOT_CANCELLABLE"
    return DomainError(code, why_not(order, "cancelled"))


def why_not(order: Order, verb: str) -> str:
    """That it cannot be confirmed, cancelled, … as it is, and who made it so."""
    state = order.get_status_display().lower()
    if order.awaiting == Order.Awaiting.REP:
        state = "back with its rep"
    return f"It cannot be {verb}: it is {state}. {last_change(order)}"


def last_change(order: Order) -> str:
    """Who changed the order last, and how."""
    event = max(order.events.all(), key=lambda event: (event.at, event.pk))
    return f"{event.actor} last changed it ({event.get_kind_display().lower()})."


def _not_in_queue(order: Order, verb: str) -> DomainError | None:
    if order.status == Order.Status.PENDING and order.awaiting == Order.Awaiting.MANAGER:
        return None
    return Conflict(STATE_CONFLICT, why_not(order, verb))
