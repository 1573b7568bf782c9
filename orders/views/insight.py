"""What managers look at every morning."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from orders import charts
from orders import insight as numbers
from orders.insight import PERIODS, WEEKS_SHOWN, Period
from portal.models import Tenant
from portal.patience import TookTooLong, no_longer_than
from portal.tenancy import PortalRequest

PATIENCE = timedelta(seconds=5)
"""Of each statement: a tenant may have more orders than can be counted while somebody waits."""

Numbers = dict[str, Any]


@require_safe
@permission_required("orders.view_insight", raise_exception=True)
def insight(request: PortalRequest) -> HttpResponse:
    tenant, now = request.tenant, timezone.now()
    asked = request.GET.get("weeks", "")
    chosen = next((weeks for weeks in PERIODS if asked == str(weeks)), WEEKS_SHOWN)
    period, waiting = Period(tenant, now, chosen), numbers.waiting(now)
    context = {
        "waiting": waiting,
        "buckets": charts.by_orders(waiting.buckets),
        "periods": PERIODS,
        "period": period,
        "currency": tenant.currency,
        # Of what is not counted in time.
        **dict.fromkeys(("by_status", "weeks", "pace")),
    }
    context |= _in_time(lambda: _shares(period))
    context |= _in_time(lambda: _development(tenant, now))
    return render(request, "orders/insight.html", context)


def _in_time(count: Callable[[], Numbers]) -> Numbers:
    """The numbers, or none if there is too much to count."""
    try:
        with no_longer_than(PATIENCE):
            return count()
    except TookTooLong:
        return {}


def _shares(period: Period) -> Numbers:
    return {
        "by_status": charts.by_orders(numbers.by_status(period)),
        "by_rep": charts.by_value(numbers.by_rep(period)),
        "by_category": charts.by_value(numbers.by_category(period)),
    }


def _development(tenant: Tenant, now: datetime) -> Numbers:
    weeks = numbers.weeks(Period(tenant, now, WEEKS_SHOWN))
    return {
        "pace": numbers.pace(tenant, now),
        "weeks": weeks,
        "orders_chart": charts.of_orders(weeks),
        "value_chart": charts.of_value(weeks, tenant.currency),
    }
