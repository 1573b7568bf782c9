"""Builds the rows of an order, unsaved, the same whether it is created now, imported or shown.

Pure functions: `orders.services` and `orders.bulk` save what they return.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from catalog.models import Variant
from catalog.pricing import PricedLine, Totals
from customers.models import Customer
from customers.services import Caller
from orders.historic import HistoricItem
from orders.models import Order, OrderEvent, OrderItem
from orders.schemas import NewOrder
from portal.models import Tenant
from portal.permissions import Actor


def build_caller(new_order: NewOrder) -> Caller:
    """Who orders and to where; without a shipping address, to the billing address."""
    billing = new_order.billing_address.stored()
    shipping = new_order.shipping_address
    given = new_order.customer
    return Caller(
        email=given.email,
        first_name=given.first_name,
        last_name=given.last_name,
        company=given.company,
        phone=given.phone,
        customer_type=given.customer_type,
        billing_address=billing,
        shipping_address=shipping.stored() if shipping else billing,
    )


def build_order(
    *,
    tenant: Tenant,
    actor: Actor,
    new_order: NewOrder,
    totals: Totals,
    customer: Customer,
    caller: Caller,
    source: Order.Source,
    at: datetime,
) -> Order:
    """A pending order, created by the actor at that moment, with its own copy of everything."""
    extension, upgrade = new_order.extension_details, new_order.upgrade_details
    return Order(
        tenant=tenant,
        order_type=new_order.order_type,
        source=source,
        customer=customer,
        customer_email=caller.email,
        customer_first_name=caller.first_name,
        customer_last_name=caller.last_name,
        customer_company=caller.company,
        customer_phone=caller.phone,
        customer_type=caller.customer_type,
        billing_address=caller.billing_address,
        shipping_address=caller.shipping_address,
        currency=totals.currency,
        vat_rate=totals.vat_rate,
        prices_include_vat=totals.prices_include_vat,
        subtotal=totals.subtotal,
        tax_amount=totals.tax_amount,
        total=totals.total,
        contract_value=totals.contract_value,
        total_devices=totals.total_devices,
        custom_fields=new_order.custom_fields,
        notes=new_order.notes,
        extension_details=extension and extension.stored(),
        upgrade_details=upgrade and upgrade.stored(),
        created_at=at,
        updated_at=at,
        created_by_ref=actor.ref,
        created_by=actor.label,
        rep_ref=actor.ref,
        rep=actor.label,
    )


def kept_line(item: OrderItem) -> PricedLine:
    """The line as the order has it, to be priced as it is."""
    catalogue = item.catalogue_price
    return PricedLine(
        position=item.position,
        variant_pk=item.variant_id,
        variant_public_id=item.variant_public_id,
        product_public_id=item.product_public_id,
        sku=item.sku,
        product_name=item.product_name,
        variant_name=item.variant_name,
        image_url=item.image_url,
        quantity=item.quantity,
        contract_length=item.contract_length,
        unit_price=item.unit_price,
        catalogue_price=item.unit_price if catalogue is None else catalogue,
        prices={},
        list_price=item.list_price,
        acquisition_cost=item.acquisition_cost,
    )


def build_item(order: Order, line: PricedLine) -> OrderItem:
    """A line of the order, with names, prices and costs as they are in the catalogue now."""
    cost, cost_source = line.acquisition_cost, OrderItem.CostSource.VARIANT
    if cost is None:
        cost, cost_source = line.list_price, OrderItem.CostSource.LIST_PRICE
    if cost is None:
        cost_source = OrderItem.CostSource.UNKNOWN
    known = line.list_price is not None
    return OrderItem(
        tenant=order.tenant,
        order=order,
        position=line.position,
        variant_id=line.variant_pk,
        product_public_id=line.product_public_id,
        variant_public_id=line.variant_public_id,
        sku=line.sku,
        product_name=line.product_name,
        variant_name=line.variant_name,
        image_url=line.image_url,
        quantity=line.quantity,
        contract_length=line.contract_length,
        unit_price=line.unit_price,
        catalogue_price=line.catalogue_price,
        list_price=line.list_price,
        list_price_source=OrderItem.ListPriceSource.VARIANT
        if known
        else OrderItem.ListPriceSource.UNKNOWN,
        acquisition_cost=cost,
        acquisition_cost_source=cost_source,
        priced_at=order.created_at,
    )


def by_variant(items: Iterable[OrderItem]) -> list[OrderItem]:
    """The items in the order in which their new rows lock the variants.

    By key, as whoever discontinues a product does: they never wait for each other in a circle.
    """
    return sorted(items, key=lambda item: item.variant_id or 0)


def build_historic_item(
    order: Order, position: int, line: HistoricItem, variant: Variant | None
) -> OrderItem:
    """A line as it was ordered. `variant` is what its SKU names today, if anything: it is linked,
    but what the line leaves out is not made up, nor what the catalogue asked for it then.
    """
    list_price, list_price_source = line.listed()
    cost, cost_source = line.cost()
    return OrderItem(
        tenant=order.tenant,
        order=order,
        position=position,
        variant=variant,
        product_public_id=line.product_id,
        variant_public_id=line.variant_id,
        sku=line.sku,
        product_name=line.product_name,
        variant_name=variant.name if variant else "",
        image_url=line.product_image_url,
        quantity=line.quantity,
        contract_length=line.contract_length,
        unit_price=line.unit_price,
        list_price=list_price,
        list_price_source=list_price_source,
        acquisition_cost=cost,
        acquisition_cost_source=cost_source,
        priced_at=order.created_at,
    )


def build_first_events(
    order: Order,
    items: Sequence[OrderItem],
    actor: Actor,
    read_back: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
) -> list[OrderEvent]:
    """That the order was created, with its lines at an agreed price and what the catalogue said.

    Before it, if anything was read back to the customer, the sentences that were read. `data` is
    what else to keep with it.
    """
    data = {"total": order.total, **(data or {})}
    agreed = [
        {
            "position": item.position,
            "sku": item.sku,
            "said": item.unit_price,
            "catalogue": item.catalogue_price,
        }
        for item in items
        if item.has_agreed_price
    ]
    if agreed:
        data["agreedPrices"] = agreed
    created = build_event(order, OrderEvent.Kind.CREATED, actor, data=data)
    if not read_back:
        return [created]
    read = build_event(order, OrderEvent.Kind.READ_BACK, actor, data={"sentences": list(read_back)})
    return [read, created]


def build_event(
    order: Order,
    kind: OrderEvent.Kind,
    actor: Actor,
    *,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> OrderEvent:
    """What the actor did to the order just now, at its present version."""
    return OrderEvent(
        tenant=order.tenant,
        order=order,
        kind=kind,
        version=order.version,
        at=order.updated_at,
        actor_ref=actor.ref,
        actor=actor.label,
        reason=reason,
        data=data or {},
    )
