"""A draft as a quote, to print or to e-mail."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from orders import drafts, quotes
from orders.drafts import AlreadySubmitted, HandedOver
from orders.views.access import for_reps
from orders.views.drafts import refuse
from portal.errors import DomainError, NotFound
from portal.tenancy import PortalRequest
from portal.text import clean, normalize_email


class QuoteForm(forms.Form):
    valid_until = forms.DateField(
        input_formats=["%Y-%m-%d"], error_messages={"invalid": "Enter a day."}
    )
    email = forms.CharField(strip=False)

    def clean_valid_until(self) -> Any:
        valid_until = self.cleaned_data["valid_until"]
        if valid_until < timezone.localdate():
            raise ValidationError("This day has passed.")
        return valid_until

    def clean_email(self) -> str:
        try:
            normalize_email(self.cleaned_data["email"])
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return clean(self.cleaned_data["email"])


@require_http_methods(["GET", "HEAD", "POST"])
@for_reps
def quote(request: PortalRequest, draft_id: str) -> HttpResponse:
    if request.method != "POST":
        return _show(request, draft_id)
    if "show" in request.POST:
        chosen = urlencode({"valid_until": request.POST.get("valid_until", "")})
        return redirect(f"{request.path}?{chosen}")
    return _send(request, draft_id)


def _send(request: PortalRequest, draft_id: str) -> HttpResponse:
    form = QuoteForm(request.POST)
    if not form.is_valid():
        return _show(request, draft_id, status=422)
    try:
        draft = quotes.send_quote(
            tenant=request.tenant,
            owner=request.user,
            draft_id=draft_id,
            to=form.cleaned_data["email"],
            valid_until=form.cleaned_data["valid_until"],
            seen=request.POST.get("seen", ""),
        )
    except NotFound:
        raise
    except (AlreadySubmitted, HandedOver) as error:
        return refuse(request, error)
    except DomainError as error:
        return _show(request, draft_id, error.message, error.status)
    messages.success(request, f"The quote is sent to {draft.quoted_to}.")
    return redirect(f"{request.path}?valid_until={draft.quoted_until}")


def _show(
    request: PortalRequest, draft_id: str, problem: str = "", status: int = 200
) -> HttpResponse:
    """The quote as the customer gets it; after a refused one with what was typed."""
    sheet = drafts.load(tenant=request.tenant, owner=request.user, draft_id=draft_id)
    if sheet.draft.discarded_at or drafts.placed_order(sheet.draft):
        return redirect("draft", draft_id)
    day = request.GET.get("valid_until", quotes.first_validity().isoformat())
    typed = {"valid_until": day, "email": sheet.typed.fields.get("customer-email", "")}
    form = QuoteForm(typed | request.POST.dict())
    form.full_clean()
    valid_until = form.cleaned_data.get("valid_until")
    context = {
        "draft": sheet.draft,
        "form": form,
        "sending": request.method == "POST",
        "problem": problem,
        "incomplete": quotes.incomplete(sheet),
        "version": quotes.Version.of(sheet),
        "today": timezone.localdate(),
        "valid_until": valid_until,
        "quote": quotes.quotation(
            sheet=sheet,
            tenant=request.tenant,
            rep=request.user,
            valid_until=valid_until or quotes.first_validity(),
        ),
    }
    return render(request, "orders/quote.html", context, status=status)
