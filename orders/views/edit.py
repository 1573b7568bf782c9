"""Changing an order: on the page that it was typed on, filled in with what it says."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from orders.changes import seen_by
from orders.edits import start_edit
from orders.services import recall_order
from orders.views.access import for_reps
from orders.views.order import Decision, find_order, show_order
from portal.errors import DomainError, NotFound
from portal.permissions import Actor
from portal.tenancy import PortalRequest


@require_POST
@permission_required("orders.change_order", raise_exception=True)
@for_reps
def order_edit(request: PortalRequest, order_id: str) -> HttpResponse:
    """A draft that changes the order, at an address of its own."""
    try:
        draft = start_edit(tenant=request.tenant, owner=request.user, order_id=order_id)
    except NotFound:
        raise
    except DomainError as error:
        return show_order(request, order_id, error.message, error.status)
    return redirect("draft", draft.public_id)


@require_POST
@permission_required("orders.change_order", raise_exception=True)
@for_reps
def order_recall(request: PortalRequest, order_id: str) -> HttpResponse:
    """Takes the order out of the queue and opens it to be corrected."""
    decision, actor = Decision(request.POST), Actor.from_user(request.user)
    if not decision.is_valid():
        return show_order(request, order_id, "Nothing was changed. Look at the order again.", 422)
    try:
        order = recall_order(
            tenant=request.tenant,
            actor=actor,
            order_id=order_id,
            version=seen_by(find_order(order_id), decision.cleaned_data["version"], actor),
            reason=decision.cleaned_data["reason"],
        )
        draft = start_edit(tenant=request.tenant, owner=request.user, order_id=order.public_id)
    except NotFound:
        raise
    except DomainError as error:
        return show_order(request, order_id, error.message, error.status)
    messages.info(request, f"Order {order_id} is out of the queue until you submit it again.")
    return redirect("draft", draft.public_id)
