"""What can be ordered and at what price."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from portal import ids, money
from portal.constraints import TenantForeignKey
from portal.models import MAX_CONTRACT_LENGTH, Tenant
from portal.scoping import TenantManager

SKU_LENGTH = 100
NAME_LENGTH = 200
BRAND_LENGTH = 100
CATEGORY_LENGTH = 100
SPECIFICATION_LENGTH = 500
GRADE_LENGTH = 20
CONDITION_LENGTH = 50
COLOR_LENGTH = 50
REMARK_LENGTH = 200
PRESET_LENGTH = 100
DESCRIPTION_LENGTH = 5_000
IMAGE_URL_LENGTH = 500
MAX_IMAGES = 20

is_image_url = URLValidator(schemes=["http", "https"], message="Enter an address of http or https.")
"""Raises Django's ValidationError for what is no web address."""

if TYPE_CHECKING:
    # The types of a plain decimal field, null or not, as the checker's plugin knows them.
    MoneyField = models.DecimalField
else:

    class MoneyField(models.DecimalField):
        """An amount ≥ 0 in the tenant's currency: NUMERIC(20,3)."""

        def __init__(self, *args, **kwargs):
            kwargs["max_digits"] = money.MAX_DIGITS
            kwargs["decimal_places"] = money.DECIMAL_PLACES
            super().__init__(*args, **kwargs)


def validate_price(value: Decimal) -> None:
    if not 0 <= value <= money.MAX_UNIT_PRICE:
        raise ValidationError(f"Enter an amount from 0 to {money.MAX_UNIT_PRICE:,}.")


def images_field() -> "ArrayField[Any, Any]":
    """Web addresses of pictures, the one to be shown first."""
    return ArrayField(
        models.CharField(max_length=IMAGE_URL_LENGTH, validators=[is_image_url]),
        blank=True,
        default=list,
        size=MAX_IMAGES,
    )


class ProductQuerySet(models.QuerySet["Product"]):
    def with_variant_count(self) -> "ProductQuerySet":
        """With `variant_count`, counted product by product: a join would group all for a page."""
        variants = Variant.objects.filter(product=OuterRef("pk")).order_by().values("product")
        number = Coalesce(Subquery(variants.annotate(number=Count("pk")).values("number")), 0)
        return self.annotate(variant_count=number)


