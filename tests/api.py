"""How the tests of the API send and read."""

from typing import Any

import simplejson
from django.test import Client

ORDERS = "/v1/orders"


def post(client: Client, body: Any, **headers: str) -> Any:
    """Posts an order: a body, or the very bytes of one. `Idempotency_Key="k"` is a header."""
    sent = body if isinstance(body, bytes) else simplejson.dumps(body, use_decimal=True).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(ORDERS, sent, content_type="application/json", headers=named)


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Sends any request to `/v1<path>`; without a body, none of JSON either."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return client.generic(method, f"/v1{path}", headers=named)
    sent = body if isinstance(body, bytes) else simplejson.dumps(body, use_decimal=True).encode()
    return client.generic(
        method, f"/v1{path}", sent, content_type="application/json", headers=named
    )


def exact(response: Any) -> Any:
    """The response with its numbers as they were written."""
    return simplejson.loads(response.content, use_decimal=True)


def problems(response: Any) -> tuple[int, str, list[str]]:
    """Status, code and the paths of the details, sorted."""
    error = response.json()["error"]
    paths = sorted(detail["path"] for detail in error.get("details", []))
    return response.status_code, error["code"], paths
