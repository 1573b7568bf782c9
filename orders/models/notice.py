"""What the rep of an order is told of."""

from django.db import models
from django.db.models import Q

from orders.models.order import OrderEvent
from portal.constraints import TenantForeignKey
from portal.models import Tenant, User
from portal.scoping import TenantManager

HAPPENED: dict[str, str] = {
    OrderEvent.Kind.CONFIRMED: "was confirmed",
    OrderEvent.Kind.CANCELLED: "was cancelled",
    OrderEvent.Kind.SENT_BACK: "was sent back to you",
    OrderEvent.Kind.RECALLED: "was recalled",
    OrderEvent.Kind.EDITED: "was changed",
    OrderEvent.Kind.RESUBMITTED: "was changed and submitted again",
    OrderEvent.Kind.NOTED: "has other notes",
    OrderEvent.Kind.COMMENTED: "got a comment",
    OrderEvent.Kind.REASSIGNED: "was given to you",
}
"""What the rep of an order is told of, unless they did it themselves."""


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, user: User) -> "NoticeQuerySet":
        """Those of the user, the latest first."""
        return self.filter(user=user).order_by("-event_id")

    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at__isnull=True)


class Notice(models.Model):
    """That a user is told of an event of an order that they look after; see `orders.told`."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    event = models.ForeignKey(
        OrderEvent, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    read_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager.from_queryset(NoticeQuerySet)()

    class Meta:
        constraints = [
            TenantForeignKey(name="notice_user_of_tenant", field="user", to="portal.User"),
            TenantForeignKey(name="notice_event_of_tenant", field="event", to="orders.OrderEvent"),
            models.UniqueConstraint(name="notice_once", fields=["user", "event"]),
        ]
        indexes = [
            models.Index(
                name="notice_unread", fields=["user", "tenant"], condition=Q(read_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} for {self.user}"

    @property
    def happened(self) -> str:
        """What the event did to the order, as the end of a sentence."""
        return HAPPENED[self.event.kind]
