"""`manage.py create_api_key`: a key for a shop or a script."""

from argparse import ArgumentParser
from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_scopes import scope

from portal.keys import COMMAND_LINE, parse_length
from portal.models import RATE_LIMIT, ApiKey, Tenant
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
        parser.add_argument(
            "--expires",
            metavar="WHEN",
            help="The last day that it works, such as 2027-01-31, in the tenant's time zone; or "
            "for how long, such as 90d or 24h. Never, unless told.",
        )
        parser.add_argument(
            "--rate-limit",
            type=int,
            metavar="NUMBER",
            help=f"Requests a minute; {RATE_LIMIT} unless told.",
        )

    def handle(
        self, *, tenant: str, name: str, scopes: list[str] | None, expires: str | None, **rest: Any
    ) -> None:
        owner = Tenant.objects.filter(slug=tenant).first()
        if owner is None:
            known = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no tenant “{tenant}”. There are: {known}.")
        key = ApiKey(
            tenant=owner,
            name=name.strip(),
            rate_limit=rest["rate_limit"],
            expires_at=expiry(expires, owner) if expires else None,
            created_by=COMMAND_LINE.label,
        )
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


def expiry(text: str, tenant: Tenant) -> datetime:
    """The end of that day in the tenant's time zone, or so long from now."""
    now = timezone.now()
    try:
        last_day = date.fromisoformat(text)
    except ValueError:
        try:
            expires = now + parse_length(text)
        except ValueError as error:
            raise CommandError(f"expires: {error} Or the last day, such as 2027-01-31.") from error
    else:
        expires = datetime.combine(last_day, time(23, 59, 59), tenant.zone)
    if expires <= now:
        raise CommandError("expires: This is in the past.")
    return expires
