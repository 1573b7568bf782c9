"""What every request to the API meets: keys, tenants, sizes, media types, errors as JSON."""

import gzip
import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from orders.models import Order
from portal.api import api
from portal.api_request import MAX_BODY
from portal.models import ApiKey, Tenant
from tests.api import ORDERS, post, problems
from tests.conftest import PortalClient
from tests.factories import ApiKeyFactory, VariantFactory, order_body

PAST = timezone.now() - timedelta(seconds=1)
FUTURE = timezone.now() + timedelta(days=1)


def bearer(key: ApiKey) -> str:
    return f"Bearer {key.token}"


@pytest.mark.parametrize(
    "sent", [None, "", "Basic bm9vcg==", "Token x", "key_1.secret", "Bearer", "Bearer "]
)
def test_request_without_bearer_key_is_asked_for_one(
    client: Client, tenant: Tenant, sent: str | None
) -> None:
    headers = {} if sent is None else {"Authorization": sent}
    response = post(client, order_body("A"), Tenant_ID="demo", **headers)
    assert problems(response) == (401, "AUTH_REQUIRED", [])
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "token",
    ["x", ".", "key_1", "key_1.", ".secret", "key_1.secret", "a b.c", "\x00.\x00", "é.é"],
)
def test_token_that_is_none_is_refused(client: Client, tenant: Tenant, token: str) -> None:
    response = post(client, b"", Tenant_ID="demo", Authorization=f"Bearer {token}")
    assert problems(response) == (401, "INVALID_TOKEN", [])
    assert response["WWW-Authenticate"] == "Bearer"


def test_wrong_secret_is_refused(client: Client, tenant: Tenant) -> None:
    token = bearer(ApiKeyFactory())
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    response = post(client, order_body("A"), Tenant_ID="demo", Authorization=wrong)
    assert problems(response) == (401, "INVALID_TOKEN", [])


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"revoked_at": PAST}, 401),
        ({"expires_at": PAST}, 401),
        ({"expires_at": FUTURE}, 201),
        ({"scopes": ["orders:write"]}, 201),
    ],
)
def test_key_works_until_it_expires_or_is_revoked(
    client: Client, tenant: Tenant, state: dict[str, Any], status: int
) -> None:
    VariantFactory(sku="A")
    key = ApiKeyFactory(**state)
    response = post(client, order_body("A"), Tenant_ID="demo", Authorization=bearer(key))
    assert response.status_code == status


def test_scheme_is_known_in_any_case(client: Client, tenant: Tenant) -> None:
    token = bearer(ApiKeyFactory()).replace("Bearer", "bearer")
    response = post(client, b"", Tenant_ID="demo", Authorization=token)
    assert response.status_code == 400


@pytest.mark.parametrize("sent", [None, "", "other", "Demo", "nope", "demo\x00", "dém\u00ado"])
def test_only_the_tenant_of_the_key_is_accepted(
    client: Client, tenant: Tenant, other_tenant: Tenant, sent: str | None
) -> None:
    VariantFactory(sku="A")
    headers = {} if sent is None else {"Tenant_ID": sent}
    response = post(client, order_body("A"), Authorization=bearer(ApiKeyFactory()), **headers)
    assert problems(response) == (403, "NO_TENANT_ACCESS", [])
    assert not Order.objects.exists()


@pytest.mark.parametrize("scopes", [[], ["orders:read", "orders:confirm", "costs:read"]])
def test_key_without_the_scope_is_refused(
    client: Client, tenant: Tenant, scopes: list[str]
) -> None:
    VariantFactory(sku="A")
    key = ApiKeyFactory(scopes=scopes)
    response = post(client, order_body("A"), Tenant_ID="demo", Authorization=bearer(key))
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])
    assert not Order.objects.exists()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [ORDERS, f"{ORDERS}/ord_N0THERE000", "/v1/nothing", "/v1"])
