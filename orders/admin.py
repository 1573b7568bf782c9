"""Review of orders in the admin: the queue, the page of one order, confirming and cancelling.

Nothing of an order is editable here; every change goes through `orders.services`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders import review
from orders.models import REASON_LENGTH, CustomField, Order
from orders.services import cancel_order, confirm_order
from orders.views.export import admin_urls
from portal import formats
from portal.admin_site import CappedPaginator, TenantAdmin, TenantForm, actor_of, portal_request
from portal.errors import DomainError
from portal.models import User

BULK_LIMIT = 200
"""Orders that one bulk action takes at most."""

MAX_VERSION_DIGITS = 10
"""Of an order's version, which the database keeps in 32 bits."""

CANCEL_REASONS = [
    "The customer changed their mind",
    "The same order was placed twice",
    "The devices cannot be delivered",
    "The credit check was not passed",
    "The order was entered wrongly",
]


class QueueFilter(admin.SimpleListFilter):
    """By status. At first those that wait for review; all of them when something is searched."""

    title = "status"
    parameter_name = "status"
    ALL, WAITING, WITH_REP = "all", "waiting", "rep"

    @classmethod
    def chosen(cls, request: HttpRequest) -> str:
        asked = request.GET.get(cls.parameter_name)
        return asked or (cls.ALL if request.GET.get("q") else cls.WAITING)

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        self.current = self.chosen(request)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        others = [(s.value, s.label) for s in Order.Status if s != Order.Status.PENDING]
        return [
            (self.WAITING, "Waiting for review"),
            (self.WITH_REP, "Back with the rep"),
            *others,
            (self.ALL, "All"),
        ]

    def choices(self, changelist: Any) -> Any:
        for value, title in self.lookup_choices:
            yield {
                "selected": value == self.current,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.current == self.WAITING:
            return queryset.awaiting_review()
        if self.current == self.WITH_REP:
            return queryset.filter(status=Order.Status.PENDING, awaiting=Order.Awaiting.REP)
        if self.current == self.ALL:
            return queryset
        return queryset.filter(status=self.current)


class RepFilter(admin.SimpleListFilter):
    """By the user who created the order."""

    title = "rep"
    parameter_name = "rep"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        users = User.objects.filter(tenant=portal_request(request).tenant).order_by("email")
        return [(user.actor_ref, user.email) for user in users]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        ref = self.value()
        return queryset.looked_after_by(ref) if ref else queryset


class ReasonForm(forms.Form):
    """Why an order is cancelled: one of the usual reasons, own words, or both."""

    usual = forms.ChoiceField(
        label="Usual reasons",
        required=False,
        choices=[("", "Another reason"), *((text, text) for text in CANCEL_REASONS)],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="In your own words",
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The rep reads this.",
    )

    def text(self) -> str:
        given = (self.cleaned_data["usual"], self.cleaned_data["reason"].strip())
        return ": ".join(filter(None, given))


@dataclass(frozen=True, slots=True)
class Step:
    """Something a reviewer does to an order, and the words for it."""

    name: str
    title: str
    done: str
    button: str
    permission: str
    service: Callable[..., Order]
    asks_reason: bool


STEPS = {
    "confirm": Step(
        "confirm", "Confirm", "confirmed", "confirm", "orders.confirm_order", confirm_order, False
    ),
    "cancel": Step(
        "cancel", "Cancel", "cancelled", "cancel", "orders.cancel_order", cancel_order, True
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    order_id: str
    problem: str
    """Empty when it was done."""


@admin.register(Order)
class OrderAdmin(TenantAdmin[Order]):
    paginator = CappedPaginator
    list_display = (
        "public_id",
        "badge",
        "age",
        "customer_column",
        "devices",
        "monthly_total",
        "rep",
        "order_type",
    )
    list_filter = (
        QueueFilter,
        "order_type",
        "source",
        ("created_at", admin.DateFieldListFilter),
        RepFilter,
    )
    search_fields = ("search_text",)
    search_help_text = "Order id, name, e-mail, company, phone or SKU"
    sortable_by = ("age", "monthly_total")
    show_facets = admin.ShowFacets.NEVER
    actions = ("confirm_selected", "cancel_selected")

    # What may be done

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return portal_request(request).user.has_perm("orders.confirm_order")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return portal_request(request).user.has_perm("orders.cancel_order")

    # The list

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Orders", **(extra_context or {})})

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The queue from the oldest, everything else from the newest."""
        if QueueFilter.chosen(request) == QueueFilter.WAITING:
            return ("created_at", "id")
        return ("-created_at", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        return queryset.matching(search_term) if search_term else queryset, False

    @admin.display(description="Status")
    def badge(self, order: Order) -> SafeString:
        status, text = order.status, order.get_status_display()
        if order.awaiting == Order.Awaiting.REP:
            status, text = "rep", "With the rep"
        return format_html('<span class="badge badge-{}">{}</span>', status, text)

    @admin.display(description="Age", ordering="-created_at")
    def age(self, order: Order) -> SafeString:
        return format_html(
            '<time datetime="{}" title="{}">{}</time>',
            order.created_at.isoformat(),
            formats.moment(order.created_at),
            formats.age(order.created_at),
        )

    @admin.display(description="Customer")
    def customer_column(self, order: Order) -> SafeString:
        if not order.customer_company:
            return format_html("{}", order.customer_name)
        return format_html(
            '{}<br><span class="quiet">{}</span>', order.customer_name, order.customer_company
        )

    @admin.display(description="Devices")
    def devices(self, order: Order) -> SafeString:
        return format_html('<span class="figure">{}</span>', formats.number(order.total_devices))

    @admin.display(description="Per month", ordering="total")
    def monthly_total(self, order: Order) -> SafeString:
        return format_html(
            '<span class="figure">{}</span>', formats.money(order.total, order.currency)
        )

    @admin.display(description="Rep")
    def rep(self, order: Order) -> str:
        return order.created_by

    def index_panel(self, request: HttpRequest) -> dict[str, Any] | None:
        """How many orders wait for review, and how long the oldest has waited."""
        if not self.has_view_permission(request):
            return None
        found = Order.objects.awaiting_review().aggregate(
            number=Count("pk"), oldest=Min("created_at")
        )
        oldest: datetime | None = found["oldest"]
        return {
            "template": "admin/orders/_waiting.html",
            "number": found["number"],
            "oldest": formats.age(oldest) if oldest else "",
        }

    # The page of one order

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"{place}{step}/",
                self.admin_site.admin_view(view),
                {"step": step},
                name=f"orders_order_{name}{step}",
            )
            for step in STEPS
            for place, name, view in (
                ("<int:pk>/", "", self.step_view),
                ("bulk/", "bulk_", self.bulk_view),
            )
        ]
        return [*own, *admin_urls(self), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The review page: all there is about the order, nothing of it editable."""
        if request.method != "GET":
            raise PermissionDenied
        order = self.get_object(request, object_id)
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        if order is None:
            # Django's own answer to a missing or foreign row, which the stubs leave out.
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        actor = actor_of(request)
        waiting = Order.objects.awaiting_review().exclude(pk=order.pk).order_by("created_at", "id")
        values = {
            **self._summary(request, order),
            "title": f"Order {order.public_id}",
            "customer_rows": review.compare_customer(order),
            "address_rows": review.compare_addresses(order),
            "extension": review.labelled(order.extension_details, order.currency),
            "upgrade": review.labelled(order.upgrade_details, order.currency),
            "custom_fields": review.custom_fields(order),
            "events": list(order.events.all()),
            "why_not_confirm": review.why_not_confirm(order, actor, portal_request(request).tenant),
            "can_cancel": review.can_cancel(order, actor),
            "next_order": waiting.first(),
        }
        return self._page(request, "review", values)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        queryset = super().get_queryset(request)
        url = request.resolver_match
        in_list = url is not None and url.url_name == "orders_order_changelist"
        if in_list:
            return queryset
        return queryset.select_related("customer").prefetch_related("items", "events")

    def _summary(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        return {
            "order": order,
            "badge": self.badge(order),
            "items": review.reviewed_items(order),
            "show_costs": (costs := portal_request(request).user.has_perm("catalog.view_costs")),
            "remarks": list(review.remarks(order)),
            "reasons": review.explain_reasons(order, with_costs=costs),
        }

    def _page(
        self, request: HttpRequest, name: str, values: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **values}
        return TemplateResponse(request, f"admin/orders/order/{name}.html", context, status=status)

    # Confirming and cancelling

    def step_view(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Asks before an order is confirmed or cancelled; the POST does it."""
        chosen = STEPS[step]
        if not portal_request(request).user.has_perm(chosen.permission):
            raise PermissionDenied
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        form = ReasonForm(request.POST or None)
        problem, status = "", 200
        if request.method == "POST":
            problem, status = self._try(request, chosen, order.public_id, form)
            if not problem and form.is_valid():
                messages.success(request, f"Order {order.public_id} is {chosen.done}.")
                return redirect("admin:orders_order_change", order.pk)
            order.refresh_from_db()
        values = {
            **self._summary(request, order),
            "title": f"{chosen.title} order {order.public_id}?",
            "step": chosen,
            "form": form,
            "problem": problem,
        }
        return self._page(request, "step", values, status)

    def _try(
        self, request: HttpRequest, step: Step, order_id: str, form: ReasonForm
    ) -> tuple[str, int]:
        """Does it to the version that was seen; what is wrong, in words, and the status."""
        if not form.is_valid():
            return "", 400
        try:
            version = int(request.POST.get("version", ""))
        except ValueError:
            return "Look at the order again first.", 400
        return self._run(request, step, order_id, version, form.text())

    def _run(
        self, request: HttpRequest, step: Step, order_id: str, version: int, reason: str
    ) -> tuple[str, int]:
        try:
            step.service(
                tenant=portal_request(request).tenant,
                actor=actor_of(request),
                order_id=order_id,
                version=version,
                reason=reason,
            )
        except DomainError as error:
            return error.details[0].message if error.details else error.message, error.status
        return "", 200

    @admin.action(description="Confirm selected orders", permissions=["confirm"])
    def confirm_selected(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponse | None:
        return self._ask_bulk(request, STEPS["confirm"], queryset)

    @admin.action(description="Cancel selected orders", permissions=["cancel"])
    def cancel_selected(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponse | None:
        return self._ask_bulk(request, STEPS["cancel"], queryset)

    def _ask_bulk(
        self,
        request: HttpRequest,
        step: Step,
        queryset: QuerySet[Order],
        form: ReasonForm | None = None,
    ) -> HttpResponse | None:
        orders = list(queryset.order_by("created_at", "id")[: BULK_LIMIT + 1])
        if len(orders) > BULK_LIMIT:
            messages.error(request, f"Select {BULK_LIMIT} orders at most.")
            return None
        values = {
            "title": f"{step.title} {_orders(len(orders))}?",
            "step": step,
            "rows": [(order, self.badge(order), formats.age(order.created_at)) for order in orders],
            "form": form or ReasonForm(),
            "total_devices": sum(order.total_devices for order in orders),
            "total": sum(order.total for order in orders),
            "currency": portal_request(request).tenant.currency,
        }
        return self._page(request, "bulk", values)

    def bulk_view(self, request: HttpRequest, step: str) -> HttpResponse:
        """Does it to each order by itself and says of each how it went."""
        chosen = STEPS[step]
        if not portal_request(request).user.has_perm(chosen.permission):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        seen = _seen(request.POST.getlist("order"))
        if request.method != "POST" or not seen or len(seen) > BULK_LIMIT:
            return redirect("admin:orders_order_changelist")
        if not form.is_valid():
            ids = [order_id for order_id, _ in seen]
            orders = self.get_queryset(request).filter(public_id__in=ids)
            return self._ask_bulk(request, chosen, orders, form) or HttpResponse(status=400)
        outcomes = [
            Outcome(order_id, self._run(request, chosen, order_id, version, form.text())[0])
            for order_id, version in seen
        ]
        done = sum(not outcome.problem for outcome in outcomes)
        values = {
            "title": f"{done} of {_orders(len(outcomes))} {chosen.done}",
            "step": chosen,
            "outcomes": outcomes,
        }
        return self._page(request, "bulk_result", values)


def _orders(number: int) -> str:
    return "1 order" if number == 1 else f"{number} orders"


def _seen(values: list[str]) -> list[tuple[str, int]]:
    """Order ids with the version that was on the page, as `ord_7K3M9QXT2B:2`."""
    pairs = (value.rpartition(":") for value in values)
    return [
        (order_id, int(version))
        for order_id, _, version in pairs
        if version.isdecimal() and len(version) <= MAX_VERSION_DIGITS
    ]


class CustomFieldForm(TenantForm[CustomField]):
    def clean_key(self) -> str:
        return str(self.require_unique("key", "There is a custom field of this name already."))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("type") == CustomField.Type.SELECT and not cleaned.get("options"):
            self.add_error("options", "Give a select at least one value.")
        return cleaned


@admin.register(CustomField)
class CustomFieldAdmin(TenantAdmin[CustomField]):
    form = CustomFieldForm
    list_display = ("label", "key", "type", "required", "position")
    list_filter = ("type", "required")
    search_fields = ("label", "key")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Orders keep the values under the key, so it stays."""
        return ("key",) if obj else ()
