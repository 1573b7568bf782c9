"""What a reviewer has to see of an order: what differs, what is unusual, what it earns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from orders.models import CustomField, Order, OrderItem
from portal.exact_json import dumps
from portal.formats import money
from portal.permissions import Actor

REPEATED_WITHIN = timedelta(hours=24)

_ADDRESS_LABELS = {
    "contactName": "Contact name",
    "company": "Company",
    "buildingInfo": "Building",
    "streetAddress": "Street address",
    "locality": "Locality",
    "postalCode": "Postal code",
    "city": "City",
    "adminArea": "State or province",
    "country": "Country",
}
_DETAIL_LABELS = {
    "originalOrderId": "Original order",
    "extensionMonths": "Months more",
    "previousEndDate": "Previous end",
    "newEndDate": "New end",
    "reason": "Reason",
    "previousDevice": "Previous device",
    "previousSerialNumber": "Previous serial number",
    "previousMonthlyAmount": "Previous monthly amount",
    "previousRentalId": "Previous rental",
    "upgradeReason": "Reason",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """The same thing in two places, and whether they differ."""

    label: str
    left: str
    right: str
    differs: bool


@dataclass(frozen=True, slots=True)
class ReviewedItem:
    """A line with what it earns. `breakeven` is the month in which the rent has paid the cost."""

    item: OrderItem
    margin: Decimal | None
    breakeven: int | None

    @property
    def margin_level(self) -> str:
        if self.margin is None:
            return ""
        return "bad" if self.margin < 0 else "low" if self.margin < 15 else "good"

    @property
    def never_pays(self) -> bool:
        return self.breakeven is not None and self.breakeven > self.item.contract_length


def compare_customer(order: Order) -> list[Compared]:
    """What was submitted with the order, beside the customer's record as it is now."""
    record = order.customer
    rows = [
        ("First name", order.customer_first_name, record.first_name),
        ("Last name", order.customer_last_name, record.last_name),
        ("Company", order.customer_company, record.company),
        ("Phone", order.customer_phone, record.phone),
        ("Type", order.get_customer_type_display(), record.get_customer_type_display()),
    ]
    same_email = order.customer_email.strip().lower() == record.email_key
    return [
        Compared("E-mail", order.customer_email, record.email, differs=not same_email),
        *(Compared(label, here, there, differs=here != there) for label, here, there in rows),
    ]


def compare_addresses(order: Order) -> list[Compared]:
    """Billing beside shipping, in the order in which an address is written."""
    billing, shipping = order.billing_address, order.shipping_address
    return [
        Compared(
            label,
            billing.get(key) or "",
            shipping.get(key) or "",
            differs=(billing.get(key) or "") != (shipping.get(key) or ""),
        )
        for key, label in _ADDRESS_LABELS.items()
        if billing.get(key) or shipping.get(key)
    ]


def labelled(details: Mapping[str, Any] | None, currency: str) -> list[tuple[str, Any]]:
    """Extension or upgrade details with words instead of the contract's field names."""
    sent = dict(details or {})
    if "previousMonthlyAmount" in sent:
        sent["previousMonthlyAmount"] = money(sent["previousMonthlyAmount"], currency)
    return [(label, sent[key]) for key, label in _DETAIL_LABELS.items() if key in sent]


def custom_fields(order: Order) -> list[tuple[str, str]]:
    """The custom fields under the tenant's labels; those not configured under their names."""
    sent = order.custom_fields or {}
    labels = dict(CustomField.objects.values_list("key", "label")) if sent else {}
    return [
        (labels.get(key, key), value if isinstance(value, str) else dumps(value))
        for key, value in sent.items()
    ]


def reviewed_items(order: Order) -> list[ReviewedItem]:
    return [_reviewed(item) for item in order.items.all()]


def _reviewed(item: OrderItem) -> ReviewedItem:
    cost, retail = item.acquisition_cost, item.list_price
    own_cost = item.acquisition_cost_source != OrderItem.CostSource.LIST_PRICE
    margin = None
    if cost is not None and retail and own_cost:
        margin = ((retail - cost) / retail * 100).quantize(Decimal(1))
    breakeven = None
    if cost is not None and item.unit_price:
        breakeven = int((cost / item.unit_price).to_integral_value(ROUND_CEILING))
    return ReviewedItem(item, margin, breakeven)


def repeated_orders(order: Order) -> list[Order]:
    """Other orders of the customer that look the same, placed within a day of this one."""
    near = Order.objects.filter(
        customer=order.customer_id,
        created_at__gte=order.created_at - REPEATED_WITHIN,
        created_at__lte=order.created_at + REPEATED_WITHIN,
        total_devices=order.total_devices,
        subtotal=order.subtotal,
    )
    return list(near.exclude(status=Order.Status.CANCELLED).exclude(pk=order.pk)[:5])


def remarks(order: Order) -> Iterator[str]:
    """What is unusual about the order, in words."""
    if order.extension_details and order.order_type != Order.Type.EXTENSION:
        yield f"It has extension details, but its type is “{order.get_order_type_display()}”."
    if order.upgrade_details and order.order_type != Order.Type.UPGRADE:
        yield f"It has upgrade details, but its type is “{order.get_order_type_display()}”."
    if order.order_type == Order.Type.EXTENSION and not order.extension_details:
        yield "It is an extension, but does not say of which rental."
    if order.order_type == Order.Type.UPGRADE and not order.upgrade_details:
        yield "It is an upgrade, but does not say of which device."
    if order.customer.status != order.customer.Status.ACTIVE:
        yield "The customer has become inactive since."
    yield from _agreed_prices(order)


def _agreed_prices(order: Order) -> Iterator[str]:
    """Of each line that is not at the catalogue's price: both, and who said it to the customer."""
    said = {
        line["position"]: event.actor
        for event in order.events.all()
        if order.source == Order.Source.PORTAL
        for line in event.data.get("agreedPrices", ())
    }
    for item in order.items.all():
        if item.has_agreed_price and item.catalogue_price is not None:
            agreed, catalogue = (
                money(price, order.currency) for price in (item.unit_price, item.catalogue_price)
            )
            who = f", said on the phone by {said[item.position]}" if item.position in said else ""
            yield (
                f"{item.product_name} is at {agreed} a month each{who}; "
                f"the catalogue had {catalogue}."
            )


def why_not_confirm(order: Order, actor: Actor) -> str | None:
    """Why this actor cannot confirm the order now, in words; None if they can."""
    if not actor.can("orders.confirm_order"):
        return "You may not confirm orders."
    if order.status != Order.Status.PENDING:
        return f"It is {order.get_status_display().lower()}."
    if order.awaiting != Order.Awaiting.MANAGER:
        return "It is back with its rep and returns to the queue when they submit it again."
    if order.created_by_ref == actor.ref and not actor.can("orders.confirm_own_order"):
        return "You created this order; somebody else has to confirm it."
    return None


def can_cancel(order: Order, actor: Actor) -> bool:
    return actor.can("orders.cancel_order") and order.status in (
        Order.Status.PENDING,
        Order.Status.CONFIRMED,
    )
