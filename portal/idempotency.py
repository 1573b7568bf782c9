"""Retrying safely: the same `Idempotency-Key` with the same body is answered by the same bytes."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from portal.api_request import ApiError, ApiRequest
from portal.errors import Detail, ValidationFailed
from portal.models import ApiKey, IdempotentResponse

KEPT = timedelta(hours=24)
PATIENCE = "2s"
"""How long a retry waits for the first request to end."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def run_once(
    *, request: ApiRequest, fingerprint: str, work: Callable[[], HttpResponse]
) -> HttpResponse:
    """Does the work and keeps its response, or gives the one kept under `Idempotency-Key`.

    Claim, work and kept response are one transaction: a refusal leaves nothing behind, and the
    key is free again. Raises ApiError 422 if the key was used for another body, 409 if the first
    request still runs after two seconds; ValidationFailed for a key that is none. Without a key
    it just works. What an API key may do belongs to the request: when that was changed, nothing
    that it may no longer see is given to it.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return work()
    if not _KEY.fullmatch(key):
        message = "Send 1 to 255 visible ASCII characters."
        raise ValidationFailed([Detail("Idempotency-Key", "VALIDATION_ERROR", message)])
    allowed = " ".join(sorted(request.auth.scopes))
    fingerprint = sha256(f"{fingerprint} {allowed}".encode()).hexdigest()
    with transaction.atomic():
        claimed = _claim(request.auth, key, fingerprint, timezone.now())
        if claimed is None:
            return _kept(request.auth, key, fingerprint)
        response = work()
        _keep(claimed, response)
        return response


# What is in FROM is evaluated before the insert, and so before it waits for another's; what is
# returned, after that: the work waits for its rows as long as it would without a key.
_CLAIM = """
    INSERT INTO portal_idempotentresponse AS kept
        (tenant_id, api_key_id, key, fingerprint, status, body, created_at)
    SELECT %s, %s, %s, %s, 0, '', %s
    FROM (
        SELECT set_config('portal.lock_timeout', current_setting('lock_timeout'), true),
            set_config('lock_timeout', %s, true)
    ) AS limited
    ON CONFLICT (api_key_id, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
        WHERE kept.created_at <= %s
    RETURNING id, set_config('lock_timeout', current_setting('portal.lock_timeout'), true)
"""


def _claim(api_key: ApiKey, key: str, fingerprint: str, now: datetime) -> int | None:
    """The row that is now ours, new or long expired; None if there is an answer already."""
    values = (api_key.tenant_id, api_key.pk, key, fingerprint, now, PATIENCE, now - KEPT)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, values)
            row = cursor.fetchone()
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        message = "The first request with this Idempotency-Key is still running."
        headers = {"Retry-After": "2"}
        raise ApiError(409, "IDEMPOTENCY_IN_PROGRESS", message, headers) from error
    return row[0] if row else None


# By hand: the ORM would take longer to write this down than the database to do it.
_KEEP = "UPDATE portal_idempotentresponse SET status = %s, body = %s WHERE id = %s"


def _keep(claimed: int, response: HttpResponse) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [response.status_code, response.content, claimed])


def _kept(api_key: ApiKey, key: str, fingerprint: str) -> HttpResponse:
    kept = IdempotentResponse.objects.get(api_key=api_key, key=key)
    if kept.fingerprint != fingerprint:
        message = (
            "This Idempotency-Key was used for another request, or when this API key was allowed "
            "something else. Use a new one."
        )
        raise ApiError(422, "IDEMPOTENCY_KEY_REUSED", message)
    return HttpResponse(
        bytes(kept.body),
        status=kept.status,
        content_type="application/json",
        headers={"Idempotent-Replayed": "true"},
    )


def forget_old_responses() -> int:
    """Deletes the answers that are older than a day, of all tenants; returns how many."""
    return IdempotentResponse.objects.filter(created_at__lte=timezone.now() - KEPT).delete()[0]