class Product(models.Model):
    """A thing that is rented out (MacBook Pro 16), in one or more variants."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        DISCONTINUED = "discontinued", "Discontinued"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    public_id = models.CharField(max_length=ids.MAX_LENGTH, default=ids.new_product_id)
    sku = models.CharField("product SKU", max_length=SKU_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    brand = models.CharField(max_length=BRAND_LENGTH)
    category = models.CharField(max_length=CATEGORY_LENGTH)
    specification = models.CharField(max_length=SPECIFICATION_LENGTH)
    aliases = models.CharField(
        max_length=200,
        blank=True,
        help_text="Other words that people use for it, with commas between them.",
    )
    description = models.TextField(blank=True, max_length=DESCRIPTION_LENGTH)
    images = images_field()
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager.from_queryset(ProductQuerySet)()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(name="product_tenant_id", fields=["tenant", "id"]),
            models.UniqueConstraint(name="product_public_id", fields=["tenant", "public_id"]),
            models.UniqueConstraint(name="product_sku", fields=["tenant", "sku"]),
            models.CheckConstraint(
                name="product_sku_trimmed", condition=Q(sku__regex=r"^\S(.*\S)?$")
            ),
            models.CheckConstraint(name="product_name_not_blank", condition=~Q(name="")),
            models.CheckConstraint(
                name="product_status_known",
                condition=Q(status__in=["active", "discontinued"]),
            ),
            models.CheckConstraint(
                name="product_images_number", condition=Q(images__len__lte=MAX_IMAGES)
            ),
        ]
        # The list over the API, newest first, whole and by each of its filters.
        indexes = [
            models.Index(name="product_newest", fields=["tenant", "-created_at", "-id"]),
            models.Index(
                name="product_by_status", fields=["tenant", "status", "-created_at", "-id"]
            ),
            models.Index(
                name="product_by_category", fields=["tenant", "category", "-created_at", "-id"]
            ),
            models.Index(name="product_by_brand", fields=["tenant", "brand", "-created_at", "-id"]),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def image_url(self) -> str:
        """The picture to be shown, or nothing."""
        return self.images[0] if self.images else ""


class Variant(models.Model):
    """What a SKU names: one grade, colour and size of a product, with its own prices.

    `list_price` is what the device costs new, `acquisition_cost` what it cost us, both in the
    tenant's currency for one device. What the search knows of it is its `SearchEntry`.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="variants", db_constraint=False
    )
    public_id = models.CharField(max_length=ids.MAX_LENGTH, default=ids.new_variant_id)
    sku = models.CharField("SKU", max_length=SKU_LENGTH)
    name = models.CharField(
        max_length=NAME_LENGTH,
        help_text="What sets it apart, such as 36 GB / 1 TB, Space Black.",
    )
    grade = models.CharField(max_length=GRADE_LENGTH, default="A")
    condition = models.CharField(max_length=CONDITION_LENGTH, blank=True)
    color = models.CharField("colour", max_length=COLOR_LENGTH, blank=True)
    images = images_field()
    list_price = MoneyField(null=True, blank=True, validators=[validate_price])
    acquisition_cost = MoneyField(null=True, blank=True, validators=[validate_price])
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager()

    class Meta:
        ordering = ["sku"]
        permissions = [("view_costs", "Can see list prices and acquisition costs of devices")]
        constraints = [
            TenantForeignKey(
                name="variant_product_of_tenant", field="product", to="catalog.Product"
            ),
            models.UniqueConstraint(name="variant_tenant_id", fields=["tenant", "id"]),
            models.UniqueConstraint(name="variant_public_id", fields=["tenant", "public_id"]),
            models.UniqueConstraint(name="variant_sku", fields=["tenant", "sku"]),
            models.CheckConstraint(
                name="variant_sku_trimmed", condition=Q(sku__regex=r"^\S(.*\S)?$")
            ),
            models.CheckConstraint(
                name="variant_status_known",
                condition=Q(status__in=["active", "inactive"]),
            ),
            models.CheckConstraint(
                name="variant_list_price_range",
                condition=Q(list_price__isnull=True)
                | Q(list_price__gte=0, list_price__lte=money.MAX_UNIT_PRICE),
            ),
            models.CheckConstraint(
                name="variant_acquisition_cost_range",
                condition=Q(acquisition_cost__isnull=True)
                | Q(acquisition_cost__gte=0, acquisition_cost__lte=money.MAX_UNIT_PRICE),
            ),
            models.CheckConstraint(
                name="variant_images_number", condition=Q(images__len__lte=MAX_IMAGES)
            ),
        ]
        indexes = [
            # The list over the API, newest first, whole and by each filter of its own.
            models.Index(name="variant_newest", fields=["tenant", "-created_at", "-id"]),
            models.Index(
                name="variant_by_status", fields=["tenant", "status", "-created_at", "-id"]
            ),
            models.Index(name="variant_by_grade", fields=["tenant", "grade", "-created_at", "-id"]),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def is_orderable(self) -> bool:
        """Active, of a product that is not discontinued."""
        return self.status == self.Status.ACTIVE and self.product.status == Product.Status.ACTIVE


class Price(models.Model):
    """The monthly price of one device of a variant, for one contract length in whole months.

    `setup_fee` and the discount (`discount_value` is a percentage or an amount per month) are
    stored and shown, not applied; so is what a program says of its price: `calculated_at`, in its
    own words, and by which preset.
    """

    class Source(models.TextChoices):
        SUGGESTED = "suggested", "Suggested"
        MANUAL = "manual", "Manual"

    class DiscountType(models.TextChoices):
        PERCENTAGE = "percentage", "Percentage"
        FIXED = "fixed", "Fixed amount"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    variant = models.ForeignKey(
        Variant,
        on_delete=models.PROTECT,
        related_name="prices",
        db_constraint=False,
        db_index=False,
    )
    contract_length = models.PositiveSmallIntegerField(
        "contract length (months)",
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CONTRACT_LENGTH)],
    )
    monthly_price = MoneyField("monthly price", validators=[validate_price])
    setup_fee = MoneyField(null=True, blank=True, validators=[validate_price])
    discount_type = models.CharField(max_length=20, choices=DiscountType, blank=True)
    discount_value = MoneyField(null=True, blank=True, validators=[validate_price])
    discount_description = models.CharField(max_length=REMARK_LENGTH, blank=True)
    source = models.CharField(max_length=20, choices=Source, default=Source.MANUAL)
    calculated_at = models.CharField(max_length=PRESET_LENGTH, blank=True)
    preset_used = models.CharField(max_length=PRESET_LENGTH, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager()

    class Meta:
        ordering = ["contract_length"]
        constraints = [
            TenantForeignKey(name="price_variant_of_tenant", field="variant", to="catalog.Variant"),
            models.UniqueConstraint(
                name="price_variant_contract_length",
                fields=["variant", "contract_length"],
            ),
            models.CheckConstraint(
                name="price_contract_length_months",
                condition=Q(contract_length__gte=1, contract_length__lte=MAX_CONTRACT_LENGTH),
            ),
            models.CheckConstraint(
                name="price_monthly_price_range",
                condition=Q(monthly_price__gte=0, monthly_price__lte=money.MAX_UNIT_PRICE),
            ),
            models.CheckConstraint(
                name="price_setup_fee_not_negative",
                condition=Q(setup_fee__isnull=True) | Q(setup_fee__gte=0),
            ),
            models.CheckConstraint(
                name="price_discount_complete",
                condition=Q(discount_type="", discount_value__isnull=True, discount_description="")
                | Q(
                    discount_type__in=["percentage", "fixed"],
                    discount_value__isnull=False,
                    discount_value__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="price_source_known",
                condition=Q(source__in=["suggested", "manual"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract_length} months"


class PriceChange(models.Model):
    """Who changed which catalogue price, when, from what to what. Null: there was or is none."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    variant = models.ForeignKey(
        Variant,
        on_delete=models.PROTECT,
        related_name="price_changes",
        db_constraint=False,
    )
    contract_length = models.PositiveSmallIntegerField()
    old_price = MoneyField(null=True)
    new_price = MoneyField(null=True)
    actor_ref = models.CharField(max_length=100)
    actor = models.CharField(max_length=254)
    at = models.DateTimeField(default=timezone.now)

    objects = TenantManager()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            TenantForeignKey(
                name="price_change_variant_of_tenant",
                field="variant",
                to="catalog.Variant",
            ),
            models.CheckConstraint(
                name="price_change_changes",
                condition=~Q(old_price=models.F("new_price"))
                & ~Q(old_price__isnull=True, new_price__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract_length} months: {self.old_price} → {self.new_price}"


class CatalogImport(models.Model):
    """A CSV file that somebody wants in the catalogue: what it would do, and what it did.

    `planned` is the report of the dry run, `result` that of the import itself, both as
    `catalog.imports.report` makes them; `done` is how many of the `total` rows are written so far,
    in the last of its `attempts`, of which one is enough unless the database or the worker fails.
    A file that cannot be imported after all says why in `problem`, and nothing of it is in the
    catalogue. The worker does the import, and deletes files that are a week old.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "Not imported"
        WAITING = "waiting", "Being imported"
        FINISHED = "finished", "Imported"
        FAILED = "failed", "Failed"

    FILE_NAME_LENGTH = 255

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    public_id = models.CharField(max_length=ids.MAX_LENGTH, default=ids.new_import_id)
    asked_by_ref = models.CharField(max_length=100)
    asked_by = models.CharField(max_length=254)
    file_name = models.CharField(max_length=FILE_NAME_LENGTH)
    content = models.BinaryField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    planned = models.JSONField()
    result = models.JSONField(null=True)
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = TenantManager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="import_public_id", fields=["tenant", "public_id"]),
            models.CheckConstraint(
                name="import_status_known",
                condition=Q(status__in=["planned", "waiting", "finished", "failed"]),
            ),
            models.CheckConstraint(
                name="import_asked_by_someone", condition=~Q(asked_by_ref="") & ~Q(asked_by="")
            ),
            models.CheckConstraint(
                name="import_finished_with_result",
                condition=Q(status="finished", result__isnull=False)
                | ~Q(status="finished") & Q(result__isnull=True),
            ),
            models.CheckConstraint(
                name="import_failed_with_problem",
                condition=Q(status="failed") & ~Q(problem="") | ~Q(status="failed") & Q(problem=""),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class SearchEntry(models.Model):
    """What the search knows of a variant. Written by the database alone, and by `catalog.refresh`.

    A trigger writes it with the variant or its product, so that it is right however a row was
    written. `sku_key` is the SKU without separators. `words` are the words of SKU, name, colour,
    grade and product with its aliases, and its initials (mbp16 of MacBook Pro 16). Case and
    accents are gone from both. There is no price in it.

    A search goes through the tiers one by one, as far as it has to. `popularity` is how many order
    lines named the variant in the last year, `place` its number among the most ordered.
    """

    class Tier(models.IntegerChoices):
        MOST_ORDERED = 0
        OFTEN_ORDERED = 1
        ACTIVE = 2
        INACTIVE = 9

    variant = models.OneToOneField(
        Variant,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        related_name="+",
        db_constraint=False,
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    tier = models.PositiveSmallIntegerField(choices=Tier)
    place = models.PositiveIntegerField(null=True)
    popularity = models.PositiveIntegerField()
    sku_key = models.TextField(db_collation="C")
    words = SearchVectorField()

    objects = TenantManager()

    class Meta:
        default_permissions = ()
        constraints = [
            TenantForeignKey(
                name="search_entry_variant_of_tenant",
                field="variant",
                to="catalog.Variant",
                cascade=True,
            ),
            models.CheckConstraint(
                name="search_entry_tier_known", condition=Q(tier__in=[0, 1, 2, 9])
            ),
            models.CheckConstraint(
                name="search_entry_place_of_most_ordered",
                condition=Q(tier=0, place__isnull=False) | (~Q(tier=0) & Q(place__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="search_entry_sku", fields=["tenant", "tier", "sku_key"]),
            models.Index(
                name="search_entry_place",
                fields=["tenant", "place"],
                condition=Q(place__isnull=False),
            ),
            GinIndex(name="search_entry_words", fields=["words"], fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.sku_key


class SearchWord(models.Model):
    """A word of a tenant's search entries: what typed words are compared with.

    Initials begin with =. `rows` is how many variants had it last night. `slips` is what it may
    look like mistyped, without any one of its letters. New words come with their variants; two
    transactions at once may both bring one in, which lasts until the night.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    word = models.TextField(db_collation="C")
    rows = models.PositiveIntegerField()
    slips = models.GeneratedField(
        expression=models.Func("word", function="catalog_known_slips"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = TenantManager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(name="search_word", fields=["tenant", "word"], include=["rows"]),
            models.Index(name="search_word_frequent", fields=["tenant", "-rows"], include=["word"]),
            GinIndex(
                name="search_word_part",
                fields=["tenant", "word"],
                opclasses=["int8_ops", "gin_trgm_ops"],
                fastupdate=False,
            ),
            GinIndex(
                name="search_word_slips",
                fields=["tenant", "slips"],
                opclasses=["int8_ops", "array_ops"],
                fastupdate=False,
                condition=Q(slips__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.word


class SearchRefresh(models.Model):
    """When the last complete renewal of a tenant's search began: popularity, tiers, word counts."""

    tenant = models.OneToOneField(
        Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    began_at = models.DateTimeField()

    objects = TenantManager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M}"
