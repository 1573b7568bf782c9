"""An order of the past, as an import brings it: the contract's order, as Get Order answers it.

What `POST /v1/orders` checks is checked the same way. What an order that exists says besides (its
id, status, prices, totals, devices and times) has to fit together.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from catalog.models import IMAGE_URL_LENGTH
from catalog.pricing import Totals, implied_vat_rate
from catalog.schemas import Sku, image_url
from customers.schemas import CustomerInput
from orders.custom_fields import field_problems
from orders.models import MAX_LINES, MAX_QUANTITY, CustomField, Order, OrderItem
from orders.schemas import DETAIL_LENGTH, CustomFields, NewOrder, Quantity, RequiredDetail
from portal import ids
from portal.errors import Detail, ValidationFailed
from portal.models import Tenant
from portal.money import fits_currency
from portal.shapes import (
    Amount,
    ContractModel,
    Months,
    Omissible,
    Text,
    as_moment,
    number,
    parse,
    refusal,
    whole_number,
)

RESERVED_IDS = frozenset({".", "..", "new", "export", "reassign", "preview"})
"""What stands for something else in the place where an address has an order's id."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_SUM = 10**16
ACTOR_LENGTH = 254

Status = Order.Status


def _public_id(value: str) -> str:
    if "/" in value or value in RESERVED_IDS:
        raise refusal("This cannot be an id: an address could not hold it.")
    return value


def _image(value: str) -> str:
    return value and image_url(value)


def _moment(value: Any) -> datetime:
    if (at := as_moment(value)) is None:
        raise refusal("Send a time with its zone, such as 2026-03-02T09:30:00Z.")
    if at < EARLIEST:
        raise refusal("This is before 1970.")
    return at


