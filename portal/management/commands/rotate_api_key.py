"""`manage.py rotate_api_key`: a new secret for a key, while the old one works on for a while."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_scopes import scopes_disabled

from portal.errors import DomainError
from portal.keys import COMMAND_LINE, MAX_OVERLAP, parse_length, rotate_key
from portal.models import ApiKey


class Command(BaseCommand):
    help = "Gives an API key a new secret and prints the whole new key, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key_id", metavar="KEY_ID", help="What stands before the point.")
        parser.add_argument(
            "--overlap",
            default="24h",
            metavar="LENGTH",
            help="How long the old secret works on: minutes, hours or days such as 90m, 24h or "
            f"7d, 24h unless told, {MAX_OVERLAP.days}d at most; 0 ends it at once.",
        )

    def handle(self, *, key_id: str, overlap: str, **options: Any) -> None:
        # Whoever has the whole key at hand shows that; only its id is needed.
        key_id = key_id.partition(".")[0]
        with scopes_disabled():
            key = ApiKey.objects.select_related("tenant").filter(public_id=key_id).first()
        if key is None:
            raise CommandError(
                "There is no API key of this id. It is the part of the key before the dot, such as "
                "key_7K3M9QXT2B."
            )
        try:
            _, token = rotate_key(
                tenant=key.tenant,
                actor=COMMAND_LINE,
                key_id=key.public_id,
                seen=key.rotated_at,
                overlap=parse_length(overlap),
            )
        except DomainError as error:
            raise CommandError(error.words) from error
        except ValueError as error:
            raise CommandError(f"overlap: {error}") from error
        self.stdout.write(token)
