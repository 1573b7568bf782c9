"""The admin of one tenant: the site, and what every page of a tenant's table shares.

Rows are found through the scope that TenantMiddleware opens; new rows get the tenant of the
request. Refusals of the services appear at the field, or in words above the page.
"""

from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.functional import cached_property
from django.views.decorators.http import require_POST

from portal.errors import Conflict, DomainError
from portal.forms import ChangesForm
from portal.models import Tenant
from portal.money import fits_currency, round_money
from portal.paging import COUNTED
from portal.permissions import Actor
from portal.tenancy import SESSION_KEY, PortalRequest
from portal.text import clean

Row = TypeVar("Row", bound=models.Model)

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin
else:

    class _ModelAdmin(admin.ModelAdmin):
        """Takes the type of its rows, as the type checker knows it."""

        def __class_getitem__(cls, row):
            return cls


def portal_request(request: HttpRequest) -> PortalRequest:
    """The same request, known to be of somebody who is logged in."""
    return cast(PortalRequest, request)


def actor_of(request: HttpRequest) -> Actor:
    return Actor.from_user(portal_request(request).user)


APP_ORDER = ["orders", "customers", "catalog", "portal", "auth"]


class PortalAdminSite(admin.AdminSite):
    site_title = "Rental portal"
    site_header = "Rental portal: administration"
    index_title = "Administration"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and portal_request(request).tenant is not None

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page of the admin, for those who may come in; a NUL is refused at the door.

        Filters, autocompletes and actions hand what was sent to the database, which holds none.
        """

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            sent = (*request.GET.lists(), *request.POST.lists())
            if any("\0" in text for name, values in sent for text in (name, *values)):
                raise BadRequest("What was sent contains a NUL character.")
            response: HttpResponse = view(request, *args, **kwargs)
            return response

        return super().admin_view(checked, cacheable)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        switch = path("tenant/", self.admin_view(require_POST(self.switch_tenant)), name="tenant")
        return [switch, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        if context["has_permission"] and request.user.is_superuser:
            context["tenants"] = list(Tenant.objects.only("slug", "name"))
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What managers work with most comes first."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: APP_ORDER.index(app["app_label"]))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        ours = [table for table in self._registry.values() if isinstance(table, TenantAdmin)]
        ours.sort(key=lambda table: APP_ORDER.index(table.opts.app_label))
        panels = [panel for table in ours if (panel := table.index_panel(request))]
        return super().index(request, {"panels": panels, **(extra_context or {})})

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Only reached by those who are logged in: there is one login page, the portal's."""
        if self.has_permission(request):
            return redirect("admin:index")
        raise PermissionDenied

    def switch_tenant(self, request: HttpRequest) -> HttpResponse:
        """Superusers choose the tenant that they work in, admin and portal alike."""
        if not request.user.is_superuser:
            raise PermissionDenied
        tenant = get_object_or_404(Tenant, slug=request.POST.get("tenant", ""))
        request.session[SESSION_KEY] = tenant.pk
        messages.success(request, f"You now work in {tenant.name}.")
        return redirect("admin:index")


class TenantForm(ChangesForm[Row]):
    """A form whose row belongs to the tenant, so that its uniqueness there is checked.

    Typed text is cleaned as everywhere, and amounts have to fit the tenant's currency. `refusal` is
    why it cannot be saved whatever its fields say, if a service refused that.
    """

    tenant: ClassVar[Tenant]
    refusal: ClassVar[str] = ""
    money_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if getattr(self.instance, "tenant_id", None) is None:
            self.instance.tenant = self.tenant  # type: ignore[attr-defined]
        for name in self.money_fields:
            amount = getattr(self.instance, name)
            if amount is not None and fits_currency(amount, self.tenant.currency):
                self.initial[name] = round_money(amount, self.tenant.currency)

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() - {"tenant"}  # type: ignore[misc, no-any-return]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name, value in list(cleaned.items()):
            if isinstance(value, str):
                multiline = isinstance(self.fields[name].widget, forms.Textarea)
                try:
                    cleaned[name] = clean(value, multiline=multiline)
                except ValueError as error:
                    self.add_error(name, str(error))
        for name in self.money_fields:
            amount = cleaned.get(name)
            if amount is not None and not fits_currency(amount, self.tenant.currency):
                self.add_error(name, f"{self.tenant.currency} has no amounts as fine as this.")
        if self.refusal:
            self.add_error(None, self.refusal)
        return cleaned

    def require_unique(self, name: str, message: str) -> Any:
        """The value of a field that no other row of the tenant may have; else an error there."""
        value = self.cleaned_data[name]
        others = type(self.instance)._default_manager.filter(**{name: value})
        if others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(message)
        return value


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to a limit, so that a list of millions opens as fast as one of hundreds.

    There are pages up to the limit; what comes later is found by narrowing the list.
    """

    limit = COUNTED

    @property
    def count(self) -> int:
        return min(self._found, self.limit)

    @property
    def is_capped(self) -> bool:
        """Whether there are more than are counted."""
        return self._found > self.limit

    @cached_property
    def _found(self) -> int:
        return cast("models.QuerySet[Any]", self.object_list)[: self.limit + 1].count()


class TenantAdmin(_ModelAdmin[Row]):
    """Rows of the tenant that the user works in."""

    form: Any = TenantForm
    exclude: ClassVar[Any] = ["tenant"]
    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50

    def index_panel(self, request: HttpRequest) -> dict[str, Any] | None:
        """What to show above the list of tables: a `template` and its values."""
        return None

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.tenant = portal_request(request).tenant  # type: ignore[attr-defined]
        form.refusal = getattr(request, "refusal", "")  # type: ignore[attr-defined]
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Looks again when somebody else was faster: their change then shows at the field.

        What is refused again, for want of a permission say, is said above what was typed.
        """
        view = partial(super().changeform_view, request, object_id, form_url, extra_context)
        try:
            return view()
        except DomainError:
            pass
        try:
            return view()
        except DomainError as error:
            request.refusal = error.words  # type: ignore[attr-defined]
            return view()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        try:
            with transaction.atomic():
                super().save_model(request, obj, form, change)
        except IntegrityError as error:
            raise Conflict("STATE_CONFLICT", "Somebody else saved the same just now.") from error


class SuperuserOnly:
    """For tables that say who may come in: superusers only, whatever else was granted."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
