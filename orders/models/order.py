"""The order, its items and its events."""

from decimal import Decimal

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat, Length, Upper
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from catalog.models import SKU_LENGTH, MoneyField, Variant
from customers.models import (
    COMPANY_LENGTH,
    NAME_LENGTH,
    PHONE_LENGTH,
    Customer,
    CustomerType,
)
from orders.models.draft import Draft
from orders.queries import OrderQuerySet
from portal import ids
from portal.constraints import TenantForeignKey
from portal.exact_json import ExactJSONField
from portal.models import MAX_CONTRACT_LENGTH, Tenant
from portal.scoping import TenantManager
from portal.text import EMAIL_LENGTH, Digits, Fold

MAX_LINES = 200
MAX_QUANTITY = 10_000
NOTES_LENGTH = 5_000
REASON_LENGTH = 1_000
ADDRESS_KEYS = ["contactName", "streetAddress", "city", "country"]


class Order(models.Model):
    """A customer's intent to rent devices, with prices fixed when the lines were added.

    Life: `pending` waits for a manager (`awaiting` = manager) or for its rep (sent back or
    recalled); `confirmed` waits for its devices; `partial` and `fulfilled` follow from how many
    devices are rented; `cancelled` is final. Every write bumps `version` and adds an event.

    `subtotal`, `tax_amount` and `total` are per month, in `currency`; `contract_value` is the
    sum of unit price × quantity × contract length. Customer details and addresses are copies of
    what was submitted; `customer` is the record they were linked to. `rep` looks after it: whoever
    created it, or who took it over from them. `reasons` to look twice, each with its evidence, are
    found whenever it is written (`orders.reasons`); `risk` is their weight.
    Written only by `orders.services`, and by `orders.bulk` for import and demo data.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        CONFIRMED = "confirmed", "Confirmed"
        PARTIAL = "partial", "Partial"
        FULFILLED = "fulfilled", "Fulfilled"
        CANCELLED = "cancelled", "Cancelled"

    class Type(models.TextChoices):
        STANDARD = "standard", "Standard"
        EXTENSION = "extension", "Extension"
        UPGRADE = "upgrade", "Upgrade"

    class Awaiting(models.TextChoices):
        MANAGER = "manager", "Manager"
        REP = "rep", "Rep"

    class Source(models.TextChoices):
        PORTAL = "portal", "Portal"
        API = "api", "API"
        IMPORT = "import", "Import"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    public_id = models.CharField("order id", max_length=ids.MAX_LENGTH, default=ids.new_order_id)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    awaiting = models.CharField(max_length=10, choices=Awaiting, default=Awaiting.MANAGER)
    order_type = models.CharField("type", max_length=20, choices=Type, default=Type.STANDARD)
    source = models.CharField(max_length=10, choices=Source, default=Source.PORTAL)
    version = models.PositiveIntegerField(default=1)

    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        related_name="orders",
        db_constraint=False,
        db_index=False,
    )
    customer_email = models.CharField("e-mail", max_length=EMAIL_LENGTH)
    customer_first_name = models.CharField("first name", max_length=NAME_LENGTH)
    customer_last_name = models.CharField("last name", max_length=NAME_LENGTH)
    customer_company = models.CharField("company", max_length=COMPANY_LENGTH, blank=True)
    customer_phone = models.CharField("phone", max_length=PHONE_LENGTH, blank=True)
    customer_type = models.CharField(
        max_length=20, choices=CustomerType, default=CustomerType.INDIVIDUAL
    )
    billing_address = ExactJSONField()
    shipping_address = ExactJSONField()

    currency = models.CharField(max_length=3)
    vat_rate = models.DecimalField("VAT rate", max_digits=6, decimal_places=3)
    prices_include_vat = models.BooleanField("prices include VAT")
    subtotal = MoneyField()
    tax_amount = MoneyField()
    total = MoneyField()
    contract_value = MoneyField()
    total_devices = models.PositiveIntegerField()
    rented_devices = models.PositiveIntegerField(default=0)

    custom_fields = ExactJSONField(null=True, blank=True)
    notes = models.TextField(max_length=NOTES_LENGTH, blank=True)
    extension_details = ExactJSONField(null=True, blank=True)
    upgrade_details = ExactJSONField(null=True, blank=True)

    draft = models.OneToOneField(
        Draft,
        on_delete=models.PROTECT,
        related_name="order",
        null=True,
        blank=True,
        db_constraint=False,
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    created_by_ref = models.CharField(max_length=100)
    created_by = models.CharField(max_length=254)
    rep_ref = models.CharField(max_length=100)
    rep = models.CharField(max_length=254)
    reasons = ExactJSONField(default=dict, blank=True)
    risk = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by_ref = models.CharField(max_length=100, blank=True)
    confirmed_by = models.CharField(max_length=254, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by_ref = models.CharField(max_length=100, blank=True)
    cancelled_by = models.CharField(max_length=254, blank=True)
    cancel_reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    search_text = models.GeneratedField(
        expression=Fold(
            Concat(
                F("customer_first_name"), Value(" "), F("customer_last_name"), Value(" "),
                F("customer_company"), Value(" "), F("customer_email"), Value(" "),
                F("customer_phone"), Value(" "), Digits("customer_phone"), Value(" "),
                F("public_id"),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )  # fmt: skip

    objects = TenantManager.from_queryset(OrderQuerySet)()

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("confirm_order", "Can confirm orders"),
            (
                "confirm_own_order",
                "Can confirm orders that they created or edited themselves",
            ),
            ("confirm_large_order", "Can confirm orders above the tenant's limit"),
            ("cancel_order", "Can cancel orders"),
            ("send_back_order", "Can send orders back to their rep"),
            ("change_any_order", "Can change orders of other reps"),
            ("override_price", "Can override prices and costs of orders"),
            ("reassign_order", "Can give orders and drafts to another rep"),
            ("view_insight", "Can see how orders develop, by status, rep and category"),
        ]
        constraints = [
            TenantForeignKey(
                name="order_customer_of_tenant",
                field="customer",
                to="customers.Customer",
            ),
            TenantForeignKey(name="order_draft_of_tenant", field="draft", to="orders.Draft"),
            models.UniqueConstraint(name="order_tenant_id", fields=["tenant", "id"]),
            models.UniqueConstraint(name="order_public_id", fields=["tenant", "public_id"]),
            models.CheckConstraint(
                name="order_status_known",
                condition=Q(
                    status__in=[
                        "pending",
                        "confirmed",
                        "partial",
                        "fulfilled",
                        "cancelled",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="order_awaiting_known",
                condition=Q(awaiting__in=["manager", "rep"]),
            ),
            models.CheckConstraint(
                name="order_awaiting_rep_is_pending",
                condition=~Q(awaiting="rep") | Q(status="pending"),
            ),
            models.CheckConstraint(
                name="order_type_known",
                condition=Q(order_type__in=["standard", "extension", "upgrade"]),
            ),
            models.CheckConstraint(
                name="order_source_known",
                condition=Q(source__in=["portal", "api", "import"]),
            ),
            models.CheckConstraint(name="order_version_positive", condition=Q(version__gte=1)),
            models.CheckConstraint(name="order_rep_named", condition=~Q(rep="") & ~Q(rep_ref="")),
            models.CheckConstraint(
                name="order_risk_has_reasons",
                condition=Q(risk=0, reasons={}) | (Q(risk__gt=0) & ~Q(reasons={})),
            ),
            models.CheckConstraint(
                name="order_currency_code", condition=Q(currency__regex=r"^[A-Z]{3}$")
            ),
            models.CheckConstraint(
                name="order_customer_names_not_blank",
                condition=~Q(customer_first_name="") & ~Q(customer_last_name=""),
            ),
            models.CheckConstraint(
                name="order_customer_type_known",
                condition=Q(customer_type__in=CustomerType.values),
            ),
            models.CheckConstraint(
                name="order_billing_address_complete",
                condition=Q(billing_address__has_keys=ADDRESS_KEYS),
            ),
            models.CheckConstraint(
                name="order_shipping_address_complete",
                condition=Q(shipping_address__has_keys=ADDRESS_KEYS),
            ),
            models.CheckConstraint(
                name="order_vat_rate_percent",
                condition=Q(vat_rate__gte=0, vat_rate__lte=100),
            ),
            models.CheckConstraint(
                name="order_amounts_not_negative",
                condition=Q(subtotal__gte=0, tax_amount__gte=0, contract_value__gte=0),
            ),
            models.CheckConstraint(
                name="order_total_adds_up",
                condition=Q(prices_include_vat=True, total=F("subtotal"))
                | Q(prices_include_vat=False, total=F("subtotal") + F("tax_amount")),
            ),
            models.CheckConstraint(name="order_has_devices", condition=Q(total_devices__gte=1)),
            models.CheckConstraint(
                name="order_status_follows_devices",
                condition=(Q(rented_devices=0) & ~Q(status__in=["partial", "fulfilled"]))
                | Q(
                    status="partial",
                    rented_devices__gte=1,
                    rented_devices__lt=F("total_devices"),
                )
                | Q(status="fulfilled", rented_devices=F("total_devices")),
            ),
            models.CheckConstraint(
                name="order_notes_length",
                condition=LessThanOrEqual(Length("notes"), NOTES_LENGTH),
            ),
            models.CheckConstraint(
                name="order_confirmed_by_someone",
                condition=Q(confirmed_at__isnull=True, confirmed_by="", confirmed_by_ref="")
                | (Q(confirmed_at__isnull=False) & ~Q(confirmed_by="") & ~Q(confirmed_by_ref="")),
            ),
            models.CheckConstraint(
                name="order_confirmed_when_confirmed",
                condition=(
                    Q(confirmed_at__isnull=True)
                    & ~Q(status__in=["confirmed", "partial", "fulfilled"])
                )
                | (Q(confirmed_at__isnull=False) & ~Q(status="pending")),
            ),
            models.CheckConstraint(
                name="order_cancelled_by_someone",
                condition=(
                    Q(status="cancelled", cancelled_at__isnull=False)
                    & ~Q(cancelled_by="")
                    & ~Q(cancelled_by_ref="")
                )
                | (
                    Q(cancelled_at__isnull=True, cancelled_by="", cancelled_by_ref="")
                    & ~Q(status="cancelled")
                ),
            ),
        ]
        indexes = [
            GinIndex(name="order_search", fields=["search_text"], opclasses=["gin_trgm_ops"]),
            models.Index(name="order_newest", fields=["tenant", "-created_at", "-id"]),
            models.Index(name="order_of_status", fields=["tenant", "status", "created_at", "id"]),
            models.Index(name="order_changed", fields=["tenant", "updated_at", "id"]),
            models.Index(
                name="order_status_changed", fields=["tenant", "status", "updated_at", "id"]
            ),
            models.Index(name="order_by_total", fields=["tenant", "total", "id"]),
            GinIndex(
                name="order_custom_fields",
                fields=["custom_fields"],
                opclasses=["jsonb_path_ops"],
                condition=Q(custom_fields__isnull=False),
            ),
            models.Index(
                name="order_queue",
                fields=["tenant", "-risk", "created_at", "id"],
                condition=Q(status="pending", awaiting="manager"),
            ),
            models.Index(name="order_of_customer", fields=["customer", "-created_at", "-id"]),
            models.Index(
                name="order_of_rep",
                fields=["tenant", "rep_ref", "-created_at", "-id"],
            ),
            models.Index(
                name="order_with_rep",
                fields=["tenant", "rep_ref", "created_at", "id"],
                condition=Q(awaiting="rep"),
            ),
            models.Index(name="order_of_type", fields=["tenant", "order_type", "created_at", "id"]),
            models.Index(name="order_of_source", fields=["tenant", "source", "created_at", "id"]),
            GinIndex(
                Func(F("tenant"), F("search_text"), F("customer_phone"), function="orders_words"),
                name="order_words",
                fastupdate=False,
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_on_contract(self) -> bool:
        """Whether its devices are rented, or will be as soon as they are delivered."""
        return self.status in (self.Status.CONFIRMED, self.Status.PARTIAL, self.Status.FULFILLED)

    @property
    def customer_name(self) -> str:
        return f"{self.customer_first_name} {self.customer_last_name}"

    @property
    def ships_to_billing(self) -> bool:
        return bool(self.shipping_address == self.billing_address)


class OrderItem(models.Model):
    """A line: so many devices of a SKU for so many months, at the price when it was added.

    `unit_price` is per device per month at `contract_length` (whole months). `catalogue_price` is
    what the catalogue said at that moment: another one if a price had been agreed, null only where
    an import does not know it. Names, prices and costs are copies and never follow the catalogue;
    `variant` is null only for imported lines whose SKU is retired. `priced_at` is when its price
    was found; whoever decided on another price, list price or cost is `overridden_by`, with the
    reason. `position` stays while the line does.
    """

    class ListPriceSource(models.TextChoices):
        VARIANT = "variant", "Variant"
        MANUAL = "manual", "Manual"
        UNKNOWN = "unknown", "Unknown"

    class CostSource(models.TextChoices):
        VARIANT = "variant", "Variant"
        MANUAL = "manual", "Manual"
        LIST_PRICE = "list_price", "List price"
        UNKNOWN = "unknown", "Unknown"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="items", db_constraint=False, db_index=False
    )
    position = models.PositiveIntegerField()
    variant = models.ForeignKey(
        Variant,
        on_delete=models.PROTECT,
        related_name="order_items",
        null=True,
        blank=True,
        db_constraint=False,
    )
    product_public_id = models.CharField(max_length=ids.MAX_LENGTH, blank=True)
    variant_public_id = models.CharField(max_length=ids.MAX_LENGTH, blank=True)
    sku = models.CharField("SKU", max_length=SKU_LENGTH)
    product_name = models.CharField(max_length=200)
    variant_name = models.CharField(max_length=200, blank=True)
    image_url = models.CharField(max_length=500, blank=True)
    quantity = models.PositiveIntegerField()
    contract_length = models.PositiveSmallIntegerField("contract length (months)")
    unit_price = MoneyField()
    catalogue_price = MoneyField(null=True, blank=True)
    list_price = MoneyField(null=True, blank=True)
    list_price_source = models.CharField(
        max_length=20, choices=ListPriceSource, default=ListPriceSource.UNKNOWN
    )
    acquisition_cost = MoneyField(null=True, blank=True)
    acquisition_cost_source = models.CharField(
        max_length=20, choices=CostSource, default=CostSource.UNKNOWN
    )
    rented_devices = models.PositiveIntegerField(default=0)
    priced_at = models.DateTimeField(default=timezone.now)
    overridden_at = models.DateTimeField(null=True, blank=True)
    overridden_by_ref = models.CharField(max_length=100, blank=True)
    overridden_by = models.CharField(max_length=254, blank=True)
    override_reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    objects = TenantManager()

    class Meta:
        ordering = ["position"]
        constraints = [
            TenantForeignKey(name="item_order_of_tenant", field="order", to="orders.Order"),
            TenantForeignKey(name="item_variant_of_tenant", field="variant", to="catalog.Variant"),
            models.UniqueConstraint(name="item_order_position", fields=["order", "position"]),
            models.CheckConstraint(
                name="item_sku_and_name_not_blank",
                condition=~Q(sku="") & ~Q(product_name=""),
            ),
            models.CheckConstraint(
                name="item_quantity_range",
                condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY),
            ),
            models.CheckConstraint(
                name="item_contract_length_months",
                condition=Q(contract_length__gte=1, contract_length__lte=MAX_CONTRACT_LENGTH),
            ),
            models.CheckConstraint(
                name="item_unit_price_range",
                condition=Q(unit_price__gte=0, unit_price__lte="9999999.999"),
            ),
            models.CheckConstraint(
                name="item_catalogue_price_range",
                condition=Q(catalogue_price__isnull=True)
                | Q(catalogue_price__gte=0, catalogue_price__lte="9999999.999"),
            ),
            models.CheckConstraint(
                name="item_list_price_sourced",
                condition=Q(list_price__isnull=True, list_price_source="unknown")
                | Q(
                    list_price__isnull=False,
                    list_price__gte=0,
                    list_price_source__in=["variant", "manual"],
                ),
            ),
            models.CheckConstraint(
                name="item_acquisition_cost_sourced",
                condition=Q(acquisition_cost__isnull=True, acquisition_cost_source="unknown")
                | Q(
                    acquisition_cost__isnull=False,
                    acquisition_cost__gte=0,
                    acquisition_cost_source__in=["variant", "manual", "list_price"],
                ),
            ),
            models.CheckConstraint(
                name="item_overridden_by_someone_with_reason",
                condition=Q(
                    overridden_at__isnull=True,
                    overridden_by="",
                    overridden_by_ref="",
                    override_reason="",
                )
                | (
                    Q(overridden_at__isnull=False)
                    & ~Q(overridden_by="")
                    & ~Q(overridden_by_ref="")
                    & ~Q(override_reason="")
                ),
            ),
            models.CheckConstraint(
                name="item_rented_at_most_all",
                condition=Q(rented_devices__lte=F("quantity")),
            ),
        ]
        indexes = [
            GinIndex(OpClass(Upper("sku"), name="gin_trgm_ops"), name="item_sku_search"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"

    @property
    def has_agreed_price(self) -> bool:
        """Whether it is rented at another price than the catalogue had."""
        return self.catalogue_price not in (None, self.unit_price)

    @property
    def monthly_total(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def contract_value(self) -> Decimal:
        return self.unit_price * self.quantity * self.contract_length


class OrderEvent(models.Model):
    """One thing that happened to an order: who, when, why, and what changed. Append-only.

    The database refuses to change or delete a row. `version` is the order's after the event.
    `reason` says why, or is what a comment says. `data` may have `changes`, each field's value
    before and after (`orders.changes`), and `remarks` of the reviewer by field.
    """

    class Kind(models.TextChoices):
        READ_BACK = "read_back", "Read back to the customer"
        CREATED = "created", "Created"
        CONFIRMED = "confirmed", "Confirmed"
        CANCELLED = "cancelled", "Cancelled"
        PROGRESSED = "progressed", "Progressed"
        EDITED = "edited", "Changed"
        NOTED = "noted", "Notes changed"
        COMMENTED = "commented", "Commented"
        SENT_BACK = "sent_back", "Sent back to the rep"
        RECALLED = "recalled", "Recalled by the rep"
        RESUBMITTED = "resubmitted", "Submitted again"
        REASSIGNED = "reassigned", "Given to another rep"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="events", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind)
    version = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    actor_ref = models.CharField(max_length=100)
    actor = models.CharField(max_length=254)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    data = ExactJSONField(default=dict)

    objects = TenantManager()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            TenantForeignKey(name="event_order_of_tenant", field="order", to="orders.Order"),
            models.CheckConstraint(
                name="event_kind_known",
                condition=Q(
                    kind__in=[
                        "read_back",
                        "created",
                        "confirmed",
                        "cancelled",
                        "progressed",
                        "edited",
                        "noted",
                        "commented",
                        "sent_back",
                        "recalled",
                        "resubmitted",
                        "reassigned",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="event_actor_named", condition=~Q(actor="") & ~Q(actor_ref="")
            ),
            models.UniqueConstraint(name="event_tenant_id", fields=["tenant", "id"]),
        ]
        indexes = [models.Index(name="event_of_order", fields=["order", "at", "id"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.actor}"
