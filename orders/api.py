"""Orders over the API."""

from django.http import HttpResponse
from ninja import Router

from orders.models import Order
from orders.representation import order_body
from orders.services import create_order, read_new_order
from portal.api_request import ApiRequest, JsonBody, json_response
from portal.idempotency import run_once

router = Router(tags=["Orders"])


@router.post("/orders", operation_id="createOrder", summary="Create an order", url_name="orders")
def post_order(request: ApiRequest) -> HttpResponse:
    body, tenant, actor = JsonBody(request), request.tenant, request.actor

    def work() -> HttpResponse:
        placed = read_new_order(tenant=tenant, data=body.data)
        source = Order.Source.API
        order = create_order(tenant=tenant, actor=actor, new_order=placed, source=source)
        return _created(order, with_costs=actor.can("catalog.view_costs"))

    return run_once(request=request, fingerprint=body.fingerprint, work=work)


def _created(order: Order, *, with_costs: bool) -> HttpResponse:
    answer = {
        "success": True,
        "message": "Order created.",
        "orderId": order.public_id,
        "order": order_body(order, with_costs=with_costs),
    }
    return json_response(answer, status=201)
