"""Questions about orders, in the words of the domain."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL

from portal.text import Fold, search_words, searched_phone

if TYPE_CHECKING:
    from orders.models import Order


ROW = (
    *("public_id", "customer", "order_type", "status", "awaiting", "created_at", "rep"),
    *("customer_first_name", "customer_last_name", "customer_company", "customer_email"),
    *("currency", "total", "total_devices"),
)
"""What a table of orders shows of each; addresses and notes are most of an order's weight."""

BODY = (
    *("public_id", "tenant", "status", "order_type", "version", "awaiting"),
    *("customer__public_id", "customer_email", "customer_first_name", "customer_last_name"),
    *("customer_company", "customer_phone", "customer_type"),
    *("billing_address", "shipping_address"),
    *("currency", "subtotal", "tax_amount", "total", "total_devices", "rented_devices"),
    *("custom_fields", "notes", "extension_details", "upgrade_details"),
    *("created_at", "updated_at", "created_by", "confirmed_at", "cancelled_at"),
)
"""What the API shows of an order beside its items (`order_body`)."""


class OrderQuerySet(models.QuerySet["Order"]):
    def awaiting_review(self) -> "OrderQuerySet":
        """Pending orders that wait for a manager, not for their rep."""
        return self.filter(status="pending", awaiting="manager")

    def open(self) -> "OrderQuerySet":
        """Orders that still need their devices: pending, confirmed or partial."""
        return self.filter(status__in=["pending", "confirmed", "partial"])

    def looked_after_by(self, ref: str) -> "OrderQuerySet":
        """Orders of this rep: created, or taken over from a colleague."""
        return self.filter(rep_ref=ref)

    def with_came_back(self) -> "OrderQuerySet":
        """With `came_back`: whether it has left its reviewer before, by decision or recall."""
        from orders.models import OrderEvent  # which is made beside this QuerySet

        left = OrderEvent.objects.filter(
            order=OuterRef("pk"), kind__in=["confirmed", "sent_back", "recalled"]
        )
        return self.annotate(came_back=Exists(left))

    def by_risk(self) -> "OrderQuerySet":
        """As a reviewer takes them: the riskiest first, of equal ones the oldest."""
        return self.order_by("-risk", "created_at", "pk")

    def as_rows(self) -> "OrderQuerySet":
        """With what a table of orders shows, and nothing else."""
        return self.only(*ROW)

    def to_show(self) -> "OrderQuerySet":
        """With what the API shows of them beside their items, and nothing else."""
        return self.select_related("customer").only(*BODY)

    def behind(self, order: "Order") -> "OrderQuerySet":
        """Those that come after this order when they are taken by risk."""
        same_risk = Q(risk=order.risk)
        later = Q(created_at__gt=order.created_at) | Q(created_at=order.created_at, pk__gt=order.pk)
        return self.filter(Q(risk__lt=order.risk) | (same_risk & later), risk__lte=order.risk)

    def matching(self, text: str) -> "OrderQuerySet":
        """Orders with every word in id, customer's name, company, e-mail or phone as submitted,
        or with an item whose SKU contains the text.

        In any order and case, with or without accents; a phone number however it is spaced.
        Without words, all orders.
        """
        from orders.models import Order, OrderItem  # which are made with this QuerySet

        words = search_words(text)
        if not words:
            return self
        found = Q()
        for word in words:
            found &= Q(search_text__contains=Fold(Value(word)))
        if digits := searched_phone(text):
            found |= Q(search_text__contains=digits)
        # Two index scans joined by their ids: as one OR, neither index could be used.
        by_text = Order.objects.filter(found).order_by().values("pk")
        by_sku = OrderItem.objects.filter(sku__icontains=" ".join(words)).order_by()
        return self.among(by_text.union(by_sku.values("order_id")))

    def among(self, ids: "QuerySet[models.Model, Any]") -> "OrderQuerySet":
        """Those with one of these ids, which are found first, however many are wanted.

        A join leaves that to the planner, whom a limit tempts to walk a whole list for them.
        """
        sql, given = ids.query.sql_with_params()
        known = RawSQL(  # noqa: S611 (parameters are apart)
            f"orders_order.id = ANY (ARRAY({sql}))", given, output_field=models.BooleanField()
        )
        return self.filter(known)
