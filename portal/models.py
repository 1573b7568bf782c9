"""The tenant, the people who work for it, the keys that programs use, and the mail that leaves."""

import hashlib
import secrets
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from babel.core import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from portal import ids, money
from portal.constraints import TenantForeignKey
from portal.permissions import SCOPES
from portal.scoping import TenantManager
from portal.text import EMAIL_LENGTH, normalize_email

MAX_CONTRACT_LENGTH = 120
"""Months; the longest contract that a variant can be priced for."""
RATE_LIMIT = 600
"""Requests a minute of an API key that has no limit of its own; each server process counts."""
MAX_RATE_LIMIT = 1_000_000
LAST_EXPIRY = datetime(2999, 12, 31, tzinfo=UTC)
"""Beyond it, neither Python nor a calendar that people read would hold the day in every zone."""


def validate_currency(value: str) -> None:
    if value not in list_currencies():
        raise ValidationError(f"{value} is not an ISO 4217 currency code.")


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(f"{value} is not an IANA time zone, such as Europe/Amsterdam.")


def validate_locale(value: str) -> None:
    try:
        Locale.parse(value)
    except (ValueError, UnknownLocaleError) as error:
        raise ValidationError(f"{value} is not a locale, such as en_GB or nl_NL.") from error


class Tenant(models.Model):
    """A business unit: one currency, one catalogue, one set of customers. Nothing crosses it.

    `slug` is the `Tenant-ID` header and the `tenantId` of the contract.
    """

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(
        max_length=3,
        validators=[validate_currency],
        help_text="ISO 4217, for every price and order. It cannot change once set.",
    )
    vat_rate = models.DecimalField(
        "VAT rate",
        max_digits=6,
        decimal_places=3,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Percent.",
    )
    prices_include_vat = models.BooleanField(
        "prices include VAT",
        default=False,
        help_text="Whether catalogue prices already contain the VAT.",
    )
    default_contract_length = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CONTRACT_LENGTH)],
        help_text="Months; used when an order line names none.",
    )
    time_zone = models.CharField(
        max_length=64, default="Europe/Amsterdam", validators=[validate_time_zone]
    )
    locale = models.CharField(
        max_length=20,
        default="en_GB",
        validators=[validate_locale],
        help_text="How numbers, money and dates are written, unless a user chose otherwise.",
    )
    four_eyes = models.BooleanField(
        "four eyes",
        default=True,
        help_text="An order may not be confirmed by who created or edited it, unless permitted.",
    )
    confirm_limit = models.DecimalField(
        "limit to confirm",
        max_digits=money.MAX_DIGITS,
        decimal_places=money.DECIMAL_PLACES,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Contract value above which only those permitted may confirm, in the tenant's "
        "currency. Empty: no limit.",
    )
    first_order_limit = models.PositiveIntegerField(
        "limit of a first order",
        default=50,
        validators=[MinValueValidator(1)],
        help_text="Devices per line that a customer without earlier orders may order before the "
        "reviewer is warned.",
    )
    lowest_price_share = models.DecimalField(
        "lowest share of the list price",
        max_digits=6,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Monthly price, as a share of the list price in percent, under which the "
        "reviewer is warned. Empty: no warning.",
    )
    purchase_order_field = models.CharField(
        max_length=50,
        blank=True,
        default="purchaseOrderNumber",
        help_text="The custom field that holds the customer's PO number; the reviewer is warned "
        "of one that they used before. Empty: no warning.",
    )
    confirmation_mails = models.BooleanField(
        "confirmation e-mails",
        default=False,
        help_text="Whether customers get an e-mail when their order is confirmed.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                name="tenant_currency_code", condition=Q(currency__regex=r"^[A-Z]{3}$")
            ),
            models.CheckConstraint(
                name="tenant_vat_rate_percent",
                condition=Q(vat_rate__gte=0, vat_rate__lte=100),
            ),
            models.CheckConstraint(
                name="tenant_default_contract_length_months",
                condition=Q(default_contract_length__isnull=True)
                | Q(
                    default_contract_length__gte=1,
                    default_contract_length__lte=MAX_CONTRACT_LENGTH,
                ),
            ),
            models.CheckConstraint(
                name="tenant_confirm_limit_not_negative",
                condition=Q(confirm_limit__isnull=True) | Q(confirm_limit__gte=0),
            ),
            models.CheckConstraint(
                name="tenant_first_order_limit_positive", condition=Q(first_order_limit__gte=1)
            ),
            models.CheckConstraint(
                name="tenant_lowest_price_share_percent",
                condition=Q(lowest_price_share__isnull=True)
                | Q(lowest_price_share__gte=0, lowest_price_share__lte=100),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class PortalUserManager(UserManager["User"]):
    """Loads the tenant along: every request needs it."""

    def get_queryset(self) -> models.QuerySet["User"]:
        return super().get_queryset().select_related("tenant")


# By hand and at once: every page asks, and Django's backend asks twice, which takes as long as
# all else that a page does before its view.
_GRANTED = """
    SELECT content_type.app_label, permission.codename
    FROM auth_permission permission
    JOIN django_content_type content_type ON content_type.id = permission.content_type_id
    WHERE permission.id IN (
        SELECT permission_id FROM portal_user_user_permissions WHERE user_id = %(user)s
        UNION ALL
        SELECT permission_id FROM auth_group_permissions
        JOIN portal_user_groups USING (group_id) WHERE user_id = %(user)s
    )
"""


class User(AbstractUser):
    """A sales rep, a manager or an administrator. Belongs to one tenant.

    A superuser may work in another tenant, chosen in the admin.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="users", db_index=False
    )
    email = models.EmailField("e-mail", unique=True)
    locale = models.CharField(
        max_length=20,
        blank=True,
        validators=[validate_locale],
        help_text="Such as en_GB or nl_NL; empty: as the tenant.",
    )
    order_mails = models.BooleanField(
        "e-mails about my orders",
        default=True,
        help_text="Sent when somebody else does something to an order that this user looks after.",
    )

    objects: ClassVar[PortalUserManager] = PortalUserManager()

    REQUIRED_FIELDS = ["email", "tenant"]

    class Meta:
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(name="user_tenant_id", fields=["tenant", "id"]),
            models.CheckConstraint(
                name="user_email_lower_case",
                condition=Q(email=models.functions.Lower("email")),
            ),
        ]

    def clean(self) -> None:
        super().clean()
        try:
            self.email = normalize_email(self.email)
        except ValueError as error:
            raise ValidationError({"email": str(error)}) from error

    @property
    def display_name(self) -> str:
        """What colleagues and customers call this user."""
        return self.get_full_name() or self.get_username()

    @property
    def actor_ref(self) -> str:
        return f"user:{self.pk}"

    @cached_property
    def granted_permissions(self) -> frozenset[str]:
        """What this user or one of their groups was given, without what superusers have anyway.

        Nothing for somebody who left.
        """
        if not self.is_active:
            return frozenset()
        with connection.cursor() as cursor:
            cursor.execute(_GRANTED, {"user": self.pk})
            return frozenset(f"{app}.{codename}" for app, codename in cursor.fetchall())

    @property
    def may_do_everything(self) -> bool:
        return self.is_superuser and self.is_active

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether this user may do that at all; nobody is given anything for a single object."""
        return self.may_do_everything or (obj is None and perm in self.granted_permissions)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether this user may do anything in the app."""
        return self.may_do_everything or any(
            perm.startswith(f"{app_label}.") for perm in self.granted_permissions
        )

    @property
    def formats(self) -> str:
        """The locale in which this user reads numbers, money and dates."""
        return self.locale or self.tenant.locale


def validate_scope(value: str) -> None:
    if value not in SCOPES:
        raise ValidationError(f"{value} is not a scope. There are: {', '.join(SCOPES)}.")


def all_scopes() -> list[str]:
    return list(SCOPES)


_SHA256 = r"^[0-9a-f]{64}$"
# As long as a hash, so that comparing with none takes as long; nothing has it.
_NO_HASH = "0" * 64


class ApiKey(models.Model):
    """What a shop or a script proves itself with: `<public id>.<secret>` as a Bearer token.

    Only the SHA-256 of the 256-bit secret is kept; the key itself is shown once. It is valid for
    one tenant, until it expires or is revoked. While a secret is being replaced, the previous one
    works too, until `previous_expires_at`. `portal.keys` does that, and revokes.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, related_name="api_keys", db_index=False
    )
    public_id = models.CharField(max_length=ids.MAX_LENGTH, unique=True, default=ids.new_key_id)
    name = models.CharField(max_length=100, help_text="What it is for, such as “Web shop”.")
    secret_hash = models.CharField(max_length=64, editable=False)
    previous_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=40, validators=[validate_scope]),
        blank=True,
        default=all_scopes,
        help_text="An empty list allows nothing.",
    )
    rate_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_RATE_LIMIT)],
        help_text=f"Requests a minute. Empty: {RATE_LIMIT}.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=EMAIL_LENGTH, blank=True, editable=False)
    expires_at = models.DateTimeField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LAST_EXPIRY, "Choose a day before the year 3000.")],
        help_text="In the tenant's time zone. Empty: never.",
    )
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    rotated_by = models.CharField(max_length=EMAIL_LENGTH, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.CharField(max_length=EMAIL_LENGTH, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TenantManager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(name="api_key_tenant_id", fields=["tenant", "id"]),
            models.CheckConstraint(
                name="api_key_secret_hash_sha256", condition=Q(secret_hash__regex=_SHA256)
            ),
            models.CheckConstraint(
                name="api_key_previous_secret_expires",
                condition=Q(previous_secret_hash="", previous_expires_at__isnull=True)
                | Q(previous_secret_hash__regex=_SHA256, previous_expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="api_key_rate_limit_range",
                condition=Q(rate_limit__isnull=True)
                | Q(rate_limit__gte=1, rate_limit__lte=MAX_RATE_LIMIT),
            ),
            models.CheckConstraint(
                name="api_key_rotated_by_someone",
                condition=Q(rotated_at__isnull=True, rotated_by="")
                | (Q(rotated_at__isnull=False) & ~Q(rotated_by="")),
            ),
            models.CheckConstraint(
                name="api_key_revoked_by_someone",
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @staticmethod
    def hash(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    def set_secret(self) -> str:
        """Gives the key a new secret and returns the whole Bearer token, for the only time."""
        secret = secrets.token_urlsafe(32)
        self.secret_hash = self.hash(secret)
        return f"{self.public_id}.{secret}"

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def overlaps(self, now: datetime) -> bool:
        """Whether the secret before the present one still works."""
        return self.previous_expires_at is not None and self.previous_expires_at > now

    def is_valid(self, token_secret: str, now: datetime) -> bool:
        """Whether this secret opens the API now. Compares in constant time."""
        sent = self.hash(token_secret)
        is_present = secrets.compare_digest(sent, self.secret_hash)
        is_previous = secrets.compare_digest(sent, self.previous_secret_hash or _NO_HASH)
        matches = is_present or (is_previous and self.overlaps(now))
        return matches and self.revoked_at is None and not self.is_expired(now)

    @property
    def requests_a_minute(self) -> int:
        return self.rate_limit or RATE_LIMIT


class IdempotentResponse(models.Model):
    """What a keyed POST answered, kept 24 hours so that a retry gets the same bytes."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantManager()

    class Meta:
        constraints = [
            TenantForeignKey(
                name="idempotent_response_key_of_tenant", field="api_key", to="portal.ApiKey"
            ),
            models.UniqueConstraint(name="idempotent_response_key", fields=["api_key", "key"]),
        ]
        indexes = [models.Index(name="idempotent_response_created", fields=["created_at"])]

    def __str__(self) -> str:
        return self.key


class OutboxMailQuerySet(models.QuerySet["OutboxMail"]):
    def due(self, now: datetime) -> "OutboxMailQuerySet":
        """What should have been sent by now, the longest due first."""
        return self.filter(next_attempt_at__lte=now).order_by("next_attempt_at", "pk")

    def unsent(self) -> "OutboxMailQuerySet":
        return self.filter(sent_at__isnull=True)

    def given_up(self) -> "OutboxMailQuerySet":
        return self.unsent().filter(next_attempt_at__isnull=True)


class OutboxMail(models.Model):
    """An e-mail that is to be sent, was sent, or was given up; see `portal.outbox`.

    It is sent or tried again at `next_attempt_at`, and never again without one. `attempts` are
    those of the present series: trying again by hand begins a new one. `key` says what the mail
    is about, such as `order:ord_7K3M9QXT2B:3:customer`, so that nothing is said twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FAILED = "failed", "Failed"
        SENT = "sent", "Sent"
        GIVEN_UP = "given-up", "Given up"

    SUBJECT_LENGTH: ClassVar[int] = 250
    ERROR_LENGTH: ClassVar[int] = 250

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    recipient = models.CharField(max_length=EMAIL_LENGTH)
    reply_to = models.CharField(max_length=EMAIL_LENGTH, blank=True)
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    text = models.TextField()
    html = models.TextField("HTML", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=ERROR_LENGTH, blank=True)

    objects = TenantManager.from_queryset(OutboxMailQuerySet)()

    class Meta:
        verbose_name = "outgoing e-mail"
        ordering = ["-created_at", "-id"]
        permissions = [("retry_outboxmail", "Can have an outgoing e-mail tried again")]
        constraints = [
            models.UniqueConstraint(name="outbox_mail_key", fields=["tenant", "key"]),
            models.CheckConstraint(
                name="outbox_mail_addressed", condition=~Q(recipient="") & ~Q(key="")
            ),
            models.CheckConstraint(
                name="outbox_mail_subject_one_line",
                condition=Q(subject__regex=r"^[^\r\n]+$"),
            ),
            models.CheckConstraint(
                name="outbox_mail_sent_once",
                condition=Q(sent_at__isnull=True) | Q(next_attempt_at__isnull=True),
            ),
            models.CheckConstraint(
                name="outbox_mail_due_until_tried",
                condition=Q(next_attempt_at__isnull=False) | Q(attempts__gte=1),
            ),
        ]
        indexes = [
            models.Index(
                name="outbox_mail_due",
                fields=["next_attempt_at", "id"],
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(
                name="outbox_mail_given_up",
                fields=["tenant"],
                condition=Q(next_attempt_at__isnull=True, sent_at__isnull=True),
            ),
            models.Index(name="outbox_mail_newest", fields=["tenant", "-created_at", "-id"]),
            models.Index(name="outbox_mail_created", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def state(self) -> "OutboxMail.State":
        if self.sent_at:
            return self.State.SENT
        if self.next_attempt_at is None:
            return self.State.GIVEN_UP
        return self.State.FAILED if self.attempts else self.State.WAITING
