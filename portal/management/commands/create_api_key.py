"""`manage.py create_api_key`: a key for a shop or a script."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django_scopes import scope

from portal.models import ApiKey, Tenant
from portal.permissions import SCOPES


class Command(BaseCommand):
    help = "Makes an API key and prints it, once: only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, help="What it is for, such as “web shop”.")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            metavar="SCOPE",
            help=f"What it may do; can be repeated. All, unless told: {', '.join(SCOPES)}.",
        )

    def handle(self, *, tenant: str, name: str, scopes: list[str] | None, **options: Any) -> None:
        owner = Tenant.objects.filter(slug=tenant).first()
        if owner is None:
            known = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no tenant “{tenant}”. There are: {known}.")
        key = ApiKey(tenant=owner, name=name.strip())
        if scopes is not None:
            key.scopes = list(dict.fromkeys(scopes))
        token = key.set_secret()
        with scope(tenant=owner):
            try:
                key.full_clean()
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            key.save()
        self.stdout.write(token)