def test_what_is_sent_in_clear_text_is_refused(
    api_client: Client, tenant: Tenant, method: str, path: str
) -> None:
    """Redirected, most clients would repeat a POST as a GET, and take the list for an order."""
    VariantFactory(sku="A")
    body = json.dumps(order_body("A"))
    with override_settings(SECURE_SSL_REDIRECT=True):
        answer = api_client.generic(method, path, body, "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/json")
    if method != "HEAD":
        assert problems(answer) == (403, "HTTPS_REQUIRED", [])
    assert not Order.objects.exists()


def test_who_looks_without_a_key_is_sent_on_to_https(client: Client, api_client: Client) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        answer = client.get("/v1/docs")
        assert (answer.status_code, answer["Location"]) == (301, "https://testserver/v1/docs")
        assert problems(client.post(ORDERS, {}))[:2] == (403, "HTTPS_REQUIRED")
        assert api_client.get(ORDERS, secure=True).status_code == 200


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "evil.example", "no host"])
def test_another_host_is_told_where_the_portal_is(db: None, host: str) -> None:
    with override_settings(LINK_URL="https://portal.example.com"):
        answer = PortalClient().post(ORDERS, headers={"Host": host})
    assert problems(answer) == (400, "VALIDATION_ERROR", ["Host"])
    assert "https://portal.example.com" in answer.json()["error"]["details"][0]["message"]


def test_packed_body_is_refused(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    answer = post(api_client, gzip.compress(b"{}"), Content_Encoding="gzip")
    assert problems(answer) == (415, "UNSUPPORTED_MEDIA_TYPE", [])
    assert "Content-Encoding" in answer.json()["error"]["message"]
    assert post(api_client, order_body("A"), Content_Encoding="identity").status_code == 201


def test_a_login_is_no_key(rep_client: Client, tenant: Tenant) -> None:
    response = post(rep_client, order_body("A"), Tenant_ID="demo")
    assert problems(response) == (401, "AUTH_REQUIRED", [])


def test_checks_come_in_order(client: Client, tenant: Tenant) -> None:
    """Key, tenant, size and media type, JSON, shape, then what can be ordered."""
    key = {"Authorization": bearer(ApiKeyFactory())}
    headers: dict[str, str] = {}
    answers = []
    for step in ({}, key, {"Tenant-ID": "demo"}):
        headers |= step
        answers.append(
            client.post(ORDERS, b"x" * (MAX_BODY + 1), content_type="text/plain", headers=headers)
        )
    for body, media in ((b"x", "text/plain"), (b"x", "application/json")):
        answers.append(client.post(ORDERS, body, content_type=media, headers=headers))
    for body in (order_body("nope", notes=1), order_body("nope")):
        answers.append(client.post(ORDERS, body, content_type="application/json", headers=headers))
    assert [problems(answer) for answer in answers] == [
        (401, "AUTH_REQUIRED", []),
        (403, "NO_TENANT_ACCESS", []),
        (413, "BODY_TOO_LARGE", []),
        (415, "UNSUPPORTED_MEDIA_TYPE", []),
        (400, "VALIDATION_ERROR", [""]),
        (400, "VALIDATION_ERROR", ["notes"]),
        (400, "VARIANT_NOT_FOUND", ["items.0.sku"]),
    ]


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 400), (MAX_BODY + 1, 413)])
def test_body_may_have_two_megabytes(api_client: Client, size: int, status: int) -> None:
    assert post(api_client, b" " * size).status_code == status


def test_body_in_chunks_is_asked_for_in_one_piece(api_client: Client) -> None:
    """Django reads as much as Content-Length says, and so nothing of it."""
    response = post(api_client, b"", Transfer_Encoding="chunked")
    assert problems(response) == (400, "VALIDATION_ERROR", [""])
    why = "Send the body in one piece, with Content-Length; not in chunks."
    assert response.json()["error"]["message"] == f"The request is not valid: {why}"


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        (
            "?%",
            order_body("A"),
            "The query string has a % that begins no escape; send % itself as %25.",
        ),
        ("", b"", "This is not proper JSON. It is empty."),
        ("", b" \n", "This is not proper JSON. It is empty."),
        ("", b"{", "This is not proper JSON. Expecting property name enclosed in double quotes"),
    ],
)
def test_what_is_wrong_as_a_whole_says_which_it_is(
    api_client: Client, query: str, body: Any, message: str
) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = api_client.post(f"{ORDERS}{query}", sent, content_type="application/json")
    assert problems(response) == (400, "VALIDATION_ERROR", [""])
    told = response.json()["error"]["message"]
    assert told.startswith(f"The request is not valid: {message}")


