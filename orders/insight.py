"""What managers look at every morning: what waits and for how long, and how orders develop.

Everything is counted by the database, in as many queries for one order as for a million. A period
is a number of whole ISO weeks in the tenant's time zone, the running one included. Values are per
month, in the tenant's currency. Cancelled orders are told apart and are in no value but their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, NullIf, TruncWeek

from orders.models import Order, OrderItem
from portal.models import Tenant

WEEKS_SHOWN = 13
PERIODS = (4, 13, 52)
"""Weeks that can be chosen for status, rep and category."""

NAMES_SHOWN = 12
"""Of reps or categories; the others are summed up."""

UNKNOWN = "Unknown"
"""The category of imported lines whose SKU the catalogue does not have."""

WEEK = timedelta(weeks=1)
_NOTHING = Decimal(0)
_BUCKETS = [
    ("under 1 h", timedelta(hours=1)),
    ("1–4 h", timedelta(hours=4)),
    ("4–24 h", timedelta(hours=24)),
    ("1–3 d", timedelta(days=3)),
    ("older", timedelta.max),
]


class Median(Aggregate):
    """The middle value; of an even number, the mean of the two in the middle."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many orders have waited for about that long."""

    name: str
    orders: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a manager, its ages since it was ordered; and what is back with its rep."""

    orders: int
    with_rep: int
    median: timedelta | None
    oldest: timedelta | None
    buckets: list[Bucket]


@dataclass(frozen=True, slots=True)
class Week:
    """Orders created in the week that begins that Monday; `value` per month, cancelled apart."""

    monday: date
    orders: int = 0
    value: Decimal = _NOTHING
    cancelled: int = 0

    @property
    def number(self) -> int:
        """ISO 8601."""
        return self.monday.isocalendar().week

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Pace:
    """This week so far, and the week before up to the same time of the same day."""

    orders: int
    value: Decimal
    orders_before: int
    value_before: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What one status, rep or category has of a period. `orders` of a category overlap."""

    name: str
    orders: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Period:
    """So many ISO weeks of a tenant, up to and including the one that runs at `now`."""

    tenant: Tenant
    now: datetime
    weeks: int

    @property
    def _monday(self) -> date:
        today = self.now.astimezone(self.tenant.zone).date()
        return today - timedelta(days=today.weekday())

    @property
    def mondays(self) -> list[date]:
        return [self._monday - WEEK * back for back in reversed(range(self.weeks))]

    @property
    def start(self) -> datetime:
        return datetime.combine(self.mondays[0], time.min, tzinfo=self.tenant.zone)

    @property
    def orders(self) -> QuerySet[Order]:
        return Order.objects.filter(created_at__gte=self.start).order_by()


def waiting(now: datetime) -> Waiting:
    """Reads the pending orders only, however many there have been."""
    manager = Q(awaiting=Order.Awaiting.MANAGER)
    age = ExpressionWrapper(Value(now) - F("created_at"), output_field=DurationField())
    pending = Order.objects.filter(status=Order.Status.PENDING).order_by()
    limits = [timedelta(0), *(limit for _, limit in _BUCKETS)]
    counts = {
        f"bucket{number}": Count("pk", filter=manager & _aged(now, *limits[number : number + 2]))
        for number in range(len(_BUCKETS))
    }
    found: dict[str, Any] = pending.aggregate(
        orders=Count("pk", filter=manager),
        with_rep=Count("pk", filter=~manager),
        median=Median(age, filter=manager),
        oldest=Max(age, filter=manager),
        **counts,
    )
    buckets = [Bucket(name, found.pop(f"bucket{n}")) for n, (name, _) in enumerate(_BUCKETS)]
    return Waiting(**found, buckets=buckets)


def _aged(now: datetime, least: timedelta, limit: timedelta) -> Q:
    younger = Q() if not least else Q(created_at__lte=now - least)
    return younger if limit == timedelta.max else younger & Q(created_at__gt=now - limit)


