"""A request to the API: who sends it, its JSON, and what HTTP itself refuses."""

import re
from contextlib import ExitStack
from hashlib import sha256
from io import BytesIO
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from portal import exact_json
from portal.errors import Detail, DomainError, ValidationFailed
from portal.models import ApiKey, Tenant
from portal.permissions import Actor

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request."""

AROUND_FILE = 64 * 1024
"""Bytes that a form may have around its file."""

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
        is_json = _JSON.fullmatch(request.headers.get("Content-Type", "")) is not None
        wanted = "" if is_json else "application/json, in UTF-8"
        sent = _receive(request, wanted, MAX_BODY, "A request may have 2 MB at most.", at="")
        self.fingerprint = _fingerprint(request, sent)
        if not sent and empty is not None:
            self.data = empty
            return
        try:
            self.data = exact_json.loads_strict(sent)
        except ValueError as error:
            raise _invalid("", f"This is not proper JSON. {error}") from error


class FileBody:
    """A file that was sent: its `content`, and the `fingerprint` by which a retry is known.

    It is the body itself, of the media type text/`kind`, or the one file of a form
    (multipart/form-data), in its field `name`; what else the form says is ignored. Raises
    ApiError 413 for a file of more than `limit` bytes, 415 for another media type, and
    ValidationFailed at `name` for a form that is none, or holds no such file, or a second one.
    """

    def __init__(self, request: HttpRequest, *, name: str, kind: str, limit: int) -> None:
        self.name = name
        is_form = request.content_type == "multipart/form-data"
        charset = (request.content_params or {}).get("charset", "utf-8")
        is_plain = request.content_type == f"text/{kind}" and charset.lower() == "utf-8"
        wanted = "" if is_form or is_plain else f"multipart/form-data, or text/{kind} in UTF-8"
        most = f"A file may have {limit // 1024**2} MB at most."
        sent = _receive(request, wanted, limit + AROUND_FILE, most, at=name)
        self.content = self._file_of_form(request, sent) if is_form else sent
        if len(self.content) > limit:
            raise ApiError(413, "BODY_TOO_LARGE", most)
        self.fingerprint = _fingerprint(request, self.content)

    def _file_of_form(self, request: HttpRequest, sent: bytes) -> bytes:
        # The parser knows the media type in small letters alone; the boundary stays as it is.
        parameters = request.META["CONTENT_TYPE"].partition(";")[2]
        described = request.META | {"CONTENT_TYPE": f"multipart/form-data;{parameters}"}
        try:
            form = MultiPartParser(described, BytesIO(sent), request.upload_handlers)
            _, files = form.parse()
        except (MultiPartParserError, SuspiciousOperation, ValueError) as error:
            message = "This is no proper form (multipart/form-data)."
            raise _invalid(self.name, message) from error
        with ExitStack() as opened:
            found = [
                (name, opened.enter_context(file)) for name, each in files.lists() for file in each
            ]
            if [name for name, _ in found] != [self.name]:
                message = f"Send one file, with a file name, in the field {self.name}."
                raise _invalid(self.name, message)
            content: bytes = found[0][1].read()
            return content


def _invalid(path: str, why: str) -> ValidationFailed:
    return ValidationFailed([Detail(path, "VALIDATION_ERROR", why)])


def _fingerprint(request: HttpRequest, sent: bytes) -> str:
    return sha256(f"{request.method} {request.path}\n".encode() + sent).hexdigest()


def _receive(request: HttpRequest, wanted: str, limit: int, most: str, *, at: str) -> bytes:
    """The body, of `limit` bytes at most. `wanted` is the media type, if it has another one.

    What else is wrong with it is refused at the path `at`.
    """
    announced = request.headers.get("Content-Length", "")
    too_large = ApiError(413, "BODY_TOO_LARGE", most)
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise too_large
    # Nothing at all needs no media type: it is simply not what is wanted.
    if announced.strip("0") and wanted:
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", f"Send Content-Type: {wanted}.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        message = "Send the body as it is, without Content-Encoding."
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    if not announced and "Transfer-Encoding" in request.headers:
        raise _invalid(at, "Send the body in one piece, with Content-Length; not in chunks.")
    try:
        sent: bytes = request.read(limit + 1)
    except UnreadablePostError as error:
        raise _invalid(at, "The body was cut off.") from error
    if len(sent) > limit:
        raise too_large
    return sent


def json_response(body: Any, *, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    """The body as JSON, every number with all its digits."""
    return HttpResponse(
        exact_json.dumps(body), status=status, content_type="application/json", headers=headers
    )
