"""`manage.py seed_demo`: the demo tenants, with people, a catalogue, customers and orders."""

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scope

from orders.demo.catalogue import create_variants
from orders.demo.customers import create_customers, create_more_customers
from orders.demo.history import create_orders
from orders.demo.open_drafts import create_drafts
from orders.demo.people import UNITS, Unit, create_custom_fields, create_people, find_team
from portal.models import Tenant

MAIN = UNITS[0]
DEFAULT_ORDERS = {"demo": 200, "demo-us": 50}
ORDERS_PER_CUSTOMER = 8


class Command(BaseCommand):
    help = (
        "Writes the demo tenants, once, with the users rep, manager and admin (password: demo). "
        "Running it again changes nothing, unless it is asked for more variants or orders."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--variants", type=int, help="Bring the tenant demo to at least so many variants."
        )
        parser.add_argument(
            "--orders", type=int, help="Bring the tenant demo to so many orders (200)."
        )

    def handle(self, *, variants: int | None, orders: int | None, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo's users have a password that everybody knows: they are only made in "
                "development, where PUBLIC_URL is not set. For a tenant of your own use "
                "create_tenant."
            )
        now = timezone.now()
        with transaction.atomic():
            for unit in UNITS:
                self.seed(unit, now)
            if variants or orders:
                self.enlarge(now, variants or 0, orders or 0)

    def seed(self, unit: Unit, now: datetime) -> None:
        """The tenant and all that belongs to it, unless it exists."""
        tenant, created = Tenant.objects.get_or_create(slug=unit.slug, defaults=unit.settings)
        if not created:
            self.stdout.write(f"The tenant {unit.slug} exists; it is left as it is.")
            return
        with scope(tenant=tenant):
            create_people(tenant, unit)
            create_custom_fields(tenant, unit)
            team = find_team(tenant)
            create_customers(tenant, team.reps[0], now)
            self.show("variants", create_variants(tenant, unit, 0))
            self.show("orders", create_orders(tenant, team, now, DEFAULT_ORDERS[unit.slug]))
            if unit is MAIN:
                create_drafts(tenant)
        # Otherwise foreign keys go on being checked as was best when there were no rows.
        connection.cursor().execute("ANALYZE")
        self.stdout.write(self.style.SUCCESS(f"The tenant {unit.slug} is ready."))

    def enlarge(self, now: datetime, variants: int, orders: int) -> None:
        tenant = Tenant.objects.get(slug=MAIN.slug)
        with scope(tenant=tenant):
            team = find_team(tenant)
            self.show("variants", create_variants(tenant, MAIN, variants))
            create_more_customers(tenant, team.reps[0], now, orders // ORDERS_PER_CUSTOMER)
            self.show("orders", create_orders(tenant, team, now, orders))

    def show(self, what: str, counts: Iterable[int]) -> None:
        """One line that counts along."""
        count = 0
        for count in counts:
            self.stdout.write(f"\r{count:,} {what}", ending="")
        if count:
            self.stdout.write("")
