"""Who orders."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Right
from django.utils import timezone

from portal import ids
from portal.constraints import TenantForeignKey
from portal.exact_json import ExactJSONField
from portal.models import Tenant
from portal.scoping import TenantManager
from portal.text import EMAIL_LENGTH, Bare, Digits, EmailDomain, Fold

NAME_LENGTH = 100
COMPANY_LENGTH = 200
PHONE_LENGTH = 50
COMPARED_DIGITS = 8
"""The last digits of a phone number, which are the same with and without its country code."""


class CustomerType(models.TextChoices):
    INDIVIDUAL = "individual", "Individual"
    BUSINESS = "business", "Business"


class Customer(models.Model):
    """One person or company that rents, known by e-mail: one e-mail, one customer per tenant.

    `email` is what was typed, `email_key` what is unique. Customers are made by orders. An order
    keeps its own copy of all this; a change here never reaches an order that exists. The last
    addresses (the contract's address object) are remembered for the next call.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    public_id = models.CharField(max_length=ids.MAX_LENGTH, default=ids.new_customer_id)
    email = models.CharField("e-mail", max_length=EMAIL_LENGTH)
    email_key = models.CharField(max_length=EMAIL_LENGTH, editable=False)
    first_name = models.CharField(max_length=NAME_LENGTH)
    last_name = models.CharField(max_length=NAME_LENGTH)
    company = models.CharField(max_length=COMPANY_LENGTH, blank=True)
    phone = models.CharField(max_length=PHONE_LENGTH, blank=True)
    customer_type = models.CharField(
        max_length=20, choices=CustomerType, default=CustomerType.INDIVIDUAL
    )
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    last_billing_address = ExactJSONField(null=True, blank=True)
    last_shipping_address = ExactJSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.CharField(max_length=254, editable=False)
    search_text = models.GeneratedField(
        expression=Fold(
            Concat(
                F("first_name"), Value(" "), F("last_name"), Value(" "), F("company"), Value(" "),
                F("email_key"), Value(" "), F("phone"), Value(" "), Digits("phone"), Value(" "),
                F("public_id"),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )  # fmt: skip

    objects = TenantManager()

    class Meta:
        ordering = ["last_name", "first_name", "id"]
        constraints = [
            models.UniqueConstraint(name="customer_tenant_id", fields=["tenant", "id"]),
            models.UniqueConstraint(name="customer_public_id", fields=["tenant", "public_id"]),
            models.UniqueConstraint(name="customer_email", fields=["tenant", "email_key"]),
            models.CheckConstraint(
                name="customer_email_key_normal",
                condition=Q(email_key__regex=r"^\S+@\S+$")
                & Q(email_key=models.functions.Lower("email_key")),
            ),
            models.CheckConstraint(
                name="customer_name_not_blank",
                condition=~Q(first_name="") & ~Q(last_name=""),
            ),
            models.CheckConstraint(
                name="customer_type_known",
                condition=Q(customer_type__in=CustomerType.values),
            ),
            models.CheckConstraint(
                name="customer_status_known",
                condition=Q(status__in=["active", "inactive"]),
            ),
        ]
        indexes = [
            models.Index(name="customer_newest", fields=["tenant", "-created_at", "-id"]),
            models.Index(
                name="customer_newest_inactive",
                fields=["tenant", "-created_at", "-id"],
                condition=Q(status="inactive"),
            ),
            models.Index(name="customer_by_first_name", fields=["tenant", "first_name", "id"]),
            models.Index(name="customer_by_last_name", fields=["tenant", "last_name", "id"]),
            models.Index(name="customer_updated", fields=["tenant", "updated_at", "id"]),
            models.Index("tenant", EmailDomain("email_key"), name="customer_email_domain"),
            models.Index(
                "tenant", Right(Digits("phone"), COMPARED_DIGITS), name="customer_phone_digits"
            ),
            models.Index("tenant", Bare("company"), name="customer_company_bare"),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} <{self.email}>"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class SearchEntry(models.Model):
    """The words of a customer, by which an index finds them. Written by the database alone.

    Those of name, company and e-mail, the last name in one word, the id, and the phone number from
    each of its digits on; case and accents are gone.
    """

    customer = models.OneToOneField(
        Customer,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        related_name="+",
        db_constraint=False,
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    words = SearchVectorField()

    objects = TenantManager()

    class Meta:
        default_permissions = ()
        constraints = [
            TenantForeignKey(
                name="customer_entry_of_tenant",
                field="customer",
                to="customers.Customer",
                cascade=True,
            ),
        ]
        indexes = [GinIndex(name="customer_entry_words", fields=["words"], fastupdate=False)]

    def __str__(self) -> str:
        return str(self.words)


class SearchWord(models.Model):
    """A word of letters that customers of the tenant have: what typed words are compared with.

    `slips` is what it may look like mistyped, without any one of its letters. Once nobody has it
    any more it is out of the search, and `forget_words` deletes it. Two transactions at once may
    both bring one in.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    word = models.TextField(db_collation="C")
    unused_since = models.DateTimeField(null=True)
    slips = models.GeneratedField(
        expression=models.Func("word", function="customers_slips"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = TenantManager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(name="customer_word", fields=["tenant", "word"]),
            models.Index(
                name="customer_word_unused",
                fields=["unused_since"],
                condition=Q(unused_since__isnull=False),
            ),
            GinIndex(
                name="customer_word_part",
                fields=["tenant", "word"],
                opclasses=["int8_ops", "gin_trgm_ops"],
                fastupdate=False,
            ),
            GinIndex(
                name="customer_word_slips",
                fields=["tenant", "slips"],
                opclasses=["int8_ops", "array_ops"],
                fastupdate=False,
                condition=Q(slips__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.word
