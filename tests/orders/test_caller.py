"""What a rep sees of a known customer while they are calling."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Product
from customers.models import Customer
from orders import draft_life, drafts
from orders.caller import CallerPanel, caller_panel
from orders.models import Draft, Order, OrderItem
from portal.models import Tenant, User
from tests.factories import CustomerFactory, UserFactory, VariantFactory, address, make_order
from tests.orders.test_drafts import at, typed
from tests.permissions import grant

TODAY = date(2026, 6, 15)


@pytest.fixture
def noor(tenant: Tenant) -> Customer:
    return CustomerFactory(email="noor@example.com")


def panel(customer: Customer, today: date = TODAY) -> CallerPanel:
    rep = UserFactory(tenant=customer.tenant)
    return caller_panel(tenant=customer.tenant, rep=rep, customer=customer, today=today)


def confirmed(sku: str, months: int, at: datetime, quantity: int = 1) -> Order:
    items = [{"sku": sku, "quantity": quantity, "contractLength": months}]
    order = make_order(items=items, status="confirmed")
    Order.objects.filter(pk=order.pk).update(confirmed_at=at, created_at=at)
    return order


def test_pending_orders_come_newest_first_and_are_counted(noor: Customer) -> None:
    orders = [make_order() for _ in range(7)]
    make_order(status="cancelled")
    make_order(status="confirmed")
    make_order(customer={"email": "bo@example.com", "firstName": "Bo", "lastName": "Vos"})

    found = panel(noor)
    assert list(found.pending) == orders[:1:-1]
    assert (found.more_pending, found.count_pending) == (2, 7)


@pytest.mark.parametrize(
    ("zone", "at", "months", "ends"),
    [
        ("Europe/Amsterdam", datetime(2026, 1, 31, 12, tzinfo=UTC), 1, date(2026, 2, 28)),
        ("Europe/Amsterdam", datetime(2026, 1, 31, 12, tzinfo=UTC), 2, date(2026, 3, 31)),
        ("Europe/Amsterdam", datetime(2024, 2, 29, 12, tzinfo=UTC), 12, date(2025, 2, 28)),
        ("Europe/Amsterdam", datetime(2026, 1, 31, 23, 30, tzinfo=UTC), 12, date(2027, 2, 1)),
        ("America/New_York", datetime(2026, 2, 1, 3, tzinfo=UTC), 12, date(2027, 1, 31)),
    ],
)
def test_contract_ends_after_whole_months_on_the_tenants_calendar(
    noor: Customer, zone: str, at: datetime, months: int, ends: date
) -> None:
    noor.tenant.time_zone = zone
    confirmed(VariantFactory(prices={months: "9.00"}).sku, months, at)

    [line] = panel(noor, today=ends).devices
    assert (line.ends, line.days, line.is_over, line.ends_soon) == (ends, 0, False, True)


def test_devices_that_end_first_come_first_and_long_ended_ones_are_left_out(
    noor: Customer,
) -> None:
    variant = VariantFactory(product__name="MacBook", prices={12: "9.00"})
    for days in (400, 30, -1, -60, -61):
        start = TODAY - timedelta(days=365) + timedelta(days=days)
        confirmed(variant.sku, 12, datetime(*start.timetuple()[:3], 12, tzinfo=UTC), quantity=3)
    make_order(variant.sku, items=[{"sku": variant.sku, "quantity": 1, "contractLength": 12}])

    found = panel(noor)
    assert [(each.quantity, each.name, each.days) for each in found.devices] == [
        (3, "MacBook", -60),
        (3, "MacBook", -1),
        (3, "MacBook", 30),
        (3, "MacBook", 400),
    ]
    assert [each.is_over for each in found.devices] == [True, True, False, False]
    assert [each.ends_soon for each in found.devices] == [False, False, True, False]


@pytest.mark.parametrize("status", ["partial", "fulfilled"])
def test_delivered_devices_are_on_contract(tenant: Tenant, status: str) -> None:
    order = make_order(status=status)
    found = panel(order.customer, today=timezone.localdate())
    assert [each.order_id for each in found.devices] == [order.public_id]


def test_last_order_of_each_item_can_be_ordered_again(noor: Customer) -> None:
    mac, ipad, gone = (VariantFactory(sku=sku) for sku in ("MAC", "IPAD", "GONE"))
    for quantity in (2, 5):
        make_order(items=[{"sku": mac.sku, "quantity": quantity, "contractLength": 36}])
    make_order(ipad.sku, gone.sku)
    make_order(VariantFactory().sku, status="cancelled")
    Product.objects.filter(pk=gone.product_id).update(status="discontinued")

    assert [(each.sku, each.quantity, each.contract_length) for each in panel(noor).ordered] == [
        ("IPAD", 1, 24),
        ("", 1, 24),
        ("MAC", 5, 36),
    ]


def test_lists_are_bounded(noor: Customer) -> None:
    for _ in range(2):
        make_order(*(VariantFactory().sku for _ in range(4)), status="confirmed")

    found = panel(noor, today=timezone.localdate())
    assert (len(found.devices), found.more_devices, found.count_devices) == (6, 2, 8)
    assert (len(found.ordered), found.more_ordered) == (6, 2)


@pytest.mark.parametrize(
    ("billing", "shipping", "titles"),
    [
        (None, None, []),
        (address(), None, ["Billing and shipping"]),
        (address(), address(), ["Billing and shipping"]),
        (address(), address(city="Gouda"), ["Billing", "Shipping"]),
    ],
)
def test_last_addresses_fill_the_form(
    tenant: Tenant, billing: Any, shipping: Any, titles: list[str]
) -> None:
    customer = CustomerFactory(last_billing_address=billing, last_shipping_address=shipping)
    found = panel(customer).addresses
    assert [each.title for each in found] == titles
    for each in found:
        [(_, bill), (_, ship)] = each.fields
        assert json.loads(bill)["billing-city"] == each.address["city"]
        assert json.loads(ship)["shipping-city"] == each.address["city"]
        assert json.loads(ship)["ship_elsewhere"] == "on"


@pytest.mark.parametrize("orders", [1, 7])
def test_panel_takes_the_same_queries_for_any_number_of_orders(
    rep_client: Client, noor: Customer, django_assert_num_queries: Any, orders: int
) -> None:
    for _ in range(orders):
        make_order(status="confirmed")
        make_order()
    # Session, user, permissions; customer, drafts, last orders, pending, devices, items.
    with django_assert_num_queries(3 + 6):
        response = rep_client.get(f"/orders/new/caller/{noor.public_id}/")
    assert response.status_code == 200


def test_large_customer_is_told_of_their_last_orders_and_the_panel_says_so(
    rep_client: Client, noor: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.caller.ORDERS_LOOKED_AT", 4)
    gone, *_, kept = [make_order(status="confirmed") for _ in range(3)]
    make_order()
    today = timezone.localdate()
    address = f"/orders/new/caller/{noor.public_id}/"
    assert panel(noor, today).of_last == 0
    assert "their last" not in rep_client.get(address).text

    make_order()
    found = panel(noor, today)
    assert (found.of_last, found.count_pending, found.count_devices) == (4, 2, 2)
    told = {each.order_id for each in found.devices}
    assert (gone.public_id in told, kept.public_id in told) == (False, True)
    html = " ".join(rep_client.get(address).text.split())
    assert html.count("Of their last 4 orders") == 2
    assert "2 pending orders, 2 lines on contract in their last 4 orders" in html


@pytest.mark.parametrize("orders", [100, 3_000])
def test_customer_of_many_orders_costs_what_one_of_a_thousand_does(
    noor: Customer, orders: int
) -> None:
    repeat(make_order(status="confirmed"), orders)
    with CaptureQueriesContext(connection) as made:
        found = panel(noor, timezone.localdate())
    assert (found.count_devices, found.of_last) == ((1_000, 1_000) if orders > 1_000 else (101, 0))
    for query in made:
        if "orders_order" in query["sql"]:
            assert rows_read(query["sql"]) <= 1_001


def repeat(order: Order, times: int) -> None:
    """As many orders like this one, in two statements."""
    own = ("id", "public_id", "draft_id", "order_id", "search_text")
    orders, items = (
        ", ".join(f.column for f in model._meta.concrete_fields if f.column not in own)
        for model in (Order, OrderItem)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO orders_order (public_id, {orders})"  # noqa: S608
            f" SELECT 'copy_' || number, {orders} FROM orders_order, generate_series(1, %s) number"
            " WHERE id = %s",
            [times, order.pk],
        )
        cursor.execute(
            f"INSERT INTO orders_orderitem (order_id, {items})"  # noqa: S608
            f" SELECT copy, {items} FROM orders_orderitem,"
            " (SELECT id FROM orders_order WHERE id > %s) AS copies (copy) WHERE order_id = %s",
            [order.pk, order.pk],
        )
        cursor.execute("ANALYZE orders_order")
        cursor.execute("ANALYZE orders_orderitem")


def rows_read(sql: str) -> int:
    """The most rows that a step of the plan takes from a table, where that is a large one."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [[[explained]]] = cursor.fetchall()

    def scanned(plan: dict[str, Any]) -> Iterator[int]:
        if "Relation Name" in plan:
            filtered = plan.get("Rows Removed by Filter", 0)
            yield round((plan["Actual Rows"] + filtered) * plan["Actual Loops"])
        for each in plan.get("Plans", ()):
            yield from scanned(each)

    return max(scanned(explained["Plan"]), default=0)


