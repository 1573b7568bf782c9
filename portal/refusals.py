"""How operations of the API refuse, for the OpenAPI document: when, and just what is answered.

The errors are examples, made like those that are raised; tests hold them to those.
"""

from dataclasses import dataclass

from portal.api_request import ApiError
from portal.errors import Detail, DomainError, NotFound, ValidationFailed


@dataclass(frozen=True)
class Refusal:
    """An error that an operation may answer: when it does, and the error itself as an example."""

    when: str
    error: DomainError

    @property
    def name(self) -> str:
        """The code, or the tenant's rule behind it."""
        return self.error.details[0].code if self.error.details else self.error.code

    @property
    def description(self) -> str:
        rule = "" if self.name == self.error.code else f" with `{self.name}`"
        return f"`{self.error.code}`{rule}: {self.when}"


def error(
    status: int, code: str, when: str, message: str, headers: dict[str, str] | None = None
) -> Refusal:
    return Refusal(when, ApiError(status, code, message, headers))


def at(
    path: str, code: str, when: str, message: str, kind: type[DomainError] = DomainError
) -> Refusal:
    """What is wrong with one thing in the request."""
    return Refusal(when, kind.at(path, code, message))


def invalid(path: str, message: str, when: str = "the fields that are wrong.") -> Refusal:
    """The shape of the request, by one thing that may be wrong with it."""
    return Refusal(when, ValidationFailed([Detail(path, "VALIDATION_ERROR", message)]))


def missing(what: str) -> Refusal:
    """There is no such thing, or it is another tenant's."""
    return Refusal(f"no such {what} in this tenant.", NotFound(f"There is no such {what}."))


def too_large(what: str, most: str) -> Refusal:
    return error(413, "BODY_TOO_LARGE", f"over {most}.", f"A {what} may have {most} at most.")


def other_media(wanted: str) -> Refusal:
    message = f"Send Content-Type: {wanted}."
    return error(415, "UNSUPPORTED_MEDIA_TYPE", f"not {wanted}.", message)


_WAIT = "wait for `Retry-After`."
_WHO = {"WWW-Authenticate": "Bearer"}
ALWAYS = (
    invalid(
        "",
        "The query string has a % that begins no escape; send % itself as %25.",
        "the query string, or the host.",
    ),
    error(
        401,
        "AUTH_REQUIRED",
        "without a key.",
        "Send an API key: Authorization: Bearer <key>.",
        _WHO,
    ),
    error(
        401,
        "INVALID_TOKEN",
        "with a wrong one.",
        "This API key is unknown, revoked or expired.",
        _WHO,
    ),
    error(
        403,
        "NO_TENANT_ACCESS",
        "not the tenant of this key.",
        "Send the tenant that this API key belongs to in the header Tenant-ID.",
    ),
    error(
        403,
        "HTTPS_REQUIRED",
        "over http, where the portal is served over https.",
        "Send it over https. Nothing was done; a key that came so may be known to others.",
    ),
    error(
        429,
        "RATE_LIMITED",
        _WAIT,
        "This key may make 600 requests a minute.",
        {"Retry-After": "17"},
    ),
    error(
        500,
        "INTERNAL_ERROR",
        "ours. It is logged under `X-Request-ID`.",
        "Something went wrong here. Try again, or tell us the X-Request-ID.",
    ),
    error(
        503,
        "UNAVAILABLE",
        _WAIT,
        "The portal cannot reach its database. Try again in a moment.",
        {"Retry-After": "2"},
    ),
)
"""How any operation may refuse."""
OF_LIST = (invalid("limit", "Enter a whole number of 1 or more.", "the parameters."),)
OF_BODY = (too_large("request", "2 MB"), other_media("application/json, in UTF-8"))
OF_KEY = (
    error(
        409,
        "IDEMPOTENCY_IN_PROGRESS",
        f"the first request still runs; {_WAIT}",
        "The first request with this Idempotency-Key is still running.",
        {"Retry-After": "2"},
    ),
    error(
        422,
        "IDEMPOTENCY_KEY_REUSED",
        "the key came with another request before.",
        "This Idempotency-Key was used for another request, or when this API key was allowed "
        "something else. Use a new one.",
    ),
)
