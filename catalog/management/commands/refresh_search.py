"""`manage.py refresh_search`: what the search knows that changes slowly, renewed."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_scopes import scopes_disabled

from catalog.refresh import refresh_due, refresh_search
from portal.models import Tenant

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Renews how often variants are ordered, which decides what the search finds first and "
        "fastest, and how frequent words are. The worker does it every night, and at once for a "
        "new tenant; by hand it is worth it after an import of many variants or orders."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="Only of this tenant.")
        parser.add_argument("--due", action="store_true", help="Only what the night made due.")

    def handle(self, *, tenant: str | None, due: bool, **options: Any) -> None:
        now = timezone.now()
        with scopes_disabled():
            if due:
                for done in refresh_due(now):
                    logger.info("Refreshed the search of %s.", done.slug)
                return
            tenants = Tenant.objects.order_by("pk")
            chosen = list(tenants.filter(slug=tenant) if tenant else tenants)
            if not chosen:
                raise CommandError(f"There is no tenant {tenant}.")
            for each in chosen:
                refresh_search(tenant=each, now=now)
                self.stdout.write(f"Refreshed the search of {each.slug}.")
