"""What waits for review: how many orders, for which reasons, of whom, and since when."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter

from django.db.models import Count, Q
from django.utils import timezone

from orders.models import Order
from orders.reasons import Reason
from portal.formats import number
from portal.paging import COUNTED

CLEAN = "clean"
"""Stands for orders without any reason to look twice."""

AGES = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many orders wait, by reason or `clean`, by age (`AGES`), and by `rep_ref`.

    `reps` has the name of each `rep_ref`. `is_all` is whether all of them were counted.
    """

    reasons: Mapping[str, int]
    ages: Mapping[str, int]
    by_rep: Mapping[str, int]
    reps: Mapping[str, str]
    is_all: bool

    def text(self, counted: int) -> str:
        """The number as it is shown: 12, or 1,000+."""
        shown = number(min(counted, COUNTED))
        return shown if self.is_all else f"{shown}+"


def count_waiting() -> Waiting:
    """Counts the queue of the tenant, or its first orders, in two queries."""
    now = timezone.now()
    first = Order.objects.awaiting_review().with_came_back().by_risk()[: COUNTED + 1]
    found = first.aggregate(
        total=Count("pk"),
        clean=_count(risk=0, came_back=False),
        **{f"reason_{code}": _count(reasons__has_key=code) for code in Reason.values},
        **{f"age_{name}": _count(created_at__lte=now - age) for name, age in AGES.items()},
    )
    reps = list(first.values_list("rep_ref", "rep"))
    return Waiting(
        reasons={CLEAN: found["clean"]} | {code: found[f"reason_{code}"] for code in Reason.values},
        ages={name: found[f"age_{name}"] for name in AGES},
        by_rep=Counter(ref for ref, _ in reps),
        reps=dict(sorted(reps, key=itemgetter(1))),
        is_all=found["total"] <= COUNTED,
    )


def _count(**condition: object) -> Count:
    return Count("pk", filter=Q(**condition))
