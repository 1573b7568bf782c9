"""Drafts that nobody brings back any more."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from orders.models import Draft

KEPT = timedelta(days=30)
"""How long a discarded draft can be brought back: with it goes what it says of a customer."""
AT_ONCE = 1_000


@transaction.atomic
def forget_drafts() -> int:
    """Deletes drafts that were discarded, and not typed into since, 30 days ago; returns how many.

    Of all tenants, some at a time. One that is just being brought back stays, and so does one that
    has become an order or changed one: a submit that is sent again lands there.
    """
    before = timezone.now() - KEPT
    discarded = Draft.objects.filter(
        discarded_at__lte=before,
        updated_at__lte=before,
        submitted_at=None,
        applied_at=None,
        order__isnull=True,
    )
    locked = discarded.select_for_update(skip_locked=True, of=("self",))
    found = list(locked.order_by("discarded_at").values_list("pk", flat=True)[:AT_ONCE])
    return Draft.objects.filter(pk__in=found).delete()[0]
