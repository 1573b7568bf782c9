"""Lists over the API: what their parameters refuse, and paging while rows are added."""

from typing import Any
from urllib.parse import quote

import pytest
from django.core.signing import Signer
from django.test import Client

from catalog.models import Variant
from orders.models import Order
from portal.listing import LIMIT, MOST
from portal.models import Tenant
from tests.api import problems, send
from tests.factories import VariantFactory, make_order

SORTS = ("createdAt", "updatedAt", "orderId", "status", "totals.total")


def get(client: Client, query: str) -> Any:
    return send(client, "GET", f"/orders?{query}")


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [order["orderId"] for order in response.json()["orders"]]


def equal_orders(count: int) -> list[str]:
    """Orders that no sort but that by id can tell apart, but for their age."""
    made = [make_order("A").pk for _ in range(count)]
    moment = Order.objects.get(pk=made[0]).created_at
    found = Order.objects.filter(pk__in=made)
    found.update(created_at=moment, updated_at=moment)
    return sorted(found.values_list("public_id", flat=True))


@pytest.fixture(autouse=True)
def _offer(tenant: Tenant) -> None:
    VariantFactory(sku="A")


@pytest.mark.parametrize(
    ("sent", "limit"),
    [
        ("", LIMIT),
        ("limit=", LIMIT),
        ("limit=%20", LIMIT),
        ("limit=1", 1),
        ("limit=%201%20", 1),
        ("limit=007", 7),
        (f"limit={MOST}", MOST),
        (f"limit={MOST + 1}", MOST),
        (f"limit={'9' * 4000}", MOST),
        (f"limit={'0' * 40}1{'0' * 40}", MOST),
    ],
)
def test_limit_is_a_number_up_to_the_most(api_client: Client, sent: str, limit: int) -> None:
    make_order("A")
    assert get(api_client, sent).json()["limit"] == limit


@pytest.mark.parametrize(
    "limit",
    ["0", "00", "-1", "+1", "1.0", "1e1", "1_0", "ten", "0x10", "١٢", "²", "1 2", "null", "[1]"],
)
def test_limit_that_is_none_is_refused(api_client: Client, limit: str) -> None:
    response = get(api_client, f"limit={quote(limit)}")
    assert problems(response) == (400, "VALIDATION_ERROR", ["limit"])


def signed(*values: Any) -> str:
    return Signer(salt="portal.listing", sep=".").sign_object(list(values))


@pytest.mark.parametrize(
    "cursor",
    ["x", ".", "a.b", "null", "ord_7K3M9QXT2B", "é", "%F0%9F%98%80", "x" * 4000, signed("x")],
)
def test_cursor_that_is_none_is_refused(api_client: Client, cursor: str) -> None:
    response = get(api_client, f"startAfter={cursor}")
    assert problems(response) == (400, "VALIDATION_ERROR", ["startAfter"])


def test_forged_cursor_is_refused(api_client: Client) -> None:
    equal_orders(2)
    cursor = get(api_client, "limit=1").json()["nextCursor"]
    value, _, signature = cursor.rpartition(".")
    for forged in (f"{value}A.{signature}", f"{value}.{signature[:-1]}", value, f".{signature}"):
        response = get(api_client, f"startAfter={forged}")
        assert problems(response) == (400, "VALIDATION_ERROR", ["startAfter"])


def test_cursor_tells_no_key_and_takes_any_id(api_client: Client) -> None:
    """Keys count the orders of all tenants."""
    Order.objects.filter(public_id=equal_orders(2)[0]).update(public_id="Bürö 7.“x”")
    cursor = get(api_client, "limit=1&sortBy=orderId&sortDir=asc").json()["nextCursor"]
    told = Signer(salt="portal.listing", sep=".").unsign_object(cursor)
    assert told[1:] == ["Bürö 7.“x”", "Bürö 7.“x”"]
    [_] = ids(get(api_client, f"sortBy=orderId&sortDir=asc&startAfter={cursor}"))


def test_list_goes_on_where_a_row_is_gone(api_client: Client) -> None:
    """With those of the same moment again, rather than without some of them."""
    variants = [VariantFactory(sku=sku, prices={}) for sku in "BCD"]
    for way in ("asc", "desc"):
        Variant.objects.update(created_at=variants[0].created_at)
        first = send(api_client, "GET", f"/products/variants?limit=1&sortDir={way}").json()
        Variant.objects.filter(public_id=first["variants"][0]["variantId"]).delete()
        cursor = first["nextCursor"]
        rest = send(api_client, "GET", f"/products/variants?startAfter={cursor}&sortDir={way}")
        assert len(rest.json()["variants"]) == Variant.objects.count()


