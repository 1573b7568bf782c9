"""What a page asks the catalogue while somebody types."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from catalog.search import search_variants
from portal.tenancy import PortalRequest


@require_GET
@permission_required("catalog.view_product", raise_exception=True)
def search(request: PortalRequest) -> HttpResponse:
    """The options of the combobox for what is typed so far (`q`)."""
    text = request.GET.get("q", "").strip()
    found = search_variants(tenant=request.tenant, text=text)
    context = {"found": found, "text": text, "currency": request.tenant.currency}
    return render(request, "catalog/_results.html", context)
