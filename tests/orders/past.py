"""Orders of the past for the tests of the import: as Get Order answers them, some of each kind."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from portal.exact_json import dumps
from portal.money import round_money
from tests.factories import PRICES, VariantFactory, address

SKUS = [f"OLD-{number}" for number in range(40)]
STATUSES = ["pending", "confirmed", "partial", "fulfilled", "cancelled"]
ORDERS_PER_CUSTOMER = 8
BEGUN = datetime(2022, 1, 3, 8, tzinfo=UTC)
VAT = Decimal("21")


def past_order(
    *items: dict[str, Any], status: str = "confirmed", currency: str = "EUR", **changes: Any
) -> dict[str, Any]:
    """An order of these items, or of three laptops, without VAT unless `totals` say otherwise."""
    lines = list(items) or [past_item()]
    devices = sum(line["quantity"] for line in lines)
    subtotal = sum((line["unitPrice"] * line["quantity"] for line in lines), Decimal(0))
    totals = {"subtotal": subtotal, "taxAmount": Decimal(0), "total": subtotal}
    rented = {"partial": 1, "fulfilled": devices}.get(status, 0)
    order = {
        "orderId": "old-1",
        "tenantId": "elsewhere",
        "status": status,
        "orderType": "standard",
        "customer": {
            "customerId": "old-customer-1",
            "email": "noor@example.com",
            "firstName": "Noor",
            "lastName": "el Idrissi",
            "customerType": "individual",
        },
        "billingAddress": address(),
        "shippingAddress": address(city="Delft"),
        "items": lines,
        "totals": totals | {"currency": currency, "totalDevices": devices},
        "customFields": None,
        "rentalProgress": {"totalDevices": devices, "rentedDevices": rented},
        "rentalIds": [],
        "createdAt": "2023-05-04T09:30:00.000Z",
        "updatedAt": "2023-05-06T14:00:00.000Z",
        "createdBy": "jan@old.example",
    }
    return order | changes


def past_item(sku: str = "OLD", quantity: int = 3, **changes: Any) -> dict[str, Any]:
    return {
        "productId": "old-product",
        "variantId": "old-variant",
        "sku": sku,
        "productName": "ThinkPad T14",
        "quantity": quantity,
        "unitPrice": Decimal("31.95"),
        "contractLength": 24,
        **changes,
    }


def create_catalogue() -> None:
    """What the orders of `many_orders` ask for, so that they can be placed anew as well."""
    for sku in SKUS:
        VariantFactory(sku=sku)


def many_orders(count: int, *, of: str = "old") -> Iterator[dict[str, Any]]:
    """Orders of one to five lines, eight of each customer, at the catalogue's prices and 21 % VAT.

    The oldest comes first; each status as often as the others.
    """
    for number in range(count):
        yield _order(Random(number), number, f"{of}-{number:06}")


def _order(chance: Random, number: int, order_id: str) -> dict[str, Any]:
    months = chance.choice(list(PRICES))
    items = [
        past_item(
            chance.choice(SKUS),
            chance.randint(2, 9),
            unitPrice=Decimal(PRICES[months]),
            contractLength=months,
        )
        for _ in range(chance.randint(1, 5))
    ]
    at = BEGUN + timedelta(minutes=10 * number)
    customer = number // ORDERS_PER_CUSTOMER
    who = {"firstName": f"First{customer}", "lastName": f"Last{customer}", "company": "Ångström BV"}
    order = past_order(
        *items,
        status=STATUSES[number % len(STATUSES)],
        orderId=order_id,
        customer=who | {"email": f"C{customer}@example.com", "customerId": f"cust-{customer}"},
        customFields={"purchaseOrderNumber": f"PO-{number}", "costCenter": "4410"},
        notes="Please call before delivery; the goods entrance is at the back.",
        createdAt=at.isoformat(),
        updatedAt=(at + timedelta(days=2)).isoformat(),
    )
    return with_vat(order, VAT)


def with_vat(order: dict[str, Any], rate: Decimal, *, included: bool = False) -> dict[str, Any]:
    """The order with VAT at this rate, on top of its prices or in them."""
    totals = order["totals"]
    subtotal = totals["subtotal"]
    divisor = 100 + rate if included else 100
    tax = round_money(subtotal * rate / divisor, totals["currency"])
    totals |= {"taxAmount": tax, "total": subtotal if included else subtotal + tax}
    return order


def write_lines(path: Path, orders: Iterator[dict[str, Any]]) -> Path:
    with path.open("w") as file:
        file.writelines(dumps(order) + "\n" for order in orders)
    return path