def test_cursor_of_another_order_is_refused(api_client: Client) -> None:
    equal_orders(2)
    asked = [f"limit=1&sortBy={sort}&sortDir={way}" for sort in SORTS for way in ("asc", "desc")]
    cursors = [get(api_client, query).json()["nextCursor"] for query in asked]
    answers = {
        (query, cursor): get(api_client, f"{query}&startAfter={cursor}").status_code
        for query in asked
        for cursor in cursors
    }
    own = set(zip(asked, cursors, strict=True))
    assert answers == {pair: 200 if pair in own else 400 for pair in answers}


def test_cursor_of_another_list_is_refused(api_client: Client) -> None:
    equal_orders(2)
    response = get(api_client, "limit=1")
    order = Order.objects.earliest("created_at")
    of_customers = signed("customers.customer -created_at -pk", order.created_at.isoformat(), "1")
    assert response.json()["nextCursor"] != of_customers
    response = get(api_client, f"startAfter={of_customers}")
    assert problems(response) == (400, "VALIDATION_ERROR", ["startAfter"])
    assert b"another list" in response.content


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("limit=1&limit=1", ["limit"]),
        ("limit=1&limit=", ["limit"]),
        ("limit=&limit=1", ["limit"]),
        ("status=pending&status=pending&status=confirmed", ["status", "status"]),
        ("unknown=1&unknown=2", ["unknown"]),
        ("limit=1&limit=2&sortBy=x&sortBy=y", ["limit", "sortBy"]),
    ],
)
def test_parameter_is_sent_once(api_client: Client, query: str, paths: list[str]) -> None:
    assert problems(get(api_client, query)) == (400, "VALIDATION_ERROR", paths)


HIDDEN = ["%00", "%E2%80%8B", "%E2%80%AE", "%0A", "%7F", "%C2%AD", "%EF%BF%BE"]
"""NUL, zero width, right to left, line end, delete, soft hyphen, no character."""


@pytest.mark.parametrize("name", ["customerId", "status", "startAfter", "limit", "unknown"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_hidden_character_is_refused(api_client: Client, hidden: str, name: str) -> None:
    response = get(api_client, f"{name}=a{hidden}b")
    assert problems(response) == (400, "VALIDATION_ERROR", [name])


@pytest.mark.parametrize("hidden", ["%00", "%E2%80%8B"])
def test_hidden_character_in_a_name_is_refused(api_client: Client, hidden: str) -> None:
    status, code, [path] = problems(get(api_client, f"li{hidden}mit=1"))
    assert (status, code, path[:2], path[3:]) == (400, "VALIDATION_ERROR", "li", "mit")


@pytest.mark.parametrize(
    "query",
    [
        "customerId=%FF",
        "customerId=%ED%A0%80",
        "%C3=1",
        "customerId=\xff",
        "&".join(f"p{n}=1" for n in range(101)),
        "&" * 100 + "a=1",
    ],
)
def test_query_string_that_cannot_be_read_is_refused(api_client: Client, query: str) -> None:
    path = "/v1/orders"
    response = api_client.generic("GET", path, QUERY_STRING=query)
    assert problems(response) == (400, "VALIDATION_ERROR", [""])


@pytest.mark.parametrize(
    "query",
    [
        *("", "&", "=", "unknown=1", "limit", "a=b=c"),
        *("customerId=%C3%A9", "customerId=\xc3\xa9"),
        "&".join(f"p{n}=1" for n in range(100)),
    ],
)
def test_unknown_and_blank_parameters_count_as_absent(api_client: Client, query: str) -> None:
    assert api_client.generic("GET", "/v1/orders", QUERY_STRING=query).status_code == 200


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_paging_misses_and_doubles_none_while_orders_are_added(
    api_client: Client, sort: str, way: str
) -> None:
    there = equal_orders(7)
    asked, cursor, seen = f"limit=2&sortBy={sort}&sortDir={way}", "", []
    for _ in range(20):
        response = get(api_client, f"{asked}&startAfter={cursor}")
        seen += ids(response)
        cursor = response.json()["nextCursor"]
        if cursor is None:
            break
        like = Order.objects.get(public_id=there[0])
        new = make_order("A").pk
        times = {"created_at": like.created_at, "updated_at": like.updated_at}
        Order.objects.filter(pk=new).update(**times)
    assert cursor is None
    assert sorted(order for order in seen if order in there) == there
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("sort", SORTS)
def test_descending_is_ascending_from_its_end(api_client: Client, sort: str) -> None:
    make_order(items=[{"sku": "A", "quantity": 3, "contractLength": 24}])
    equal_orders(4)
    make_order("A", status="cancelled")
    up, down = (ids(get(api_client, f"sortBy={sort}&sortDir={way}")) for way in ("asc", "desc"))
    assert (len(up), up) == (6, down[::-1])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_last_page_says_that_it_is_the_last(api_client: Client, count: int) -> None:
    equal_orders(count)
    page = get(api_client, "limit=2").json()
    del page["orders"]
    more = count > 2
    assert page.pop("nextCursor") is not None if more else page.pop("nextCursor") is None
    assert page == {"count": min(count, 2), "limit": 2, "hasMore": more}