def test_refusals_keep_the_headers_of_every_response(client: Client) -> None:
    for response in (client.get(ORDERS), client.get("/v1/nope"), client.post(ORDERS)):
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Length"] == str(len(response.content))


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ('Application/JSON;charset="UTF-8"', 201),
        ('Application/JSON; Charset="UTF-8"', 201),
        ("application/json; charset=latin-1", 415),
        ("application/json-patch+json", 415),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_only_json_in_utf_8_is_read(
    api_client: Client, tenant: Tenant, media: str, status: int
) -> None:
    VariantFactory(sku="A")
    body = str(order_body("A")).replace("'", '"').encode()
    response = api_client.generic("POST", ORDERS, body, content_type=media)
    assert response.status_code == status
    if status == 415:
        assert problems(response) == (415, "UNSUPPORTED_MEDIA_TYPE", [])


@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/orders/", "/v1/nope", "/v1/a/b/", "/v1/%00"])
def test_unknown_address_is_not_found(
    tenant: Tenant, rep: Any, logged_in: bool, method: str, path: str
) -> None:
    client = PortalClient(enforce_csrf_checks=True)
    if logged_in:
        client.force_login(rep, "django.contrib.auth.backends.ModelBackend")
    response = client.generic(method, path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    if method != "HEAD":
        assert problems(response) == (404, "NOT_FOUND", [])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *((method, ORDERS, "GET POST") for method in ("HEAD", "OPTIONS", "PUT", "DELETE")),
        ("GET", f"{ORDERS}/preview", "POST"),
        ("POST", "/v1/openapi.json", "GET HEAD"),
        ("POST", "/v1/docs", "GET HEAD"),
    ],
)
def test_wrong_method_says_which_is_right(db: None, method: str, path: str, allowed: str) -> None:
    response = PortalClient(enforce_csrf_checks=True).generic(method, path)
    assert response.status_code == 405
    assert sorted(response["Allow"].split(", ")) == allowed.split()
    assert response["Content-Type"] == "application/json"
    if method != "HEAD":
        assert problems(response) == (405, "METHOD_NOT_ALLOWED", [])


def test_our_own_failure_tells_nothing(api_client: Client, tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_customfield RENAME TO elsewhere")
    response = post(api_client, order_body("A"))
    assert problems(response) == (500, "INTERNAL_ERROR", [])
    assert b"customfield" not in response.content


def test_operation_may_say_that_there_is_no_such_thing(rf: RequestFactory) -> None:
    response = api.on_exception(rf.get("/v1/orders/ord_1"), Http404())
    assert (response.status_code, response.content) == (
        404,
        b'{"error":{"code":"NOT_FOUND","message":"There is no such address. See /v1/docs."}}',
    )


def test_missing_database_is_said_so() -> None:
    """In a process of its own, whose database cannot be reached."""
    code = (
        "from django.test import Client; from django.core.wsgi import get_wsgi_application;"
        "get_wsgi_application();"
        "r = Client().post('/v1/orders', headers={'Authorization': 'Bearer a.b', 'Host':"
        " 'localhost'}); print(r.status_code, r['Retry-After'], r.json()['error']['code'])"
    )
    environment = os.environ | {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout == "503 2 UNAVAILABLE\n"


def test_pages_outside_the_api_stay_pages(client: Client) -> None:
    response = client.get("/v10/orders")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_document_and_its_page_need_no_key(client: Client) -> None:
    document = client.get("/v1/openapi.json")
    assert (document.status_code, document.json()["openapi"]) == (200, "3.1.0")
    page = client.get("/v1/docs")
    assert page.status_code == 200
    assert b"https://" not in page.content
