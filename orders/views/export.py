"""The orders of a filtered list as a file, from the portal's list and from the admin's.

Asking for it (POST) leads to a page that starts the download and says how far it is. The same
page serves both lists; each has its own address for the file, since its filters are its own.
"""

from typing import cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from orders import export as exports
from orders.filters import OrderFilter
from orders.models import Export, Order
from orders.queries import OrderQuerySet
from portal.admin_site import portal_request
from portal.errors import Conflict, NotFound
from portal.permissions import Actor
from portal.tenancy import PortalRequest

LISTS = {Export.Door.PORTAL: "order_list", Export.Door.ADMIN: "admin:orders_order_changelist"}
STARTS = {Export.Door.PORTAL: "order_export", Export.Door.ADMIN: "admin:orders_order_export"}
FILES = {Export.Door.PORTAL: "order_export_file", Export.Door.ADMIN: "admin:orders_order_file"}


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def start(request: PortalRequest) -> HttpResponse:
    return _start(request, Export.Door.PORTAL, _listed(request, request.GET))


@never_cache
@require_safe
@permission_required("orders.view_order", raise_exception=True)
def page(request: PortalRequest, export_id: str) -> HttpResponse:
    """How far the download is; asked by htmx, that alone. The page itself starts it."""
    export = _find(request, export_id)
    door = Export.Door(export.door)
    query = f"?{export.query}" if export.query else ""
    context = {
        "export": export,
        "is_silent": export.updated_at < timezone.now() - exports.SILENCE,
        "file": reverse(FILES[door], args=[export.public_id]),
        "file_name": exports.file_name(request.tenant),
        "list": reverse(LISTS[door]) + query,
        "again": reverse(STARTS[door]) + query,
    }
    template = "orders/_export.html" if request.htmx else "orders/export.html"
    return render(request, template, context)


@never_cache
@require_GET
@permission_required("orders.view_order", raise_exception=True)
def file(request: PortalRequest, export_id: str) -> HttpResponseBase:
    export = _find(request, export_id, Export.Door.PORTAL)
    return _file(request, export, _listed(request, QueryDict(export.query)))


def admin_urls(orders: "ModelAdmin[Order]") -> list[URLPattern]:
    """The same for the admin's list of orders, which its `get_urls` adds to its own."""

    def start(request: HttpRequest) -> HttpResponse:
        return _start_in_admin(portal_request(request), orders)

    def file(request: HttpRequest, export_id: str) -> HttpResponseBase:
        return _file_in_admin(portal_request(request), export_id, orders)

    view = orders.admin_site.admin_view
    return [
        path("export/", view(require_POST(start)), name="orders_order_export"),
        path("export/<public_id:export_id>/", view(require_GET(file)), name="orders_order_file"),
    ]


def _start_in_admin(request: PortalRequest, orders: "ModelAdmin[Order]") -> HttpResponse:
    try:
        listed = _listed_in_admin(request, request.GET, orders)
    except IncorrectLookupParameters:
        messages.error(request, "One of the filters is not known. Nothing was exported.")
        return redirect(LISTS[Export.Door.ADMIN])
    return _start(request, Export.Door.ADMIN, listed)


def _file_in_admin(
    request: PortalRequest, export_id: str, orders: "ModelAdmin[Order]"
) -> HttpResponseBase:
    export = _find(request, export_id, Export.Door.ADMIN)
    return _file(request, export, _listed_in_admin(request, QueryDict(export.query), orders))


def _listed(request: PortalRequest, filters: QueryDict) -> OrderQuerySet:
    return OrderFilter(filters).narrow(
        Order.objects.all(), tenant=request.tenant, user=request.user
    )


def _listed_in_admin(
    request: PortalRequest, filters: QueryDict, orders: "ModelAdmin[Order]"
) -> OrderQuerySet:
    """What the admin's list shows for these filters, on all of its pages."""
    if not orders.has_view_permission(request):
        raise PermissionDenied
    asked = filters.copy()
    asked.pop(PAGE_VAR, None)
    request.GET = asked  # type: ignore[assignment]  # which is where the admin reads them
    request.lists_all = True  # type: ignore[attr-defined]  # and not the first page of a search
    return cast(OrderQuerySet, orders.get_changelist_instance(request).get_queryset(request))


def _start(request: PortalRequest, door: Export.Door, orders: OrderQuerySet) -> HttpResponse:
    try:
        export = exports.start_export(
            tenant=request.tenant,
            actor=Actor.from_user(request.user),
            door=door,
            query=request.GET.urlencode(),
            orders=orders,
        )
    except Conflict as error:
        messages.error(request, error.message)
        return redirect(f"{reverse(LISTS[door])}?{request.GET.urlencode()}")
    return redirect("order_export_page", export.public_id)


def _find(request: PortalRequest, export_id: str, door: Export.Door | None = None) -> Export:
    try:
        export = exports.find_export(actor=Actor.from_user(request.user), export_id=export_id)
    except NotFound as error:
        raise Http404(error.message) from error
    if door not in (None, export.door):
        raise Http404("This export is of the other list.")
    return export


def _file(request: PortalRequest, export: Export, orders: OrderQuerySet) -> HttpResponseBase:
    with_costs = request.user.has_perm("catalog.view_costs")
    sheet = exports.Sheet(request.tenant.zone, with_costs)
    try:
        chunks = exports.download(export=export, sheet=sheet, orders=orders)
    except Conflict as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")
    name = exports.file_name(request.tenant)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        # A proxy that collected the file first would be told, and tell, of another progress.
        "X-Accel-Buffering": "no",
    }
    return StreamingHttpResponse(chunks, content_type="text/csv; charset=utf-8", headers=headers)
