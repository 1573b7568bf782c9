"""The demo's orders: every status and type, over the last months, each with its own history.

What becomes of an order depends on its number, so that the demo has the same shape each time;
only dates follow the clock, and ids are random as everywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from catalog.models import Price, Product, Variant
from customers.models import Customer, CustomerType
from orders.bulk import OrderRecord, Step, write_orders
from orders.demo.people import Team
from orders.models import Order, OrderEvent
from orders.schemas import NewOrder
from orders.starting import contract_end
from portal import ids
from portal.models import Tenant
from portal.permissions import Actor

ORDERS_PER_CALL = 1_000
OFFERS = 1_500
"""So many variants are enough to choose from, however large the catalogue is."""

# One round: what becomes of fifty orders. The fulfilled come first, for the others to refer to.
ROUND = (
    [Order.Status.FULFILLED] * 26
    + [Order.Status.CANCELLED] * 8
    + [Order.Status.PARTIAL] * 6
    + [Order.Status.CONFIRMED] * 7
    + [Order.Status.PENDING] * 3
)
# The fourth and the seventh of every eight orders of a status.
TYPES = {3: Order.Type.EXTENSION, 6: Order.Type.UPGRADE}
# How old orders are, in days, from and to; most fulfilled ones are older: LONG_AGO.
AGES = {
    Order.Status.FULFILLED: (6, 72),
    Order.Status.CANCELLED: (3, 240),
    Order.Status.PARTIAL: (4, 40),
    Order.Status.CONFIRMED: (1, 20),
}
LONG_AGO = (75, 270)
WAITING = [
    timedelta(minutes=4), timedelta(hours=2, minutes=10), timedelta(days=1, hours=3),
    timedelta(minutes=19), timedelta(hours=5), timedelta(days=2, hours=6),
    timedelta(minutes=47), timedelta(hours=9), timedelta(days=3, hours=1),
    timedelta(hours=1, minutes=15), timedelta(hours=20), timedelta(days=6, hours=4),
]  # fmt: skip
QUANTITIES = [1, 1, 2, 2, 3, 4, 5, 5, 6, 8, 10, 12, 15, 20, 25]
LINES = [1] * 10 + [2] * 6 + [3] * 3 + [4]
LENGTH_WEIGHTS = {6: 1, 12: 3, 24: 6, 36: 3}
NOTES = [
    "Please call before delivery.",
    "Deliver together with the previous order if possible.",
    "Keyboards in US International layout.",
    "New office opens on the first of the month; devices must be there a day earlier.",
    "Customer asked for one invoice a quarter.",
    "Goods entrance is at the back, open until 16:00.",
    "Pre-install the company's device management, token follows by e-mail.",
    "Pilot with one team. If it goes well they take forty more.",
    "Contact person is on leave in week 32; ask for her colleague.\nReception knows about it.",
    "Replaces devices that were stolen; police report is on file.",
]
REASONS = [
    "Customer chose to buy instead.",
    "Duplicate of an earlier order.",
    "Budget was not approved.",
    "Credit check failed.",
    "Customer did not answer three times.",
    "Delivery date was too late for them.",
    "",
]
REMARKS = ["", "", "", "Credit check passed.", "Known customer, pays on time.", "Stock reserved."]
EXTENSION_REASONS = ["Project runs longer", "New devices come later", "Satisfied with the devices"]
UPGRADE_REASONS = ["Needs more memory", "Larger screen wanted", "Battery no longer lasts a day"]
COST_CENTERS = ["IT-DEV-001", "IT-OPS-004", "HR-120", "SALES-EU-7", "FIN-002", "4410"]
WINDOWS = ["Morning", "Afternoon", "Evening"]


class Offer(NamedTuple):
    sku: str
    product_name: str
    category: str
    prices: dict[int, Decimal]


class Earlier(NamedTuple):
    """A fulfilled order of some time ago, to which an extension or an upgrade can refer."""

    order_id: str
    day: date
    customer: Customer
    offer: Offer
    contract_length: int


@dataclass(slots=True)
class History:
    """Makes orders, number after number; remembers some for later ones to refer to."""

    tenant: Tenant
    team: Team
    now: datetime
    offers: list[Offer]
    customers: list[Customer]
    earlier: list[Earlier] = field(default_factory=list)

    def record(self, number: int) -> OrderRecord:
        """The order with this number, as it was placed, and what became of it."""
        chance = Random(f"{self.tenant.slug}:{number}")  # noqa: S311 (the same on every run)
        lap, place = divmod(number, len(ROUND))
        status = ROUND[place]
        turn = lap * ROUND.count(status) + place - ROUND.index(status)
        order_type = TYPES.get(turn % 8, Order.Type.STANDARD)
        if not self.earlier:
            order_type = Order.Type.STANDARD
        at = self._created(chance, status, order_type, turn)
        customer, body = self._body(chance, order_type, at)
        if status == Order.Status.PARTIAL:
            body["items"][0]["quantity"] += 1  # One device cannot be rented in part.
        new_order = NewOrder.model_validate(body)
        from_shop = chance.random() < 0.16
        record = OrderRecord(
            order_id=ids.new_order_id(),
            new_order=new_order,
            customer=customer,
            source=Order.Source.API if from_shop else Order.Source.PORTAL,
            actor=self.team.shop if from_shop else chance.choice(self.team.reps),
            at=at,
            steps=self._steps(chance, status, turn, at, new_order),
        )
        if status == Order.Status.FULFILLED and self.now - at > timedelta(days=LONG_AGO[0]):
            self._remember(record)
        return record

    def _remember(self, record: OrderRecord) -> None:
        item = record.new_order.items[0]
        offer = next(offer for offer in self.offers if offer.sku == item.sku)
        self.earlier.append(
            Earlier(
                record.order_id,
                record.at.date(),
                record.customer,
                offer,
                int(item.contract_length or 0),
            )
        )

    def _created(
        self, chance: Random, status: Order.Status, order_type: Order.Type, turn: int
    ) -> datetime:
        if status == Order.Status.PENDING:
            laps, place = divmod(turn, len(WAITING))
            return self.now - WAITING[place] - laps * timedelta(minutes=13)
        days = AGES[status]
        if status == Order.Status.FULFILLED and order_type == Order.Type.STANDARD and turn % 6:
            days = LONG_AGO
        age = timedelta(days=chance.uniform(*days))
        local = (self.now - age).astimezone(self.tenant.zone)
        # People order on working days; on Friday what they thought of at the weekend.
        return _working_hour(chance, local - timedelta(days=max(0, local.weekday() - 4)))

    def _body(
        self, chance: Random, order_type: Order.Type, at: datetime
    ) -> tuple[Customer, dict[str, Any]]:
        """The customer, and the request in the contract's words."""
        body: dict[str, Any] = {"orderType": order_type.value}
        if order_type == Order.Type.STANDARD:
            customer = chance.choice(self.customers)
            body["items"] = self._items(chance, customer)
        elif order_type == Order.Type.EXTENSION:
            before = self._about_to_end(chance)
            customer = before.customer
            body["items"] = [_item(chance, before.offer, chance.choice([1, 1, 2, 4]))]
            body["extensionDetails"] = _extension(chance, before)
        else:
            before = chance.choice(self.earlier)
            customer = before.customer
            offers = [offer for offer in self.offers if offer.category == before.offer.category]
            body["items"] = [_item(chance, chance.choice(offers), chance.choice([1, 1, 1, 3]))]
            body["upgradeDetails"] = _upgrade(chance, before)
        billing = customer.last_billing_address or {}
        body |= {
            "customer": _submitted(chance, customer),
            "billingAddress": billing,
            "customFields": _custom_fields(chance, customer, at),
            "notes": chance.choice(NOTES) if chance.random() < 0.35 else "",
        }
        if customer.company and chance.random() < 0.3:
            body["shippingAddress"] = billing | {
                "contactName": chance.choice(["IT service desk", "Reception", "Goods entrance"]),
                "buildingInfo": chance.choice(["Building B", "Dock 3", "Warehouse", "Floor 5"]),
            }
        return customer, body

    def _about_to_end(self, chance: Random) -> Earlier:
        """Of three, the one that ends first: nobody extends what has years to go."""
        some = chance.choices(self.earlier, k=3)
        return min(some, key=lambda before: contract_end(before.day, before.contract_length))

    def _items(self, chance: Random, customer: Customer) -> list[dict[str, Any]]:
        business = customer.customer_type == CustomerType.BUSINESS
        lines = chance.choice(LINES) if business else chance.choice([1, 1, 1, 2])
        if business and chance.random() < 0.015:
            lines = 12
        items = []
        for _ in range(lines):
            # The front of the price list is what most people want.
            offer = self.offers[int(len(self.offers) * chance.random() ** 1.6)]
            quantity = chance.choice(QUANTITIES) if business else 1
            if business and chance.random() < 0.01:
                quantity = chance.choice([40, 75, 120, 250])
            items.append(_item(chance, offer, quantity))
        return items

    def _steps(
        self,
        chance: Random,
        status: Order.Status,
        turn: int,
        created: datetime,
        new_order: NewOrder,
    ) -> list[Step]:
        clock = _Clock(chance, created, self.now)
        manager = self.team.manager
        steps = []
        if status != Order.Status.PENDING and (status != Order.Status.CANCELLED or turn % 3 == 0):
            remark = chance.choice(REMARKS)
            steps.append(
                Step(
                    kind=OrderEvent.Kind.CONFIRMED, at=clock.later(1), actor=manager, reason=remark
                )
            )
        if status == Order.Status.CANCELLED:
            reason = chance.choice(REASONS)
            steps.append(
                Step(
                    kind=OrderEvent.Kind.CANCELLED, at=clock.later(2), actor=manager, reason=reason
                )
            )
        quantities = [item.quantity for item in new_order.items]
        if status == Order.Status.PARTIAL or (
            status == Order.Status.FULFILLED and sum(quantities) > 3
        ):
            rented = _some(quantities)
            steps.append(_progress(clock, manager, rented))
        if status == Order.Status.FULFILLED:
            steps.append(_progress(clock, manager, quantities))
        return steps


