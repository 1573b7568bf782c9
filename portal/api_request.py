"""A request to the API: who sends it, its JSON, and what HTTP itself refuses."""

import re
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse, UnreadablePostError

from portal import exact_json
from portal.errors import Detail, DomainError, ValidationFailed
from portal.models import ApiKey, Tenant
from portal.permissions import Actor

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request."""

_JSON = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


class ApiError(DomainError):
    """A refusal with any status and headers of its own."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.headers = headers or {}


class ApiRequest(HttpRequest):
    """A request with a valid key: who acts (`actor`), in which tenant."""

    auth: ApiKey
    actor: Actor
    tenant: Tenant
    scopes: ExitStack


class JsonBody:
    """What was sent: the JSON `data`, and the `fingerprint` by which a retry is known.

    Where nothing need be sent, `empty` stands for it. Raises ApiError 413 or 415, or
    ValidationFailed at path "" for anything but proper JSON.
    """

    def __init__(self, request: HttpRequest, *, empty: Any = None) -> None:
        sent = _read(request)
        self.fingerprint = sha256(f"{request.method} {request.path}\n".encode() + sent).hexdigest()
        if not sent and empty is not None:
            self.data = empty
            return
        try:
            self.data = exact_json.loads_strict(sent)
        except ValueError as error:
            raise _no_json(str(error)) from error


def _no_json(why: str) -> ValidationFailed:
    return ValidationFailed([Detail("", "VALIDATION_ERROR", f"This is not proper JSON. {why}")])


def _read(request: HttpRequest) -> bytes:
    announced = request.headers.get("Content-Length", "")
    too_large = ApiError(413, "BODY_TOO_LARGE", "A request may have 2 MB at most.")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY:
        raise too_large
    # Nothing at all needs no media type: it is simply no JSON.
    if announced.strip("0") and not _JSON.fullmatch(request.headers.get("Content-Type", "")):
        message = "Send Content-Type: application/json, in UTF-8."
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    if not announced and "Transfer-Encoding" in request.headers:
        raise _no_json("Send it in one piece, with Content-Length.")
    try:
        sent: bytes = request.read(MAX_BODY + 1)
    except UnreadablePostError as error:
        raise _no_json("It was cut off.") from error
    if len(sent) > MAX_BODY:
        raise too_large
    return sent


def json_response(body: Any, *, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    """The body as JSON, every number with all its digits."""
    return HttpResponse(
        exact_json.dumps(body), status=status, content_type="application/json", headers=headers
    )
