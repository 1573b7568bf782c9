"""An order as the API shows it (contract: Create Order, response 201)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from orders.models import Order, OrderItem
from portal.money import round_money


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
