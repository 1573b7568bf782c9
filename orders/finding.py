"""Finding orders over the API: one, or a page of those that match (contract: List Orders)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from pydantic import Field, WithJsonSchema

from customers.models import Customer
from orders.custom_fields import custom_field_filter
from orders.models import Order
from portal.errors import NotFound, ValidationFailed
from portal.listing import ListQuery, Rows, sent_parameters
from portal.models import Tenant
from portal.permissions import Actor
from portal.shapes import OURS, Moment, Omissible, parse

Status = Annotated[
    Annotated[Order.Status, Field(strict=False)] | None,
    Omissible(),
    WithJsonSchema({"type": "string", "x-values": Order.Status.values}),
]


class OrdersQuery(ListQuery):
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
        Field(description="Equal values are sorted by age."),
    ] = "createdAt"
    sort_dir: Annotated[Literal["asc", "desc"], Field(description="Ascending or descending.")] = (
        "desc"
    )

    @property
    def sorted_by(self) -> str:
        """What the list is sorted by: what was changed lately by when it was, unless told."""
        told = "sort_by" in self.model_fields_set
        return self.sort_by if told or not self.updated_since else "updatedAt"


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
    sent, problems = sent_parameters(request)
    query, found = parse(OrdersQuery, sent)
    fields, wrong = custom_field_filter(tenant=tenant, sent=sent)
    if query is None or problems or wrong:
        raise ValidationFailed([*problems, *found, *wrong])
    return query, fields


def page_of_orders(*, tenant: Tenant, actor: Actor, query: OrdersQuery, fields: Q) -> Rows[Order]:
    """One page of the orders that match all that is asked, with all that is shown of them.

    Raises PermissionRefused, or ValidationFailed at `startAfter` for a cursor of another list or
    order.
    """
    actor.require("orders.view_order", "You may not see orders.")
    orders: QuerySet[Order] = Order.objects.filter(fields, tenant=tenant).to_show()
    if query.status:
        orders = orders.filter(status=query.status)
    if query.customer_id:
        # By its key, not by a join: so they come from the index in the order that is asked.
        known = Customer.objects.filter(tenant=tenant, public_id=query.customer_id)
        orders = orders.filter(customer=known.order_by().values("pk")[:1])
    if query.updated_since:
        orders = orders.filter(updated_at__gte=query.updated_since)
    by, then = _COLUMNS[query.sorted_by]
    rows = Rows(orders, query, by=by, then=then, descending=query.sort_dir == "desc")
    for order in rows.rows:
        order.tenant = tenant
    return rows


def find_order(*, tenant: Tenant, actor: Actor, order_id: str) -> Order:
    """The order of this id, with all that is shown of it. Raises PermissionRefused, NotFound."""
    actor.require("orders.view_order", "You may not see orders.")
    order = Order.objects.filter(tenant=tenant, public_id=order_id).to_show().first()
    if order is None:
        raise NotFound("There is no such order.")
    order.tenant = tenant
    return order
