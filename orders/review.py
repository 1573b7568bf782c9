"""What a reviewer has to see of an order: what differs, what is unusual, what it earns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from orders import rules
from orders.card import RECORD_LABELS
from orders.letters import one_line
from orders.models import CustomField, Order, OrderItem
from orders.reasons import Reason
from portal.exact_json import dumps
from portal.formats import money, number
from portal.models import Tenant
from portal.permissions import Actor

ADDRESS_LABELS = {
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
DETAIL_LABELS = {
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
    def whole_margin(self) -> Decimal | None:
        """Percent, as it is shown."""
        return self.margin and self.margin.quantize(Decimal(1), ROUND_HALF_UP)

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
        for key, label in ADDRESS_LABELS.items()
        if billing.get(key) or shipping.get(key)
    ]


def labelled(details: Mapping[str, Any] | None, currency: str) -> list[tuple[str, Any]]:
    """Extension or upgrade details with words instead of the contract's field names."""
    sent = dict(details or {})
    if "previousMonthlyAmount" in sent:
        sent["previousMonthlyAmount"] = money(sent["previousMonthlyAmount"], currency)
    return [(label, sent[key]) for key, label in DETAIL_LABELS.items() if key in sent]


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
        margin = (retail - cost) / retail * 100
    breakeven = None
    if cost is not None and item.unit_price:
        breakeven = int((cost / item.unit_price).to_integral_value(ROUND_CEILING))
    return ReviewedItem(item, margin, breakeven)


@dataclass(frozen=True, slots=True)
class Explained:
    """A reason to look twice, in words.

    What shows it: `orders` are the ids of earlier ones, `lines` positions of its own items,
    `customer` whether it is the customer's record.
    """

    code: str
    label: str
    texts: Sequence[str]
    orders: Sequence[str] = ()
    lines: Sequence[int] = ()
    customer: bool = False


def explain_reasons(order: Order, *, with_costs: bool) -> list[Explained]:
    """The reasons stored with the order, the weightiest first; list prices as costs are shown."""
    return [
        _explain(order, Reason(code), order.reasons[code], with_costs)
        for code in Reason.values
        if code in order.reasons
    ]


def _explain(order: Order, reason: Reason, evidence: Any, with_costs: bool) -> Explained:
    orders = [evidence["order"]] if "order" in evidence else []
    match reason:
        case Reason.FIRST_ORDER:
            texts = ["They never ordered before."]
        case Reason.NEW_ADDRESS:
            last = one_line(evidence["last"])
            texts = [f"Nothing was ever sent there. Their last order went to {last}."]
        case Reason.UNUSUAL_QUANTITY:
            texts = _quantities(evidence)
        case Reason.REPEATED:
            texts = ["Ordered with the same SKUs within the last seven days."]
        case Reason.REPEATED_PO:
            texts = [f"{evidence['number']} stood on an earlier order."]
        case Reason.OTHER_PRICE:
            texts = list(_other_prices(order, evidence["lines"]))
        case Reason.LOW_PRICE:
            texts = [_low_price(order, evidence, line, with_costs) for line in evidence["lines"]]
        case Reason.UNKNOWN_ORIGINAL:
            texts = [_original(order, evidence["original"])]
        case Reason.DATES_CONTRADICT:
            months, first, last = (evidence[key] for key in ("months", "from", "to"))
            texts = [f"{months} months from {first} do not end on {last}."]
        case Reason.OTHER_DETAILS:
            kind, sent = order.get_order_type_display(), " and ".join(evidence["types"])
            texts = [f"It has {sent} details, but its type is “{kind}”."]
        case Reason.DIFFERS:
            texts = [
                f"{RECORD_LABELS[name]}: submitted “{ours}”, the record says “{theirs}”."
                for name, (ours, theirs) in evidence.items()
            ]
    return Explained(
        str(reason),
        str(reason.label),
        texts,
        orders=orders,
        lines=[line["position"] for line in evidence.get("lines", ())],
        customer=reason in _ABOUT_CUSTOMER,
    )


_ABOUT_CUSTOMER = {Reason.FIRST_ORDER, Reason.NEW_ADDRESS, Reason.DIFFERS}


def _quantities(evidence: Mapping[str, Any]) -> list[str]:
    largest = evidence["largest"]
    usual = (
        f"without earlier orders, {number(evidence['usual'])} are usual at most"
        if largest is None
        else f"the most they ever ordered of one device is {number(largest)}"
    )
    lines = evidence["lines"]
    return [f"{number(line['quantity'])} × {line['name']}; {usual}." for line in lines]


def _other_prices(order: Order, lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Of each line that is not at the catalogue's price: both, and who decided or said it."""
    said = {
        (line["position"], line["sku"], line["said"]): event.actor
        for event in order.events.all()
        if order.source == Order.Source.PORTAL
        for line in event.data.get("agreedPrices", ())
    }
    items = {item.position: item for item in order.items.all()}
    for line in lines:
        agreed, catalogue = (money(line[key], order.currency) for key in ("price", "catalogue"))
        item, why = items.get(line["position"]), ""
        # A decision about the line may be one about its costs.
        if by := said.get((line["position"], line["sku"], line["price"])):
            why = f", said on the phone by {by}"
        elif item and item.overridden_by:
            why = f", decided by {item.overridden_by} ({item.override_reason})"
        yield f"{line['name']} is at {agreed} a month each{why}; the catalogue had {catalogue}."


def _low_price(
    order: Order, evidence: Mapping[str, Any], line: Mapping[str, Any], with_costs: bool
) -> str:
    price = money(line["price"], order.currency)
    share = number(Decimal(evidence["share"]).normalize())
    of_what = f" of {money(line['listPrice'], order.currency)}" if with_costs else ""
    return f"{line['name']} at {price} a month is under {share} % of the list price{of_what}."


def _original(order: Order, original: str) -> str:
    if order.order_type == Order.Type.UPGRADE:
        return (
            f"The portal does not know the subscription {original}."
            if original
            else "It is an upgrade, but does not say of which device."
        )
    return (
        f"“{original}” is no earlier order of this customer."
        if original
        else "It is an extension, but does not say of which rental."
    )


def remarks(order: Order) -> Iterator[str]:
    """What has become unusual since the order was written, in words."""
    if order.customer.status != order.customer.Status.ACTIVE:
        yield "The customer has become inactive since."


def why_not_confirm(order: Order, actor: Actor, tenant: Tenant) -> str | None:
    """Why this actor cannot confirm the order now, in words; None if they can."""
    problem = rules.confirm_problem(order, actor, tenant)
    return problem.message if problem else None


def can_cancel(order: Order, actor: Actor) -> bool:
    return rules.cancel_problem(order, actor) is None
