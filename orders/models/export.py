"""A list of orders as a file."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal import ids
from portal.models import Tenant
from portal.scoping import TenantManager


class Export(models.Model):
    """One CSV file of orders: who asked for which, and how far its download has come.

    `door` is the list that was filtered and `query` its filters, as in the address. `total` is the
    number of orders when it was asked for, `done` how many of them have left the server. Each is
    downloaded once. The rows of a day suffice: they are deleted when the next one is asked for.
    """

    class Door(models.TextChoices):
        PORTAL = "portal", "Portal"
        ADMIN = "admin", "Admin"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        STOPPED = "stopped", "Stopped"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    public_id = models.CharField(max_length=ids.MAX_LENGTH, default=ids.new_export_id)
    asked_by_ref = models.CharField(max_length=100)
    door = models.CharField(max_length=10, choices=Door)
    query = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = TenantManager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="export_public_id", fields=["tenant", "public_id"]),
            models.CheckConstraint(
                name="export_door_known", condition=Q(door__in=["portal", "admin"])
            ),
            models.CheckConstraint(
                name="export_status_known",
                condition=Q(status__in=["waiting", "running", "finished", "stopped"]),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
