"""`GET /v1/customers`: what is found, in which order, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test import Client

from customers.models import Customer
from portal.models import ApiKey, Tenant
from portal.permissions import SCOPES
from tests.api import problems, send
from tests.factories import CustomerFactory, VariantFactory, make_order

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def listed(client: Client, **asked: Any) -> Any:
    response = send(client, "GET", f"/customers?{urlencode(asked)}")
    assert response.status_code == 200, response.content
    return response.json()


def found(client: Client, **asked: Any) -> list[str]:
    return [shown["customerId"] for shown in listed(client, **asked)["customers"]]


def all_pages(client: Client, **asked: Any) -> list[str]:
    """What is found two at a time, until there is no more."""
    ids: list[str] = []
    cursor = ""
    while cursor is not None:
        page = listed(client, limit=2, startAfter=cursor, **asked)
        assert page["count"] == len(page["customers"]) <= page["limit"] == 2
        assert page["hasMore"] is (page["nextCursor"] is not None)
        ids += [shown["customerId"] for shown in page["customers"]]
        cursor = page["nextCursor"]
    return ids


def renting(devices: int, price: str = "10") -> Customer:
    """A customer who rents so many devices, at this price each."""
    if not devices:
        made: Customer = CustomerFactory()
        return made
    sku = VariantFactory(prices={24: price}).sku
    items = [{"sku": sku, "quantity": devices, "contractLength": 24}]
    return make_order(items=items, status="fulfilled").customer


def test_list_without_customers_is_an_empty_page(api_client: Client, tenant: Tenant) -> None:
    assert listed(api_client) == {
        "customers": [],
        "count": 0,
        "limit": 50,
        "hasMore": False,
        "nextCursor": None,
    }


def test_customers_are_shown_as_each_alone(api_client: Client, tenant: Tenant) -> None:
    customer = make_order().customer
    alone = send(api_client, "GET", f"/customers/{customer.public_id}").json()
    assert listed(api_client)["customers"] == [alone]


def test_newest_come_first(api_client: Client, tenant: Tenant) -> None:
    made = [CustomerFactory(created_at=AT + timedelta(days=day)) for day in (2, 1, 3)]
    assert found(api_client) == [made[n].public_id for n in (2, 0, 1)]


@pytest.mark.parametrize("sort_dir", ["asc", "desc"])
@pytest.mark.parametrize(
    ("sort_by", "column"),
    [
        ("createdAt", "created_at"),
        ("firstName", "first_name"),
        ("lastName", "last_name"),
        ("email", "email_key"),
    ],
)
def test_pages_are_in_order_and_complete_where_values_are_equal(
    api_client: Client, tenant: Tenant, sort_by: str, column: str, sort_dir: str
) -> None:
    for number, name in enumerate(["B", "A", "C", "A", "A", "B", "A"]):
        at = AT + timedelta(days=ord(name))
        CustomerFactory(
            first_name=name, last_name=name, email=f"{name}{number}@x.example", created_at=at
        )
    CustomerFactory(first_name="A", status="inactive")
    sign = "-" if sort_dir == "desc" else ""
    active = Customer.objects.filter(status="active").order_by(f"{sign}{column}", f"{sign}pk")
    expected = list(active.values_list("public_id", flat=True))
    assert all_pages(api_client, sortBy=sort_by, sortDir=sort_dir) == expected


@pytest.mark.parametrize(
    ("sort_dir", "order"), [("desc", (1, 4, 2, 3, 0)), ("asc", (0, 3, 2, 4, 1))]
)
@pytest.mark.parametrize("sort_by", ["totalDevicesRented", "totalMonthlyRevenue"])
def test_pages_are_in_the_order_of_what_is_rented(
    api_client: Client, tenant: Tenant, sort_by: str, sort_dir: str, order: tuple[int, ...]
) -> None:
    made = [renting(devices) for devices in (0, 7, 3, 0, 3)]
    expected = [made[n].public_id for n in order]
    assert all_pages(api_client, sortBy=sort_by, sortDir=sort_dir) == expected


def test_revenue_is_another_order_than_devices(api_client: Client, tenant: Tenant) -> None:
    many, dear = renting(3, "10"), renting(2, "100")
    assert found(api_client, sortBy="totalDevicesRented") == [many.public_id, dear.public_id]
    assert found(api_client, sortBy="totalMonthlyRevenue") == [dear.public_id, many.public_id]


def test_inactive_customers_are_shown_only_if_asked_for(api_client: Client, tenant: Tenant) -> None:
    active, inactive = CustomerFactory(), CustomerFactory(status="inactive")
    assert found(api_client) == found(api_client, status="active") == [active.public_id]
    assert found(api_client, status="inactive") == [inactive.public_id]
    assert found(api_client, email=inactive.email) == []
    assert found(api_client, email=inactive.email, status="inactive") == [inactive.public_id]


def test_type_filters(api_client: Client, tenant: Tenant) -> None:
    one, two = CustomerFactory(), CustomerFactory(customer_type="business")
    assert found(api_client, customerType="individual") == [one.public_id]
    assert found(api_client, customerType="business") == [two.public_id]


@pytest.mark.parametrize(
    "asked", ["noor+1@example.com", "NOOR+1@Example.com", " Noor+1@example.com "]
)
def test_email_is_found_whole_in_any_case(api_client: Client, tenant: Tenant, asked: str) -> None:
    wanted = CustomerFactory(email="Noor+1@example.com")
    CustomerFactory(email="eleanor+1@example.com")
    assert found(api_client, email=asked) == [wanted.public_id]
    assert found(api_client, email="oor+1@example.com") == []


def test_active_rentals_filter(api_client: Client, tenant: Tenant) -> None:
    some = make_order(status="partial").customer
    none = make_order(status="confirmed").customer
    never = CustomerFactory()
    assert found(api_client, hasActiveRentals="true") == [some.public_id]
    assert set(found(api_client, hasActiveRentals="false")) == {none.public_id, never.public_id}
    assert found(api_client, hasActiveRentals="true", sortBy="totalMonthlyRevenue") == [
        some.public_id
    ]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("2026-01-31T12:00:00Z", ["same", "later"]),
        ("2026-01-31T13:00:00+01:00", ["same", "later"]),
        ("2026-01-31T12:00:00.000001Z", ["later"]),
        ("2026-02-01T11:59:00+23:59", ["same", "later"]),
        ("0001-01-01T00:00:00Z", ["earlier", "same", "later"]),
        ("9999-12-31T23:59:59Z", []),
    ],
)
def test_changed_since_filters(
    api_client: Client, tenant: Tenant, since: str, expected: list[str]
) -> None:
    for name, day in (("earlier", -1), ("same", 0), ("later", 1)):
        customer = CustomerFactory(first_name=name)
        Customer.objects.filter(pk=customer.pk).update(updated_at=AT + timedelta(days=day))
    shown = listed(api_client, updatedSince=since, sortDir="asc")["customers"]
    assert [each["firstName"] for each in shown] == expected


def test_what_changed_lately_is_sorted_by_when_unless_told(
    api_client: Client, tenant: Tenant
) -> None:
    made = [CustomerFactory() for _ in range(3)]
    for customer, hour in zip(made, (2, 3, 1), strict=True):
        Customer.objects.filter(pk=customer.pk).update(updated_at=AT + timedelta(hours=hour))
    since = AT.isoformat()
    ids = [customer.public_id for customer in made]
    assert all_pages(api_client, updatedSince=since) == [ids[1], ids[0], ids[2]]
    assert all_pages(api_client, updatedSince=since, sortDir="asc") == [ids[2], ids[0], ids[1]]
    assert all_pages(api_client, updatedSince=since, sortBy="createdAt") == ids[::-1]


def test_order_and_change_move_the_moment_of_the_last_change(
    api_client: Client, tenant: Tenant
) -> None:
    customer = make_order().customer
    body = {"customerId": customer.public_id, "phone": "1"}
    path = f"/customers/{customer.public_id}"
    for change in (make_order, lambda: send(api_client, "PUT", path, body)):
        before = datetime.now(UTC).isoformat()
        assert found(api_client, updatedSince=before) == []
        change()
        assert found(api_client, updatedSince=before) == [customer.public_id]


def test_filters_are_joined(api_client: Client, tenant: Tenant) -> None:
    wanted = CustomerFactory(customer_type="business", email="a@example.com")
    CustomerFactory(customer_type="business")
    assert found(api_client, customerType="business", email="a@example.com") == [wanted.public_id]
    assert found(api_client, customerType="individual", email="a@example.com") == []


def test_blank_and_unknown_parameters_are_ignored(api_client: Client, tenant: Tenant) -> None:
    customer = CustomerFactory()
    blank = dict.fromkeys(("status", "email", "sortBy", "limit", "updatedSince", "startAfter"), "")
    assert found(api_client, **blank, colour="red") == [customer.public_id]


BAD = [
    ("status=gone", ["status"]),
    ("status=Active", ["status"]),
    ("customerType=robot", ["customerType"]),
    ("email=noor", ["email"]),
    # A + that is not encoded is a space.
    ("email=noor+1@example.com", ["email"]),
    (f"email={'n' * 250}@example.com", ["email"]),
    ("hasActiveRentals=yes", ["hasActiveRentals"]),
    ("hasActiveRentals=True", ["hasActiveRentals"]),
    *(
        (f"updatedSince={quote(since)}", ["updatedSince"])
        for since in (
            "yesterday", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z",
            "1769860800", "2026-01-31T12:00:00 02:00", "99999-01-01T00:00:00Z", "9" * 5000,
            "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
        )
    ),
    ("sortBy=phone", ["sortBy"]),
    ("sortBy=created_at", ["sortBy"]),
    ("sortDir=up", ["sortDir"]),
    ("limit=0", ["limit"]),
    ("limit=-1", ["limit"]),
    ("limit=1.5", ["limit"]),
    ("limit=%C2%B2", ["limit"]),
    ("startAfter=x", ["startAfter"]),
    ("startAfter=x&sortBy=totalMonthlyRevenue", ["startAfter"]),
    *((f"{name}=a%00", [name]) for name in ("status", "email", "startAfter", "sortBy")),
    *((f"{name}=a%E2%80%8B", [name]) for name in ("customerType", "updatedSince", "limit")),
    ("email=a@example.com&email=b@example.com", ["email"]),
    ("email=%ff@example.com", [""]),
    ("email=%ED%A0%80", [""]),
    ("status=gone&limit=0&email=x", ["email", "limit", "status"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "paths"), BAD)
def test_bad_parameter_is_named(
    api_client: Client, tenant: Tenant, query: str, paths: list[str]
) -> None:
    response = send(api_client, "GET", f"/customers?{query}")
    assert problems(response) == (400, "VALIDATION_ERROR", paths)


def test_cursor_of_another_order_is_refused(api_client: Client, tenant: Tenant) -> None:
    for _ in range(2):
        CustomerFactory()
    cursor = listed(api_client, limit=1)["nextCursor"]
    for sort_by in ("lastName", "totalDevicesRented"):
        asked = urlencode({"startAfter": cursor, "sortBy": sort_by})
        response = send(api_client, "GET", f"/customers?{asked}")
        assert problems(response) == (400, "VALIDATION_ERROR", ["startAfter"])


def test_customers_of_another_tenant_are_not_listed(
    api_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    order = make_order(tenant=other_tenant, status="partial")
    for asked in ({}, {"email": order.customer.email}, {"hasActiveRentals": "true"}):
        assert found(api_client, **asked) == []


def test_list_needs_the_scope_to_read_customers(
    api_client: Client, api_key: ApiKey, tenant: Tenant
) -> None:
    api_key.scopes = sorted(SCOPES.keys() - {"customers:read"})
    api_key.save()
    response = send(api_client, "GET", "/customers")
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])
    api_key.scopes = ["customers:read"]
    api_key.save()
    assert found(api_client) == []


@pytest.mark.parametrize(
    ("sort_by", "queries"),
    [("createdAt", 4), ("totalDevicesRented", 5), ("totalMonthlyRevenue", 5)],
)
def test_list_costs_the_same_queries_for_one_and_for_100_customers(
    api_client: Client, tenant: Tenant, django_assert_num_queries: Any, sort_by: str, queries: int
) -> None:
    """Whether there are too many to be counted is asked once."""
    make_order(status="partial")
    for more in (0, 99):
        for number in range(more):
            customer = CustomerFactory()
            if number % 25 == 0:
                caller = {"email": customer.email, "firstName": "A", "lastName": "B"}
                make_order(customer=caller)
                make_order(status="fulfilled")
        with django_assert_num_queries(queries):
            count = listed(api_client, limit=100, sortBy=sort_by)["count"]
    assert count == 100


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ("", "customer_newest"),
        ("sortBy=createdAt&sortDir=asc", "customer_newest"),
        ("sortBy=firstName", "customer_by_first_name"),
        ("sortBy=lastName&sortDir=asc", "customer_by_last_name"),
        ("sortBy=email", "customer_email"),
        ("status=inactive", "customer_newest_inactive"),
        ("updatedSince=2026-01-31T12:00:00Z", "customer_updated"),
    ],
)
def test_list_is_read_from_an_index_in_its_order(
    api_client: Client, tenant: Tenant, django_assert_num_queries: Any, asked: str, index: str
) -> None:
    with django_assert_num_queries(2) as queries:
        assert send(api_client, "GET", f"/customers?{asked}").status_code == 200
    [query] = [each["sql"] for each in queries.captured_queries if "LIMIT 51" in each["sql"]]
    with connection.cursor() as cursor:
        # What a table of millions would choose by itself.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f" using {index} on customers_customer" in plan, plan


@pytest.mark.parametrize(
    ("limit", "asked"),
    [
        ("MOST_COUNTED", {"sortBy": "totalMonthlyRevenue"}),
        ("MOST_COUNTED", {"sortBy": "totalDevicesRented"}),
        ("MOST_ASKED", {"hasActiveRentals": "true"}),
        ("MOST_ASKED", {"hasActiveRentals": "false"}),
    ],
)
def test_what_looks_at_all_orders_is_refused_among_too_many_customers(
    api_client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, limit: str, asked: Any
) -> None:
    CustomerFactory.create_batch(3)
    monkeypatch.setattr(f"customers.finding.{limit}", 3)
    assert send(api_client, "GET", f"/customers?{urlencode(asked)}").status_code == 200
    CustomerFactory()
    response = send(api_client, "GET", f"/customers?{urlencode(asked)}")
    assert problems(response) == (400, "VALIDATION_ERROR", list(asked))
