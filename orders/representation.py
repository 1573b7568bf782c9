"""An order as the API shows it (contract: Create Order, response 201).

The typed dicts describe it for the OpenAPI document; `order_body` makes it.
"""

from collections.abc import Iterable
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from customers.models import CustomerType
from customers.schemas import Address
from orders.models import Order, OrderItem
from orders.schemas import CustomFields, ExtensionDetails, UpgradeDetails
from portal.money import round_money
from portal.shapes import OURS
from portal.shown import Count, Cursor, Success, given, moment

NonBlank = Annotated[str, Field(min_length=1)]
Money = Annotated[Decimal, WithJsonSchema({"type": "number", "minimum": 0})]
Unpriced = Field(json_schema_extra={"default": "unknown"})
Ids = Annotated[list[str], Field(json_schema_extra={"default": []})]
Ours = Annotated[str, Field(json_schema_extra=OURS)]
No = Annotated[bool, Field(json_schema_extra={"default": False})]


class _CustomerFields(TypedDict):
    email: Annotated[str, WithJsonSchema({"type": "string", "format": "email"})]
    firstName: NonBlank
    lastName: NonBlank
    company: NotRequired[str]
    phone: NotRequired[str]
    customerType: NotRequired[
        Annotated[CustomerType, Field(json_schema_extra={"default": "individual"})]
    ]


class OrderCustomer(_CustomerFields):
    """Who ordered, as they were submitted."""

    customerId: NonBlank


class OrderItemBody(TypedDict):
    """`unitPrice` is per device per month. Costs are shown to keys with `costs:read`."""

    productId: NotRequired[str]
    productImageUrl: NotRequired[
        Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
    ]
    variantId: NotRequired[str]
    sku: NonBlank
    productName: NonBlank
    quantity: Annotated[int, Field(ge=1)]
    unitPrice: Money
    contractLength: Annotated[int, WithJsonSchema({"type": "number"})]
    listPrice: NotRequired[Money]
    listPriceSource: NotRequired[Annotated[OrderItem.ListPriceSource, Unpriced]]
    acquisitionCost: NotRequired[Money]
    acquisitionCostSource: NotRequired[Annotated[OrderItem.CostSource, Unpriced]]
    listPriceOverride: NotRequired[Money]
    acquisitionCostOverride: NotRequired[Money]
    usedListPriceAsAcquisition: NotRequired[No]
    rentalIds: NotRequired[Ids]
    rentalStatus: NotRequired[
        Annotated[
            Literal["pending", "partial", "completed"],
            Field(json_schema_extra={"default": "pending"}),
        ]
    ]


class Totals(TypedDict):
    """Per month, in the tenant's currency."""

    subtotal: Money
    taxAmount: NotRequired[
        Annotated[Decimal, WithJsonSchema({"type": "number", "minimum": 0, "default": 0})]
    ]
    total: Money
    currency: Annotated[str, Field(min_length=3, max_length=3)]
    totalDevices: Annotated[int, Field(ge=1)]


class OrderPayment(TypedDict):
    status: NotRequired[Literal["pending", "paid", "failed"]]
    method: NotRequired[Literal["stripe", "manual"]]
    transactionId: NotRequired[str]
    paidAmount: NotRequired[Money]
    manuallyMarked: NotRequired[No]


class RentalProgress(TypedDict):
    totalDevices: Annotated[int, Field(ge=0)]
    rentedDevices: Annotated[int, Field(ge=0)]


class _OrderFields(TypedDict):
    """What an order says before it is saved as well as after."""

    tenantId: str
    status: Order.Status
    orderType: Order.Type
    billingAddress: Address
    shippingAddress: Address
    items: list[OrderItemBody]
    totals: Totals
    payment: NotRequired[OrderPayment]
    customFields: NotRequired[CustomFields]
    rentalProgress: RentalProgress
    rentalIds: list[str]
    billingGroupId: NotRequired[str]
    trackingNumber: NotRequired[str]
    shippedAt: NotRequired[str]
    createdBy: str
    notes: NotRequired[str]
    extensionDetails: NotRequired[ExtensionDetails]
    upgradeDetails: NotRequired[UpgradeDetails]
    version: NotRequired[
        Annotated[
            int,
            Field(ge=1, description="Every change makes the next one.", json_schema_extra=OURS),
        ]
    ]
    awaiting: NotRequired[
        Annotated[
            Order.Awaiting,
            Field(
                description="Who has to act while it is pending: `manager` to confirm it, or "
                "`rep`, since it was sent back to be corrected.",
                json_schema_extra=OURS,
            ),
        ]
    ]
    confirmedAt: NotRequired[Ours]
    cancelledAt: NotRequired[Ours]


class OrderBody(_OrderFields):
    """An order. Amounts are per month, in the tenant's currency; what it does not have is left
    out."""

    orderId: str
    customer: OrderCustomer
    createdAt: str
    updatedAt: str


class OrderPreviewCustomer(_CustomerFields):
    """Who orders; without `customerId`, a new customer."""

    customerId: NotRequired[NonBlank]


class OrderPreview(_OrderFields):
    """An order that could be created, without what only a saved one has."""

    customer: OrderPreviewCustomer


