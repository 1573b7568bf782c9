"""An order as the API shows it (contract: Create Order, response 201).

The typed dicts describe it for the OpenAPI document; `order_body` makes it.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from customers.models import CustomerType
from customers.schemas import Address
from orders.models import Order, OrderItem
from orders.schemas import CustomFields, ExtensionDetails, UpgradeDetails
from portal.money import round_money

NonBlank = Annotated[str, Field(min_length=1)]
Money = Annotated[Decimal, WithJsonSchema({"type": "number", "minimum": 0})]
Unpriced = Field(json_schema_extra={"default": "unknown"})
Ids = Annotated[list[str], Field(json_schema_extra={"default": []})]
No = Annotated[bool, Field(json_schema_extra={"default": False})]


class OrderCustomer(TypedDict):
    customerId: NonBlank
    email: Annotated[str, WithJsonSchema({"type": "string", "format": "email"})]
    firstName: NonBlank
    lastName: NonBlank
    company: NotRequired[str]
    phone: NotRequired[str]
    customerType: NotRequired[
        Annotated[CustomerType, Field(json_schema_extra={"default": "individual"})]
    ]


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


class OrderBody(TypedDict):
    orderId: str
    tenantId: str
    status: Order.Status
    orderType: Order.Type
    customer: OrderCustomer
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
    createdAt: str
    updatedAt: str
    createdBy: str
    notes: NotRequired[str]
    extensionDetails: NotRequired[ExtensionDetails]
    upgradeDetails: NotRequired[UpgradeDetails]


class OrderCreateResponse(TypedDict):
    success: Annotated[Literal[True], WithJsonSchema({"type": "boolean", "enum": [True]})]
    message: str
    orderId: str
    order: OrderBody


def order_body(order: Order, *, with_costs: bool) -> dict[str, Any]:
    """The contract's order object. Expects tenant, customer and items loaded; asks for nothing.

    Amounts are exact at the currency's own decimals. What an order does not have is left out.
    Costs are for keys that may see them.
    """
    currency = order.currency
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
            **_given(company=order.customer_company, phone=order.customer_phone),
            "customerType": str(order.customer_type),
        },
        "billingAddress": order.billing_address,
        "shippingAddress": order.shipping_address,
        "items": [_item(item, currency, with_costs) for item in order.items.all()],
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
        "createdAt": _moment(order.created_at),
        "updatedAt": _moment(order.updated_at),
        "createdBy": order.created_by,
        **_given(
            notes=order.notes,
            extensionDetails=order.extension_details,
            upgradeDetails=order.upgrade_details,
        ),
    }


def _item(item: OrderItem, currency: str, with_costs: bool) -> dict[str, Any]:
    return {
        **_given(
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
    source = item.acquisition_cost_source
    return {
        **_amounts(currency, listPrice=item.list_price, acquisitionCost=item.acquisition_cost),
        "listPriceSource": str(item.list_price_source),
        "acquisitionCostSource": str(source),
        "usedListPriceAsAcquisition": source == OrderItem.CostSource.LIST_PRICE,
    }


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


def _given(**values: Any) -> dict[str, Any]:
    """Only what there is: neither None nor blank."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
