"""The OpenAPI document's headers and examples, held against what is really answered."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest
import simplejson
from django.db import IntegrityError, OperationalError, connection
from django.test import Client, override_settings
from psycopg.errors import LockNotAvailable, UniqueViolation

from catalog.imports.reading import MAX_BYTES
from catalog.models import Product, Variant
from customers.models import Customer
from orders.models import Order
from portal.api import api
from portal.api_request import AROUND_FILE
from portal.models import ApiKey, IdempotentResponse, Tenant
from portal.permissions import SCOPES
from portal.rate_limit import rate_limit
from tests.conftest import PortalClient
from tests.contract import JSON
from tests.document import Sender, operations
from tests.factories import ApiKeyFactory, CustomerFactory, VariantFactory, make_order

DOCUMENT = simplejson.loads(simplejson.dumps(api.get_openapi_schema()))
OPERATIONS = operations(DOCUMENT)
NAMES = sorted(OPERATIONS)
KEYED = [name for name in NAMES if "Idempotency-Key" in OPERATIONS[name].parameters("header")]
WITH_BODY = [name for name in NAMES if OPERATIONS[name].content]
WITH_ID = [name for name in NAMES if OPERATIONS[name].parameters("path")]

HEADERS = set(DOCUMENT["components"]["headers"])
SHOP, CUSTOMER = "key_7K3M9QXT2B", "cust_7K3M9QXT2B"
SKU = "MACBOOK-PRO-16-M3"
THINKPAD = "THINKPAD-X1-32-1TB"


def error_of(name: str, error: str) -> tuple[int, Any]:
    return OPERATIONS[name].errors()[error]


def without_ids(value: Any) -> Any:
    """Other orders have other ids; and what is rented here no import has brought."""
    text = re.sub(r"ord_[0-9A-Z]{10}", "ord_7K3M9QXT2B", simplejson.dumps(value))
    return simplejson.loads(text.replace("test last changed", "import last changed"))


def check(name: str, response: Any, error: str) -> None:
    """The answer is the example of this error, with the headers that are declared for it."""
    status, body = error_of(name, error)
    assert (response.status_code, without_ids(response.json())) == (status, body)
    sent = check_headers(name, response)
    # Of what may conflict, only the same request at the same time can be waited for.
    waits = status != 409 or error == "IDEMPOTENCY_IN_PROGRESS"
    assert sent == set(OPERATIONS[name].headers(status)) - set(() if waits else ["Retry-After"])


def check_headers(name: str, response: Any) -> set[str]:
    """Which headers were sent, of those that the document knows at all: no other one is."""
    declared = OPERATIONS[name].headers(response.status_code)
    sent = HEADERS & set(response.headers)
    assert sent <= set(declared), (name, response.status_code)
    for header in sent:
        jsonschema_rs.validator_for(declared[header]["schema"]).validate(response[header])
    return sent


@dataclass
class World:
    """A shop's key without `costs:read`, and what the examples of the document are about."""

    shop: ApiKey
    tenant: Tenant
    sender: Sender

    def client(self, **headers: str) -> Client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        bearer = f"Bearer {self.shop.token}"
        return PortalClient(headers={"Authorization": bearer, "Tenant-ID": "demo", **named})

    def send(self, name: str, body: Any = None, *, by: Client | None = None, **more: Any) -> Any:
        """Sends an operation; a file or the first example of the document unless told."""
        operation = OPERATIONS[name]
        if body is None and operation.content:
            body = CSV_FILE if name in FILES else example(name)
        if name in FILES:
            more.setdefault("media", "text/csv")
        return Sender(by or self.client(), self.sender.ids).send(operation, body, **more)

    def another(self, **changes: Any) -> Client:
        key = ApiKeyFactory(tenant=self.tenant, **changes)
        return self.client(Authorization=f"Bearer {key.token}")


FILES = {"importProductsCSV"}
CSV_FILE = OPERATIONS["importProductsCSV"].content["text/csv"]["example"].encode()
FIRST = {"updateProduct": "prices"}
"""Whose answer is not that to the first example of its body."""


def example(name: str, **changes: Any) -> Any:
    """A body of the document, the one whose answer is its example."""
    examples = OPERATIONS[name].content[JSON]["examples"]
    chosen = examples[FIRST.get(name, next(iter(examples)))]["value"]
    return {**chosen, **changes}


