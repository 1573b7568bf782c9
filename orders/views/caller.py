"""What the new-order page tells about who is calling, asked for once for each customer."""

import json

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from customers.lookalikes import Newcomer, find_lookalikes
from customers.models import Customer
from orders.caller import caller_panel
from orders.typed import customer_fields, record_fields
from orders.views.access import for_reps, who_see_customers
from portal.tenancy import PortalRequest


@require_GET
@for_reps
@who_see_customers
def caller(request: PortalRequest, customer_id: str) -> HttpResponse:
    """The rep's drafts for them, pending orders, devices on contract, last addresses and items."""
    customer = get_object_or_404(Customer, public_id=customer_id)
    panel = caller_panel(
        tenant=request.tenant,
        rep=request.user,
        customer=customer,
        today=timezone.localdate(),
        besides=request.GET.get("draft", ""),
    )
    return render(request, "orders/_caller.html", {"panel": panel})


@require_GET
@for_reps
@who_see_customers
def lookalikes(request: PortalRequest) -> HttpResponse:
    """Known customers who may be the new one; an address that was typed already is kept."""
    typed = [request.GET.get(name, "") for name in ("email", "phone", "company")]
    try:
        found = find_lookalikes(Newcomer.of(*typed))
    except ValueError:
        found = []
    fields_of = record_fields if request.GET.get("addressed") else customer_fields
    records = [(each, json.dumps(fields_of(each.customer))) for each in found]
    return render(request, "orders/_lookalikes.html", {"lookalikes": records})
