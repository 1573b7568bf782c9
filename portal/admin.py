"""Tenants, users, groups and outgoing mail in the admin; API keys are in `portal.key_admin`."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import formats
from portal.admin_site import (
    SuperuserOnly,
    TenantAdmin,
    portal_request,
)
from portal.forms import TYPED_AMOUNTS, ChangesForm
from portal.key_admin import ApiKeyAdmin
from portal.models import OutboxMail, Tenant, User
from portal.money import fits_currency, round_money
from portal.outbox import retry
from portal.permissions import MANAGER, ROLES

if TYPE_CHECKING:
    _TenantModelAdmin = admin.ModelAdmin[Tenant]
    _UserCreationForm = AdminUserCreationForm[User]
    _UserChangeForm = UserChangeForm[User]
    _PermissionField = forms.ModelMultipleChoiceField[Permission]
else:
    _TenantModelAdmin = admin.ModelAdmin
    _UserCreationForm = AdminUserCreationForm
    _UserChangeForm = UserChangeForm
    _PermissionField = forms.ModelMultipleChoiceField

__all__ = ["ApiKeyAdmin", "GroupAdmin", "OutboxMailAdmin", "TenantsAdmin", "UserAdmin"]

admin.site.unregister(Group)


GRANTABLE = ROLES[MANAGER] | {"orders.confirm_own_order", "orders.confirm_large_order"}
"""Permissions that can be given beyond a role; all others decide nothing."""


class PermissionField(_PermissionField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class PermissionBoxes:
    """Groups and permissions as boxes to tick."""

    filter_horizontal: ClassVar[Any] = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Permission:
            apps, codenames = zip(*(name.split(".") for name in GRANTABLE), strict=True)
            kwargs["form_class"] = PermissionField
            kwargs["queryset"] = Permission.objects.filter(
                content_type__app_label__in=apps, codename__in=codenames
            ).order_by("content_type__app_label", "name")
        kwargs["widget"] = forms.CheckboxSelectMultiple(attrs={"class": "boxes"})
        field = db_field.formfield(**kwargs)
        field.help_text = ""
        return field


class TenantRulesForm(ChangesForm[Tenant]):
    """The tenant itself; its amounts have to fit its currency."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit, currency = self.instance.confirm_limit, self.instance.currency
        if limit is not None and fits_currency(limit, currency):
            self.initial["confirm_limit"] = round_money(limit, currency)

    def clean_confirm_limit(self) -> Decimal | None:
        limit: Decimal | None = self.cleaned_data["confirm_limit"]
        currency = self.cleaned_data.get("currency") or self.instance.currency
        if limit is not None and not fits_currency(limit, currency):
            raise forms.ValidationError(f"{currency} has no amounts as fine as this.")
        return limit


