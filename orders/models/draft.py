"""An order while it is typed."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from portal import ids
from portal.constraints import TenantForeignKey
from portal.exact_json import ExactJSONField
from portal.models import Tenant, User
from portal.scoping import TenantManager
from portal.text import EMAIL_LENGTH


class Draft(models.Model):
    """An order being typed, by one owner; never an order.

    `payload` is the form as it was last posted, `sequence` the number of that change: an older
    change never overwrites a newer one. `quote` is what the server last answered for it (prices
    and totals as shown). After submit the draft stays, and any later submit lands on its order.
    `handed_by` is the colleague who handed it to its owner, if anybody did; `former_owners` are
    the ids of all who ever handed it on: their open pages are told whose it is now. `quoted_to` is
    the address that the last quote was sent to, whose prices hold until the day `quoted_until`.

    A draft that `edits` an order starts from it as it was in `edits_version` and changes it when
    it is submitted (`applied_at`), instead of becoming one; others are `submitted_at` then.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="drafts", db_constraint=False
    )
    public_id = models.CharField(max_length=ids.MAX_LENGTH, default=ids.new_draft_id)
    sequence = models.PositiveBigIntegerField(default=0)
    payload = ExactJSONField(default=dict)
    quote = ExactJSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)
    discarded_at = models.DateTimeField(null=True, blank=True)
    handed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_constraint=False
    )
    handed_at = models.DateTimeField(null=True, blank=True)
    former_owners = ArrayField(models.BigIntegerField(), default=list, blank=True)
    quoted_to = models.CharField(max_length=EMAIL_LENGTH, blank=True)
    quoted_at = models.DateTimeField(null=True, blank=True)
    quoted_until = models.DateField(null=True, blank=True)
    edits = models.ForeignKey(
        "orders.Order",
        on_delete=models.PROTECT,
        related_name="edits",
        null=True,
        blank=True,
        db_constraint=False,
    )
    edits_version = models.PositiveIntegerField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager()

    class Meta:
        ordering = ["-updated_at", "-id"]
        constraints = [
            TenantForeignKey(name="draft_owner_of_tenant", field="owner", to="portal.User"),
            TenantForeignKey(name="draft_handed_by_of_tenant", field="handed_by", to="portal.User"),
            models.CheckConstraint(
                name="draft_handed_by_a_colleague",
                condition=Q(handed_by__isnull=True, handed_at__isnull=True)
                | (Q(handed_by__isnull=False, handed_at__isnull=False) & ~Q(handed_by=F("owner"))),
            ),
            models.CheckConstraint(
                name="draft_quoted_to_somebody",
                condition=Q(quoted_to="", quoted_at__isnull=True, quoted_until__isnull=True)
                | (Q(quoted_at__isnull=False, quoted_until__isnull=False) & ~Q(quoted_to="")),
            ),
            TenantForeignKey(name="draft_edits_of_tenant", field="edits", to="orders.Order"),
            models.CheckConstraint(
                name="draft_edits_a_version",
                condition=Q(edits__isnull=True, edits_version__isnull=True, applied_at__isnull=True)
                | Q(edits__isnull=False, edits_version__isnull=False),
            ),
            models.UniqueConstraint(
                name="draft_one_edit_at_a_time",
                fields=["edits", "owner"],
                condition=Q(applied_at__isnull=True, discarded_at__isnull=True),
            ),
            models.UniqueConstraint(name="draft_tenant_id", fields=["tenant", "id"]),
            models.UniqueConstraint(name="draft_public_id", fields=["tenant", "public_id"]),
        ]
        indexes = [
            # Of the drafts that a rep ever made, next to none are open.
            models.Index(
                name="draft_open",
                fields=["tenant", "owner", "-updated_at", "-id"],
                condition=Q(
                    submitted_at__isnull=True, applied_at__isnull=True, discarded_at__isnull=True
                ),
            ),
            models.Index(
                name="draft_discarded",
                fields=["discarded_at"],
                condition=Q(discarded_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
