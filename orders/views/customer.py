"""A customer's record, with what they have on contract and their orders for who may see orders."""

from typing import Any

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
    sees_orders = request.user.has_perm("orders.view_order")
    context = {"customer": shown, "sees_orders": sees_orders}
    if sees_orders:
        context |= _orders_of(request, shown)
    return render(request, "customers/customer.html", context)


def _orders_of(request: PortalRequest, customer: Customer) -> dict[str, Any]:
    """What they have on contract, and a page of their orders."""
    devices = devices_on_contract(
        tenant=request.tenant, customer=customer, today=timezone.localdate(), limit=DEVICES_SHOWN
    )
    orders, cursor = customer.orders.as_rows(), request.GET.get("cursor", "")
    return {
        "devices": devices,
        "page": newest_first(orders, cursor, size=ORDERS_SHOWN),
    }
