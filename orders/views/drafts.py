"""What is done with a draft besides typing into it, from the list or from its own page."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from orders import draft_life
from orders.draft_life import AlreadyChanging
from orders.drafts import AlreadySubmitted, HandedOver, Revision, StaleDraft
from orders.typed import Typed
from orders.views.access import for_reps
from orders.views.new_order import show_newer
from portal.errors import DomainError, NotFound
from portal.tenancy import PortalRequest


@require_POST
@for_reps
def discard(request: PortalRequest, draft_id: str) -> HttpResponse:
    try:
        draft = draft_life.discard(tenant=request.tenant, owner=request.user, draft_id=draft_id)
    except (AlreadySubmitted, HandedOver) as error:
        return refuse(request, error)
    if _from_list(request):
        return _list(request, discarded=draft_life.summarise(draft))
    return redirect("draft", draft.public_id)


@require_POST
@for_reps
def restore(request: PortalRequest, draft_id: str) -> HttpResponse:
    try:
        draft = draft_life.restore(tenant=request.tenant, owner=request.user, draft_id=draft_id)
    except (AlreadyChanging, AlreadySubmitted, HandedOver) as error:
        return refuse(request, error)
    if _from_list(request):
        return _list(request, restored=draft.public_id)
    return redirect("draft", draft.public_id)


@require_POST
@for_reps
def hand_over(request: PortalRequest, draft_id: str) -> HttpResponse:
    """Posted with the form, if it is handed over from the page where it is typed."""
    form = request.POST
    try:
        draft = draft_life.hand_over(
            tenant=request.tenant,
            owner=request.user,
            draft_id=draft_id,
            to=form.get("colleague", ""),
            typed=Typed.from_post(form) if "tab" in form else None,
            revision=Revision.read(form),
        )
    except StaleDraft:
        return show_newer(request, draft_id)
    except NotFound:
        raise
    except DomainError as error:
        return refuse(request, error)
    if _from_list(request):
        return _list(request, handed_over=draft)
    messages.success(request, f"You handed this draft to {draft.owner.display_name}.")
    return _go(request, reverse("home"))


def _from_list(request: PortalRequest) -> bool:
    return request.htmx.target == "drafts"


def _list(request: PortalRequest, **what_happened: Any) -> HttpResponse:
    """The list as it is now, below what has just happened."""
    return render(request, "home/_drafts.html", drafts_context(request) | what_happened)


def drafts_context(request: PortalRequest) -> dict[str, Any]:
    """What the list of the user's open drafts shows."""
    found = draft_life.summaries(owner=request.user)
    colleagues = draft_life.colleagues(tenant=request.tenant, user=request.user) if found else []
    return {"drafts": found, "colleagues": list(colleagues)}


def refuse(request: PortalRequest, error: DomainError) -> HttpResponse:
    if isinstance(error, AlreadySubmitted):
        messages.info(request, error.message)
        return _go(request, reverse("order", args=[error.order.public_id]))
    messages.error(request, error.message)
    return _go(request, reverse("home"))


def _go(request: PortalRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
