"""A new order that starts from one that exists."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from orders import drafts
from orders.starting import Start
from orders.views.access import for_reps
from orders.views.order import show_order
from portal.errors import DomainError, NotFound
from portal.tenancy import PortalRequest


@require_POST
@permission_required("orders.view_order", raise_exception=True)
@for_reps
def start_from(request: PortalRequest, order_id: str, kind: Start) -> HttpResponse:
    try:
        draft = drafts.start_from(
            tenant=request.tenant,
            owner=request.user,
            order_id=order_id,
            kind=kind,
            item=request.POST.get("item", "")[:10],
        )
    except NotFound:
        raise
    except DomainError as error:
        return show_order(request, order_id, error.message, error.status)
    prices = "" if kind == Start.UPGRADE else " Its prices are today's."
    messages.info(request, f"Filled in from order {order_id}.{prices}")
    return redirect("draft", draft.public_id)
