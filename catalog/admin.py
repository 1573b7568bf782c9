"""The catalogue in the admin. Prices and statuses change through `catalog.services`."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.building import discount_problem
from catalog.imports.views import admin_urls, may_import
from catalog.models import (
    IMAGE_URL_LENGTH,
    MAX_IMAGES,
    Price,
    PriceChange,
    Product,
    ProductQuerySet,
    Variant,
    is_image_url,
)
from catalog.services import (
    discontinued_problem,
    lock_products_of,
    remove_price,
    require_unused_product,
    require_unused_variant,
    set_price,
    set_product_status,
)
from portal import formats
from portal.admin_site import TenantAdmin, TenantForm, actor_of, portal_request
from portal.errors import Conflict
from portal.forms import TYPED_AMOUNTS
from portal.text import clean

if TYPE_CHECKING:
    _PriceInline = admin.TabularInline[Price, Variant]
else:
    _PriceInline = admin.TabularInline


def status_badge(row: Product | Variant) -> SafeString:
    return format_html(
        '<span class="badge badge-{}">{}</span>', row.status, row.get_status_display()
    )


class ImagesField(SimpleArrayField):
    """Web addresses, one on each line."""

    def __init__(self) -> None:
        super().__init__(
            forms.CharField(max_length=IMAGE_URL_LENGTH, validators=[is_image_url]),
            delimiter="\n",
            max_length=MAX_IMAGES,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="Web addresses of pictures, one on each line, for shops; the first counts.",
        )

    def to_python(self, value: Any) -> Any:
        return super().to_python("\n".join(value.split()) if isinstance(value, str) else value)

    def validate(self, value: Any) -> None:
        super().validate(value)
        for address in value:
            try:
                clean(address)
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error


class ProductForm(TenantForm[Product]):
    images = ImagesField()

    def clean_sku(self) -> str:
        return str(self.require_unique("sku", "There is a product of this SKU already."))

    def clean_status(self) -> str:
        """Refused here, at the field; the rows stay locked until all is saved."""
        status = str(self.cleaned_data["status"])
        if self.instance.pk and status == Product.Status.DISCONTINUED:
            try:
                require_unused_product(tenant=self.tenant, product=self.instance)
            except Conflict as error:
                raise forms.ValidationError(error.message) from error
        return status


@admin.register(Product)
class ProductAdmin(TenantAdmin[Product]):
    form = ProductForm
    list_display = ("name", "sku", "brand", "category", "variants_column", "status_column")
    list_filter = ("status", "category", "brand")
    search_fields = ("name", "sku", "brand", "public_id")
    search_help_text = "Name, SKU, brand or product id"
    ordering = ("name", "pk")
    readonly_fields = ("public_id", "variants_links")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Products are discontinued: orders refer to them."""
        return False

    def get_urls(self) -> list[URLPattern]:
        return [*admin_urls(self), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"may_import": may_import(actor_of(request)), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        # The stubs know Django's own queryset, and not the model's.
        products: ProductQuerySet = super().get_queryset(request)  # type: ignore[assignment]
        return products.with_variant_count()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields: tuple[str, ...] = ("name", "sku", "brand", "category", "specification", "aliases")
        fields += ("description", "images")
        return (*fields, "status", "public_id", "variants_links") if obj else fields

    @admin.display(description="Status", ordering="status")
    def status_column(self, product: Product) -> SafeString:
        return status_badge(product)

    @admin.display(description="Variants")
    def variants_column(self, product: Any) -> SafeString:
        return format_html('<span class="figure">{}</span>', product.variant_count)

    @admin.display(description="Variants")
    def variants_links(self, product: Product) -> SafeString:
        links = format_html_join(
            "",
            '<li><a href="{}">{}</a> {} {}</li>',
            (
                (
                    reverse("admin:catalog_variant_change", args=[variant.pk]),
                    variant.sku,
                    variant.name,
                    status_badge(variant),
                )
                for variant in product.variants.all()
            ),
        )
        add = f"{reverse('admin:catalog_variant_add')}?product={product.pk}"
        return format_html(
            '<ul class="links">{}<li><a href="{}">Add a variant</a></li></ul>', links, add
        )

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "status" in form.changed_data:
            set_product_status(
                tenant=obj.tenant,
                actor=actor_of(request),
                product_id=obj.public_id,
                status=Product.Status(obj.status),
            )


class VariantForm(TenantForm[Variant]):
    money_fields = ("list_price", "acquisition_cost")
    images = ImagesField()

    def clean_sku(self) -> str:
        return str(self.require_unique("sku", "There is a variant of this SKU already."))

    def clean_status(self) -> str:
        status = str(self.cleaned_data["status"])
        if self.instance.pk and status == Variant.Status.INACTIVE:
            try:
                require_unused_variant(tenant=self.tenant, variant=self.instance)
            except Conflict as error:
                raise forms.ValidationError(error.message) from error
        return status

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        product = cleaned.get("product")
        moves = {"product", "status"} & set(self.changed_data)
        becomes_active = moves and cleaned.get("status") == Variant.Status.ACTIVE
        if product and becomes_active and (problem := discontinued_problem(product)):
            self.add_error("status", problem)
        return cleaned


class PriceForm(TenantForm[Price]):
    money_fields = ("monthly_price", "setup_fee")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label).capitalize()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind, value = cleaned.get("discount_type", ""), cleaned.get("discount_value")
        currency = self.tenant.currency
        if bool(kind) != (value is not None):
            self.add_error("discount_value", "A discount has a type and a value, or neither.")
        elif value is not None and (problem := discount_problem(kind, value, currency)):
            self.add_error("discount_value", problem)
        return cleaned


