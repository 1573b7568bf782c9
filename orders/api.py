"""Orders over the API."""

from typing import Any

from django.http import HttpResponse
from ninja import Router

from orders.models import Order
from orders.representation import OrderCreateResponse, order_body
from orders.schemas import NewOrder
from orders.services import create_order, read_new_order
from portal.api_request import ApiRequest, JsonBody, json_response
from portal.idempotency import run_once
from portal.openapi import operation

_ADDRESS = {
    "contactName": "Noor el Idrissi",
    "streetAddress": "Coolsingel 93",
    "city": "Rotterdam",
    "country": "Netherlands",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "smallest": {
        "customer": {
            "email": "noor@stadsmakers.example",
            "firstName": "Noor",
            "lastName": "el Idrissi",
        },
        "billingAddress": _ADDRESS,
        "items": [{"sku": "MACBOOK-PRO-16-M3", "quantity": 1}],
    },
    "business": {
        "orderType": "standard",
        "customer": {
            "email": "inkoop@stadsmakers.example",
            "firstName": "Noor",
            "lastName": "el Idrissi",
            "company": "Stadsmakers BV",
            "phone": "+31 10 123 4567",
            "customerType": "business",
        },
        "billingAddress": {**_ADDRESS, "company": "Stadsmakers BV", "postalCode": "3011 AA"},
        "shippingAddress": {
            **_ADDRESS,
            "streetAddress": "Weena 505",
            "buildingInfo": "Floor 12",
            "postalCode": "3013 AL",
        },
        "items": [
            {"sku": "MACBOOK-PRO-16-M3", "quantity": 4, "contractLength": 36},
            {"sku": "DELL-U2722D-MONITOR", "quantity": 4, "contractLength": 36},
            {"sku": "IPAD-PRO-12-M2", "quantity": 1, "contractLength": 12},
        ],
        "customFields": {"purchaseOrderNumber": "PO-4711"},
        "notes": "Please call before delivery.",
    },
}

router = Router(tags=["Orders"])


@router.post(
    "/orders",
    url_name="orders",
    **operation(
        "createOrder",
        "Create an order",
        body=NewOrder,
        examples=EXAMPLES,
        status=201,
        response=OrderCreateResponse,
        refusals={400: "`VARIANT_NOT_FOUND`, `VARIANT_INACTIVE`, `INVALID_CONTRACT_LENGTH`."},
        keyed=True,
    ),
)
def post_order(request: ApiRequest) -> HttpResponse:
    """Creates a pending order at today's catalogue prices.

    The customer is found by e-mail, in whatever case, or created. Without a shipping address the
    devices go to the billing address. Without a contract length the tenant's default applies.
    Codes of a refused line: `VARIANT_NOT_FOUND`, `VARIANT_INACTIVE`, `INVALID_CONTRACT_LENGTH`.
    """
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
