"""Orders over the API: what creates or changes one."""

from typing import Any

from django.http import HttpResponse

from orders.api.examples import (
    BAD_ITEM,
    CANCEL,
    CANCELLED,
    CHANGED,
    CONFIRM,
    CONFIRMED,
    CREATED,
    LINES,
    NEW_ORDER,
    NO_ORDER,
    NOT_CANCELLED,
    NOTED,
    NOTES,
    RULES,
    UPDATE,
    moved_on,
)
from orders.api.routes import OrderId, router
from orders.models import Order
from orders.representation import OrderAck, OrderCreateResponse, order_body
from orders.schemas import NewOrder, NotesUpdate, OrderCancel, OrderConfirm, OrderUpdate
from orders.services import (
    cancel_order,
    confirm_order,
    create_order,
    read_new_order,
    read_order_update,
    replace_notes,
    update_order,
)
from portal.api_request import ApiRequest, JsonBody, json_response
from portal.idempotency import run_once
from portal.openapi import operation
from portal.permissions import Actor
from portal.refusals import invalid
from portal.shapes import read


@router.post(
    "/orders",
    url_name="orders",
    **operation(
        "createOrder",
        "Create an order",
        body=NewOrder,
        examples=NEW_ORDER,
        status=201,
        scope="orders:write",
        without_scope="You may not create orders.",
        response=OrderCreateResponse,
        example=CREATED,
        refusals=[BAD_ITEM, *LINES],
        keyed=True,
    ),
)
def post_order(request: ApiRequest) -> HttpResponse:
    """Creates a pending order at today's catalogue prices.

    The customer is found by e-mail, in whatever case, or created. Without a shipping address the
    devices go to the billing address. Without a contract length the tenant's default applies.
    """
    body, tenant, actor = JsonBody(request), request.tenant, request.actor

    def work() -> HttpResponse:
        placed = read_new_order(tenant=tenant, data=body.data)
        source = Order.Source.API
        order = create_order(tenant=tenant, actor=actor, new_order=placed, source=source)
        shown = order_body(order, with_costs=actor.can("catalog.view_costs"))
        return json_response({**_done(order, "Order created."), "order": shown}, status=201)

    return run_once(request=request, fingerprint=body.fingerprint, work=work)


@router.patch(
    "/orders/{public_id:orderId}",
    url_name="order",
    **operation(
        "updateOrder",
        "Change an order",
        body=OrderUpdate,
        examples=UPDATE,
        scope="orders:write",
        without_scope="You may not change orders.",
        response=OrderAck,
        example=CHANGED,
        refusals=[BAD_ITEM, *LINES, NO_ORDER, moved_on("changed")],
        ours=True,
    ),
)
def patch_order(request: ApiRequest, order_id: OrderId) -> HttpResponse:
    """Changes a pending or confirmed order: what is sent replaces the whole field, what is left
    out stays. A confirmed order is pending again, unless only its notes change; one that waits
    for its rep goes back to the queue, changed or not.

    `items` is the whole list. A line of the same SKU and contract length as one of the order goes
    on from it, and so does one without `contractLength` of the same SKU: it keeps its price. All
    others have today's.
    """
    tenant, actor = request.tenant, request.actor
    update = read_order_update(tenant=tenant, data=JsonBody(request).data)
    order = update_order(tenant=tenant, actor=actor, order_id=order_id, update=update)
    return _ack(order, actor, "Order changed.")


@router.post(
    "/orders/{public_id:orderId}/confirm",
    url_name="order-confirm",
    **operation(
        "confirmOrder",
        "Confirm an order",
        body=OrderConfirm,
        body_required=False,
        examples=CONFIRM,
        scope="orders:confirm",
        without_scope="You may not confirm orders.",
        response=OrderAck,
        example=CONFIRMED,
        refusals=[
            invalid("version", "Enter a whole number."),
            *RULES,
            NO_ORDER,
            moved_on("confirmed"),
        ],
        keyed=True,
        ours=True,
    ),
)
def post_confirm(request: ApiRequest, order_id: OrderId) -> HttpResponse:
    """Confirms a pending order: it goes out at these prices.

    Send the `version` that was looked at. Unless the tenant's rules say otherwise, a key cannot
    confirm what it created or changed itself.
    """
    body, tenant, actor = JsonBody(request, empty={}), request.tenant, request.actor
    asked = read(OrderConfirm, body.data)

    def work() -> HttpResponse:
        order = confirm_order(
            tenant=tenant,
            actor=actor,
            order_id=order_id,
            version=asked.version,
            reason=asked.reason,
        )
        return _ack(order, actor, "Order confirmed.")

    return run_once(request=request, fingerprint=body.fingerprint, work=work)


@router.post(
    "/orders/{public_id:orderId}/cancel",
    url_name="order-cancel",
    **operation(
        "cancelOrder",
        "Cancel an order",
        body=OrderCancel,
        body_required=False,
        examples=CANCEL,
        scope="orders:write",
        without_scope="You may not cancel orders.",
        response=OrderAck,
        example=CANCELLED,
        refusals=[invalid("reason", "Send a string."), *NOT_CANCELLED, NO_ORDER],
        keyed=True,
    ),
)
def post_cancel(request: ApiRequest, order_id: OrderId) -> HttpResponse:
    """Cancels a pending or confirmed order, for good."""
    body, tenant, actor = JsonBody(request, empty={}), request.tenant, request.actor
    asked = read(OrderCancel, body.data)

    def work() -> HttpResponse:
        order = cancel_order(tenant=tenant, actor=actor, order_id=order_id, reason=asked.reason)
        return _ack(order, actor, "Order cancelled.")

    return run_once(request=request, fingerprint=body.fingerprint, work=work)


@router.patch(
    "/orders/{public_id:orderId}/notes",
    url_name="order-notes",
    **operation(
        "updateOrderNotes",
        "Replace the notes of an order",
        body=NotesUpdate,
        examples=NOTES,
        scope="orders:write",
        without_scope="You may change the notes of your own orders only.",
        response=OrderAck,
        example=NOTED,
        refusals=[invalid("notes", "This field is required."), NO_ORDER],
    ),
)
def patch_notes(request: ApiRequest, order_id: OrderId) -> HttpResponse:
    """Replaces the notes, in any state; blank clears them. A confirmed order stays confirmed."""
    tenant, actor = request.tenant, request.actor
    asked = read(NotesUpdate, JsonBody(request).data)
    order = replace_notes(tenant=tenant, actor=actor, order_id=order_id, notes=asked.notes)
    return _ack(order, actor, "Notes replaced.")


def _ack(order: Order, actor: Actor, message: str) -> HttpResponse:
    answer = _done(order, message)
    if actor.can("orders.view_order"):
        answer["order"] = order_body(order, with_costs=actor.can("catalog.view_costs"))
    return json_response(answer, status=200)


def _done(order: Order, message: str) -> dict[str, Any]:
    return {"success": True, "message": message, "orderId": order.public_id}