@pytest.fixture
def world(tenant: Tenant) -> World:
    scopes = sorted(SCOPES.keys() - {"costs:read"})
    shop = ApiKeyFactory(public_id=SHOP, scopes=scopes)
    tenant.default_contract_length = 24
    tenant.save()
    for sku in (SKU, "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"):
        VariantFactory(sku=sku, prices={12: "182.95", 24: "111.95", 36: "85.50"})
    order = make_order(SKU)
    Customer.objects.update(public_id=CUSTOMER)
    world = World(shop, tenant, Sender(PortalClient(), {}))
    assert world.send("createProduct").status_code == 201
    world.sender.ids |= {
        "orderId": order.public_id,
        "customerId": CUSTOMER,
        "productId": Product.objects.get(sku="THINKPAD-X1").public_id,
        "variantId": Variant.objects.get(sku=THINKPAD).public_id,
    }
    return world


# What the document has to have


@pytest.mark.parametrize("name", NAMES)
def test_every_body_and_every_answer_has_an_example(name: str) -> None:
    operation = OPERATIONS[name]
    for media, content in operation.content.items():
        assert content.get("examples") or content.get("example"), media
    assert operation.answers[operation.success]["content"][JSON]["example"]
    for status, answer in operation.answers.items():
        assert status == operation.success or answer["content"][JSON]["examples"], status


