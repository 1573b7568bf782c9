"""The demo's customers: those of customers.csv, and more of them for many orders."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from customers.models import Customer, CustomerType
from portal.models import Tenant
from portal.permissions import Actor

ROWS_PER_INSERT = 5_000


def create_customers(tenant: Tenant, actor: Actor, now: datetime) -> None:
    """The customers listed for this tenant, each known for longer than the orders go back."""
    rows = [row for row in _listed() if row["tenant"] == tenant.slug]
    Customer.objects.bulk_create(_customer(tenant, actor, now, row) for row in rows)


def create_more_customers(tenant: Tenant, actor: Actor, now: datetime, wanted: int) -> None:
    """Brings the tenant to `wanted` customers: the listed names, mixed and numbered."""
    have = Customer.objects.filter(tenant=tenant).count()
    rows = [row for row in _listed() if row["status"] == "active"]
    Customer.objects.bulk_create(
        (_customer(tenant, actor, now, row) for row in _mixed(rows, have, wanted)),
        ROWS_PER_INSERT,
    )


def _listed() -> list[dict[str, str]]:
    with (Path(__file__).parent / "customers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _mixed(rows: list[dict[str, str]], have: int, wanted: int) -> Iterator[dict[str, str]]:
    for number in range(have, wanted):
        chance = Random(number)  # noqa: S311 (the same on every run)
        first, last, where = chance.choices(rows, k=3)
        yield where | {
            "first_name": first["first_name"],
            "last_name": last["last_name"],
            "company": f"{last['company']} {number}" if last["company"] else "",
            "email": f"customer{number}@example.net",
            "building": f"Office {number}",
        }


def _customer(tenant: Tenant, actor: Actor, now: datetime, row: dict[str, str]) -> Customer:
    known_for = Random(row["email"]).randint(300, 1100)  # noqa: S311 (the same on every run)
    since = now - timedelta(days=known_for)
    address = _address(row)
    return Customer(
        tenant=tenant,
        email=row["email"],
        email_key=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        company=row["company"],
        phone=row["phone"],
        customer_type=CustomerType.BUSINESS if row["company"] else CustomerType.INDIVIDUAL,
        status=row["status"],
        last_billing_address=address,
        last_shipping_address=address,
        created_at=since,
        created_by=actor.label,
    )


def _address(row: dict[str, str]) -> dict[str, Any]:
    """The contract's address object, without what is blank."""
    lines = {
        "contactName": f"{row['first_name']} {row['last_name']}",
        "company": row["company"],
        "buildingInfo": row["building"],
        "streetAddress": row["street"],
        "city": row["city"],
        "adminArea": row["area"],
        "postalCode": row["postal_code"],
        "country": row["country"],
    }
    return {name: line for name, line in lines.items() if line}
