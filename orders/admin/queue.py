"""The list of orders: at first those that wait for review, the riskiest and oldest on top."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.admin.pages import OrderPages
from orders.loading import load_events, load_items
from orders.models import Order
from orders.preflight import warnings
from orders.reasons import Reason
from orders.search import first_found
from orders.waiting import AGES, CLEAN, Waiting, count_waiting
from portal import formats
from portal.admin_site import CappedPaginator, portal_request
from portal.models import User
from portal.paging import count_some


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
        """What narrows the queue only is left behind with it."""
        queue_only = [ReasonFilter.parameter_name, AgeFilter.parameter_name]
        for value, title in self.lookup_choices:
            remove = [] if value == self.WAITING else queue_only
            yield {
                "selected": value == self.current,
                "query_string": changelist.get_query_string({self.parameter_name: value}, remove),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.current == self.WAITING:
            return queryset.awaiting_review()
        if self.current == self.WITH_REP:
            return queryset.filter(awaiting=Order.Awaiting.REP)
        if self.current == self.ALL:
            return queryset
        return queryset.filter(status=self.current)


def in_queue(request: HttpRequest) -> bool:
    return QueueFilter.chosen(request) == QueueFilter.WAITING


def waiting(request: HttpRequest) -> Waiting:
    """How many wait, counted once for each page."""
    known: Waiting | None = getattr(request, "waiting_orders", None)
    if known is None:
        known = request.waiting_orders = count_waiting()  # type: ignore[attr-defined]
    return known


class CountedFilter(admin.SimpleListFilter):
    """Says in the queue how many orders wait for each choice; elsewhere nothing is counted."""

    template = "admin/orders/order/filter.html"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        self.request = request

    def counted(self, waiting: Waiting) -> Any:
        """The numbers, by choice."""
        raise NotImplementedError

    def choices(self, changelist: Any) -> Iterator[Any]:
        choices: Iterator[Any] = super().choices(changelist)
        yield next(choices)
        others = list(choices)
        if in_queue(self.request):
            now = waiting(self.request)
            numbers = self.counted(now)
            for (value, _), choice in zip(self.lookup_choices, others, strict=True):
                choice["number"] = now.text(numbers.get(value, 0))
                choice["is_none"] = now.is_all and not numbers.get(value, 0)
        yield from others


class ReasonFilter(CountedFilter):
    """Of the queue: by a reason to look twice, or none at all."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(CLEAN, "Clean"), *Reason.choices] if in_queue(request) else []

    def counted(self, waiting: Waiting) -> Any:
        return waiting.reasons

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        reason = self.value()
        if reason == CLEAN:
            return queryset.with_came_back().filter(risk=0, came_back=False)
        return queryset.filter(reasons__has_key=reason) if reason else queryset


class AgeFilter(CountedFilter):
    """Of the queue: by how long ago it was created."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = dict(zip(AGES, ("Over 1 hour", "Over 4 hours", "Over 1 day"), strict=True))
        return list(names.items()) if in_queue(request) else []

    def counted(self, waiting: Waiting) -> Any:
        return waiting.ages

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        age = AGES.get(self.value() or "")
        return queryset.filter(created_at__lte=timezone.now() - age) if age else queryset


class RepFilter(CountedFilter):
    """By the rep who looks after the order. In the queue, those who have something in it."""

    title = "rep"
    parameter_name = "rep"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        users = User.objects.filter(tenant=portal_request(request).tenant).order_by("email")
        known = {user.actor_ref: user.email for user in users}
        if in_queue(request):
            now = waiting(request)
            stay = {r: name for r, name in known.items() if r == self.value() or not now.is_all}
            known = {**now.reps, **stay}
        return list(known.items())

    def counted(self, waiting: Waiting) -> Any:
        return waiting.by_rep

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        ref = self.value()
        return queryset.looked_after_by(ref) if ref else queryset


class OnePage(CappedPaginator):
    """Of a search: whoever finds more types more."""

    @property
    def is_capped(self) -> bool:
        """Whether the page is full: more is not looked for."""
        return self.count == self.per_page


class OrdersOfPage(ChangeList):
    """The orders of one page."""

    def load(self) -> None:
        """With all that says what is unusual about them."""
        orders = self.result_list = list(self.result_list)
        load_events(orders)
        # Only these reasons are told with what the items say.
        load_items([order for order in orders if Reason.OTHER_PRICE in order.reasons])


class Queue(OrderPages):
    """The list: the queue, or whatever is asked for or searched."""

    list_per_page = 100
    list_display = (
        "public_id",
        "badge_column",
        "reasons_column",
        "age",
        "customer_column",
        "devices",
        "monthly_total",
        "rep",
        "order_type",
    )
    list_filter = (
        QueueFilter,
        ReasonFilter,
        AgeFilter,
        RepFilter,
        "order_type",
        "source",
        ("created_at", admin.DateFieldListFilter),
    )
    search_fields = ("search_text",)
    search_help_text = "Order id, name, e-mail, company, phone or SKU"
    sortable_by = ("age",)
    show_facets = admin.ShowFacets.NEVER

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page = super().changelist_view(request, {"title": "Orders", **(extra_context or {})})
        # An action, which has its own orders, answers with a page of its own.
        if isinstance(page, TemplateResponse) and "cl" in (shown := page.context_data or {}):
            shown["cl"].load()
        return page

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OrdersOfPage

    def get_list_display(self, request: HttpRequest) -> Any:
        """In the queue all have the same status."""
        columns = super().get_list_display(request)
        return [name for name in columns if name != "badge_column" or not in_queue(request)]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The queue by risk, then from the oldest; everything else from the newest."""
        if in_queue(request):
            return ("-risk", "created_at", "id")
        return ("-created_at", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """One page of what is found; an export has all of it."""
        if getattr(request, "lists_all", False):
            return queryset.matching(search_term), False
        tenant = portal_request(request).tenant
        return first_found(queryset, search_term, self.list_per_page, tenant=tenant), False

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any
    ) -> Any:
        paginator = OnePage if request.GET.get(SEARCH_VAR) else self.paginator
        return paginator(queryset, per_page, *args, **kwargs)

    def action_checkbox(self, order: Order) -> SafeString:
        """With the version that the list shows, which is what a bulk action is about.

        Written out: as a widget, which is a template of its own, it took a fifth of the page.
        """
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="Select'
            ' {} for an action"><input type="hidden" name="seen" value="{}:{}">',
            ACTION_CHECKBOX_NAME,
            order.pk,
            order.public_id,
            order.public_id,
            order.version,
        )

    @admin.display(description="Status")
    def badge_column(self, order: Order) -> SafeString:
        return self.badge(order)

    @admin.display(description="Reasons to look twice")
    def reasons_column(self, order: Order) -> str:
        """What costs have to do with it stands on the order's own page."""
        found = warnings(order, with_costs=False)
        values = {"order": order, "warnings": found}
        return render_to_string("admin/orders/order/_badges.html", values)

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

    @admin.display(description="Per month")
    def monthly_total(self, order: Order) -> SafeString:
        return format_html(
            '<span class="figure">{}</span>', formats.money(order.total, order.currency)
        )

    def index_panel(self, request: HttpRequest) -> dict[str, Any] | None:
        """How many orders wait for review, and how long the oldest has waited."""
        if not self.has_view_permission(request):
            return None
        waiting = Order.objects.awaiting_review()
        oldest = waiting.order_by("created_at", "pk").values_list("created_at", flat=True).first()
        return {
            "template": "admin/orders/_waiting.html",
            "number": count_some(waiting),
            "oldest": formats.age(oldest) if oldest else "",
        }