def examples(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example of a content, with its schema and where it stands."""
    for name, inner in node.items() if isinstance(node, dict) else ():
        if isinstance(inner, dict) and "schema" in inner and {"example", "examples"} & set(inner):
            values = [each["value"] for each in inner.get("examples", {}).values()]
            values += [inner["example"]] if "example" in inner else []
            yield from ((f"{path}/{name}", inner["schema"], value) for value in values)
        else:
            yield from examples(inner, f"{path}/{name}")


def test_every_example_is_of_its_schema() -> None:
    found = [*examples(DOCUMENT["paths"]), *examples(DOCUMENT["components"]["responses"])]
    assert len(found) > 100
    for path, schema, value in found:
        whole = {**schema, "components": DOCUMENT["components"]}
        assert jsonschema_rs.validator_for(whole).is_valid(value), path


# What is answered


def shape(value: Any, path: str = "") -> set[str]:
    """The fields that there are."""
    if isinstance(value, dict):
        return {path}.union(*(shape(inner, f"{path}.{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {path}.union(*(shape(inner, f"{path}[]") for inner in value))
    return {path}


# An example without it would be of one who may not ask, or of nobody.
BEFORE: dict[str, Callable[[World], Any]] = {
    "deleteCustomer": lambda world: world.sender.ids.update(customerId=CustomerFactory().public_id),
}


@pytest.mark.parametrize("name", NAMES)
def test_success_is_answered_as_its_example_says(world: World, name: str) -> None:
    BEFORE.get(name, lambda world: None)(world)
    response = world.send(name)
    operation = OPERATIONS[name]
    told = operation.answers[operation.success]["content"][JSON]["example"]
    assert response.status_code == operation.success
    if name not in FILES:
        assert shape(response.json()) == shape(told)
    if "message" in told and name not in {*FILES, "createProduct"}:
        assert response.json()["message"] == told["message"]
    assert check_headers(name, response) == {"X-Request-ID"}


@pytest.mark.parametrize("name", KEYED)
def test_second_answer_says_that_it_is_one(world: World, name: str) -> None:
    by = world.client(Idempotency_Key="k")
    first, second = (world.send(name, by=by) for _ in "12")
    assert second.content == first.content
    assert check_headers(name, first) == {"X-Request-ID"}
    assert check_headers(name, second) == set(OPERATIONS[name].headers(first.status_code))


def test_file_is_answered_as_its_example_says(world: World) -> None:
    operation = OPERATIONS["importProductsCSV"]
    header, row = CSV_FILE.decode().split("\r\n")[:2]
    other = row.replace("MBP-16-SILVER", "MBP-16-BLACK").replace("2899.00", "0")
    response = world.send(operation.name, "\r\n".join((header, row, other)).encode())
    assert response.json() == operation.answers[201]["content"][JSON]["example"]


# How any operation refuses


def failing(
    error: type[Exception], cause: type[Exception] | None = None, where: str = ""
) -> AbstractContextManager[None]:
    """A database that fails at each statement in which this stands."""

    def execute(ask: Callable[..., Any], sql: str, *asked: Any) -> Any:
        if where in sql:
            raise error from (cause and cause())
        return ask(sql, *asked)

    return connection.execute_wrapper(execute)


@pytest.mark.parametrize("name", NAMES)
def test_refusals_of_every_operation_are_its_examples(world: World, name: str) -> None:
    nobody, wrong = world.client(Authorization=""), world.client(Authorization="Bearer a.b")
    for by, error in ((nobody, "AUTH_REQUIRED"), (wrong, "INVALID_TOKEN")):
        check(name, world.send(name, by=by), error)
    check(name, world.send(name, by=world.client(Tenant_ID="other")), "NO_TENANT_ACCESS")
    check(name, world.send(name, by=world.another(scopes=[])), "INSUFFICIENT_PERMISSIONS")
    with override_settings(SECURE_SSL_REDIRECT=True):
        check(name, world.send(name), "HTTPS_REQUIRED")
    for failure, error in ((ValueError, "INTERNAL_ERROR"), (OperationalError, "UNAVAILABLE")):
        with failing(failure):
            check(name, world.send(name), error)
    for _ in range(600):
        rate_limit.wait(world.shop)
    check(name, world.send(name), "RATE_LIMITED")


@pytest.mark.parametrize("name", NAMES)
def test_operation_takes_the_scope_that_it_names(world: World, name: str) -> None:
    scope = OPERATIONS[name].told["x-scope"]
    assert OPERATIONS[name].told["description"].endswith(f"\n\nScope: `{scope}`.")
    others = sorted(SCOPES.keys() - {scope})
    check(name, world.send(name, by=world.another(scopes=others)), "INSUFFICIENT_PERMISSIONS")
    BEFORE.get(name, lambda world: None)(world)
    assert world.send(name, by=world.another(scopes=[scope])).status_code < 300


@pytest.mark.parametrize("name", WITH_BODY)
def test_body_of_another_kind_is_refused_as_its_example_says(world: World, name: str) -> None:
    large = b" " * ((MAX_BYTES if name in FILES else 0) + AROUND_FILE + 2 * 1024**2)
    check(name, world.send(name, large + b" "), "BODY_TOO_LARGE")
    check(name, world.send(name, b"x", media="text/plain"), "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("name", KEYED)
def test_key_that_is_taken_is_refused_as_its_example_says(world: World, name: str) -> None:
    IdempotentResponse.objects.create(
        tenant=world.tenant, api_key=world.shop, key="used", fingerprint="x", status=200, body=b""
    )
    by = world.client(Idempotency_Key="used")
    check(name, world.send(name, by=by), "IDEMPOTENCY_KEY_REUSED")
    with failing(OperationalError, LockNotAvailable, "INTO portal_idempotentresponse"):
        response = world.send(name, by=world.client(Idempotency_Key="k"))
    check(name, response, "IDEMPOTENCY_IN_PROGRESS")


@pytest.mark.parametrize("name", WITH_ID)
def test_what_is_not_there_is_refused_as_its_example_says(world: World, name: str) -> None:
    ids = dict.fromkeys(OPERATIONS[name].parameters("path"), "nothing")
    repeated = {"customerId": "nothing"} if name == "updateCustomer" else None
    check(name, world.send(name, repeated, ids=ids), "NOT_FOUND")


# How each refuses besides


def line(**changes: Any) -> dict[str, Any]:
    return {"items": [{"sku": SKU, "quantity": 1, **changes}]}


def ordered(world: World, **item: Any) -> str:
    """An order that the shop placed itself, of a device or of the product of the examples."""
    placed = world.send("createOrder", example("createOrder", **line(**item)))
    order_id: str = placed.json()["orderId"]
    world.sender.ids["orderId"] = order_id
    return order_id


def cancelled(world: World) -> None:
    assert world.send("cancelOrder").status_code == 200


def inactive(world: World) -> None:
    Variant.objects.filter(sku=SKU).update(status="inactive")


def rented(world: World) -> None:
    order = make_order(SKU, SKU, status=Order.Status.PARTIAL)
    world.sender.ids |= {"orderId": order.public_id, "customerId": order.customer.public_id}


def limited(world: World) -> None:
    Tenant.objects.filter(pk=world.tenant.pk).update(confirm_limit=1000)


def discontinued(world: World) -> None:
    assert world.send("deleteProduct").status_code == 200


def thinkpad_of_another(world: World) -> None:
    other = Product.objects.get(variants__sku="DELL-U2722D-MONITOR")
    world.sender.ids["productId"] = other.public_id


def thinkpad(**changes: Any) -> dict[str, Any]:
    """The example's variant with that changed."""
    [variant] = example("createProduct")["variants"]
    return {"variants": [{**variant, **changes}]}


def nothing(world: World) -> None:
    pass


TOO_FINE = thinkpad(pricing=[{"contractLength": 12, "monthlyPrice": 119.955}])
Provoked = tuple[Callable[[World], Any], Any]
LINES: dict[str, Provoked] = {
    "VALIDATION_ERROR": (nothing, line(quantity=1.5)),
    "VARIANT_NOT_FOUND": (nothing, line(sku="MACBOOK")),
    "VARIANT_INACTIVE": (inactive, line(contractLength=36)),
    "INVALID_CONTRACT_LENGTH": (nothing, line(contractLength=18)),
}
NEW_LINES = {
    error: (before, example("createOrder", **body)) for error, (before, body) in LINES.items()
}
OF_THINKPAD = (lambda world: ordered(world, sku=THINKPAD), None)
PROVOKED: Mapping[str, Mapping[str, Provoked]] = {
    "createOrder": NEW_LINES,
    "previewOrder": NEW_LINES,
    "updateOrder": {**LINES, "STATE_CONFLICT": (cancelled, None)},
    "confirmOrder": {
        "VALIDATION_ERROR": (nothing, {"version": 1.5}),
        "STATE_CONFLICT": (cancelled, {}),
        "FOUR_EYES": (ordered, {}),
        "ABOVE_LIMIT": (limited, {}),
    },
    "cancelOrder": {
        "VALIDATION_ERROR": (nothing, {"reason": 7}),
        "ALREADY_CANCELLED": (cancelled, None),
        "ORDER_NOT_CANCELLABLE": (rented, None),
    },
    "updateOrderNotes": {"VALIDATION_ERROR": (nothing, {})},
    "createProduct": {
        "VALIDATION_ERROR": (nothing, {**example("createProduct"), "name": ""}),
        "DUPLICATE_SKU": (nothing, example("createProduct", productSku="OTHER")),
        "INVALID_PRICING": (nothing, example("createProduct", **TOO_FINE)),
    },
    "updateProduct": {
        "VALIDATION_ERROR": (nothing, {"status": "gone"}),
        "DUPLICATE_SKU": (thinkpad_of_another, thinkpad()),
        "INVALID_PRICING": (nothing, TOO_FINE),
        "PRODUCT_HAS_ACTIVE_ORDERS": (OF_THINKPAD[0], {"status": "discontinued"}),
    },
    "deleteProduct": {"PRODUCT_HAS_ACTIVE_ORDERS": OF_THINKPAD},
    "updateVariantStatus": {
        "VALIDATION_ERROR": (nothing, {"status": "gone"}),
        "VARIANT_IN_USE": OF_THINKPAD,
        "STATE_CONFLICT": (discontinued, {"status": "active"}),
    },
    "importProductsCSV": {
        "VALIDATION_ERROR": (nothing, CSV_FILE.replace(b"Brand,", b"Make,")),
    },
    "updateCustomer": {
        "VALIDATION_ERROR": (nothing, {}),
        "CUSTOMER_HAS_PENDING_ORDERS": (nothing, {"customerId": CUSTOMER, "status": "inactive"}),
        "CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS": (rented, None),
    },
    "deleteCustomer": {
        "CUSTOMER_HAS_PENDING_ORDERS": (nothing, None),
        "CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS": (rented, None),
    },
}
EVERYWHERE = {
    *("AUTH_REQUIRED", "INVALID_TOKEN", "NO_TENANT_ACCESS", "INSUFFICIENT_PERMISSIONS"),
    *("HTTPS_REQUIRED",),
    *("RATE_LIMITED", "INTERNAL_ERROR", "UNAVAILABLE", "NOT_FOUND"),
    *("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"),
    *("IDEMPOTENCY_IN_PROGRESS", "IDEMPOTENCY_KEY_REUSED"),
}
"""What the tests above have seen of every operation."""
RACED = {"createProduct", "updateProduct", "importProductsCSV"}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        (name, error)
        for name in NAMES
        for error in OPERATIONS[name].errors().keys() - EVERYWHERE
        if not (error == "STATE_CONFLICT" and name in RACED)
    ],
)
def test_refusal_is_its_example(world: World, name: str, error: str) -> None:
    if OPERATIONS[name].content:
        before, body = PROVOKED[name][error]
        before(world)
        if name == "updateCustomer" and body is None:
            body = {"customerId": world.sender.ids["customerId"], "status": "inactive"}
        response = world.send(name, body)
    elif error == "VALIDATION_ERROR":
        is_list = "limit" in OPERATIONS[name].parameters("query")
        response = world.send(name, query="limit=0" if is_list else "%")
    else:
        PROVOKED[name][error][0](world)
        response = world.send(name)
    check(name, response, error)


@pytest.mark.parametrize("name", sorted(RACED))
def test_lost_race_is_refused_as_its_example_says(world: World, name: str) -> None:
    sent = {"variants": [{**thinkpad()["variants"][0], "variantSku": "TAKEN"}]}
    body = None if name in FILES else example(name, **sent)
    with failing(IntegrityError, UniqueViolation, 'INSERT INTO "catalog_variant"'):
        check(name, world.send(name, body), "STATE_CONFLICT")
