"""The page that a rep types into while the customer is on the phone."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget, trigger_client_event

from customers.search import find_customers
from orders import draft_life, drafts, submitting
from orders.composer import with_choices
from orders.custom_fields import configured_fields
from orders.drafts import AlreadySubmitted, HandedOver, Revision, StaleDraft
from orders.edits import OrderMoved, edited, with_remarks
from orders.extension import NEW_END
from orders.forms import OrderForm
from orders.history import difference
from orders.models import Draft, Order
from orders.said import Decision
from orders.sheet import Sheet
from orders.submitting import PricesMoved
from orders.typed import Typed, customer_fields, labels_of
from orders.views.access import for_reps, who_see_customers
from portal.errors import Detail, DomainError, NotFound
from portal.patience import KEYSTROKE, TookTooLong, no_longer_than
from portal.permissions import Actor
from portal.tenancy import PortalRequest

MATCHES = 6


@require_GET
@for_reps
def start(request: PortalRequest) -> HttpResponse:
    """A draft to type into, at an address that names it."""
    draft = drafts.open_draft(tenant=request.tenant, owner=request.user)
    customer = request.GET.get("customer", "")
    query = f"?{urlencode({'customer': customer})}" if customer else ""
    return redirect(_address(draft) + query)


@require_http_methods(["GET", "POST"])
@for_reps
def new_order(request: PortalRequest, draft_id: str) -> HttpResponse:
    return _submit(request, draft_id) if request.method == "POST" else _show(request, draft_id)


@require_POST
@for_reps
def save(request: PortalRequest, draft_id: str) -> HttpResponse:
    """Keeps what is typed; answers prices, totals and the known customer, never a field."""
    try:
        sheet = drafts.save(
            tenant=request.tenant,
            owner=request.user,
            draft_id=draft_id,
            typed=Typed.from_post(request.POST),
            revision=Revision.read(request.POST),
        )
    except StaleDraft:
        return show_newer(request, draft_id)
    except (AlreadySubmitted, HandedOver) as error:
        return _show_gone(request, error)
    if sheet is None:
        return HttpResponse(status=204)
    context = {"sheet": sheet, "currency": sheet.totals.currency, "oob": True}
    response = render(request, "orders/_saved.html", context)
    return _fill_in(request, sheet, response)


@require_GET
@for_reps
@who_see_customers
def customers(request: PortalRequest) -> HttpResponse:
    """The options of the customer combobox for what is typed so far."""
    text = request.GET.get("customer-email", "").strip()
    context: dict[str, Any] = {"typed": text, "most": MATCHES}
    try:
        with no_longer_than(KEYSTROKE):
            found = find_customers(tenant=request.tenant, text=text, limit=MATCHES)
    except TookTooLong:
        found, context["too_long"] = [], True
    context["matches"] = [(each, json.dumps(customer_fields(each.customer))) for each in found]
    return render(request, "orders/_customer_matches.html", context)


def _show(request: PortalRequest, draft_id: str) -> HttpResponse:
    sheet = drafts.load(
        tenant=request.tenant,
        owner=request.user,
        draft_id=draft_id,
        customer_id=request.GET.get("customer", ""),
    )
    if sheet.draft.discarded_at:
        return render(
            request, "orders/draft_discarded.html", {"draft": draft_life.summarise(sheet.draft)}
        )
    return render(request, "orders/new.html", _context(request, sheet))


def _submit(request: PortalRequest, draft_id: str) -> HttpResponse:
    try:
        return _try_to_submit(request, draft_id)
    except (AlreadySubmitted, HandedOver) as error:
        return _show_gone(request, error)


def _try_to_submit(request: PortalRequest, draft_id: str) -> HttpResponse:
    """Raises AlreadySubmitted and HandedOver: also what was refused is not kept then."""
    posted: Any = {
        "tenant": request.tenant,
        "owner": request.user,
        "draft_id": draft_id,
        "typed": Typed.from_post(request.POST),
        "revision": Revision.read(request.POST),
        "decision": Decision.read(request.POST),
    }
    try:
        order = submitting.submit_draft(actor=Actor.from_user(request.user), **posted)
    except StaleDraft:
        return show_newer(request, draft_id)
    except OrderMoved as error:
        return _show_moved(request, error, **posted)
    except (AlreadySubmitted, HandedOver, NotFound):
        raise
    except DomainError as error:
        sheet = submitting.keep_refused(**posted)
        context = _context(request, sheet, shown_details(error)) | {"moved": sheet.moved}
        return _page(request, context, status=422)
    done = "changed" if order.version > 1 else "submitted"
    messages.success(request, f"Order {order.public_id} is {done}.")
    return _go_to(request, order)


def shown_details(error: DomainError) -> Sequence[Detail]:
    """What is wrong, beside its field; what belongs to none, above the form."""
    above = isinstance(error, PricesMoved) or error.details
    return error.details if above else [Detail("", error.code, error.message)]


def _show_moved(
    request: PortalRequest, error: OrderMoved, *, decision: Decision, **posted: Any
) -> HttpResponse:
    """What somebody else saved meanwhile, beside what was typed here, which stands on top of it."""
    sheet, clashes = submitting.take_over(**posted)
    with_costs = request.user.has_perm("catalog.view_costs")
    moved = difference(error.order, error.events, with_costs=with_costs)
    context = _context(request, sheet) | {
        "happened": error.events,
        "changes": moved.changes if moved else [],
        "clashes": labels_of(sheet.typed, clashes),
    }
    return _page(request, context, status=409)


def show_newer(request: PortalRequest, draft_id: str) -> HttpResponse:
    """The draft as it is now, in place of what a stale tab shows, and what that tab had typed."""
    sheet = drafts.load(tenant=request.tenant, owner=request.user, draft_id=draft_id)
    unsaved = Typed.from_post(request.POST).beyond(sheet.typed)
    context = _context(request, sheet) | {"stale": True, "unsaved": unsaved}
    return _page(request, context, status=409)


def _show_gone(request: PortalRequest, error: AlreadySubmitted | HandedOver) -> HttpResponse:
    """What became of the draft, or whose it is, and what the page had typed beyond it."""
    unsaved = Typed.from_post(request.POST).beyond(drafts.kept_form(error.draft))
    if isinstance(error, HandedOver):
        context: dict[str, Any] = {"handed_to": error.draft.owner}
    elif unsaved:
        context = {"order": error.order}
    else:
        return render(request, "orders/_submitted.html", {"order": error.order, "oob": True})
    context["unsaved"] = unsaved
    return _page(request, context, status=409, fragment="orders/_gone.html")


def _fill_in(request: PortalRequest, sheet: Sheet, response: HttpResponse) -> HttpResponse:
    """Has the page fill in the end that follows from other fields, if nobody types there."""
    shown, value = request.POST.get(NEW_END, ""), sheet.typed.fields.get(NEW_END, "")
    if value == shown:
        return response
    filled = {"name": NEW_END, "value": value, "was": shown}
    return trigger_client_event(response, "filled", filled)


def _page(
    request: PortalRequest,
    context: dict[str, Any],
    status: int,
    fragment: str = "orders/_new_order.html",
) -> HttpResponse:
    """The whole page again, or for htmx its form, which then replaces the one that is shown."""
    if not request.htmx:
        whole = context | {"fragment": fragment}
        return render(request, "orders/new.html", whole, status=status)
    # htmx shows what is refused as 422.
    response = render(request, fragment, context, status=422)
    response = reswap(retarget(response, "#new-order"), "outerHTML")
    if status == 409:  # What another page did to the draft is said at the top.
        response["HX-Reswap"] += " show:window:top"
    return response


def _context(
    request: PortalRequest, sheet: Sheet, details: Iterable[Detail] = ()
) -> dict[str, Any]:
    configured = configured_fields(tenant=request.tenant)
    editing = edited(sheet.draft)
    remarks = editing.remarks if editing else {}
    sheet = with_choices(tenant=request.tenant, sheet=sheet)
    sheet = with_remarks(sheet, remarks, details := [*details])
    return {
        "sheet": sheet,
        "draft": sheet.draft,
        "editing": editing,
        "order": drafts.placed_order(sheet.draft),
        "colleagues": list(draft_life.colleagues(tenant=request.tenant, user=request.user)),
        "form": OrderForm(
            sheet.typed,
            configured=configured,
            details=details,
            remarks=remarks,
            focus=sheet.draft.payload.get("focus", ""),
        ),
        "currency": request.tenant.currency,
    }


def _address(draft: Draft) -> str:
    return reverse("draft", args=[draft.public_id])


def _go_to(request: PortalRequest, order: Order) -> HttpResponse:
    address = reverse("order", args=[order.public_id])
    if request.htmx:
        return HttpResponseClientRedirect(address)
    response = redirect(address)
    response.status_code = 303
    return response