PublicId = Annotated[str, Text(ids.MAX_LENGTH, required=True), AfterValidator(_public_id)]
OptionalId = Annotated[str, Text(ids.MAX_LENGTH)]
OptionalDetail = Annotated[str, Text(DETAIL_LENGTH)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Sum = Annotated[Decimal, Field(ge=0, le=LARGEST_SUM), BeforeValidator(number)]
Count = Annotated[int, Field(ge=0), BeforeValidator(whole_number)]
RentalIds = Annotated[list[RequiredDetail], Field(max_length=MAX_QUANTITY)]


class HistoricCustomer(CustomerInput):
    customer_id: Annotated[PublicId | None, Omissible()] = None


class HistoricItem(ContractModel):
    """A line as it was ordered: at its own price and costs, whatever the catalogue says today."""

    sku: Sku
    quantity: Quantity
    contract_length: Months
    product_id: OptionalId = ""
    variant_id: OptionalId = ""
    product_name: Annotated[str, Text(200, required=True)]
    product_image_url: Annotated[str, Text(IMAGE_URL_LENGTH), AfterValidator(_image)] = ""
    unit_price: Amount
    list_price: Annotated[Amount | None, Omissible()] = None
    list_price_source: Annotated[OrderItem.ListPriceSource, Field(strict=False)] = (
        OrderItem.ListPriceSource.UNKNOWN
    )
    list_price_override: Annotated[Amount | None, Omissible()] = None
    acquisition_cost: Annotated[Amount | None, Omissible()] = None
    acquisition_cost_source: Annotated[OrderItem.CostSource, Field(strict=False)] = (
        OrderItem.CostSource.UNKNOWN
    )
    acquisition_cost_override: Annotated[Amount | None, Omissible()] = None
    used_list_price_as_acquisition: bool = False
    rental_ids: RentalIds = []
    rental_status: Annotated[Literal["pending", "partial", "completed"] | None, Omissible()] = None

    @property
    def monthly_total(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def contract_value(self) -> Decimal:
        return self.monthly_total * self.contract_length

    def listed(self) -> tuple[Decimal | None, OrderItem.ListPriceSource]:
        """The list price, and where it is from: somebody's decision, unless the line tells."""
        if self.list_price_override is not None:
            return self.list_price_override, OrderItem.ListPriceSource.MANUAL
        if (
            self.list_price is not None
            and self.list_price_source == OrderItem.ListPriceSource.UNKNOWN
        ):
            return self.list_price, OrderItem.ListPriceSource.MANUAL
        return self.list_price, self.list_price_source

    def cost(self) -> tuple[Decimal | None, OrderItem.CostSource]:
        """What the device cost us, and where that is from, likewise."""
        if self.acquisition_cost_override is not None:
            return self.acquisition_cost_override, OrderItem.CostSource.MANUAL
        cost, source = self.acquisition_cost, self.acquisition_cost_source
        if self.used_list_price_as_acquisition:
            return self.listed()[0] if cost is None else cost, OrderItem.CostSource.LIST_PRICE
        if cost is not None and source == OrderItem.CostSource.UNKNOWN:
            return cost, OrderItem.CostSource.MANUAL
        return cost, source

    def rentable(self) -> range:
        """How many of its devices may be rented, as far as the line itself tells."""
        if self.rental_ids:
            return range(len(self.rental_ids), len(self.rental_ids) + 1)
        return self.rentable_by_status()

    def rentable_by_status(self) -> range:
        match self.rental_status:
            case "pending":
                return range(1)
            case "partial":
                return range(1, self.quantity)
            case "completed":
                return range(self.quantity, self.quantity + 1)
        return range(self.quantity + 1)


class HistoricTotals(ContractModel):
    subtotal: Sum
    tax_amount: Sum = Decimal(0)
    total: Sum
    currency: Annotated[str, Text(3, required=True)]
    total_devices: Count


class RentalProgress(ContractModel):
    total_devices: Count
    rented_devices: Count


class HistoricOrder(NewOrder):
    """An order of the past. `createdBy` is whoever placed it, as text; blank if nobody knows."""

    order_id: PublicId
    status: Annotated[Status, Field(strict=False)]
    customer: HistoricCustomer
    items: Annotated[list[HistoricItem], Field(min_length=1, max_length=MAX_LINES)]  # type: ignore[assignment]
    totals: HistoricTotals
    rental_progress: RentalProgress
    created_at: Moment
    updated_at: Annotated[Moment | None, Omissible()] = None
    confirmed_at: Annotated[Moment | None, Omissible()] = None
    cancelled_at: Annotated[Moment | None, Omissible()] = None
    created_by: Annotated[str, Text(ACTOR_LENGTH)] = ""
    payment: CustomFields = None
    rental_ids: RentalIds = []
    billing_group_id: OptionalDetail = ""
    tracking_number: OptionalDetail = ""
    shipped_at: OptionalDetail = ""

    @property
    def changed_at(self) -> datetime:
        return self.updated_at or self.created_at

    @property
    def confirmed(self) -> datetime:
        """When it was confirmed, if it was; at once, unless the record tells."""
        return self.confirmed_at or self.created_at

    def sums(self, tenant: Tenant) -> Totals:
        """Its own totals, at the VAT rate that they imply; the tenant's where there is no VAT."""
        totals = self.totals
        return Totals(
            currency=totals.currency,
            vat_rate=self.vat_rate(tenant) or Decimal(0),
            prices_include_vat=self.prices_include_vat(tenant),
            subtotal=totals.subtotal,
            tax_amount=totals.tax_amount,
            total=totals.total,
            total_devices=totals.total_devices,
            contract_value=sum((item.contract_value for item in self.items), Decimal(0)),
        )

    def prices_include_vat(self, tenant: Tenant) -> bool:
        """Whether the subtotal has the VAT in it: what the totals tell, if there is any VAT."""
        if self.totals.tax_amount == 0:
            return tenant.prices_include_vat
        return self.totals.total == self.totals.subtotal

    def vat_rate(self, tenant: Tenant) -> Decimal | None:
        return implied_vat_rate(
            subtotal=self.totals.subtotal,
            tax_amount=self.totals.tax_amount,
            prices_include_vat=self.prices_include_vat(tenant),
            currency=self.totals.currency,
            usual=tenant.vat_rate,
        )

    def rented(self) -> list[int]:
        """How many devices of each item are rented: what the items tell, and then the first."""
        left = self.rental_progress.rented_devices - sum(i.rentable().start for i in self.items)
        rented = []
        for item in self.items:
            more = min(left, len(item.rentable()) - 1)
            rented.append(item.rentable().start + more)
            left -= more
        return rented

    def rentals_of_items(self) -> list[str]:
        return [rental for item in self.items for rental in item.rental_ids]

    def elsewhere(self) -> dict[str, Any]:
        """What it says that an order has no place for (yet), by its name in the contract."""
        by_item = [item.rental_ids for item in self.items]
        told = {
            "payment": self.payment,
            "billingGroupId": self.billing_group_id,
            "trackingNumber": self.tracking_number,
            "shippedAt": self.shipped_at,
            "rentalIds": self.rental_ids,
            "itemRentalIds": by_item if any(by_item) else None,
        }
        return {name: value for name, value in told.items() if value}


def read_historic_order(
    *, tenant: Tenant, fields: Iterable[CustomField], data: Any, now: datetime
) -> HistoricOrder:
    """Checks an order of the past, with the tenant's configured custom `fields`.

    Raises ValidationFailed with every field of the wrong shape, or else with everything that does
    not fit together.
    """
    order, problems = parse(HistoricOrder, data)
    sent = data.get("customFields") if isinstance(data, dict) else None
    if sent is None or isinstance(sent, dict):
        problems = [*problems, *field_problems(fields, sent or {}, of_the_past=True)]
    if order is not None and not problems:
        problems = list(_contradictions(order, tenant, now))
    if problems or order is None:
        raise ValidationFailed(problems)
    return order


def _contradictions(order: HistoricOrder, tenant: Tenant, now: datetime) -> Iterator[Detail]:
    yield from _times(order, now)
    yield from _devices(order)
    for position, item in enumerate(order.items):
        yield from _sources(item, f"items.{position}")
    if order.totals.currency != tenant.currency:
        yield _wrong("totals.currency", f"All orders of this tenant are in {tenant.currency}.")
        return
    too_fine = list(_too_fine(order))
    yield from too_fine or _sums(order, tenant)


def _wrong(path: str, message: str) -> Detail:
    return Detail(path, "VALIDATION_ERROR", message)


def _times(order: HistoricOrder, now: datetime) -> Iterator[Detail]:
    if order.created_at > now:
        yield _wrong("createdAt", "This lies in the future.")
    if order.updated_at and order.updated_at > now:
        yield _wrong("updatedAt", "This lies in the future.")
    if order.changed_at < order.created_at:
        yield _wrong("updatedAt", "This is before createdAt.")
    else:
        yield from _steps_told(order)


def _steps_told(order: HistoricOrder) -> Iterator[Detail]:
    """When it was confirmed and cancelled, if it can have been."""
    if order.confirmed_at and order.status == Status.PENDING:
        yield _wrong("confirmedAt", "A pending order has not been confirmed.")
    elif not order.created_at <= order.confirmed <= order.changed_at:
        yield _wrong("confirmedAt", "This is before createdAt, or after updatedAt.")
    if order.cancelled_at and order.status != Status.CANCELLED:
        yield _wrong("cancelledAt", f"An order that is {order.status} has not been cancelled.")
    elif order.cancelled_at and not order.confirmed <= order.cancelled_at <= order.changed_at:
        yield _wrong("cancelledAt", "This is before createdAt or confirmedAt, or after updatedAt.")


def _devices(order: HistoricOrder) -> Iterator[Detail]:
    devices = sum(item.quantity for item in order.items)
    progress = order.rental_progress
    for path, told in (
        ("totals.totalDevices", order.totals.total_devices),
        ("rentalProgress.totalDevices", progress.total_devices),
    ):
        if told != devices:
            yield _wrong(path, f"The items have {devices:,} devices.")
    rentable = {
        Status.PARTIAL: range(1, devices),
        Status.FULFILLED: range(devices, devices + 1),
    }.get(order.status, range(1))
    if progress.rented_devices not in rentable:
        message = f"So many devices cannot be rented of an order that is {order.status}."
        yield _wrong("rentalProgress.rentedDevices", message)
    wrong = [d for n, item in enumerate(order.items) for d in _rented(item, f"items.{n}")]
    fewest = sum(item.rentable().start for item in order.items)
    most = sum(item.rentable().stop - 1 for item in order.items)
    if not wrong and not fewest <= progress.rented_devices <= most:
        message = f"Of the items {fewest:,} to {most:,} devices are rented."
        yield _wrong("rentalProgress.rentedDevices", message)
    yield from wrong
    yield from _rentals(order)


def _rentals(order: HistoricOrder) -> Iterator[Detail]:
    """The order's rentals, if it tells them: one for each rented device, those of its items too."""
    rented, of_items = order.rental_progress.rented_devices, Counter(order.rentals_of_items())
    if not order.rental_ids:
        return
    if len(order.rental_ids) != rented:
        yield _wrong("rentalIds", f"Of the order {rented:,} devices are rented.")
    elif not of_items <= Counter(order.rental_ids):
        yield _wrong("rentalIds", "The rentalIds of the items are not among them.")


def _rented(item: HistoricItem, path: str) -> Iterator[Detail]:
    if item.rental_status == "partial" and item.quantity == 1:
        yield _wrong(f"{path}.rentalStatus", "One device cannot be rented in part.")
    elif len(item.rental_ids) > item.quantity:
        yield _wrong(f"{path}.rentalIds", f"The item has {item.quantity:,} devices.")
    elif item.rental_ids and len(item.rental_ids) not in item.rentable_by_status():
        yield _wrong(f"{path}.rentalStatus", "The rentalIds say something else.")


def _sources(item: HistoricItem, path: str) -> Iterator[Detail]:
    """A price has a source, and a source has a price."""
    for name, (amount, source) in (
        ("listPrice", item.listed()),
        ("acquisitionCost", item.cost()),
    ):
        if amount is None and source != "unknown":
            yield _wrong(f"{path}.{name}", f"Its source is {source}, but it is missing.")
    stated = item.acquisition_cost_source
    if item.used_list_price_as_acquisition and stated not in ("unknown", "list_price"):
        message = f"The acquisitionCostSource is {stated}."
        yield _wrong(f"{path}.usedListPriceAsAcquisition", message)


def _too_fine(order: HistoricOrder) -> Iterator[Detail]:
    """Amounts that the currency has no coins for."""
    amounts: dict[str, Decimal | None] = {
        "totals.subtotal": order.totals.subtotal,
        "totals.taxAmount": order.totals.tax_amount,
        "totals.total": order.totals.total,
    }
    for position, item in enumerate(order.items):
        amounts |= {
            f"items.{position}.unitPrice": item.unit_price,
            f"items.{position}.listPrice": item.list_price,
            f"items.{position}.listPriceOverride": item.list_price_override,
            f"items.{position}.acquisitionCost": item.acquisition_cost,
            f"items.{position}.acquisitionCostOverride": item.acquisition_cost_override,
        }
    currency = order.totals.currency
    for path, amount in amounts.items():
        if amount is not None and not fits_currency(amount, currency):
            yield _wrong(path, f"{currency} has no amounts as fine as this.")


def _sums(order: HistoricOrder, tenant: Tenant) -> Iterator[Detail]:
    totals = order.totals
    subtotal = sum((item.monthly_total for item in order.items), Decimal(0))
    if totals.subtotal != subtotal:
        yield _wrong("totals.subtotal", f"The items come to {subtotal} a month.")
    with_tax = totals.subtotal + totals.tax_amount
    if totals.total not in (totals.subtotal, with_tax):
        message = f"It is {with_tax}, or {totals.subtotal} where prices include the tax."
        yield _wrong("totals.total", message)
    elif order.vat_rate(tenant) is None:
        yield _wrong("totals.taxAmount", "No VAT rate up to 100 % comes to this amount.")
