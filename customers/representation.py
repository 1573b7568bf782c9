"""A customer as the API shows them (contract: Get Customer, response 200).

The typed dicts describe it for the OpenAPI document; `customer_body` makes it.
"""

from typing import Annotated, Any, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from customers.metrics import MOST_ORDER_IDS, Metrics
from customers.models import Customer, CustomerType
from customers.schemas import Address
from portal.models import Tenant
from portal.money import round_money
from portal.shown import Count, Cursor, Number, Success, given, moment

Moment = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "x-additive": ["type", "format"]})
]


class CustomerBody(TypedDict):
    """Who orders, and what their orders add up to. What is not known is left out.

    Subscriptions, assets and payments are not kept: `rentalIds` is empty, and what was collected,
    what the devices cost and the margin are not known.
    """

    customerId: str
    tenantId: str
    email: str
    firstName: str
    lastName: str
    company: NotRequired[str]
    phone: NotRequired[str]
    customerType: CustomerType
    customFields: NotRequired[
        Annotated[dict[str, Any], WithJsonSchema({"type": "object", "additionalProperties": {}})]
    ]
    totalOrders: Annotated[Count, Field(description="Of all orders, in whatever state.")]
    totalDevicesRented: Annotated[Count, Field(description="Devices that are rented now.")]
    totalMonthlyRevenue: Annotated[
        Number, Field(description="Unit price × rented devices, per month.")
    ]
    status: Customer.Status
    orderIds: Annotated[
        list[str],
        Field(
            description=f"The newest {MOST_ORDER_IDS:,}; `GET /v1/orders?customerId=` has all.",
            json_schema_extra={"maxItems": MOST_ORDER_IDS, "x-additive": ["maxItems"]},
        ),
    ]
    rentalIds: list[str]
    lastBillingAddress: NotRequired[Address]
    lastShippingAddress: NotRequired[Address]
    createdAt: NotRequired[Moment]
    updatedAt: NotRequired[
        Annotated[Moment, Field(description="When the record changed, or they ordered, last.")]
    ]
    createdBy: str
    lifetimeCollected: NotRequired[Number]
    totalAcquisitionCost: NotRequired[Number]
    customerMargin: NotRequired[Number]
    customerMarginPercent: NotRequired[Number]
    subscriptionsTracked: NotRequired[Count]


class CustomerList(TypedDict):
    """`count` is that of this page; `nextCursor` is null on the last one."""

    customers: list[CustomerBody]
    count: Count
    limit: Count
    hasMore: bool
    nextCursor: Cursor


class CustomerUpdateResponse(TypedDict):
    success: Success
    message: str
    customerId: str
    customer: CustomerBody


class CustomerAck(TypedDict):
    success: Success
    message: str
    customerId: str


def customer_body(customer: Customer, metrics: Metrics, *, tenant: Tenant) -> dict[str, Any]:
    """The contract's customer object. Asks for nothing.

    Amounts are exact at the currency's own decimals. What is not there is left out.
    """
    return {
        "customerId": customer.public_id,
        "tenantId": tenant.slug,
        "email": customer.email,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        **given(company=customer.company, phone=customer.phone),
        "customerType": str(customer.customer_type),
        "totalOrders": metrics.total_orders,
        "totalDevicesRented": metrics.devices_rented,
        "totalMonthlyRevenue": round_money(metrics.monthly_revenue, tenant.currency),
        "status": str(customer.status),
        "orderIds": metrics.order_ids,
        "rentalIds": [],
        **given(
            lastBillingAddress=customer.last_billing_address,
            lastShippingAddress=customer.last_shipping_address,
        ),
        "createdAt": moment(customer.created_at),
        "updatedAt": moment(customer.updated_at),
        "createdBy": customer.created_by,
    }
