"""Logs: one JSON object a line in production, readable lines in development.

Every line of a request carries its id, which the response repeats as `X-Request-ID`. Bodies,
headers and names are never logged: in production not even where the database quotes them.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _without_traceback_of_refusals(logger: Any, name: str, event: Any) -> Any:
    """Django logs a refused request (403, 400) with where it was refused, which is no fault."""
    if event.get("level") == "warning":
        event.pop("exc_info", None)
    return event


# The database quotes the row or the statement behind what it says was wrong with it.
_QUOTED = re.compile(
    r"\n(LINE \d+|DETAIL|CONTEXT): .*?(?=\n\n(The above exception|During handling)|\Z)", re.DOTALL
)


def _without_rows(logger: Any, name: str, event: Any) -> Any:
    """Somebody's name or address may be in them."""
    if exception := event.get("exception"):
        event["exception"] = _QUOTED.sub("", exception)
    return event


def configuration(*, debug: bool) -> dict[str, Any]:
    """Django's LOGGING setting."""
    rendering: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=False)]
        if debug
        else [_without_rows, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    _without_traceback_of_refusals,
                    structlog.processors.format_exc_info,
                    *rendering,
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django": {"level": "INFO"},
            "django.server": {"handlers": [], "propagate": True, "level": "INFO"},
            # It announces its own version at each start.
            "axes": {"level": "WARNING"},
        },
    }


class RequestIdMiddleware:
    """Names each request; a proxy's own `X-Request-ID` is kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
