"""Orders over the API: what changes nothing."""

from django.http import HttpResponse

from orders.api.examples import BAD_ITEM, LINES, LISTED, NEW_ORDER, NO_ORDER, ORDER, PREVIEW
from orders.api.routes import OrderId, router
from orders.finding import OrdersQuery, find_order, page_of_orders, read_orders_query
from orders.representation import (
    OrderBody,
    OrderList,
    OrderPreviewResponse,
    order_body,
    preview_body,
)
from orders.schemas import NewOrder
from orders.services import preview_order, read_new_order
from portal.api_request import ApiRequest, JsonBody, json_response
from portal.openapi import operation


@router.get(
    "/orders",
    url_name="orders",
    **operation(
        "listOrders",
        "List orders",
        query=OrdersQuery,
        query_pattern="customField_<fieldId>=<value>",
        scope="orders:read",
        without_scope="You may not see orders.",
        response=OrderList,
        example=LISTED,
    ),
)
def list_orders(request: ApiRequest) -> HttpResponse:
    """The orders that match all that is asked, exactly; a page at a time.

    `customField_<fieldId>` asks for the value of a custom field that is configured: a number as a
    number, anything else as text. Send `nextCursor` as `startAfter` for the next page, with the
    same parameters besides. To keep a copy up to date, ask with `updatedSince` and
    `sortBy=updatedAt&sortDir=asc`.
    """
    tenant, actor = request.tenant, request.actor
    query, fields = read_orders_query(tenant=tenant, request=request)
    page = page_of_orders(tenant=tenant, actor=actor, query=query, fields=fields)
    with_costs = actor.can("catalog.view_costs")
    shown = [order_body(order, with_costs=with_costs) for order in page.rows]
    return json_response(page.body("orders", shown), status=200)


@router.post(
    "/orders/preview",
    url_name="order-preview",
    **operation(
        "previewOrder",
        "Preview an order",
        body=NewOrder,
        examples=NEW_ORDER,
        scope="orders:write",
        without_scope="You may not create orders.",
        response=OrderPreviewResponse,
        example=PREVIEW,
        refusals=[BAD_ITEM, *LINES],
        ours=True,
    ),
)
def post_preview(request: ApiRequest) -> HttpResponse:
    """What creating this order would answer now, errors included. Nothing is saved.

    The order is without what only a saved one has: `orderId`, `createdAt`, `updatedAt`, and the
    `customerId` of a new customer. It needs no `Idempotency-Key`.
    """
    tenant, actor = request.tenant, request.actor
    placed = read_new_order(tenant=tenant, data=JsonBody(request).data)
    order, items = preview_order(tenant=tenant, actor=actor, new_order=placed)
    shown = preview_body(order, items, with_costs=actor.can("catalog.view_costs"))
    answer = {"success": True, "message": "Order can be created.", "order": shown}
    return json_response(answer, status=200)


@router.get(
    "/orders/{public_id:orderId}",
    url_name="order",
    **operation(
        "getOrder",
        "Get an order",
        scope="orders:read",
        without_scope="You may not see orders.",
        response=OrderBody,
        example=ORDER,
        refusals=[NO_ORDER],
    ),
)
def get_order(request: ApiRequest, order_id: OrderId) -> HttpResponse:
    """The order as it is now."""
    tenant, actor = request.tenant, request.actor
    order = find_order(tenant=tenant, actor=actor, order_id=order_id)
    shown = order_body(order, with_costs=actor.can("catalog.view_costs"))
    return json_response(shown, status=200)
