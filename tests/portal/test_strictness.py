"""Whatever is wrong with a request, every operation says so, at once, and writes nothing.

The operations are those of the OpenAPI document: a new one is tried without being named here.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
import simplejson
from django.apps import apps
from django.db import connection
from django.test import Client
from django_scopes import scopes_disabled

from customers.models import Customer
from portal.api import api
from portal.api_request import MAX_BODY
from portal.models import ApiKey, Tenant
from tests.api import problems
from tests.contract import JSON
from tests.document import Field, Operation, Sender, operations
from tests.factories import VariantFactory, make_order
from tests.malformed import MALFORMED

DOCUMENT = simplejson.loads(simplejson.dumps(api.get_openapi_schema()))
OPERATIONS = operations(DOCUMENT)
WITH_JSON = [name for name, operation in OPERATIONS.items() if operation.takes_json]
WITH_BODY = [name for name, operation in OPERATIONS.items() if operation.content]

HIDDEN = {
    "NUL": "a\x00b",
    "lone surrogate": "a\ud800b",
    "zero width space": "a\u200bb",
    "right-to-left override": "a\u202eb",
    "byte order mark": "\ufeffa",
    "escape": "\x1b[31m",
    "unassigned tag": "a\U000e0041",
}
OTHER_TYPES: dict[str, Any] = {
    "null": None,
    "integer": 7,
    "boolean": True,
    "array": [],
    "object": {},
    "string": "7",
}
HUGE = 10**300


@pytest.fixture
def sender(tenant: Tenant, api_client: Client) -> Sender:
    """With a device that is ordered and who ordered it, as ids and in the document's examples."""
    for sku in ("MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"):
        variant = VariantFactory(sku=sku)
    order = make_order("MACBOOK-PRO-16-M3")
    Customer.objects.update(public_id="cust_7K3M9QXT2B")
    order.refresh_from_db()
    Tenant.objects.filter(pk=tenant.pk).update(default_contract_length=24)
    return Sender(
        api_client,
        {
            "orderId": order.public_id,
            "customerId": order.customer.public_id,
            "productId": variant.product.public_id,
            "variantId": variant.public_id,
        },
    )


@pytest.fixture
def content(tenant: Tenant, api_key: ApiKey) -> Callable[[], dict[str, str]]:
    """What is in each table now."""
    # Its use is noted once a minute, and these tests may take longer.
    ApiKey.objects.filter(pk=api_key.pk).update(last_used_at="2999-01-01T00:00Z")

    def read() -> dict[str, str]:
        tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
        digest = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
        with connection.cursor() as cursor, scopes_disabled():
            found = {}
            for table in tables:
                cursor.execute(digest.format(connection.ops.quote_name(table)))
                found[table] = cursor.fetchone()[0]
            return found

    return read


def refused(response: Any, paths: list[str]) -> str:
    """Nothing if it is refused as it should be, else how it is answered instead."""
    if response["Content-Type"] != "application/json":
        return f"{response.status_code} {response['Content-Type']}"
    if response.status_code >= 300 and problems(response) == (400, "VALIDATION_ERROR", paths):
        return ""
    return f"{response.status_code} {response.content[:300]!r}"


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.monotonic()
    return call(), time.monotonic() - started


def test_operations_and_their_fields_are_found() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values())
    fields = {field.name: field for field in OPERATIONS["createOrder"].fields()}
    assert fields.keys() >= {"items", "items.0", "items.0.sku", "customFields", "customer.email"}
    assert fields["billingAddress.postalCode"].kinds == {"string", "null"}
    body = OPERATIONS["createOrder"].body_with(fields["upgradeDetails.upgradeReason"], 7)
    assert body["upgradeDetails"] == {
        "previousDevice": "x",
        "previousSerialNumber": "x",
        "previousMonthlyAmount": 0,
        "previousRentalId": "x",
        "upgradeReason": 7,
    }


# The body


@pytest.mark.parametrize("name", WITH_JSON)
def test_body_of_the_document_has_the_right_shape(sender: Sender, name: str) -> None:
    """Or the tests below would be refused for something else."""
    response = sender.send(OPERATIONS[name])
    assert response.status_code < 500
    assert b"VALIDATION_ERROR" not in response.content