class PriceInline(_PriceInline):
    model = Price
    form = PriceForm
    formfield_overrides = TYPED_AMOUNTS
    template = "admin/catalog/variant/prices.html"
    fields = (
        "contract_length",
        "monthly_price",
        "setup_fee",
        "discount_type",
        "discount_value",
        "source",
    )
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        # The stubs take the form for Django's own, and not for the one of this inline.
        formset.form.tenant = portal_request(request).tenant  # type: ignore[attr-defined]
        return formset


@admin.register(Variant)
class VariantAdmin(TenantAdmin[Variant]):
    form = VariantForm
    formfield_overrides = TYPED_AMOUNTS
    list_display = (
        "sku", "product", "name", "grade", "prices_column", "status_column",
    )  # fmt: skip
    list_filter = ("status", "product__category", "product__brand", "grade")
    list_select_related = ("product", "tenant")
    search_fields = ("sku", "name", "product__name", "product__brand", "public_id")
    search_help_text = "SKU, name, product, brand or variant id"
    autocomplete_fields = ("product",)
    readonly_fields = ("public_id", "price_changes_link")
    inlines = (PriceInline,)

    class Media:
        # After the script that makes the search boxes.
        js = ("admin/js/jquery.init.js", "admin/js/autocomplete.js", "js/admin.js")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Variants become inactive: orders refer to them."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).prefetch_related("prices")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields: tuple[str, ...] = ("product", "sku", "name", "grade", "condition", "color")
        fields += ("images",)
        if portal_request(request).user.has_perm("catalog.view_costs"):
            fields += ("list_price", "acquisition_cost")
        return (*fields, "status", "public_id", "price_changes_link") if obj else fields

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Who may not see costs cannot ask for them in an address either."""
        is_cost = lookup.startswith(("list_price", "acquisition_cost"))
        if is_cost and not (request and request.user.has_perm("catalog.view_costs")):
            return False
        return super().lookup_allowed(lookup, value, request)

    @admin.display(description="Status", ordering="status")
    def status_column(self, variant: Variant) -> SafeString:
        return status_badge(variant)

    @admin.display(description="Per month")
    def prices_column(self, variant: Variant) -> str:
        currency = variant.tenant.currency
        return " · ".join(
            f"{price.contract_length} months {formats.money(price.monthly_price, currency)}"
            for price in variant.prices.all()
        )

    @admin.display(description="Price changes")
    def price_changes_link(self, variant: Variant) -> SafeString:
        url = reverse("admin:catalog_pricechange_changelist")
        return format_html(
            '<a href="{}?variant__id__exact={}">Who changed its prices</a>', url, variant.pk
        )

    def save_model(self, request: HttpRequest, obj: Variant, form: Any, change: bool) -> None:
        if change:
            lock_products_of(tenant=obj.tenant, variant=obj)
        elif discontinued_problem(obj.product):
            obj.status = Variant.Status.INACTIVE
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Prices, each through the service; one that moved to another length leaves the first."""
        prices = formset.save(commit=False)
        common: dict[str, Any] = {"actor": actor_of(request), "variant": form.instance}
        common["tenant"] = form.instance.tenant
        left = [
            typed.initial["contract_length"]
            for typed in formset.initial_forms
            if typed in formset.deleted_forms or "contract_length" in typed.changed_data
        ]
        for length in left:
            remove_price(contract_length=length, **common)
        for price in prices:
            set_price(
                contract_length=price.contract_length,
                monthly_price=price.monthly_price,
                setup_fee=price.setup_fee,
                discount_type=price.discount_type,
                discount_value=price.discount_value,
                discount_description=price.discount_description if price.discount_type else "",
                source=Price.Source(price.source),
                **common,
            )


@admin.register(PriceChange)
class PriceChangeAdmin(TenantAdmin[PriceChange]):
    """Who changed which price, from what to what; nothing can be changed about that."""

    list_display = ("moment", "variant", "contract_length", "old", "new", "actor")
    list_filter = (("at", admin.DateFieldListFilter),)
    list_select_related = ("variant", "tenant")
    search_fields = ("variant__sku", "actor")
    search_help_text = "SKU or who changed it"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        return lookup == "variant__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="When", ordering="at")
    def moment(self, change: PriceChange) -> str:
        return formats.moment(change.at)

    @admin.display(description="From")
    def old(self, change: PriceChange) -> str:
        return _amount(change, "old_price")

    @admin.display(description="To")
    def new(self, change: PriceChange) -> str:
        return _amount(change, "new_price")


def _amount(change: PriceChange, name: str) -> str:
    amount = getattr(change, name)
    return "–" if amount is None else formats.money(amount, change.tenant.currency)