class OrderCreateResponse(TypedDict):
    success: Success
    message: str
    orderId: str
    order: OrderBody


class OrderPreviewResponse(TypedDict):
    success: Success
    message: str
    order: OrderPreview


class OrderAck(TypedDict):
    success: Success
    message: str
    orderId: str
    order: NotRequired[
        Annotated[
            OrderBody,
            Field(
                description="As it is now, for keys that may read orders.", json_schema_extra=OURS
            ),
        ]
    ]


class OrderList(TypedDict):
    """`count` is that of this page; `nextCursor` is null on the last one."""

    orders: list[OrderBody]
    count: Count
    limit: Count
    hasMore: bool
    nextCursor: Cursor


def order_body(
    order: Order, *, with_costs: bool, items: Iterable[OrderItem] | None = None
) -> dict[str, Any]:
    """The contract's order object. Expects tenant, customer and items loaded; asks for nothing.

    Amounts are exact at the currency's own decimals. What an order does not have is left out.
    Costs are for keys that may see them. `items` are those of an order that is not saved.
    """
    currency = order.currency
    items = sorted(order.items.all() if items is None else items, key=attrgetter("position"))
    return {
        "orderId": order.public_id,
        "tenantId": order.tenant.slug,
        "status": str(order.status),
        "orderType": str(order.order_type),
        "customer": {
            "customerId": order.customer.public_id,
            "email": order.customer_email,
            "firstName": order.customer_first_name,
            "lastName": order.customer_last_name,
            **given(company=order.customer_company, phone=order.customer_phone),
            "customerType": str(order.customer_type),
        },
        "billingAddress": order.billing_address,
        "shippingAddress": order.shipping_address,
        "items": [_item(item, currency, with_costs) for item in items],
        "totals": {
            "subtotal": round_money(order.subtotal, currency),
            "taxAmount": round_money(order.tax_amount, currency),
            "total": round_money(order.total, currency),
            "currency": currency,
            "totalDevices": order.total_devices,
        },
        "customFields": order.custom_fields,
        "rentalProgress": {
            "totalDevices": order.total_devices,
            "rentedDevices": order.rented_devices,
        },
        "rentalIds": [],
        "createdAt": moment(order.created_at),
        "updatedAt": moment(order.updated_at),
        "createdBy": order.created_by,
        **given(
            notes=order.notes,
            extensionDetails=order.extension_details,
            upgradeDetails=_upgrade(order),
        ),
        "version": order.version,
        **given(
            awaiting=str(order.awaiting) if order.status == Order.Status.PENDING else None,
            confirmedAt=order.confirmed_at and moment(order.confirmed_at),
            cancelledAt=order.cancelled_at and moment(order.cancelled_at),
        ),
    }


def preview_body(order: Order, items: Iterable[OrderItem], *, with_costs: bool) -> dict[str, Any]:
    """As `order_body`, of an order that is not saved: without what only a saved one has."""
    body = order_body(order, with_costs=with_costs, items=items)
    for name in ("orderId", "createdAt", "updatedAt"):
        del body[name]
    if order.customer.pk is None:
        del body["customer"]["customerId"]
    return body


def _item(item: OrderItem, currency: str, with_costs: bool) -> dict[str, Any]:
    return {
        **given(
            productId=item.product_public_id,
            productImageUrl=item.image_url,
            variantId=item.variant_public_id,
        ),
        "sku": item.sku,
        "productName": item.product_name,
        "quantity": item.quantity,
        "unitPrice": round_money(item.unit_price, currency),
        "contractLength": item.contract_length,
        **(_costs(item, currency) if with_costs else {}),
        "rentalIds": [],
        "rentalStatus": _rental_status(item),
    }


def _costs(item: OrderItem, currency: str) -> dict[str, Any]:
    list_source, source = item.list_price_source, item.acquisition_cost_source
    decided: dict[str, Decimal | None] = {}
    if list_source == OrderItem.ListPriceSource.MANUAL:
        decided["listPriceOverride"] = item.list_price
    if source == OrderItem.CostSource.MANUAL:
        decided["acquisitionCostOverride"] = item.acquisition_cost
    return {
        **_amounts(currency, listPrice=item.list_price, acquisitionCost=item.acquisition_cost),
        "listPriceSource": str(list_source),
        "acquisitionCostSource": str(source),
        **_amounts(currency, **decided),
        "usedListPriceAsAcquisition": source == OrderItem.CostSource.LIST_PRICE,
    }


def _upgrade(order: Order) -> dict[str, Any] | None:
    """With its amount at the currency's own decimals; it is kept as it was sent."""
    details = order.upgrade_details
    if not details:
        return None
    amount = Decimal(details["previousMonthlyAmount"])
    return {**details, **_amounts(order.currency, previousMonthlyAmount=amount)}


def _amounts(currency: str, **amounts: Decimal | None) -> dict[str, Decimal]:
    return {
        name: round_money(amount, currency)
        for name, amount in amounts.items()
        if amount is not None
    }


def _rental_status(item: OrderItem) -> str:
    if item.rented_devices == 0:
        return "pending"
    return "completed" if item.rented_devices == item.quantity else "partial"
