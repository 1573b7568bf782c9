"""Finding orders over the API: one, or a page of those that match (contract: List Orders)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from django.db.models import Q
from django.http import HttpRequest
from pydantic import Field, WithJsonSchema

from customers.models import Customer
from orders.custom_fields import FILTER, custom_field_filter
from orders.loading import load_items
from orders.models import Order
from orders.queries import OrderQuerySet
from portal.errors import Detail, NotFound, ValidationFailed
from portal.listing import Rows, SortedQuery, sent_parameters
from portal.models import Tenant
from portal.permissions import Actor
from portal.shapes import OURS, Moment, Omissible, parse

Status = Annotated[
    Annotated[Order.Status, Field(strict=False)] | None,
    Omissible(),
    WithJsonSchema({"type": "string", "x-values": Order.Status.values}),
]


class OrdersQuery(SortedQuery):
    status: Annotated[Status, Field(description="Only orders in this state.")] = None
    customer_id: Annotated[str, Field(description="Only orders of this customer.")] = ""
    updated_since: Annotated[
        Moment | None,
        Omissible(),
        Field(
            description="Only orders that were created or changed at or after this moment, in "
            "ISO 8601 with a zone. They are sorted by `updatedAt` unless told.",
            json_schema_extra=OURS,
        ),
    ] = None
    sort_by: Annotated[
        Literal["createdAt", "updatedAt", "orderId", "status", "totals.total"],
        Field(
            description="Equal values are sorted by age. What a filter finds is sorted by "
            "`createdAt` however many there are; by `updatedAt`, if it is `status` or "
            "`updatedSince`; by `status`, if it is that; else up to 10,000 orders."
        ),
    ] = "createdAt"

    def needs_sorting(self, fields: Q) -> bool:
        """Whether no index has what is asked for in the order that is asked."""
        others = bool(self.customer_id or fields)
        match self.sorted_by:
            case "createdAt":
                # How many orders have a value of a custom field, the planner knows.
                return self.updated_since is not None
            case "updatedAt":
                return others
            case "status":
                return others or self.updated_since is not None
            case _:
                return others or bool(self.status or self.updated_since)


FEW = 10_000
"""The most orders that are sorted for a page, where no index has them as they are asked for."""

# Each of these has an index of the tenant and these columns; see Order.Meta.
_COLUMNS: Mapping[str, tuple[str, str | None]] = {
    "createdAt": ("created_at", None),
    "updatedAt": ("updated_at", None),
    "orderId": ("public_id", None),
    "status": ("status", "created_at"),
    "totals.total": ("total", None),
}


def read_orders_query(*, tenant: Tenant, request: HttpRequest) -> tuple[OrdersQuery, Q]:
    """What is asked of the list of orders, and which custom fields (`customField_<id>`).

    Raises ValidationFailed naming every parameter that is wrong.
    """
    sent, problems = sent_parameters(request, verbatim=FILTER)
    query, found = parse(OrdersQuery, sent)
    fields, wrong = custom_field_filter(tenant=tenant, sent=sent)
    if query is None or problems or wrong:
        raise ValidationFailed([*problems, *found, *wrong])
    return query, fields


def page_of_orders(*, tenant: Tenant, actor: Actor, query: OrdersQuery, fields: Q) -> Rows[Order]:
    """One page of the orders that match all that is asked, with all that is shown of them.

    Raises PermissionRefused, or ValidationFailed: at `startAfter` for a cursor of another list or
    order, at `sortBy` where so many would have to be sorted for each page.
    """
    actor.require("orders.view_order", "You may not see orders.")
    orders: OrderQuerySet = Order.objects.filter(fields, tenant=tenant)
    if query.status:
        orders = orders.filter(status=query.status)
    if query.customer_id:
        # By its key, not by a join: so they come from the index in the order that is asked.
        known = Customer.objects.filter(tenant=tenant, public_id=query.customer_id)
        orders = orders.filter(customer=known.order_by().values("pk")[:1])
    if query.updated_since:
        orders = orders.filter(updated_at__gte=query.updated_since)
    if query.needs_sorting(fields):
        orders = _few(orders, query)
    by, then = _COLUMNS[query.sorted_by]
    descending = query.sort_dir == "desc"
    rows = Rows(orders.to_show(), query, by=by, then=then, descending=descending)
    load_items(rows.rows)
    for order in rows.rows:
        order.tenant = tenant
    return rows


def _few(orders: OrderQuerySet, query: OrdersQuery) -> OrderQuerySet:
    """The same orders, found before they are sorted. Raises ValidationFailed for too many."""
    by, served = ("updated_at", "updatedAt") if query.updated_since else ("created_at", "createdAt")
    found = orders.order_by(by).values("pk")[: FEW + 1]
    if found.count() > FEW:
        message = f"More than {FEW:,} orders match: too many to sort so. Sort them by {served}."
        raise ValidationFailed([Detail("sortBy", "VALIDATION_ERROR", message)])
    return Order.objects.all().among(found)


def find_order(*, tenant: Tenant, actor: Actor, order_id: str) -> Order:
    """The order of this id, with all that is shown of it. Raises PermissionRefused, NotFound."""
    actor.require("orders.view_order", "You may not see orders.")
    orders = Order.objects.filter(tenant=tenant, public_id=order_id)
    order = orders.to_show().prefetch_related("items").first()
    if order is None:
        raise NotFound("There is no such order.")
    order.tenant = tenant
    return order