def _working_hour(chance: Random, local: datetime) -> datetime:
    """Some time from eight to six on the same day."""
    return local.replace(hour=chance.randint(8, 17), minute=chance.randint(0, 59))


class _Clock:
    """Moments one after another, all in the past, however young the order is.

    In working hours, if one fits in between.
    """

    def __init__(self, chance: Random, at: datetime, now: datetime) -> None:
        self.chance, self.at, self.now = chance, at, now

    def later(self, days: float) -> datetime:
        gap = timedelta(days=days) * self.chance.uniform(0.03, 1)
        at = self.at + min(gap, (self.now - self.at) * 0.6)
        working = _working_hour(self.chance, at)
        self.at = working if self.at < working < self.now else at
        return self.at


def _progress(clock: _Clock, actor: Actor, rented: Sequence[int]) -> Step:
    return Step(kind=OrderEvent.Kind.PROGRESSED, at=clock.later(3), actor=actor, rented=rented)


def _some(quantities: Sequence[int]) -> list[int]:
    """Part of the devices: the first half of them, at least one, never all of several."""
    left = max(1, sum(quantities) // 2)
    rented = []
    for quantity in quantities:
        rented.append(min(quantity, left))
        left -= rented[-1]
    return rented


def _item(chance: Random, offer: Offer, quantity: int) -> dict[str, Any]:
    lengths = list(offer.prices)
    length = chance.choices(lengths, [LENGTH_WEIGHTS[length] for length in lengths])[0]
    return {"sku": offer.sku, "quantity": quantity, "contractLength": length}


def _extension(chance: Random, before: Earlier) -> dict[str, Any]:
    months = chance.choice([3, 6, 12])
    ends = before.contract_length
    return {
        "originalOrderId": before.order_id,
        "extensionMonths": months,
        "previousEndDate": contract_end(before.day, ends).isoformat(),
        "newEndDate": contract_end(before.day, ends + months).isoformat(),
        "reason": chance.choice(EXTENSION_REASONS),
    }


def _upgrade(chance: Random, before: Earlier) -> dict[str, Any]:
    return {
        "previousDevice": before.offer.product_name,
        "previousSerialNumber": "".join(chance.choices(ids.ALPHABET, k=10)),
        "previousMonthlyAmount": before.offer.prices[before.contract_length],
        "previousRentalId": ids.public_id("sub"),
        "upgradeReason": chance.choice(UPGRADE_REASONS),
    }


def _custom_fields(chance: Random, customer: Customer, at: datetime) -> dict[str, Any] | None:
    if not customer.company or chance.random() > 0.6:
        return None
    fields = {"purchaseOrderNumber": f"PO-{at.year}-{chance.randint(1, 9999):06}"}
    if chance.random() < 0.6:
        fields["costCenter"] = chance.choice(COST_CENTERS)
    if chance.random() < 0.4:
        fields["deliveryWindow"] = chance.choice(WINDOWS)
    return fields


def _submitted(chance: Random, customer: Customer) -> dict[str, str]:
    """The customer as given with the order: now and then with another phone than on record."""
    another = chance.random() < 0.07
    return {
        "email": customer.email,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "company": customer.company,
        "phone": f"{customer.phone[:-2]}{chance.randint(10, 99)}" if another else customer.phone,
        "customerType": customer.customer_type,
    }


def create_orders(tenant: Tenant, team: Team, now: datetime, wanted: int) -> Iterator[int]:
    """Brings the tenant to `wanted` orders, some thousand per transaction; yields the count."""
    have = Order.objects.filter(tenant=tenant).count()
    customers = Customer.objects.filter(tenant=tenant, status=Customer.Status.ACTIVE)
    history = History(
        tenant=tenant,
        team=team,
        now=now,
        offers=_offers(tenant),
        customers=list(customers.exclude(last_billing_address=None).order_by("pk")),
    )
    while have < wanted:
        numbers = range(have, min(have + ORDERS_PER_CALL, wanted))
        write_orders(tenant=tenant, records=[history.record(number) for number in numbers])
        have = numbers.stop
        yield have


def _offers(tenant: Tenant) -> list[Offer]:
    """The first variants that can be ordered, with their monthly price by contract length."""
    orderable = Variant.objects.filter(
        tenant=tenant,
        status=Variant.Status.ACTIVE,
        product__status=Product.Status.ACTIVE,
        prices__isnull=False,
    )
    first = orderable.order_by("pk").distinct()[:OFFERS]
    variants = {variant.pk: variant for variant in first.select_related("product")}
    offers: dict[int, Offer] = {}
    prices = Price.objects.filter(variant__in=variants).order_by("variant", "contract_length")
    for price in prices:
        variant = variants[price.variant_id]
        product = variant.product
        offer = offers.setdefault(
            variant.pk, Offer(variant.sku, product.name, product.category, {})
        )
        offer.prices[price.contract_length] = price.monthly_price
    return list(offers.values())
