"""What a page asks the catalogue while somebody types."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from catalog.matching import ask, match_parts
from portal.patience import KEYSTROKE, TookTooLong, no_longer_than
from portal.tenancy import PortalRequest

OPTIONS = 10
PREVIEWED = 12
"""Of how many parts a preview shows what they become."""


@require_GET
@permission_required("catalog.view_product", raise_exception=True)
def search(request: PortalRequest) -> HttpResponse:
    """The options of the combobox for what is typed so far (`q`); of several parts, a preview."""
    text = request.GET.get("q", "").strip()
    context: dict[str, Any] = {
        "text": text,
        "currency": request.tenant.currency,
        "most": OPTIONS,
    }
    try:
        with no_longer_than(KEYSTROKE):
            parts = ask(tenant=request.tenant, text=text)
            matches = match_parts(tenant=request.tenant, parts=parts[:PREVIEWED], limit=OPTIONS)
    except TookTooLong:
        return render(request, "catalog/_too_long.html", context)
    if len(parts) < 2:
        context["match"] = matches[0] if matches else None
        return render(request, "catalog/_results.html", context)
    more = len(parts) - len(matches)
    found = sum(bool(match.orderable) for match in matches)
    context |= {"matches": matches, "more": more, "found": found + more if found else 0}
    return render(request, "catalog/_preview.html", context)