def test_panel_of_a_new_customer_says_so(rep_client: Client, noor: Customer) -> None:
    html = rep_client.get(f"/orders/new/caller/{noor.public_id}/").text
    assert [text for text in ("None", "No devices", "None yet", "Nothing yet") if text in html] == [
        "None",
        "No devices",
        "None yet",
        "Nothing yet",
    ]


def test_panel_links_and_fills(rep_client: Client, noor: Customer) -> None:
    order = make_order("MAC") if VariantFactory(sku="MAC") else None
    assert order is not None
    html = rep_client.get(f"/orders/new/caller/{noor.public_id}/").text
    assert f'href="/orders/{order.public_id}/"' in html
    assert 'data-sku="MAC"' in html
    assert "billing-street_address" in html


def test_panel_has_no_orders_for_who_may_not_see_any(
    rep: User, noor: Customer, client_of: Callable[[User], Client]
) -> None:
    make_order(VariantFactory(sku="MAC").sku)
    rep.groups.clear()
    grant(rep, "orders.add_order", "customers.view_customer")
    html = client_of(rep).get(f"/orders/new/caller/{noor.public_id}/").text
    assert "Last addresses" in html
    for title in ("ord_", "MAC", "Pending orders", "On contract", "Ordered before", "pending"):
        assert title not in html


