"""The list of orders, and an order with what may be done about it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from orders import edits, review, rules
from orders.changes import seen_by, since
from orders.filters import OrderFilter
from orders.history import difference, history
from orders.models import NOTES_LENGTH, REASON_LENGTH, Order
from orders.services import cancel_order, confirm_order
from orders.told import mark_order_read
from portal.errors import Conflict, DomainError, NotFound, ValidationFailed
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
    filters, tenant = OrderFilter(request.GET), request.tenant
    orders = filters.narrow_without_text(Order.objects.as_rows(), tenant=tenant, user=request.user)
    first_of = partial(filters.first_of, tenant=tenant)
    page = newest_first(orders, request.GET.get("cursor", ""), first_of=first_of)
    template = "orders/_results.html" if request.htmx else "orders/list.html"
    return render(request, template, {"filters": filters, "page": page})


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def order(request: PortalRequest, order_id: str) -> HttpResponse:
    response = show_order(request, order_id)
    mark_order_read(user=request.user, order_id=order_id)
    return response


@require_POST
@permission_required("orders.confirm_order", raise_exception=True)
def order_confirm(request: PortalRequest, order_id: str) -> HttpResponse:
    return _decide(request, order_id, confirm_order, "confirm")


@require_POST
@permission_required("orders.cancel_order", raise_exception=True)
def order_cancel(request: PortalRequest, order_id: str) -> HttpResponse:
    return _decide(request, order_id, cancel_order, "cancel")


_DONE = {"confirm": "The order is confirmed.", "cancel": "The order is cancelled."}


def _decide(
    request: PortalRequest, order_id: str, decide: Callable[..., Order], name: str
) -> HttpResponse:
    decision, actor = Decision(request.POST), Actor.from_user(request.user)
    if not decision.is_valid():
        problem = "Nothing was changed. Look at the order again."
        return show_order(request, order_id, problem, 422, again=name)
    seen = decision.cleaned_data["version"]
    try:
        decide(
            tenant=request.tenant,
            actor=actor,
            order_id=order_id,
            version=seen_by(find_order(order_id), seen, actor),
            reason=decision.cleaned_data["reason"],
        )
    except NotFound as error:
        raise Http404(error.message) from error
    except (Conflict, ValidationFailed) as error:
        return show_order(request, order_id, in_words(error), error.status, again=name, seen=seen)
    except DomainError as error:
        return show_order(request, order_id, in_words(error), error.status)
    messages.success(request, _DONE[name])
    return redirect("order", order_id)


def in_words(error: DomainError) -> str:
    return " ".join(detail.message for detail in error.details) or error.message


def find_order(order_id: str) -> Order:
    """The order with all that its page shows; Http404 if there is none."""
    orders = Order.objects.select_related("customer").prefetch_related("items", "events")
    return get_object_or_404(orders, public_id=order_id)


def show_order(
    request: PortalRequest,
    order_id: str,
    problem: str = "",
    status: int = 200,
    *,
    again: str = "",
    seen: int = 0,
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The order; after a refused decision with the problem, and the reason as it was typed.

    `again` names a decision that is asked for once more, if it can still be taken: then with what
    happened since the version that was `seen`. `typed` is what else was typed and refused.
    """
    order = find_order(order_id)
    context = order_context(request, order) | {"problem": problem, **(typed or {})}
    if again:
        context["again"] = _again(request, order, again, seen, problem)
    return render(request, "orders/order.html", context, status=status)


def _again(
    request: PortalRequest, order: Order, name: str, seen: int, problem: str
) -> dict[str, Any]:
    events = since(order, seen) if seen else []
    with_costs = request.user.has_perm("catalog.view_costs")
    return {
        "decision": name,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
        "moved": difference(order, events, with_costs=with_costs),
    }


def order_context(request: PortalRequest, order: Order, seen: int | None = None) -> dict[str, Any]:
    """What the page shows of the order. `seen` is the version that the page was loaded with: what
    happened since is news, and a decision is still about that one.
    """
    actor = Actor.from_user(request.user)
    with_costs = actor.can("catalog.view_costs")
    seen = order.version if seen is None else seen
    known = seen_by(order, seen, actor)
    happened, returned = history(order, with_costs=with_costs), edits.returned(order)
    return {
        "order": order,
        "seen": seen,
        "timeline": happened[::-1],
        "news": [each for each in happened if each.event.version > known][::-1],
        "returned": next((each for each in happened if each.event == returned), None),
        "reasons": review.explain_reasons(order, with_costs=with_costs),
        "reason_length": REASON_LENGTH,
        "notes_length": NOTES_LENGTH,
        **_what_may_be_done(request, order, actor),
        **_what_it_says(order),
    }


def _what_may_be_done(request: PortalRequest, order: Order, actor: Actor) -> dict[str, Any]:
    return {
        "is_open": order.status not in (Order.Status.FULFILLED, Order.Status.CANCELLED),
        "is_own": rules.is_own(order, actor),
        "cannot_confirm": review.why_not_confirm(order, actor, request.tenant),
        "can_cancel": review.can_cancel(order, actor),
        "can_edit": rules.edit_problem(order, actor) is None,
        "can_recall": rules.recall_problem(order, actor) is None,
        "can_send_back": rules.send_back_problem(order, actor) is None,
        "can_note": rules.notes_problem(order, actor) is None,
    }


def _what_it_says(order: Order) -> dict[str, Any]:
    return {
        "differences": [row for row in review.compare_customer(order) if row.differs],
        "remarks": list(review.remarks(order)),
        "extension_details": review.labelled(order.extension_details, order.currency),
        "upgrade_details": review.labelled(order.upgrade_details, order.currency),
        "custom_fields": review.custom_fields(order),
    }
