"""Questions about orders, in the words of the domain."""

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from orders.models import Order  # noqa: F401


class OrderQuerySet(models.QuerySet["Order"]):
    def awaiting_review(self) -> "OrderQuerySet":
        """Pending orders that wait for a manager, not for their rep."""
        return self.filter(status="pending", awaiting="manager")

    def open(self) -> "OrderQuerySet":
        """Orders that still need their devices: pending, confirmed or partial."""
        return self.filter(status__in=["pending", "confirmed", "partial"])

    def created_by_actor(self, ref: str) -> "OrderQuerySet":
        return self.filter(created_by_ref=ref)