@pytest.mark.parametrize("name", WITH_JSON)
def test_malformed_body_is_refused_at_once(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    needed = {"empty": b""} if operation.needs_body else {}
    wrong = {}
    for kind, sent in {**MALFORMED, **needed}.items():
        response, seconds = timed(lambda sent=sent: sender.send(operation, sent))
        if answer := refused(response, [""]) or ("slow" if seconds > 1 else ""):
            wrong[kind] = answer
    assert wrong == {}
    assert content() == before


@pytest.mark.parametrize("name", WITH_JSON)
def test_body_that_is_no_object_is_refused(sender: Sender, name: str) -> None:
    operation = OPERATIONS[name]
    bodies = {
        b"[]": "array",
        b"null": "null",
        b"1": "integer",
        b'"x"': "string",
        b"true": "boolean",
    }
    allowed = Field((), operation.content[JSON]["schema"]).kinds
    wrong = {
        sent: answer
        for sent, kind in bodies.items()
        if kind not in allowed and (answer := refused(sender.send(operation, sent), [""]))
    }
    assert wrong == {}


@pytest.mark.parametrize("name", WITH_JSON)
def test_wrong_type_or_character_is_refused_at_its_field(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    wrong = {}
    for field in operation.fields():
        for kind, value in unfit(field).items():
            response = sender.send(operation, operation.body_with(field, value))
            if answer := refused(response, [field.name]):
                wrong[field.name, kind] = answer
    assert wrong == {}
    assert content() == before


def unfit(field: Field) -> dict[str, Any]:
    """What may not stand there, by what is wrong with it."""
    kinds = field.kinds | ({"integer"} if "number" in field.kinds else set())
    values = {kind: value for kind, value in OTHER_TYPES.items() if kind not in kinds}
    if "string" in kinds:
        values |= {**HIDDEN, "endless": "x" * 100_000}
    if "object" in kinds and field.schema.get("additionalProperties"):
        values |= {f"{kind} inside": {"a": text} for kind, text in HIDDEN.items()}
        values |= {f"{kind} as a name": {text: 1} for kind, text in HIDDEN.items()}
        values |= {f"{kind} deep inside": {"a": [{"b": text}]} for kind, text in HIDDEN.items()}
    return values


@pytest.mark.parametrize("name", WITH_JSON)
def test_huge_number_is_refused_at_its_field(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    answers = {
        field.name: problems(sender.send(operation, operation.body_with(field, number)))
        for field in operation.fields()
        if field.kinds & {"integer", "number"} and not field.kinds >= {"object", "string"}
        for number in (HUGE, -HUGE)
    }
    assert {path: (status, paths) for path, (status, _, paths) in answers.items()} == {
        path: (400, [path]) for path in answers
    }
    assert content() == before


@pytest.mark.parametrize("name", WITH_JSON)
def test_hidden_character_is_refused_where_nothing_is_expected(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    wrong = {}
    for kind, hidden in HIDDEN.items():
        places: list[tuple[Any, str]] = [
            ({"unknownField": hidden}, "unknownField"),
            ({"unknownField": [{"a": hidden}]}, "unknownField.0.a"),
            ({hidden: 1}, ""),
            ({"unknownField": {hidden: 1}}, "unknownField"),
        ]
        for number, (more, path) in enumerate(places):
            response = sender.send(operation, {**operation.body(), **more})
            if answer := refused(response, [path]):
                wrong[kind, number] = answer
    assert wrong == {}
    assert content() == before


def test_what_is_wrong_is_told_together(sender: Sender) -> None:
    body = {
        **OPERATIONS["createOrder"].body(),
        "notes": 1,
        "orderType": "a\u200b",
        "customFields": {"a": {"b": "\x00"}},
        "unknownField": ["", "\u202e"],
    }
    paths = ["customFields", "notes", "orderType", "unknownField.1"]
    assert refused(sender.send(OPERATIONS["createOrder"], body), paths) == ""


@pytest.mark.parametrize("name", WITH_JSON)
def test_large_body_of_nonsense_is_answered_at_once(sender: Sender, name: str) -> None:
    """Some of it may be ignored; none of it takes long, and the answer is no larger."""
    operation = OPERATIONS[name]
    bodies = {
        "many unknown fields": {f"f{number}": number for number in range(50_000)},
        "many hidden characters": {"unknownField": ["\u200b"] * 200_000},
        "one long hidden text": {"unknownField": "é" * 900_000 + "\u200b"},
    }
    bodies |= {
        f"many in {field.name}": operation.body_with(field, [1] * 200_000)
        for field in operation.fields()
        if "array" in field.kinds
    }
    for kind, body in bodies.items():
        sent = simplejson.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        started = time.thread_time()  # However busy the machine is otherwise.
        response = sender.send(operation, sent)
        seconds = time.thread_time() - started
        assert (response.status_code < 500, len(response.content) < 100_000) == (True, True), kind
        assert seconds < 1, kind


@pytest.mark.parametrize("name", WITH_BODY)
def test_wrong_media_type_is_refused(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    types = {
        *("application/json; charset=latin-1", "application/json-patch+json", "text/json"),
        *("application/x-www-form-urlencoded", "multipart/mixed; boundary=x", "text/html", ""),
        *("application/xml", "\x00", "é", "application/json;" + "x" * 10_000),
    }
    wrong = {
        media: answer
        for media in types
        if (answer := problems(sender.send(operation, b"{}", media=media)))
        != (415, "UNSUPPORTED_MEDIA_TYPE", [])
    }
    assert wrong == {}
    assert content() == before


@pytest.mark.parametrize("name", WITH_BODY)
def test_body_in_chunks_is_refused(sender: Sender, name: str) -> None:
    response = sender.send(OPERATIONS[name], b"", headers={"Transfer-Encoding": "chunked"})
    assert (response.status_code, problems(response)[1]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("name", WITH_JSON)
def test_body_over_two_megabytes_is_refused_at_once(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    before = content()
    response, seconds = timed(lambda: sender.send(OPERATIONS[name], b" " * (MAX_BODY + 1)))
    assert problems(response) == (413, "BODY_TOO_LARGE", [])
    assert seconds < 1
    assert content() == before


# The address


BAD_VALUES = {
    "NUL": "%00",
    "NUL inside": "a%00b",
    "zero width space": "a%E2%80%8Bb",
    "right-to-left override": "%E2%80%AEa",
    "line end": "a%0Ab",
    "not UTF-8": "%FF",
    "not UTF-8, as it is": "\xff",
    "surrogate": "%ED%A0%80",
    "overlong": "%C0%AF",
    "no escape": "%zz",
    "half an escape": "a%2",
    "lone percent": "100%",
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_bad_parameter_is_refused(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    """Also one that the operation does not know."""
    operation, before = OPERATIONS[name], content()
    wrong = {}
    for parameter in [*operation.parameters("query"), "unknown"]:
        queries = {kind: f"{parameter}={value}" for kind, value in BAD_VALUES.items()}
        queries |= {f"{kind} in a name": f"a{value}=1" for kind, value in BAD_VALUES.items()}
        queries["twice"] = f"{parameter}=1&{parameter}=1"
        queries["twice, once blank"] = f"{parameter}=&{parameter}=1"
        queries["101 parameters"] = "&".join(f"p{number}=1" for number in range(101))
        for kind, query in queries.items():
            response = sender.send(operation, query=query)
            found = problems(response) if response.status_code >= 400 else ()
            if found[:2] != (400, "VALIDATION_ERROR"):
                wrong[parameter, kind] = f"{response.status_code} {response.content[:200]!r}"
    assert wrong == {}
    assert content() == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_long_or_strange_parameter_is_no_failure_of_ours(sender: Sender, name: str) -> None:
    operation = OPERATIONS[name]
    for parameter in operation.parameters("query"):
        for value in ("x" * 5000, "9" * 5000, "-1", "1e5", "[]", "'", "%25", "%2B", "null", "é"):
            response = sender.send(operation, query=f"{parameter}={value}")
            assert response.status_code < 500, (parameter, value)
            assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.parameters("path")])
def test_bad_id_is_not_found(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    values = {**BAD_VALUES, "long": "x" * 5000, "slash": "a%2Fb", "dots": "..", "number": "9" * 500}
    wrong = {
        (parameter, kind): answer
        for parameter in operation.parameters("path")
        for kind, value in values.items()
        if (answer := problems(sender.send(operation, ids={parameter: value})))
        != (404, "NOT_FOUND", [])
    }
    assert wrong == {}
    assert content() == before


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO")


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_other_methods_are_refused_with_those_there_are(
    sender: Sender, content: Callable[[], dict[str, str]], path: str
) -> None:
    there = {method.upper() for method in DOCUMENT["paths"][path]}
    address = sender.address(Operation(DOCUMENT, next(iter(DOCUMENT["paths"][path])), path))
    before = content()
    for method in set(METHODS) - there:
        response = sender.client.generic(method, address)
        assert (response.status_code, response["Content-Type"]) == (405, "application/json")
        assert set(response["Allow"].split(", ")) == there, method
        if method != "HEAD":
            assert problems(response) == (405, "METHOD_NOT_ALLOWED", [])
    assert content() == before


@pytest.mark.parametrize(
    "path", [*DOCUMENT["paths"], "/v1/nothing", "/v1/docs", "/v1/openapi.json"]
)
def test_address_with_something_behind_it_is_not_found(
    sender: Sender, content: Callable[[], dict[str, str]], path: str
) -> None:
    before = content()
    methods = list(DOCUMENT["paths"].get(path, ["get"]))
    whole = path
    if path in DOCUMENT["paths"]:
        whole = sender.address(Operation(DOCUMENT, methods[0], path))
    nowhere = ("/", "//", "/%00", "%00", "/a/b/c/d", "%E2%80%8B/")
    # These may be the id of something that there is not, and a body may be asked for first.
    elsewhere = ("/%FF", ".json", ";x", "%E2%80%8B")
    for behind in (*nowhere, *elsewhere):
        for method in METHODS:
            response = sender.client.generic(method, whole + behind)
            found, shown = response.status_code, f"{method} {whole}{behind}"
            assert found == 404 or (behind in elsewhere and found in (400, 405)), shown
            assert response["Content-Type"] == "application/json", shown
    assert content() == before


# Headers


BAD_HEADERS = {
    "empty": "",
    "blank": " ",
    "NUL": "\x00",
    "line end": "a\nb",
    "delete": "a\x7fb",
    "zero width space": "a\u200bb",
    "not ASCII": "é",
    "space inside": "a b",
    "long": "x" * 100_000,
}


def as_sent(value: str) -> str:
    """A server hands the bytes over as if each were a character."""
    return value.encode().decode("latin-1")


@pytest.mark.parametrize("name", OPERATIONS)
def test_bad_key_or_tenant_is_refused(
    sender: Sender, content: Callable[[], dict[str, str]], api_key: ApiKey, name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    token = api_key.token
    for kind, value in {**BAD_HEADERS, "not UTF-8": "\xff"}.items():
        sent = value if kind == "not UTF-8" else as_sent(value)
        none, bad = "AUTH_REQUIRED", "INVALID_TOKEN"
        for header, text, status, code in (
            ("Authorization", sent, 401, none),
            ("Authorization", f"Bearer {sent}", 401, bad if sent.strip() else none),
            ("Authorization", f"Bearer {token}{sent or '.'}x", 401, bad),
            ("Authorization", f"Bearer {token}, Bearer {token}{sent}", 401, bad),
            ("Tenant-ID", sent, 403, "NO_TENANT_ACCESS"),
            ("Tenant-ID", f"demo{sent or ','}demo", 403, "NO_TENANT_ACCESS"),
        ):
            response = sender.send(operation, headers={header: text})
            answer = problems(response)
            assert answer[:2] == (status, code), (header, kind, answer)
    assert content() == before


KEYED = [n for n, o in OPERATIONS.items() if "Idempotency-Key" in o.parameters("header")]


@pytest.mark.parametrize("name", KEYED)
def test_bad_idempotency_key_is_refused(
    sender: Sender, content: Callable[[], dict[str, str]], name: str
) -> None:
    operation, before = OPERATIONS[name], content()
    wrong = {
        kind: answer
        for kind, value in {**BAD_HEADERS, "too long": "x" * 256}.items()
        if (
            answer := refused(
                sender.send(operation, headers={"Idempotency-Key": as_sent(value)}),
                ["Idempotency-Key"],
            )
        )
    }
    assert wrong == {}
    assert content() == before


def test_every_change_by_post_can_be_sent_again() -> None:
    posts = {n for n, o in OPERATIONS.items() if o.method == "POST"}
    assert posts - set(KEYED) <= {"previewOrder"}


# Rights


@pytest.mark.parametrize("name", OPERATIONS)
def test_key_without_scopes_may_do_nothing(
    sender: Sender, content: Callable[[], dict[str, str]], api_key: ApiKey, name: str
) -> None:
    ApiKey.objects.filter(pk=api_key.pk).update(scopes=[])
    before = content()
    response = sender.send(OPERATIONS[name])
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])
    assert content() == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_counts_towards_the_limit(
    sender: Sender, content: Callable[[], dict[str, str]], api_key: ApiKey, name: str
) -> None:
    ApiKey.objects.filter(pk=api_key.pk).update(rate_limit=1)
    sender.send(OPERATIONS[name])
    before = content()
    response = sender.send(OPERATIONS[name])
    assert problems(response) == (429, "RATE_LIMITED", [])
    assert response["Retry-After"].isdecimal()
    assert content() == before
