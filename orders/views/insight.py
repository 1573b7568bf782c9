"""What managers look at every morning."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from orders import charts
from orders import insight as numbers
from orders.insight import PERIODS, WEEKS_SHOWN, Period
from portal.tenancy import PortalRequest


@require_safe
@permission_required("orders.view_insight", raise_exception=True)
def insight(request: PortalRequest) -> HttpResponse:
    tenant, now = request.tenant, timezone.now()
    asked = request.GET.get("weeks", "")
    chosen = next((weeks for weeks in PERIODS if asked == str(weeks)), WEEKS_SHOWN)
    period = Period(tenant, now, chosen)
    waiting = numbers.waiting(now)
    weeks = numbers.weeks(Period(tenant, now, WEEKS_SHOWN))
    context = {
        "waiting": waiting,
        "buckets": charts.by_orders(waiting.buckets),
        "pace": numbers.pace(tenant, now),
        "weeks": weeks,
        "orders_chart": charts.of_orders(weeks),
        "value_chart": charts.of_value(weeks, tenant.currency),
        "periods": PERIODS,
        "period": period,
        "by_status": charts.by_orders(numbers.by_status(period)),
        "by_rep": charts.by_value(numbers.by_rep(period)),
        "by_category": charts.by_value(numbers.by_category(period)),
        "currency": tenant.currency,
    }
    return render(request, "orders/insight.html", context)
