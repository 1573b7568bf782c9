"""A customer's record, with what they have on contract and their orders."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers.models import Customer
from orders.caller import devices_on_contract
from portal.paging import newest_first
from portal.tenancy import PortalRequest

ORDERS_SHOWN, DEVICES_SHOWN = 20, 100


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def customer(request: PortalRequest, customer_id: str) -> HttpResponse:
    shown = get_object_or_404(Customer, public_id=customer_id)
    devices, more_devices = devices_on_contract(
        tenant=request.tenant, customer=shown, today=timezone.localdate(), limit=DEVICES_SHOWN
    )
    orders, cursor = shown.orders.as_rows(), request.GET.get("cursor", "")
    context = {
        "customer": shown,
        "devices": devices,
        "more_devices": more_devices,
        "page": newest_first(orders, cursor, size=ORDERS_SHOWN),
    }
    return render(request, "customers/customer.html", context)
