"""`create_tenant SLUG --currency EUR --admin EMAIL`: a tenant and its administrator."""

import secrets
from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.models import Tenant, User
from portal.text import normalize_email


class Command(BaseCommand):
    help = (
        "Makes a tenant and its first administrator, a superuser, who may work in every tenant. "
        "Prints the password, once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="The Tenant-ID of the API, such as acme-nl.")
        parser.add_argument("--currency", required=True, help="ISO 4217; it stays for good.")
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="Who administers it.")
        parser.add_argument("--name", help="As people read it; the slug unless given.")
        parser.add_argument("--vat-rate", default="0", help="Percent, 0 unless given.")
        parser.add_argument("--prices-include-vat", action="store_true")
        parser.add_argument("--time-zone", default="Europe/Amsterdam")
        parser.add_argument("--locale", default="en_GB", help="Such as en_GB or nl_NL.")
        parser.add_argument("--default-contract-length", type=int, metavar="MONTHS")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            vat_rate = Decimal(options["vat_rate"])
        except InvalidOperation as error:
            raise CommandError("vat-rate: Enter a number.") from error
        tenant = Tenant(
            slug=options["slug"],
            name=options["name"] or options["slug"],
            currency=options["currency"].upper(),
            vat_rate=vat_rate,
            prices_include_vat=options["prices_include_vat"],
            time_zone=options["time_zone"],
            locale=options["locale"],
            default_contract_length=options["default_contract_length"],
        )
        password = secrets.token_urlsafe(12)
        try:
            email = normalize_email(options["admin"])
        except ValueError as error:
            raise CommandError(f"admin: {error}") from error
        try:
            create(tenant, email, password)
        except ValidationError as error:
            raise CommandError(in_words(error)) from error
        self.stdout.write(f"The tenant {tenant.slug} is ready.")
        self.stdout.write(f"Administrator: {email}")
        self.stdout.write(f"Password: {password}")
        self.stdout.write(
            "Next, in the admin: products, variants and prices; then users with a role. "
            "Whoever creates an order cannot confirm it."
        )


@transaction.atomic
def create(tenant: Tenant, email: str, password: str) -> User:
    """Both or neither. Raises ValidationError for what is taken or unknown."""
    tenant.full_clean()
    tenant.save()
    user = User(tenant=tenant, username=email, email=email, is_staff=True, is_superuser=True)
    user.set_password(password)
    user.full_clean()
    user.save()
    return user


def in_words(error: ValidationError) -> str:
    return "; ".join(
        f"{field.replace('_', '-')}: {' '.join(messages)}"
        for field, messages in error.message_dict.items()
    )
