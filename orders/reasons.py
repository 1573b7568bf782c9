"""Why a reviewer should look twice at an order: found whenever it is written, stored with it.

Each reason has its evidence, as far as it can be named: the earlier order, the line, both values.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.db.models import JSONField
from django.db.models.expressions import RawSQL

from customers.models import Customer, CustomerType
from customers.services import DETAILS, Caller
from orders.models import Order, OrderItem
from orders.schemas import NewOrder
from orders.starting import contract_end
from portal.exact_json import MAX_NUMBER_LENGTH, ExactDecoder, dumps
from portal.models import Tenant
from portal.text import normalize_email

REPEATED_WITHIN = timedelta(days=7)
TIMES_LARGEST = 3
"""How many times the largest quantity they ever ordered is nothing unusual."""

# Written as `purchase_order` writes a number: 0815 is another one than 815.
_READS_AS_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")

Evidence = Any


class Reason(models.TextChoices):
    """What is unusual. The weights put the orders that may cost most first in the queue."""

    OTHER_PRICE = "other_price", "Other price than the catalogue’s"
    LOW_PRICE = "low_price", "Price low for its list price"
    UNUSUAL_QUANTITY = "unusual_quantity", "Unusual quantity"
    REPEATED = "repeated", "Same items within a week"
    REPEATED_PO = "repeated_po", "PO number used before"
    NEW_ADDRESS = "new_address", "New shipping address"
    UNKNOWN_ORIGINAL = "unknown_original", "Unknown original"
    DATES_CONTRADICT = "dates_contradict", "Dates contradict the months"
    OTHER_DETAILS = "other_details", "Details of another type"
    FIRST_ORDER = "first_order", "First order"
    DIFFERS = "differs", "Differs from the record"

    @property
    def weight(self) -> int:
        return _WEIGHTS[self]


_WEIGHTS = {
    Reason.OTHER_PRICE: 40,
    Reason.LOW_PRICE: 40,
    Reason.UNUSUAL_QUANTITY: 30,
    Reason.REPEATED: 30,
    Reason.REPEATED_PO: 30,
    Reason.NEW_ADDRESS: 20,
    Reason.UNKNOWN_ORIGINAL: 20,
    Reason.DATES_CONTRADICT: 20,
    Reason.OTHER_DETAILS: 10,
    Reason.FIRST_ORDER: 10,
    Reason.DIFFERS: 5,
}


@dataclass(frozen=True, slots=True)
class History:
    """What the customer ordered before this order, of their last thousand orders, cancelled ones
    apart.

    `repeated` and `repeated_po` are the id of the last such order; `largest` the most devices of
    one SKU in an order.
    """

    last_order: str | None = None
    last_address: Mapping[str, Any] | None = None
    knows_address: bool = False
    largest: int | None = None
    repeated: str | None = None
    repeated_po: str | None = None
    knows_original: bool = False

    @classmethod
    def of(cls, customer: Customer | None) -> "History":
        """As `history` had it loaded with the customer; nothing for a new one."""
        return cls() if customer is None else cls(**getattr(customer, "history"))  # noqa: B009 (an annotation)


# By hand: for every order that is created, the ORM would take longer to write this down than the
# database to answer it. However many orders a shop places as one customer, it reads a thousand.
_HISTORY = """(
    WITH earlier AS MATERIALIZED (
        SELECT id, public_id, created_at, shipping_address, custom_fields FROM orders_order
        WHERE tenant_id = {tenant} AND customer_id = {customer} AND created_at < {at}
            AND status <> 'cancelled'
        ORDER BY created_at DESC, id DESC LIMIT 1000
    )
    SELECT jsonb_build_object(
        'last_order', (
            SELECT public_id FROM earlier ORDER BY created_at DESC, id DESC LIMIT 1
        ),
        'last_address', (
            SELECT shipping_address FROM earlier ORDER BY created_at DESC, id DESC LIMIT 1
        ),
        'knows_address', EXISTS (SELECT FROM earlier WHERE shipping_address = {address}::jsonb),
        'largest', (
            SELECT max(devices) FROM (
                SELECT sum(quantity) AS devices FROM orders_orderitem
                WHERE order_id IN (SELECT id FROM earlier) GROUP BY order_id, sku
            ) AS of_a_sku
        ),
        'repeated', (
            SELECT public_id FROM earlier WHERE created_at >= {since} AND {skus} = (
                SELECT array_agg(DISTINCT sku::text COLLATE "C" ORDER BY sku::text COLLATE "C")
                FROM orders_orderitem WHERE order_id = earlier.id
            ) ORDER BY created_at DESC, id DESC LIMIT 1
        ),
        'repeated_po', (
            SELECT public_id FROM earlier WHERE custom_fields @> ANY ({same_po}::jsonb[])
            ORDER BY created_at DESC, id DESC LIMIT 1
        ),
        'knows_original', EXISTS (
            SELECT FROM orders_order WHERE tenant_id = {tenant} AND public_id = {original}
                AND customer_id = {customer} AND created_at < {at}
                AND status <> 'cancelled'
        )
    )
)"""
_HISTORY_OF_ONE = _HISTORY.format(
    customer="customers_customer.id",
    **dict.fromkeys(("tenant", "at", "address", "since", "skus", "same_po", "original"), "%s"),
)
# Each by itself, but planned once, and the way to the database is gone once.
_HISTORY_OF_MANY = (
    "SELECT "  # noqa: S608 (constants; everything that varies is a parameter)
    + _HISTORY.format(
        tenant="asked.tenant",
        customer="asked.customer",
        at="asked.at",
        address="asked.address",
        since="asked.since",
        skus='asked.skus COLLATE "C"',
        same_po="asked.same_po",
        original="asked.original",
    )
    + """ FROM jsonb_to_recordset(%s::jsonb) AS asked(
        number integer, tenant bigint, customer bigint, at timestamptz, address jsonb,
        since timestamptz, skus text[], same_po jsonb[], original text
    ) ORDER BY asked.number"""
)


def history(
    *, tenant: Tenant, caller: Caller, new_order: NewOrder, at: datetime
) -> dict[str, RawSQL]:
    """Their history before that moment, to be loaded in the query that finds the customer."""
    same_po = [dumps(fields) for fields in _same_po(tenant, new_order)]
    return {
        "history": RawSQL(  # noqa: S611 (a constant; everything that varies is a parameter)
            _HISTORY_OF_ONE,
            (
                *(tenant.pk, at, dumps(dict(caller.shipping_address)), at - REPEATED_WITHIN),
                *(_skus(new_order), same_po, tenant.pk),
                *(_original(new_order), at),
            ),
            output_field=JSONField(decoder=ExactDecoder),
        )
    }


def histories(
    *, tenant: Tenant, asked: Iterable[tuple[Customer, Caller, NewOrder, datetime]]
) -> list[History]:
    """What `history` loads, for each of these orders, in one query for any number of them."""
    questions = [
        {
            "number": number,
            "tenant": tenant.pk,
            "customer": customer.pk,
            "at": at.isoformat(),
            "address": dict(caller.shipping_address),
            "since": (at - REPEATED_WITHIN).isoformat(),
            "skus": _skus(new_order),
            "same_po": _same_po(tenant, new_order),
            "original": _original(new_order),
        }
        for number, (customer, caller, new_order, at) in enumerate(asked)
    ]
    if not questions:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY_OF_MANY, [dumps(questions)])
        return [History(**ExactDecoder().decode(found)) for (found,) in cursor.fetchall()]


def _skus(new_order: NewOrder) -> list[str]:
    return sorted({item.sku for item in new_order.items})


def _same_po(tenant: Tenant, new_order: NewOrder) -> list[dict[str, Any]]:
    """The custom fields by which an order with the same PO number is found, of which it has one:
    sent as a text, and as a number if that reads the same.
    """
    number = purchase_order(tenant, new_order.custom_fields)
    if number is None:
        return []
    same: list[Any] = [number]
    if len(number) <= MAX_NUMBER_LENGTH and _READS_AS_NUMBER.fullmatch(number):
        same.append(Decimal(number))
    return [{tenant.purchase_order_field: each} for each in same]


def _original(new_order: NewOrder) -> str:
    extension = new_order.extension_details
    return extension.original_order_id if extension else ""


def purchase_order(tenant: Tenant, custom_fields: Mapping[str, Any] | None) -> str | None:
    """The customer's PO number, if the tenant keeps one and it was sent: as text or as a number,
    which to a person are the same. `4711.0`, as some shops send it, reads 4711.
    """
    number = (custom_fields or {}).get(tenant.purchase_order_field)
    if isinstance(number, int | Decimal) and not isinstance(number, bool):
        written = f"{number:f}"
        return written.rstrip("0").rstrip(".") if "." in written else written
    return number if isinstance(number, str) and number.strip() else None


def find_reasons(
    *,
    tenant: Tenant,
    order: Order,
    items: Sequence[OrderItem],
    history: History,
    record: Customer | None,
) -> dict[str, Evidence]:
    """Every reason to look twice at the order, with its evidence.

    `record` is the customer's, if they were known before this order.
    """
    found = {
        **dict(_about_customer(tenant, order, items, history)),
        **dict(_about_prices(tenant, items)),
        **dict(_about_type(order, history)),
    }
    if record is not None and (differs := _differences(order, record)):
        found[Reason.DIFFERS] = differs
    return {str(reason): evidence for reason, evidence in found.items()}


def risk_of(reasons: Mapping[str, Evidence]) -> int:
    """The weight of these reasons together; 0 without any."""
    return sum(Reason(reason).weight for reason in reasons)


def _about_customer(
    tenant: Tenant, order: Order, items: Sequence[OrderItem], history: History
) -> Iterator[tuple[Reason, Evidence]]:
    if history.last_order is None:
        yield Reason.FIRST_ORDER, {}
    elif not history.knows_address:
        yield Reason.NEW_ADDRESS, {"last": history.last_address, "order": history.last_order}
    largest = history.largest
    usual = tenant.first_order_limit if largest is None else TIMES_LARGEST * largest
    # Split over several lines, it is as many devices.
    quantities: Counter[str] = Counter()
    for item in items:
        quantities[item.sku] += item.quantity
    first = {item.sku: item for item in reversed(items)}
    many = [sku for sku, quantity in quantities.items() if quantity > usual]
    if many:
        lines = [{**_line(first[sku]), "quantity": quantities[sku]} for sku in many]
        yield Reason.UNUSUAL_QUANTITY, {"largest": largest, "usual": usual, "lines": lines}
    if history.repeated:
        yield Reason.REPEATED, {"order": history.repeated}
    if history.repeated_po:
        number = purchase_order(tenant, order.custom_fields)
        yield Reason.REPEATED_PO, {"number": number, "order": history.repeated_po}


def _about_prices(tenant: Tenant, items: Sequence[OrderItem]) -> Iterator[tuple[Reason, Evidence]]:
    if other := [
        {**_line(item), "price": item.unit_price, "catalogue": item.catalogue_price}
        for item in items
        if item.has_agreed_price
    ]:
        yield Reason.OTHER_PRICE, {"lines": other}
    share = tenant.lowest_price_share
    if share is not None and (
        low := [
            {**_line(item), "price": item.unit_price, "listPrice": item.list_price}
            for item in items
            if item.list_price and item.unit_price * 100 < item.list_price * share
        ]
    ):
        yield Reason.LOW_PRICE, {"share": share, "lines": low}


def _line(item: OrderItem) -> dict[str, Any]:
    return {"position": item.position, "sku": item.sku, "name": item.product_name}


def _about_type(order: Order, history: History) -> Iterator[tuple[Reason, Evidence]]:
    extension, upgrade = order.extension_details, order.upgrade_details
    if order.order_type == Order.Type.EXTENSION and not history.knows_original:
        original = str((extension or {}).get("originalOrderId", ""))
        yield Reason.UNKNOWN_ORIGINAL, {"original": original}
    if order.order_type == Order.Type.UPGRADE:
        # No subscription exists in the portal yet: what is replaced is for the reviewer to check.
        rental = str((upgrade or {}).get("previousRentalId", ""))
        yield Reason.UNKNOWN_ORIGINAL, {"original": rental}
    if extension and order.order_type == Order.Type.EXTENSION and not _dates_agree(extension):
        yield (
            Reason.DATES_CONTRADICT,
            {
                "months": extension["extensionMonths"],
                "from": extension["previousEndDate"],
                "to": extension["newEndDate"],
            },
        )
    others = {Order.Type.EXTENSION: extension, Order.Type.UPGRADE: upgrade}
    if other := [str(kind) for kind, sent in others.items() if sent and kind != order.order_type]:
        yield Reason.OTHER_DETAILS, {"types": other}


def _dates_agree(extension: Mapping[str, Any]) -> bool:
    """Whether the new end is so many months after the previous one; dates as in ISO 8601."""
    try:
        before, after = (
            date.fromisoformat(str(extension[key])[:10])
            for key in ("previousEndDate", "newEndDate")
        )
        return _is_end(before, int(extension["extensionMonths"]), after)
    except (ValueError, OverflowError):
        return False


def _is_end(before: date, months: int, after: date) -> bool:
    """The last day of a month may stand for a later day that this month does not have."""
    expected = contract_end(before, months)
    if after == expected:
        return True
    is_last = contract_end(before.replace(day=1), 1) - timedelta(days=1) == before
    last = contract_end(expected.replace(day=1), 1) - timedelta(days=1)
    return is_last and expected <= after <= last


def _differences(order: Order, record: Customer) -> dict[str, Evidence]:
    """What was submitted otherwise than the record has it.

    What was left empty says nothing, nor does the type that holds where none is sent.
    """
    submitted = {
        "first_name": order.customer_first_name,
        "last_name": order.customer_last_name,
        "company": order.customer_company,
        "phone": order.customer_phone,
        "customer_type": str(order.customer_type).replace(CustomerType.INDIVIDUAL, ""),
    }
    found: dict[str, Evidence] = {
        name: [submitted[name], getattr(record, name)]
        for name in DETAILS
        if submitted[name] and submitted[name] != getattr(record, name)
    }
    if normalize_email(order.customer_email) != record.email_key:
        found["email"] = [order.customer_email, record.email]
    return found
