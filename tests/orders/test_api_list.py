"""`GET /v1/orders`: what is asked, in which order it comes, and by which index it is found."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scopes_disabled

from orders.custom_fields import custom_field_filter
from orders.models import CustomField, Order
from portal.models import Tenant
from tests.api import exact, problems, send
from tests.conftest import PortalClient
from tests.factories import (
    ApiKeyFactory,
    CustomFieldFactory,
    VariantFactory,
    make_order,
)


def get(client: Client, **query: Any) -> Any:
    return send(client, "GET", f"/orders?{urlencode(query)}")


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [order["orderId"] for order in response.json()["orders"]]


def quantity(number: int) -> dict[str, Any]:
    return {"items": [{"sku": "A", "quantity": number, "contractLength": 24}]}


@pytest.fixture(autouse=True)
def _offer(tenant: Tenant) -> None:
    VariantFactory(sku="A", list_price=900)


def test_list_has_orders_as_they_are_read_alone(api_client: Client) -> None:
    orders = [make_order("A", notes="First").public_id, make_order("A").public_id]
    alone = [exact(send(api_client, "GET", f"/orders/{order}")) for order in orders]
    assert exact(get(api_client)) == {
        "orders": alone[::-1],
        "count": 2,
        "limit": 50,
        "hasMore": False,
        "nextCursor": None,
    }


def test_list_without_orders_is_empty(api_client: Client) -> None:
    assert get(api_client).json() == {
        "orders": [],
        "count": 0,
        "limit": 50,
        "hasMore": False,
        "nextCursor": None,
    }


def test_costs_are_for_keys_that_may_see_them(api_client: Client, tenant: Tenant) -> None:
    make_order("A")
    key = ApiKeyFactory(scopes=["orders:read"])
    blind = PortalClient(headers={"Authorization": f"Bearer {key.token}", "Tenant-ID": tenant.slug})
    seen, hidden = (get(each).json()["orders"][0]["items"][0] for each in (api_client, blind))
    assert (seen["listPrice"], "listPrice" in hidden, "listPriceSource" in hidden) == (
        900,
        False,
        False,
    )


@pytest.mark.parametrize("path", ["/orders", "/orders?limit=1"])
def test_key_without_the_scope_sees_nothing(client: Client, tenant: Tenant, path: str) -> None:
    key = ApiKeyFactory(scopes=["orders:write", "orders:confirm", "costs:read"])
    headers = {"Authorization": f"Bearer {key.token}", "Tenant_ID": tenant.slug}
    response = send(client, "GET", path, **headers)
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])


def test_list_has_the_orders_of_its_tenant(api_client: Client, other_tenant: Tenant) -> None:
    make_order(tenant=other_tenant)
    mine = make_order("A")
    assert ids(get(api_client)) == [mine.public_id]


@pytest.mark.parametrize("status", ["pending", "confirmed", "partial", "fulfilled", "cancelled"])
def test_list_of_one_status(api_client: Client, status: str) -> None:
    orders = {each: make_order(**quantity(2), status=each).public_id for each in Order.Status}
    assert ids(get(api_client, status=status)) == [orders[Order.Status(status)]]


def test_list_of_one_customer(api_client: Client, other_tenant: Tenant) -> None:
    foreign = make_order(tenant=other_tenant)
    make_order("A")
    customer = {"email": "ann@example.com", "firstName": "Ann", "lastName": "Lee"}
    order = make_order("A", customer=customer)
    found = ids(get(api_client, customerId=order.customer.public_id))
    assert found == [order.public_id]
    assert ids(get(api_client, customerId="nobody")) == []
    assert ids(get(api_client, customerId=foreign.customer.public_id)) == []


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+02:00", "-11:30"])
def test_list_of_what_changed_since(api_client: Client, zone: str) -> None:
    early, at, late = (make_order("A").pk for _ in "123")
    moment = timezone.now().replace(microsecond=250_000)
    for order, minutes in ((early, -1), (at, 0), (late, 1)):
        Order.objects.filter(pk=order).update(updated_at=moment + timedelta(minutes=minutes))
    local = moment.astimezone(
        timezone.get_fixed_timezone({"+02:00": 120, "-11:30": -690}.get(zone, 0))
    )
    since = local.replace(tzinfo=None).isoformat() + zone
    found = ids(get(api_client, updatedSince=since, sortDir="asc"))
    assert found == [Order.objects.get(pk=order).public_id for order in (at, late)]


@pytest.mark.parametrize(("sort", "first"), [({}, "changed"), ({"sortBy": "createdAt"}, "created")])
def test_what_changed_since_is_sorted_by_its_change_unless_told(
    api_client: Client, sort: dict[str, str], first: str
) -> None:
    changed, created = make_order("A"), make_order("A")
    Order.objects.filter(pk=changed.pk).update(updated_at=timezone.now() + timedelta(days=1))
    found = ids(get(api_client, updatedSince="2020-01-01T00:00:00Z", **sort))
    assert found[0] == {"changed": changed, "created": created}[first].public_id


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59+23:59"])
def test_any_moment_can_be_asked_for(api_client: Client, since: str) -> None:
    make_order("A")
    assert len(ids(get(api_client, updatedSince=since))) == (since < "2000")


FIELDS = {
    "po": ("text", "PO-4711"),
    "mail": ("email", "Noor@Example.com"),
    "size": ("number", Decimal("5.50")),
    "many": ("number", 10**300),
    "grade": ("select", "B"),
    "more": ("textarea", "Call first."),
    "as_sent": ("textarea", " Cafe\u0301, 2nd floor "),
}


@pytest.mark.parametrize(
    ("field", "sent", "found"),
    [
        ("po", "PO-4711", 1),
        ("po", " PO-4711 ", 1),
        ("po", "po-4711", 0),
        ("as_sent", " Cafe\u0301, 2nd floor ", 1),
        ("as_sent", "Cafe\u0301, 2nd floor", 0),
        ("po", "PO", 0),
        ("po", '{"a": 1}', 0),
        ("po", "\\' OR 1=1 --", 0),
        ("mail", "Noor@Example.com", 1),
        ("mail", "noor@example.com", 0),
        ("size", "5.5", 1),
        ("size", "5.500", 1),
        ("size", "55e-1", 1),
        ("size", "-5.5", 0),
        ("size", "5", 0),
        ("many", "1e300", 1),
        ("grade", "B", 1),
        ("grade", "Z", 0),
        ("more", "Call first.", 1),
        ("po", "", 2),
    ],
)
def test_list_by_a_custom_field(api_client: Client, field: str, sent: str, found: int) -> None:
    for key, (kind, _) in FIELDS.items():
        CustomFieldFactory(key=key, type=kind, options=["A", "B"] if kind == "select" else [])
    make_order("A")
    order = make_order("A", customFields={key: value for key, (_, value) in FIELDS.items()})
    response = get(api_client, **{f"customField_{field}": sent})
    assert (len(ids(response)), order.public_id in ids(response)) == (found, found > 0)


def test_filters_are_joined(api_client: Client) -> None:
    CustomFieldFactory(key="po")
    CustomFieldFactory(key="size", type=CustomField.Type.NUMBER)
    both = make_order("A", customFields={"po": "1", "size": 1})
    make_order("A", customFields={"po": "1", "size": 2})
    make_order("A", customFields={"po": "1", "size": 1}, status="cancelled")
    asked = {"customField_po": "1", "customField_size": "1", "status": "pending"}
    found = ids(get(api_client, customerId=both.customer.public_id, **asked))
    assert found == [both.public_id]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        *(({"status": status}, ["status"]) for status in ("open", "Pending", "pending,confirmed")),
        *(({"sortBy": by}, ["sortBy"]) for by in ("created_at", "total", "totals", "-createdAt")),
        *(({"sortDir": way}, ["sortDir"]) for way in ("up", "ASC", "1")),
        *(
            ({"updatedSince": since}, ["updatedSince"])
            for since in (
                *("2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00 02:00", "yesterday"),
                *("1767225600", "2026-13-01T00:00:00Z", "2026-01-31T25:00:00Z", "9" * 1000),
                *("10000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "０２６-01-31T12:00:00Z"),
            )
        ),
        ({"customField_other": "1"}, ["customField_other"]),
        ({"customField_": "1"}, ["customField_"]),
        ({"customField_" + "x" * 1000: "1"}, ["customField_" + "x" * 1000]),
        *(
            ({"customField_size": size}, ["customField_size"])
            for size in ("L", "1,5", "true", "null", "NaN", "1e400", '"1"', "[1]", "1" * 1001)
        ),
        (
            {"status": "x", "sortBy": "x", "limit": 0, "customField_a": 1, "customField_size": "L"},
            ["customField_a", "customField_size", "limit", "sortBy", "status"],
        ),
    ],
)  # fmt: skip
def test_parameter_that_is_wrong_is_named(
    api_client: Client, query: dict[str, Any], paths: list[str]
) -> None:
    CustomFieldFactory(key="size", type=CustomField.Type.NUMBER)
    make_order("A")
    assert problems(get(api_client, **query)) == (400, "VALIDATION_ERROR", paths)


def test_field_of_another_tenant_is_not_configured(
    api_client: Client, other_tenant: Tenant
) -> None:
    CustomFieldFactory(key="po", tenant=other_tenant)
    response = get(api_client, customField_po="1")
    assert problems(response) == (400, "VALIDATION_ERROR", ["customField_po"])


SORTED = {
    "createdAt": ["old", "middle", "new"],
    "updatedAt": ["new", "old", "middle"],
    "orderId": ["middle", "new", "old"],
    "status": ["middle", "old", "new"],
    "totals.total": ["new", "middle", "old"],
}


@pytest.mark.parametrize("way", ["asc", "desc", None])
@pytest.mark.parametrize("by", SORTED)
def test_list_is_sorted(api_client: Client, by: str, way: str | None) -> None:
    """By state, of one state the oldest first."""
    now = timezone.now()
    orders = {
        "old": make_order(**quantity(30)),
        "middle": make_order(**quantity(4), status="cancelled"),
        "new": make_order(**quantity(3)),
    }
    order_ids = {"old": "ord_C", "middle": "ord_A", "new": "ord_B"}
    for number, (name, order) in enumerate(orders.items()):
        Order.objects.filter(pk=order.pk).update(
            public_id=order_ids[name],
            created_at=now + timedelta(days=number),
            updated_at=now + timedelta(days=(number + 1) % 3),
        )
    asked = {"sortBy": by} | ({"sortDir": way} if way else {})
    found = ids(get(api_client, **asked))
    expected = [order_ids[name] for name in SORTED[by]]
    assert found == (expected if way == "asc" else expected[::-1])


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ({}, 3),
        ({"sortBy": "totals.total"}, 3),
        ({"status": "pending", "updatedSince": "2020-01-01T00:00:00Z"}, 3),
        ({"customField_po": "PO-1"}, 4),
    ],
)
def test_query_count_is_that_of_one_row_at_a_hundred(
    api_client: Client, query: dict[str, str], queries: int
) -> None:
    """Key, orders, their customers and items, and the custom fields if one is asked for."""
    CustomFieldFactory(key="po")
    order = make_order("A", customFields={"po": "PO-1"})
    for rows in (1, 100):
        clone(order, rows - 1)
        with CaptureQueriesContext(connection) as asked:
            response = get(api_client, limit=100, **query)
        assert (len(ids(response)), len(asked)) == (rows, queries)


def clone(order: Order, count: int) -> None:
    """Rows of orders as this one, but for id and age, by SQL: thousands of them at once."""
    own = {"public_id": "'ord_' || number", "created_at": "created_at - number * '1 min'::interval"}
    columns = [
        field.column
        for field in Order._meta.concrete_fields
        if not (field.primary_key or field.generated)
    ]
    values = ", ".join(own.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO orders_order ({', '.join(columns)}) "  # noqa: S608 (names of ours)
            f"SELECT {values} FROM orders_order, generate_series(1, %s) AS number WHERE id = %s",
            [count, order.pk],
        )


def leave_out(wanted: str, *others: str) -> None:
    """Drops what could serve a list of few rows as well as the index that is wanted."""
    with connection.cursor() as cursor:
        for index in {*others} - {wanted}:
            cursor.execute(f"DROP INDEX {index}")


@pytest.fixture
def _index_or_nothing(tenant: Tenant) -> None:
    """The planner takes an index that serves, however few rows there are."""
    with connection.cursor() as cursor:
        for other in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{other} = off")


def plan_of(client: Client, query: dict[str, str]) -> str:
    with CaptureQueriesContext(connection) as asked:
        get(client, **query)
    [sql] = [each["sql"] for each in asked if 'FROM "orders_order"' in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.usefixtures("_index_or_nothing")
@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "order_newest"),
        ({"sortBy": "updatedAt"}, "order_changed"),
        ({"sortBy": "orderId"}, "order_public_id"),
        ({"sortBy": "status"}, "order_of_status"),
        ({"sortBy": "totals.total"}, "order_by_total"),
        ({"status": "pending"}, "order_of_status"),
        ({"customerId": "customer"}, "order_of_customer"),
        ({"updatedSince": "2020-01-01T00:00:00Z"}, "order_changed"),
    ],
)
def test_each_page_comes_from_an_index_without_sorting(
    api_client: Client, query: dict[str, str], index: str, way: str
) -> None:
    order = make_order("A")
    clone(order, 3)
    if "customerId" in query:
        query = {"customerId": order.customer.public_id}
    leave_out(index, "order_newest", "order_status_changed")
    page = {**query, "limit": "2", "sortDir": way}
    after = get(api_client, **page).json()["nextCursor"]
    for asked in (page, {**page, "startAfter": after}):
        plan = plan_of(api_client, asked)
        assert f"using {index} on orders_order" in plan
        # Ids are unique: what is sorted by age among equal ones is one row at a time.
        assert ("Sort" in plan) == ("Incremental Sort" in plan) == (index == "order_public_id")


def test_custom_field_comes_from_its_index(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    CustomFieldFactory(key="po")
    condition, _ = custom_field_filter(tenant=tenant, sent={"customField_po": "PO-1"})
    with scopes_disabled():
        plan = Order.objects.filter(condition).order_by().explain()
    assert "on order_custom_fields" in plan


@pytest.mark.parametrize(
    "query",
    [
        {"sortBy": "totals.total", "status": "pending"},
        {"sortBy": "orderId", "customerId": "customer"},
        {"sortBy": "updatedAt", "customerId": "customer"},
        {"sortBy": "createdAt", "updatedSince": "2020-01-01T00:00:00Z"},
        {"sortBy": "status", "updatedSince": "2020-01-01T00:00:00Z"},
        {"sortBy": "totals.total", "customField_po": "PO-1"},
    ],
)
def test_what_a_filter_finds_is_sorted_if_it_is_few(
    api_client: Client, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    CustomFieldFactory(key="po")
    order = make_order("A", customFields={"po": "PO-1"})
    clone(order, 3)
    if "customerId" in query:
        query = {**query, "customerId": order.customer.public_id}
    first = get(api_client, **query, limit=2).json()
    second = get(api_client, **query, limit=2, startAfter=first["nextCursor"]).json()
    shown = [each["orderId"] for page in (first, second) for each in page["orders"]]
    assert (len(set(shown)), second["hasMore"]) == (4, False)
    monkeypatch.setattr("orders.finding.FEW", 3)
    assert problems(get(api_client, **query)) == (400, "VALIDATION_ERROR", ["sortBy"])


@pytest.mark.usefixtures("_index_or_nothing")
@pytest.mark.parametrize("way", ["asc", "desc"])
def test_one_status_by_change_comes_from_its_index(api_client: Client, way: str) -> None:
    clone(make_order("A"), 3)
    leave_out("order_status_changed", "order_newest", "order_changed", "order_of_status")
    page = {"sortBy": "updatedAt", "status": "pending", "sortDir": way, "limit": "2"}
    after = get(api_client, **page).json()["nextCursor"]
    since = {"updatedSince": "2020-01-01T00:00:00Z"}
    for asked in (page, page | since, page | {"startAfter": after}):
        plan = plan_of(api_client, asked)
        assert "using order_status_changed on orders_order" in plan
        assert "Sort" not in plan
