"""Fields that a tenant adds to its orders."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from portal.models import Tenant
from portal.scoping import TenantManager


class CustomField(models.Model):
    """A field of `customFields` that the tenant has configured, and so is checked strictly.

    `key` is the field's name in the contract's `customFields` object; `options` the values that
    a select accepts.
    """

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        NUMBER = "number", "Number"
        TEXTAREA = "textarea", "Text area"
        SELECT = "select", "Select"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    key = models.SlugField(max_length=50, help_text="Its name in the API, without spaces.")
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=20, choices=Type, default=Type.TEXT)
    required = models.BooleanField(default=False)
    options = ArrayField(
        models.CharField(max_length=100),
        blank=True,
        default=list,
        help_text="For a select: the values, separated by commas.",
    )
    position = models.PositiveSmallIntegerField(default=0)

    objects = TenantManager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(name="custom_field_key", fields=["tenant", "key"]),
            models.CheckConstraint(
                name="custom_field_key_no_spaces",
                condition=Q(key__regex=r"^[A-Za-z0-9_-]+$"),
            ),
            models.CheckConstraint(
                name="custom_field_type_known",
                condition=Q(type__in=["text", "email", "phone", "number", "textarea", "select"]),
            ),
            models.CheckConstraint(
                name="custom_field_select_has_options",
                condition=~Q(type="select") | Q(options__len__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.label
