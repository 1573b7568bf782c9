"""How the numbers of a line came about: a page, or unfolded below the line."""

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from orders.models import Order
from orders.trace import find_change, trace
from portal.tenancy import PortalRequest


@require_safe
@permission_required("orders.view_order", raise_exception=True)
@vary_on_headers("HX-Request")
def item_trace(request: PortalRequest, order_id: str, position: int) -> HttpResponse:
    orders = Order.objects.prefetch_related("items", "events")
    order = get_object_or_404(orders, public_id=order_id)
    items = list(order.items.all())
    item = next((item for item in items if item.position == position), None)
    if item is None:
        raise Http404("The order has no such line.")
    steps = trace(
        order,
        item,
        items=items,
        events=order.events.all(),
        change=find_change(item),
        with_costs=request.user.has_perm("catalog.view_costs"),
    )
    template = "orders/_trace.html" if request.htmx else "orders/trace.html"
    return render(request, template, {"order": order, "item": item, "steps": steps})
