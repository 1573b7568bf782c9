"""Home: what this user should do next."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders.models import Order
from orders.views.drafts import drafts_context
from portal.paging import count_some
from portal.tenancy import PortalRequest

FIRST, RECENT = 5, 10


@require_safe
def home(request: PortalRequest) -> HttpResponse:
    own = Order.objects.as_rows().looked_after_by(request.user.actor_ref)
    context: dict[str, Any] = drafts_context(request) | {
        "sent_back": own.filter(awaiting=Order.Awaiting.REP),
        "recent": own[:RECENT],
    }
    if request.user.has_perm("orders.confirm_order"):
        waiting = Order.objects.as_rows().awaiting_review().by_risk()
        context |= {"waiting": waiting[:FIRST], "waiting_count": count_some(waiting)}
    return render(request, "home/home.html", context)
