"""API keys: who shows one, when it was last used, new secrets with overlap, revoking.

Nothing of a key is remembered between requests: what is changed here holds at the next one.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import Error, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from portal.errors import Conflict, Detail, NotFound, PermissionRefused, ValidationFailed
from portal.models import ApiKey, Tenant
from portal.permissions import Actor
from portal.rows import one_or_none

OVERLAP = timedelta(hours=24)
"""How long the secret before a new one works on, unless told."""
MAX_OVERLAP = timedelta(days=30)
USE_NOTED = timedelta(minutes=1)
"""How exactly it is known when a key was last used."""

_TOKEN = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,64}\.[\x21-\x7e]{1,200}")
_LENGTH = re.compile(r"([0-9]{1,5})(m|h|d)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
# An unknown key id takes as long to refuse as a wrong secret.
_NOBODY = ApiKey(public_id="", secret_hash="0" * 64)

COMMAND_LINE = Actor.system("command line")
"""Whoever makes or changes a key by `manage.py`."""

logger = logging.getLogger(__name__)


def key_of(token: str) -> ApiKey | None:
    """The key, with its tenant, that opens the API now by this Bearer token, if any does."""
    if not _TOKEN.fullmatch(token):
        return None
    public_id, _, secret = token.partition(".")
    with scopes_disabled():
        key = one_or_none(ApiKey.objects.select_related("tenant").filter(public_id=public_id))
    opens = (key or _NOBODY).is_valid(secret, timezone.now())
    return key if opens else None


def parse_length(text: str) -> timedelta:
    """A length of time as `90m`, `24h` or `7d`, or `0`. Raises ValueError for anything else."""
    if text == "0":
        return timedelta()
    found = _LENGTH.fullmatch(text)
    if not found:
        raise ValueError("Enter a number of minutes, hours or days, such as 90m, 24h or 7d.")
    return int(found[1]) * _UNITS[found[2]]


@transaction.atomic
def rotate_key(
    *,
    tenant: Tenant,
    actor: Actor,
    key_id: str,
    seen: datetime | None,
    overlap: timedelta = OVERLAP,
) -> tuple[ApiKey, str]:
    """Gives the key a new secret; the one that it had works on for the overlap, any older is gone.

    Returns the key and its whole new token, for the only time. `seen` is its `rotated_at` as
    whoever asks knows it: asking twice must not drop a secret that is still in use.

    Raises NotFound; Conflict if the key is revoked or expired, or got another secret since
    `seen`; ValidationFailed at `overlap` for more than 30 days; PermissionRefused.
    """
    if not timedelta() <= overlap <= MAX_OVERLAP:
        message = f"The old secret may work on for {MAX_OVERLAP.days} days at most."
        raise ValidationFailed([Detail("overlap", "VALIDATION_ERROR", message)])
    now = timezone.now()
    key = _locked(tenant, actor, key_id)
    if key.revoked_at or key.is_expired(now):
        state = "revoked" if key.revoked_at else "expired"
        raise Conflict("STATE_CONFLICT", f"This key is {state}: it gets no new secret.")
    if key.rotated_at != seen:
        raise Conflict("STATE_CONFLICT", "This key was given a new secret in the meantime.")
    key.previous_secret_hash = key.secret_hash if overlap else ""
    key.previous_expires_at = now + overlap if overlap else None
    key.rotated_at, key.rotated_by = now, actor.label
    token = key.set_secret()
    key.save(
        update_fields=[
            *("secret_hash", "previous_secret_hash", "previous_expires_at"),
            *("rotated_at", "rotated_by"),
        ]
    )
    return key, token


@transaction.atomic
def revoke_key(*, tenant: Tenant, actor: Actor, key_id: str) -> bool:
    """Ends the key for good, both secrets, from the next request on; False if it was revoked.

    Raises NotFound; PermissionRefused.
    """
    key = _locked(tenant, actor, key_id)
    if key.revoked_at:
        return False
    key.revoked_at, key.revoked_by = timezone.now(), actor.label
    key.save(update_fields=["revoked_at", "revoked_by"])
    return True


def _locked(tenant: Tenant, actor: Actor, key_id: str) -> ApiKey:
    """The key, until the transaction ends. What programs do with it meanwhile does not wait."""
    if not actor.is_superuser:
        raise PermissionRefused("You may not change API keys.")
    with scope(tenant=tenant):
        key = ApiKey.objects.select_for_update(no_key=True).filter(public_id=key_id).first()
    if key is None:
        raise NotFound("There is no such API key.")
    return key


# One statement, which waits for nobody: whoever holds the row, the answer does not hang on it.
_NOTE_USE = """
    UPDATE portal_apikey SET last_used_at = %(now)s
    WHERE id = (
        SELECT id FROM portal_apikey
        WHERE id = %(key)s AND (last_used_at IS NULL OR last_used_at <= %(due)s)
        FOR NO KEY UPDATE SKIP LOCKED
    )
"""


def note_use(key: ApiKey) -> None:
    """Keeps that the key was used, to the minute. A failure is logged and hurts nobody.

    What the database says of it is not logged: the row is in there, with the hash.
    """
    now = timezone.now()
    due = now - USE_NOTED
    if key.last_used_at and key.last_used_at > due:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE_USE, {"now": now, "key": key.pk, "due": due})
    except Error as error:
        logger.warning("The use of %s could not be noted: %s.", key.public_id, type(error).__name__)


class KeyUseMiddleware:
    """Notes the use of a key when the request is answered, and so in no transaction of its work."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        key = getattr(request, "auth", None)
        if isinstance(key, ApiKey):
            note_use(key)
        return response
