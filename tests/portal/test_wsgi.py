"""What a server hands over before any of the middleware can answer."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.test import RequestFactory


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json; charset*=bogus''x", "401 Unauthorized"),
        ("text/csv; charset*=bogus''x", "401 Unauthorized"),
        ("multipart/form-data; boundary*=x''y", "401 Unauthorized"),
        ("application/json", "401 Unauthorized"),
    ],
)
def test_media_type_that_is_nonsense_is_answered_as_any_other(
    rf: RequestFactory, db: None, media: str, status: str
) -> None:
    from portal.wsgi import application  # which no development server imports

    environ = rf.post("/v1/orders").environ | {"CONTENT_TYPE": media, "wsgi.input": BytesIO()}
    answered = []

    def start(status: str, headers: Any) -> Callable[[bytes], None]:
        answered.append(status)
        return lambda sent: None

    body = b"".join(application(environ, start))
    assert (answered, body[:25]) == ([status], b'{"error":{"code":"AUTH_REQ'[:25])
