"""Errors that a service raises and every door renders: JSON in the API, the field in a form."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that is wrong: where (`items.0.sku`, camelCase as in the contract), and why."""

    path: str
    code: str
    message: str


MOST_DETAILS = 1_000
"""Details of an error; of more, only how many they are."""


class DomainError(Exception):
    """A refused request. `code` is one of the contract's error codes; nothing was written."""

    status = 400

    def __init__(self, code: str, message: str, details: Iterable[Detail] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)
        if (more := len(self.details) - MOST_DETAILS) > 0:
            rest = Detail("", code, f"{more:,} more fields are wrong.")
            self.details = (*self.details[:MOST_DETAILS], rest)

    @property
    def words(self) -> str:
        """What is wrong, for a page that has no place for each detail: the first one."""
        return self.details[0].message if self.details else self.message

    @classmethod
    def at(cls, path: str, code: str, message: str) -> "DomainError":
        return cls(code, message, [Detail(path, code, message)])

    @classmethod
    def of(cls, details: Iterable[Detail]) -> "DomainError":
        """One error for several details; its code and message are those of the first."""
        details = tuple(details)
        return cls(details[0].code, details[0].message, details)


class ValidationFailed(DomainError):
    """The input has the wrong shape: `VALIDATION_ERROR`, HTTP 400, every bad field in details.

    What is wrong as a whole, the body or the query string, has no path, and says itself which.
    """

    def __init__(self, details: Iterable[Detail]) -> None:
        details = tuple(details)
        where = ", ".join(dict.fromkeys(d.path or d.message.rstrip(".") for d in details[:3]))
        more = f" and {len(details) - 3} more" if len(details) > 3 else ""
        super().__init__("VALIDATION_ERROR", f"The request is not valid: {where}{more}.", details)


class PermissionRefused(DomainError):
    """The actor may not do this: HTTP 403. `rule` names the tenant's rule that refuses, if any."""

    status = 403

    def __init__(
        self, message: str, code: str = "INSUFFICIENT_PERMISSIONS", rule: str = ""
    ) -> None:
        super().__init__(code, message, [Detail("", rule, message)] if rule else ())


class NotFound(DomainError):
    """No such thing in this tenant; a foreign one looks the same: HTTP 404."""

    status = 404

    def __init__(self, message: str) -> None:
        super().__init__("NOT_FOUND", message)


class Conflict(DomainError):
    """The state does not allow it, or somebody else was faster: HTTP 409."""

    status = 409


def error_body(error: DomainError) -> dict[str, Any]:
    """The contract's error object. `details` name each field that is wrong."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details or isinstance(error, ValidationFailed):
        body["details"] = [
            {"path": detail.path, "code": detail.code, "message": detail.message}
            for detail in error.details
        ]
    return body
