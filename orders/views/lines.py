"""Lines, as a rep asks for them."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from orders.composer import add_sku, compose
from orders.views.access import for_reps
from portal.tenancy import PortalRequest


@require_POST
@for_reps
def line(request: PortalRequest) -> HttpResponse:
    """New lines: of a `sku` that was chosen, or of all that was typed or pasted (`q`).

    Nothing is stored. Posted, since addresses that hold 200 rows are refused on the way.
    """
    asked = request.POST
    if sku := asked.get("sku"):
        quantity, length = asked.get("quantity", ""), asked.get("length", "")
        composed = add_sku(tenant=request.tenant, sku=sku, quantity=quantity, length=length)
    else:
        composed = compose(tenant=request.tenant, text=asked.get("q", ""))
    context = {"composed": composed, "currency": request.tenant.currency}
    response = render(request, "orders/_composed.html", context)
    if composed.unfound:
        filled = {"name": "q", "value": composed.unfound, "was": ""}
        trigger_client_event(response, "filled", filled)
    return response