def test_what_the_rep_has_begun_for_them_is_there_to_go_on_with(
    rep_client: Client, rep: User, noor: Customer
) -> None:
    VariantFactory(sku="MAC")
    known, now = begin(rep, noor.public_id), begin(rep, noor.public_id)
    begin(rep, "")
    begin(rep, noor.public_id, devices=False)
    begin(rep, CustomerFactory().public_id)
    begin(UserFactory(username="maria"), noor.public_id)
    discarded = begin(rep, noor.public_id)
    draft_life.discard(tenant=rep.tenant, owner=rep, draft_id=discarded.public_id)
    address = f"/orders/new/caller/{noor.public_id}/"
    response = rep_client.get(address, {"draft": now.public_id})
    [shown] = response.context["panel"].drafts
    assert (shown.public_id, shown.devices, shown.total) == (known.public_id, 2, Decimal(50))
    html = " ".join(response.text.split())
    assert f'href="/orders/new/{known.public_id}/" target="_blank">2 devices</a>' in html
    assert "1 draft of yours, 0 pending orders" in html
    # Whatever else is asked.
    assert len(rep_client.get(address, {"draft": "\0"}).context["panel"].drafts) == 2
    assert len(rep_client.get(address).context["panel"].drafts) == 2


def begin(rep: User, customer_id: str, *, devices: bool = True) -> Draft:
    draft = drafts.open_draft(tenant=rep.tenant, owner=rep)
    form = typed(*["MAC", "MAC"] * devices, customer_id=customer_id)
    this = {"tenant": rep.tenant, "owner": rep, "draft_id": draft.public_id}
    drafts.save(**this, typed=form, revision=at(1))
    return draft


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"email": "noor@exmaple.com"}, ["Noor el Idrissi"]),
        ({"email": "someone@else.example", "phone": "06 12345678"}, ["Noor el Idrissi"]),
        ({"email": "someone@else.example"}, []),
        ({"email": "\0", "phone": "\0", "company": "\0"}, []),
        ({"email": "x" * 5000}, []),
        ({}, []),
    ],
)
def test_look_alikes_are_offered_with_their_record(
    rep_client: Client, query: dict[str, str], names: list[str]
) -> None:
    CustomerFactory(
        email="noor@example.com", phone="+31 6 12345678", last_billing_address=address()
    )
    response = rep_client.get("/orders/new/lookalikes/", query)
    assert [each.customer.full_name for each, _ in response.context["lookalikes"]] == names
    for _, record in response.context["lookalikes"]:
        assert json.loads(record)["billing-city"] == "Rotterdam"


def test_look_alikes_leave_a_typed_address_alone(rep_client: Client) -> None:
    CustomerFactory(email="noor@example.com", last_billing_address=address())
    query = {"email": "noor@exmaple.com", "addressed": "on"}
    [(_, record)] = rep_client.get("/orders/new/lookalikes/", query).context["lookalikes"]
    assert "billing-city" not in json.loads(record)
