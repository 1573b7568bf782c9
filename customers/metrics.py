"""What the orders of a customer add up to.

Orders belong to an app above this one: they are asked for by the name of their relation alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    DecimalField,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from customers.models import Customer
from portal.money import DECIMAL_PLACES, MAX_DIGITS

MOST_ORDER_IDS = 1_000
"""Orders of a customer that are named, the newest first; all are counted."""

AMOUNT = DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The orders of a customer, in whatever state, and what of them is rented now.

    `monthly_revenue` is unit price × rented devices, per month, in the tenant's currency.
    """

    order_ids: list[str]
    total_orders: int
    devices_rented: int
    monthly_revenue: Decimal


def metrics_of(customers: Iterable[Customer]) -> Mapping[int, Metrics]:
    """By primary key; two queries, however many customers and orders there are.

    They are counted anew each time, which takes some microseconds for each order.
    """
    chosen = Customer.objects.filter(pk__in=[customer.pk for customer in customers]).order_by()
    counted = chosen.values_list("pk").annotate(
        total=Count("orders"),
        devices=Coalesce(Sum("orders__rented_devices"), 0),
        # All of these orders is rented; only of partial ones the items have to be asked.
        fulfilled=_sum(F("orders__subtotal"), Q(orders__status="fulfilled")),
    )
    numbers = {pk: rest for pk, *rest in counted}
    newest = (
        _this_one(orders__isnull=False)
        .order_by("-orders__created_at", "-orders__pk")
        .values("orders__public_id")
    )
    partial = _this_one(orders__status="partial").values("pk").annotate(found=_of_items("orders"))
    # Not beside the numbers: grouped with a join, the ids would be gathered once for each order.
    named = chosen.values_list(
        "pk",
        ArraySubquery(newest[:MOST_ORDER_IDS]),
        Coalesce(Subquery(partial.values("found")), Decimal(0), output_field=AMOUNT),
    )
    metrics = {}
    for pk, order_ids, of_partial in named:
        total, devices, of_fulfilled = numbers[pk]
        metrics[pk] = Metrics(order_ids, total, devices, of_fulfilled + of_partial)
    return metrics


def with_active_rentals(customers: QuerySet[Customer], *, wanted: bool) -> QuerySet[Customer]:
    """Those who rent a device now, or those who rent none."""
    theirs = _this_one(orders__rented_devices__gt=0)
    return customers.filter(Exists(theirs) if wanted else ~Exists(theirs))


def with_devices_rented(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """With `devices_rented` of each. To sort by it, the orders of all customers are counted."""
    counted: QuerySet[Customer] = _with_rented(customers).annotate(
        devices_rented=Coalesce(Sum("rented__rented_devices"), 0)
    )
    return counted


def with_monthly_revenue(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """With `monthly_revenue` of each, at the same price as `with_devices_rented`."""
    counted: QuerySet[Customer] = _with_rented(customers).annotate(
        monthly_revenue=_of_items("rented")
    )
    return counted


def _with_rented(customers: QuerySet[Customer]) -> Any:
    """With a relation `rented` to those orders of which devices are rented."""
    rented = FilteredRelation("orders", condition=Q(orders__rented_devices__gt=0))
    return customers.annotate(rented=rented)


def _this_one(**orders: Any) -> QuerySet[Customer]:
    """The customer of the query around, once for each order of theirs that is like this."""
    return Customer.objects.filter(pk=OuterRef("pk"), **orders).order_by()


def _of_items(orders: str) -> Coalesce:
    """Unit price × rented devices of all items of these orders."""
    return _sum(F(f"{orders}__items__unit_price") * F(f"{orders}__items__rented_devices"))


def _sum(amount: Combinable, which: Q | None = None) -> Coalesce:
    return Coalesce(Sum(amount, filter=which), Decimal(0), output_field=AMOUNT)
