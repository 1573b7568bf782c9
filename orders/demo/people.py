"""The demo's tenants, who works for them, and what they ask of every order."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from orders.models import CustomField
from portal.models import ApiKey, Tenant, User
from portal.permissions import MANAGER, REP, Actor

PASSWORD = "demo"  # noqa: S105 (public on purpose; nothing is seeded outside DEBUG)


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    first_name: str
    last_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A tenant to be made. `price_level` turns the price list's euros into its own prices."""

    slug: str
    settings: dict[str, Any]
    people: list[Person]
    price_level: Decimal = Decimal(1)
    categories: frozenset[str] | None = None
    custom_fields: list[dict[str, Any]] = field(default_factory=list)


ADMIN = "admin"

UNITS = [
    Unit(
        slug="demo",
        settings={
            "name": "Canal Devices",
            "currency": "EUR",
            "vat_rate": Decimal(21),
            "default_contract_length": 24,
            "time_zone": "Europe/Amsterdam",
            "locale": "en_GB",
        },
        people=[
            Person("rep", "Sanne", "de Vries", REP),
            Person("daan.mulder", "Daan", "Mulder", REP),
            Person("lotte.visser", "Lotte", "Visser", REP),
            Person("manager", "Marieke", "Jansen", MANAGER),
            Person("admin", "Alex", "Bakker", ADMIN),
        ],
        custom_fields=[
            {"key": "purchaseOrderNumber", "label": "Purchase order number"},
            {"key": "costCenter", "label": "Cost centre"},
            {
                "key": "deliveryWindow",
                "label": "Delivery window",
                "type": CustomField.Type.SELECT,
                "options": ["Morning", "Afternoon", "Evening"],
            },
        ],
    ),
    Unit(
        slug="demo-us",
        settings={
            "name": "Canal Devices US",
            "currency": "USD",
            "default_contract_length": 24,
            "time_zone": "America/New_York",
            "locale": "en_US",
        },
        people=[
            Person("us-rep", "Emily", "Carter", REP),
            Person("us-manager", "Marcus", "Reed", MANAGER),
        ],
        price_level=Decimal("1.12"),
        categories=frozenset({"Laptops", "Phones", "Tablets", "Monitors"}),
        custom_fields=[{"key": "purchaseOrderNumber", "label": "PO number"}],
    ),
]


@dataclass(frozen=True, slots=True)
class Team:
    """Who acts on the orders of a tenant."""

    reps: list[Actor]
    manager: Actor
    shop: Actor


def create_people(tenant: Tenant, unit: Unit) -> None:
    """The users of the unit, all with the password `demo`, and the key of its web shop."""
    # Hashing is slow on purpose; once is enough for a password that everybody knows.
    password = make_password(PASSWORD)
    users = User.objects.bulk_create(
        User(
            tenant=tenant,
            username=person.username,
            email=f"{person.username}@example.com",
            first_name=person.first_name,
            last_name=person.last_name,
            password=password,
            is_staff=person.role != REP,
            is_superuser=person.role == ADMIN,
        )
        for person in unit.people
    )
    roles = {person.username: person.role for person in unit.people}
    for group in Group.objects.filter(name__in=(REP, MANAGER)):
        group.user_set.add(*(user for user in users if roles[user.username] == group.name))
    key = ApiKey(tenant=tenant, name="Web shop", created_by="demo")
    key.set_secret()  # Nobody needs it: the shop is only there to have sent some orders.
    key.save()


def find_team(tenant: Tenant) -> Team:
    """Who acts on the demo orders of the tenant: its reps, its manager, its first API key."""
    users = User.objects.filter(tenant=tenant).order_by("pk")
    return Team(
        reps=[Actor.from_user(user) for user in users.filter(groups__name=REP)],
        manager=Actor.from_user(users.filter(groups__name=MANAGER)[0]),
        shop=Actor.from_key(ApiKey.objects.filter(tenant=tenant).order_by("pk")[0]),
    )


def create_custom_fields(tenant: Tenant, unit: Unit) -> None:
    CustomField.objects.bulk_create(
        CustomField(tenant=tenant, position=position, **configured)
        for position, configured in enumerate(unit.custom_fields, start=1)
    )
