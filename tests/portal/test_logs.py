"""Logs: lines that a machine can read, and a request's id on each."""

import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

PRODUCTION = """
import logging, logging.config
from portal import logs

logging.config.dictConfig(logs.configuration(debug=False))
log = logging.getLogger("portal")
"""
IN_A_REQUEST = """
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

settings.configure()

def answer(request):
    log.warning("Refused")
    return HttpResponse()

request = RequestFactory().post("/", {"password": "secret"}, headers={"X-Request-ID": "request-1"})
logs.RequestIdMiddleware(answer)(request)
log.warning("Afterwards")
"""
FAILURE = """
try:
    raise ValueError("broken")
except ValueError:
    log.exception("It failed")
"""

QUOTING = """
from django.db import IntegrityError
from psycopg.errors import CheckViolation, InvalidTextRepresentation

def fail(first, second):
    try:
        try:
            raise first
        except Exception as error:
            raise second from error
    except Exception:
        log.exception("It failed")

row = 'violates "order_total"\\nDETAIL:  Failing row contains (noor@x.example,\\n\\nWeena 5).'
fail(CheckViolation(row), IntegrityError(row))
statement = 'invalid input\\nLINE 1: SELECT noor@x.example\\n      ^\\nCONTEXT:  Weena 5'
fail(InvalidTextRepresentation(statement), ValueError("broken"))
"""

REFUSAL = """
try:
    raise PermissionError("not you")
except PermissionError:
    log.warning("Forbidden", exc_info=True)
"""


def lines(code: str) -> list[dict[str, str]]:
    """What a process with the logs of production writes."""
    run = [sys.executable, "-c", PRODUCTION + code]
    done = subprocess.run(run, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("given", ["", "short", "with space in it", "x" * 65, "quoted-<script>"])
def test_request_gets_an_id_of_ours(client: Client, given: str) -> None:
    first, second = (client.get("/healthz", headers={"X-Request-ID": given}) for _ in range(2))
    assert len(first["X-Request-ID"]) == 16
    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_request_keeps_the_id_of_its_proxy(client: Client) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": "from-the-proxy_1.2"})
    assert response["X-Request-ID"] == "from-the-proxy_1.2"


def test_line_of_a_request_has_its_id() -> None:
    during, afterwards = lines(IN_A_REQUEST)
    del during["timestamp"]
    assert during == {
        "event": "Refused",
        "level": "warning",
        "logger": "portal",
        "request_id": "request-1",
    }
    assert "request_id" not in afterwards


def test_rows_that_the_database_quotes_are_not_logged() -> None:
    row, statement = (line["exception"] for line in lines(QUOTING))
    assert row.count('violates "order_total"') == 2
    assert "invalid input" in statement
    assert "ValueError: broken" in statement
    for text in ("noor", "Weena", "DETAIL", "LINE"):
        assert text not in row + statement


def test_failure_is_one_line() -> None:
    (line,) = lines(FAILURE)
    assert line["event"] == "It failed"
    assert line["exception"].endswith("ValueError: broken")


def test_refusal_has_no_traceback() -> None:
    (line,) = lines(REFUSAL)
    assert (line["event"], "exception" in line) == ("Forbidden", False)
