"""What all pages about orders share: who may open them, and how they are shown."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.models import Order
from portal.admin_site import TenantAdmin, portal_request


class OrderPages(TenantAdmin[Order]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("customer")

    def badge(self, order: Order) -> SafeString:
        """The order's status, to be seen from afar."""
        status, text = order.status, order.get_status_display()
        if order.awaiting == Order.Awaiting.REP:
            status, text = "rep", "Back with the rep"
        return format_html('<span class="badge badge-{}">{}</span>', status, text)

    def page(
        self, request: HttpRequest, name: str, values: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **values}
        return TemplateResponse(request, f"admin/orders/order/{name}.html", context, status=status)


def sees_costs(request: HttpRequest) -> bool:
    return portal_request(request).user.has_perm("catalog.view_costs")
