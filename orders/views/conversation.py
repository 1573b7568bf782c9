"""What people tell each other on an order's page while it is open: news, comments, notes."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from orders.changes import seen_by
from orders.models import Order
from orders.services import comment_order, replace_notes
from orders.views.order import find_order, in_words, order_context, show_order
from portal.errors import DomainError, NotFound, PermissionRefused
from portal.permissions import Actor
from portal.tenancy import PortalRequest


@require_safe
@permission_required("orders.view_order", raise_exception=True)
@never_cache
def order_live(request: PortalRequest, order_id: str) -> HttpResponse:
    """What an open page has to show anew; nothing while it shows the latest version."""
    latest = Order.objects.filter(public_id=order_id).values_list("version", flat=True).first()
    if latest is None:
        raise Http404("There is no such order.")
    if latest == _version(request.GET, "version"):
        return HttpResponse(status=204)
    context = order_context(request, find_order(order_id), _version(request.GET, "seen") or None)
    return render(request, "orders/_order_live.html", context)


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def order_comment(request: PortalRequest, order_id: str) -> HttpResponse:
    comment = request.POST.get("comment", "")
    actor = Actor.from_user(request.user)
    try:
        comment_order(tenant=request.tenant, actor=actor, order_id=order_id, comment=comment)
    except NotFound as error:
        raise Http404(error.message) from error
    except DomainError as error:
        typed = {"comment": comment, "comment_problem": in_words(error)}
        return _refuse(request, order_id, error, "orders/_comment_form.html", typed)
    return _show(request, order_id, "orders/_commented.html", "Your comment was added.")


@require_POST
@permission_required("orders.change_order", raise_exception=True)
def order_notes(request: PortalRequest, order_id: str) -> HttpResponse:
    """Replaces the notes. Whoever wrote about another version sees both, and may save again."""
    notes, seen = request.POST.get("notes", ""), _version(request.POST, "version")
    actor = Actor.from_user(request.user)
    try:
        replace_notes(
            tenant=request.tenant,
            actor=actor,
            order_id=order_id,
            version=seen_by(find_order(order_id), seen, actor),
            notes=notes,
        )
    except NotFound as error:
        raise Http404(error.message) from error
    except DomainError as error:
        typed = {"notes": notes, "notes_problem": in_words(error)}
        return _refuse(request, order_id, error, "orders/_order_notes.html", typed)
    return _show(request, order_id, "orders/_noted.html", "The notes are saved.")


def _version(values: Mapping[str, Any], name: str) -> int:
    """A version as a page sends it; 0, which no order has, for what is none."""
    text = str(values.get(name, ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _show(request: PortalRequest, order_id: str, template: str, done: str) -> HttpResponse:
    if not request.htmx:
        messages.success(request, done)
        return redirect(reverse("order", args=[order_id]))
    seen = _version(request.POST, "version") or None
    context = order_context(request, find_order(order_id), seen)
    return render(request, template, context | {"done": done})


def _refuse(
    request: PortalRequest,
    order_id: str,
    error: DomainError,
    template: str,
    typed: Mapping[str, str],
) -> HttpResponse:
    """What was typed, with the message beside it."""
    status = error.status if isinstance(error, PermissionRefused) else 422
    if not request.htmx:
        return show_order(request, order_id, status=status, typed=typed)
    context = order_context(request, find_order(order_id))
    return render(request, template, context | {**typed}, status=status)