_KEPT = ~Q(status=Order.Status.CANCELLED)
_ORDERS = Count("pk", filter=_KEPT)
_VALUE = Coalesce(Sum("total", filter=_KEPT), _NOTHING)


def weeks(period: Period) -> list[Week]:
    """Each week of the period, those without orders too."""
    found = (
        period.orders.annotate(week=TruncWeek("created_at", tzinfo=period.tenant.zone))
        .values("week")
        .annotate(orders=_ORDERS, value=_VALUE, cancelled=Count("pk", filter=~_KEPT))
    )
    by_monday = {
        row["week"].date(): Week(row["week"].date(), row["orders"], row["value"], row["cancelled"])
        for row in found
    }
    return [by_monday.get(monday, Week(monday)) for monday in period.mondays]


def pace(tenant: Tenant, now: datetime) -> Pace:
    """Wall clocks are compared, so that a change to summer time moves nothing."""
    both = Period(tenant, now, 2)
    this_monday = Period(tenant, now, 1).start
    same_time_before = now.astimezone(tenant.zone) - WEEK
    this, before = Q(created_at__gte=this_monday), Q(created_at__lte=same_time_before)
    found = both.orders.filter(_KEPT).aggregate(
        orders=Count("pk", filter=this),
        value=Coalesce(Sum("total", filter=this), _NOTHING),
        orders_before=Count("pk", filter=before),
        value_before=Coalesce(Sum("total", filter=before), _NOTHING),
    )
    return Pace(**found)


def by_status(period: Period) -> list[Share]:
    """All statuses in the order of an order's life, the cancelled ones with what they were."""
    counted = period.orders.values("status").annotate(orders=Count("pk"), value=Sum("total"))
    found = {
        status: (orders, value)
        for status, orders, value in counted.values_list("status", "orders", "value")
    }
    return [Share(status.label, *found.get(status, (0, _NOTHING))) for status in Order.Status]


def by_rep(period: Period) -> list[Share]:
    """By who looks after them, keys of shops included, the greatest value first.

    Whoever was renamed is one, under the name that their last order has.
    """
    found = period.orders.filter(_KEPT).values("rep_ref", "rep")
    counted = found.annotate(orders=Count("pk"), value=Sum("total"), last=Max("created_at"))
    shares: dict[str, Share] = {}
    for row in counted.order_by("last"):
        before = shares.get(row["rep_ref"], Share("", 0, _NOTHING))
        orders, value = before.orders + row["orders"], before.value + row["value"]
        shares[row["rep_ref"]] = Share(row["rep"], orders, value)
    ranked = sorted(shares.values(), key=lambda share: (-share.value, share.name))
    return list(_summed_up(ranked))


def by_category(period: Period) -> list[Share]:
    """By the category that the catalogue has now; values are of lines, before VAT is added."""
    lines = OrderItem.objects.filter(
        ~Q(order__status=Order.Status.CANCELLED), order__created_at__gte=period.start
    ).order_by()
    category = NullIf("variant__product__category", Value(""))
    found = lines.annotate(name=Coalesce(category, Value(UNKNOWN))).values("name")
    return _greatest(
        found.annotate(
            orders=Count("order", distinct=True), value=Sum(F("unit_price") * F("quantity"))
        )
    )


def _greatest(found: QuerySet[Any, Any]) -> list[Share]:
    rows = found.order_by("-value", "name").values_list("name", "orders", "value")
    return list(_summed_up([Share(*row) for row in rows]))


def _summed_up(shares: list[Share]) -> Iterator[Share]:
    """The first ones; more than one besides as a single share. Orders of a category overlap."""
    shown = shares if len(shares) <= NAMES_SHOWN + 1 else shares[:NAMES_SHOWN]
    yield from shown
    if others := shares[len(shown) :]:
        orders = sum(share.orders for share in others)
        value = sum((share.value for share in others), _NOTHING)
        yield Share(f"{len(others)} others", orders, value)
