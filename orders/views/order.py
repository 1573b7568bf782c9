"""The list of orders, and an order with what may be done about it."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from orders import review, rules
from orders.filters import OrderFilter
from orders.models import REASON_LENGTH, Order
from orders.services import cancel_order, confirm_order
from portal.errors import DomainError, NotFound
from portal.filters import address_without_blanks
from portal.paging import newest_first
from portal.permissions import Actor
from portal.tenancy import PortalRequest


class Decision(forms.Form):
    """A decision about the order as it was shown, in that version."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    reason = forms.CharField(required=False, strip=False)


@require_safe
@permission_required("orders.view_order", raise_exception=True)
@vary_on_headers("HX-Request")
@address_without_blanks
def order_list(request: PortalRequest) -> HttpResponse:
    filters = OrderFilter(request.GET)
    orders = filters.narrow(Order.objects.all(), tenant=request.tenant, user=request.user)
    page = newest_first(orders, request.GET.get("cursor", ""))
    template = "orders/_results.html" if request.htmx else "orders/list.html"
    return render(request, template, {"filters": filters, "page": page})


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def order(request: PortalRequest, order_id: str) -> HttpResponse:
    return show_order(request, order_id)


@require_POST
@permission_required("orders.confirm_order", raise_exception=True)
def order_confirm(request: PortalRequest, order_id: str) -> HttpResponse:
    return _decide(request, order_id, confirm_order, "The order is confirmed.")


@require_POST
@permission_required("orders.cancel_order", raise_exception=True)
def order_cancel(request: PortalRequest, order_id: str) -> HttpResponse:
    return _decide(request, order_id, cancel_order, "The order is cancelled.")


def _decide(
    request: PortalRequest, order_id: str, decide: Callable[..., Order], done: str
) -> HttpResponse:
    decision = Decision(request.POST)
    if not decision.is_valid():
        return show_order(request, order_id, "Nothing was changed. Look at the order again.", 422)
    try:
        decide(
            tenant=request.tenant,
            actor=Actor.from_user(request.user),
            order_id=order_id,
            **decision.cleaned_data,
        )
    except NotFound as error:
        raise Http404(error.message) from error
    except DomainError as error:
        return show_order(request, order_id, _in_words(error), error.status)
    messages.success(request, done)
    return redirect("order", order_id)


def _in_words(error: DomainError) -> str:
    return " ".join(detail.message for detail in error.details) or error.message


def show_order(
    request: PortalRequest, order_id: str, problem: str = "", status: int = 200
) -> HttpResponse:
    """The order; after a refused decision with the problem, and the reason as it was typed."""
    shown = get_object_or_404(
        Order.objects.select_related("customer").prefetch_related("items", "events"),
        public_id=order_id,
    )
    actor = Actor.from_user(request.user)
    context = {
        "order": shown,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
        "reason_length": REASON_LENGTH,
        "cannot_confirm": review.why_not_confirm(shown, actor, request.tenant),
        "can_cancel": review.can_cancel(shown, actor),
        "can_edit": rules.edit_problem(shown, actor) is None,
        "can_recall": rules.recall_problem(shown, actor) is None,
        "differences": [row for row in review.compare_customer(shown) if row.differs],
        "remarks": list(review.remarks(shown)),
        "reasons": review.explain_reasons(shown, with_costs=actor.can("catalog.view_costs")),
        "extension_details": review.labelled(shown.extension_details, shown.currency),
        "upgrade_details": review.labelled(shown.upgrade_details, shown.currency),
        "custom_fields": review.custom_fields(shown),
        "events": list(shown.events.all())[::-1],
    }
    return render(request, "orders/order.html", context, status=status)