@admin.register(Tenant)
class TenantsAdmin(_TenantModelAdmin):
    """Superusers see every tenant; managers change the rules of their own."""

    form = TenantRulesForm
    formfield_overrides = TYPED_AMOUNTS
    list_display = ("name", "slug", "currency", "vat_rate", "time_zone")
    list_filter = ("currency",)
    search_fields = ("name", "slug")
    fieldsets = (
        (None, {"fields": ("slug", "name", "currency", "time_zone", "locale")}),
        ("Prices", {"fields": ("vat_rate", "prices_include_vat", "default_contract_length")}),
        (
            "Review rules",
            {
                "fields": (
                    "four_eyes",
                    "confirm_limit",
                    "first_order_limit",
                    "lowest_price_share",
                    "purchase_order_field",
                )
            },
        ),
        ("E-mail to customers", {"fields": ("confirmation_mails",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        tenants = super().get_queryset(request)
        if request.user.is_superuser:
            return tenants
        return tenants.filter(pk=portal_request(request).tenant.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Prices and programs rely on these two."""
        return ("slug", "currency") if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserForm(ChangesForm[User], _UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


class NewUserForm(_UserCreationForm):
    class Meta:
        model = User
        fields = ("username", "email")


@admin.register(User)
class UserAdmin(SuperuserOnly, PermissionBoxes, DjangoUserAdmin):  # type: ignore[type-arg]
    """The people of the tenant that the superuser works in. They are deactivated, not deleted."""

    form = UserForm
    add_form = NewUserForm
    list_display = ("username", "email", "roles", "is_active", "is_staff", "is_superuser")
    list_filter = ("groups", "is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email", "first_name", "last_name")
    readonly_fields = ("tenant", "logged_in", "joined")
    fieldsets = (
        (None, {"fields": ("username", "email", "password", "tenant")}),
        ("Person", {"fields": ("first_name", "last_name", "locale", "order_mails")}),
        (
            "What they may do",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("logged_in", "joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "usable_password", "password1", "password2"),
            },
        ),
        (
            "What they may do",
            {
                "description": "A rep takes orders. A manager also reviews them, and needs staff "
                "status to open these pages.",
                "fields": ("groups", "is_staff"),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users = super().get_queryset(request).filter(tenant=portal_request(request).tenant)
        return users.prefetch_related("groups")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.tenant = portal_request(request).tenant
        super().save_model(request, obj, form, change)

    @admin.display(description="Last login")
    def logged_in(self, user: User) -> str:
        return formats.moment(user.last_login) if user.last_login else "–"

    @admin.display(description="Joined")
    def joined(self, user: User) -> str:
        return formats.moment(user.date_joined)

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "–"


@admin.register(Group)
class GroupAdmin(SuperuserOnly, PermissionBoxes, DjangoGroupAdmin):  # type: ignore[misc]
    """Further groups; the permissions of the roles themselves are fixed."""

    form: Any = ChangesForm

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        fixed = obj is not None and obj.name in ROLES
        return super().has_change_permission(request, obj) and not fixed

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and self.has_change_permission(request, obj)


BADGES = {
    OutboxMail.State.WAITING: "waiting",
    OutboxMail.State.FAILED: "pending",
    OutboxMail.State.SENT: "valid",
    OutboxMail.State.GIVEN_UP: "refused",
}
"""The colour of a mail's state: what needs patience, what is good, what needs somebody."""


class MailStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in OutboxMail.State.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        waiting = queryset.filter(next_attempt_at__isnull=False)
        match self.value():
            case OutboxMail.State.WAITING:
                return waiting.filter(attempts=0)
            case OutboxMail.State.FAILED:
                return waiting.filter(attempts__gte=1)
            case OutboxMail.State.SENT:
                return queryset.filter(sent_at__isnull=False)
            case OutboxMail.State.GIVEN_UP:
                return queryset.given_up()
        return queryset


@admin.register(OutboxMail)
class OutboxMailAdmin(TenantAdmin[OutboxMail]):
    """What the tenant mails, and what became of it. It can only be tried again."""

    list_display = ("subject", "state_column", "what_happened", "recipient", "created")
    list_filter = (MailStateFilter,)
    search_fields = ("recipient", "subject", "key")
    search_help_text = "Recipient, subject or what it is about"
    fields = (
        *("recipient", "reply_to", "subject", "state_column", "what_happened"),
        *("created", "key", "text"),
    )
    actions = ("try_again",)
    ordering = ("-created_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMail]:
        """The list reads no bodies; the page of one mail reads its own."""
        return super().get_queryset(request).defer("text", "html")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portal.retry_outboxmail")

    @admin.display(description="State")
    def state_column(self, mail: OutboxMail) -> SafeString:
        label = str(mail.state.label)
        if mail.state is OutboxMail.State.FAILED:
            label = f"Failed {mail.attempts} ×"
        return format_html('<span class="badge badge-{}">{}</span>', BADGES[mail.state], label)

    @admin.display(description="What happened")
    def what_happened(self, mail: OutboxMail) -> str:
        if mail.sent_at:
            return f"Sent {formats.moment(mail.sent_at)}"
        if mail.next_attempt_at is None:
            ahead = f"Tried {mail.attempts} times."
        elif mail.next_attempt_at <= timezone.now():
            ahead = "Will be sent in a moment."
        else:
            ahead = f"Next attempt: {formats.moment(mail.next_attempt_at)}."
        return f"{mail.last_error.rstrip('.')}. {ahead}" if mail.last_error else ahead

    @admin.display(description="Written", ordering="created_at")
    def created(self, mail: OutboxMail) -> str:
        return formats.moment(mail.created_at)

    @admin.action(description="Try again now", permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[OutboxMail]) -> None:
        number = retry(mails=queryset)
        if number:
            messages.success(request, f"Will be sent in a moment: {number}.")
        else:
            messages.warning(request, "These were sent already, or are being sent right now.")

    def index_panel(self, request: HttpRequest) -> dict[str, Any] | None:
        """How many mails reached nobody, if any did not."""
        number = OutboxMail.objects.given_up().count() if self.has_view_permission(request) else 0
        return {"template": "admin/portal/_given_up.html", "number": number} if number else None
