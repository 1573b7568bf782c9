"""What a user was told about their orders, and the bell that counts what they did not read."""

from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orders.models import Notice
from orders.told import mark_all_read
from portal.paging import count_some
from portal.tenancy import PortalRequest

LATEST = 50


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("orders.view_order", raise_exception=True)
@never_cache
def notices(request: PortalRequest) -> HttpResponse:
    if request.method == "POST":
        mark_all_read(user=request.user)
        return redirect("notices")
    latest = Notice.objects.of(request.user).select_related("event__order")[:LATEST]
    return render(request, "orders/notices.html", {"notices": latest})


@require_safe
@login_not_required
@never_cache
def bell(request: PortalRequest) -> HttpResponse:
    """How many notices are unread, if the page shows another number; polled by every page.

    A login that expired is left to what the user does next: a poll interrupts nobody.
    """
    if not request.user.is_authenticated:
        return HttpResponse(status=204)
    unread = count_some(Notice.objects.of(request.user).unread())
    shown = request.GET.get("shown", "")
    if shown == str(unread):
        return HttpResponse(status=204)
    new = unread - int(shown) if shown.isdecimal() and len(shown) < 9 else 0
    return render(request, "orders/_bell.html", {"unread": unread, "new": new})
