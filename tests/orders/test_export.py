"""A list of orders as a file: its cells, its orders, how it is streamed, how far it is."""

import csv
import io
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import get_scope, scope
from django_scopes.state import state as open_scopes

from orders import export as exports
from orders.bulk import OrderRecord, Step, write_orders
from orders.export import BATCH
from orders.models import Export, Order, OrderEvent, OrderItem
from portal.errors import Conflict
from portal.ids import new_order_id
from portal.models import Tenant, User
from portal.permissions import MANAGER, Actor
from portal.spreadsheets import BOM
from tests.factories import (
    SYSTEM,
    CustomerFactory,
    ExportFactory,
    TenantFactory,
    UserFactory,
    VariantFactory,
    make_order,
    new_order,
)
from tests.locks import until_somebody_waits
from tests.orders.test_concurrency import in_threads

ADMIN_LIST = "/admin/orders/order/"


def start(client: Client, filters: str = "", door: str = "/orders/") -> str:
    """Asks for an export; the address of its page."""
    response = client.post(f"{door}export/{filters}")
    assert response.status_code == 302
    return str(response["Location"])


def file_of(client: Client, page: str) -> Any:
    return client.get(client.get(page).context["file"])


def read(response: Any) -> str:
    """The file as a server's thread reads it: outside every scope."""
    context = copy_context()
    context.run(open_scopes.set, None)
    return context.run(response.getvalue).decode()


def parsed(text: str) -> list[dict[str, str]]:
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))


def exported(client: Client, filters: str = "", door: str = "/orders/") -> list[dict[str, str]]:
    return parsed(read(file_of(client, start(client, filters, door))))


def many_orders(number: int) -> None:
    """So many confirmed orders of one line each, a minute apart."""
    placed, customer = new_order(VariantFactory().sku), CustomerFactory()
    now = timezone.now()
    records = [
        OrderRecord(
            order_id=new_order_id(),
            new_order=placed,
            customer=customer,
            source=Order.Source.IMPORT,
            actor=SYSTEM,
            at=at,
            steps=[Step(kind=OrderEvent.Kind.CONFIRMED, at=at, actor=SYSTEM)],
        )
        for at in (now - timedelta(minutes=back) for back in range(number))
    ]
    write_orders(tenant=customer.tenant, records=records)


def test_row_tells_the_order_and_its_line(manager_client: Client, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(vat_rate=21)
    tenant.refresh_from_db()
    variant = VariantFactory(
        sku="PHONE-1", list_price="900", acquisition_cost=None, prices={24: "10.05"}
    )
    order = make_order(
        customer={
            "email": "noor@example.com",
            "firstName": "Noor",
            "lastName": "el Idrissi",
            "company": "=Kroon",
            "phone": "+31 10 1234567",
        },
        items=[{"sku": "PHONE-1", "quantity": 3, "contractLength": 24}],
        status=Order.Status.CONFIRMED,
    )
    at = datetime(2026, 3, 31, 22, 30, 5, tzinfo=UTC)
    Order.objects.filter(pk=order.pk).update(created_at=at, confirmed_at=at)

    assert exported(manager_client) == [
        {
            "Order id": order.public_id,
            "Status": "Confirmed",
            "Type": "Standard",
            "Source": "Portal",
            "Created": "2026-04-01 00:30:05",
            "Rep": "test",
            "Confirmed": "2026-04-01 00:30:05",
            "Confirmed by": "test",
            "Cancelled": "",
            "Cancelled by": "",
            "Cancel reason": "",
            "Customer": "Noor el Idrissi",
            "Company": "'=Kroon",
            "E-mail": "noor@example.com",
            "Phone": "'+31 10 1234567",
            "Currency": "EUR",
            "Devices": "3",
            "Monthly subtotal": "30.15",
            "Monthly tax": "6.33",
            "Monthly total": "36.48",
            "Contract value": "723.60",
            "Line": "1",
            "SKU": "PHONE-1",
            "Product": variant.product.name,
            "Variant": "Silver",
            "Quantity": "3",
            "Months": "24",
            "Unit price": "10.05",
            "Line per month": "30.15",
            "Line contract value": "723.60",
            "List price": "900.00",
            "Acquisition cost": "900.00",
        }
    ]


def test_amounts_of_an_order_stand_in_its_first_row_only(rep_client: Client) -> None:
    sku = VariantFactory().sku
    make_order(sku, sku)
    make_order(sku)

    rows = exported(rep_client)
    assert [row["Line"] for row in rows] == ["1", "1", "2"]
    assert [row["Monthly total"] for row in rows] == ["25.00", "50.00", ""]
    assert [row["Devices"] for row in rows] == ["1", "2", ""]
    assert [row["Line per month"] for row in rows] == ["25.00"] * 3
    assert rows[1]["Order id"] == rows[2]["Order id"]


def test_costs_are_for_those_who_may_see_them(rep_client: Client, manager_client: Client) -> None:
    make_order()

    assert "Acquisition cost" in exported(manager_client)[0]
    assert not {"List price", "Acquisition cost"} & exported(rep_client)[0].keys()


def test_amounts_without_decimals_have_none(client_of: Any, db: None) -> None:
    tenant = TenantFactory(currency="JPY")
    with scope(tenant=tenant):
        make_order(VariantFactory(prices={24: 1500}).sku)
        row = exported(client_of(UserFactory()))[0]
    assert (row["Currency"], row["Unit price"]) == ("JPY", "1500")


def test_order_that_was_sent_back_is_with_its_rep(rep_client: Client) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(awaiting=Order.Awaiting.REP)

    assert exported(rep_client)[0]["Status"] == "Back with the rep"


# Which orders


def test_portal_exports_what_its_list_was_narrowed_to(rep_client: Client, rep_actor: Actor) -> None:
    mine, cancelled = make_order(actor=rep_actor), make_order(status=Order.Status.CANCELLED)

    assert [r["Order id"] for r in exported(rep_client, "?mine=on")] == [mine.public_id]
    assert [r["Order id"] for r in exported(rep_client, "?status=cancelled")] == [
        cancelled.public_id
    ]
    assert len(exported(rep_client, "?cursor=bzoxOjE")) == 2


def test_admin_exports_what_its_list_was_narrowed_to(manager_client: Client) -> None:
    waiting, cancelled = make_order(), make_order(status=Order.Status.CANCELLED)

    def ids(filters: str) -> list[str]:
        return [row["Order id"] for row in exported(manager_client, filters, ADMIN_LIST)]

    assert ids("") == [waiting.public_id]
    assert ids("?status=cancelled&p=7") == [cancelled.public_id]
    assert ids(f"?q={waiting.public_id}") == [waiting.public_id]
    assert ids("?status=all&o=3") == [cancelled.public_id, waiting.public_id]


def test_admin_refuses_a_filter_that_it_does_not_know(manager_client: Client) -> None:
    response = manager_client.post(f"{ADMIN_LIST}export/?created_at__foo=1", follow=True)

    assert "One of the filters is not known" in response.text
    assert not Export.objects.exists()


def test_lists_offer_the_export_with_their_filters(
    rep_client: Client, manager_client: Client
) -> None:
    make_order()

    assert (
        'action="/orders/export/?status=pending"'
        in rep_client.get("/orders/", {"status": "pending", "cursor": "x"}).text
    )
    assert (
        'action="/admin/orders/order/export/?status=all"'
        in manager_client.get(f"{ADMIN_LIST}?status=all").text
    )


def test_orders_of_another_tenant_are_not_exported(
    rep_client: Client, other_tenant: Tenant
) -> None:
    own, _ = make_order(), make_order(tenant=other_tenant)

    assert [row["Order id"] for row in exported(rep_client)] == [own.public_id]


def test_list_without_orders_is_a_file_with_a_header(rep_client: Client) -> None:
    page = start(rep_client)

    assert read(file_of(rep_client, page)).startswith(f"{BOM}Order id,Status,")
    assert "All 0 orders are in the file." in rep_client.get(page).text


# Whose it is


def test_export_is_its_owner_s(
    rep_client: Client, manager_client: Client, client_of: Any, other_tenant: Tenant
) -> None:
    page = start(rep_client)
    other = UserFactory(tenant=other_tenant, role=MANAGER)

    for client in (manager_client, client_of(other)):
        assert client.get(page).status_code == 404
        assert client.get(f"{page}file/").status_code == 404
    assert rep_client.get(f"{page}file/").status_code == 200


def test_file_of_one_list_is_not_had_from_the_other(manager_client: Client) -> None:
    in_admin = start(manager_client, door=ADMIN_LIST)
    export_id = in_admin.split("/")[-2]
    in_portal = start(manager_client).split("/")[-2]

    assert manager_client.get(f"/orders/export/{export_id}/file/").status_code == 404
    assert manager_client.get(f"{ADMIN_LIST}export/{in_portal}/").status_code == 404


def test_file_is_named_after_tenant_and_day_and_kept_by_nobody(
    rep_client: Client, tenant: Tenant
) -> None:
    response = file_of(rep_client, start(rep_client))
    today = timezone.localdate(timezone=tenant.zone)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="orders-demo-{today}.csv"'
    assert "no-store" in response["Cache-Control"]
    assert "Content-Length" not in response


def test_file_is_had_once(rep_client: Client) -> None:
    page = start(rep_client)
    file = rep_client.get(page).context["file"]
    read(rep_client.get(file))

    response = rep_client.get(file)
    assert response.status_code == 409
    assert "Export again" in response.text
    assert rep_client.head(file).status_code == 405


def test_tenant_has_so_many_downloads_at_a_time(
    rep: User, rep_client: Client, other_tenant: Tenant
) -> None:
    ExportFactory(tenant=other_tenant)
    ExportFactory(status=Export.Status.FINISHED)
    ExportFactory(status=Export.Status.RUNNING, updated_at=timezone.now() - exports.SILENCE)
    ExportFactory()
    start(rep_client)

    response = rep_client.post("/orders/export/?status=pending", follow=True)
    assert "Try again when they have ended." in response.text
    assert response.redirect_chain == [("/orders/?status=pending", 302)]
    with pytest.raises(Conflict, match="Try again"):
        exports.start_export(
            tenant=rep.tenant,
            actor=Actor.from_user(rep),
            door=Export.Door.PORTAL,
            query="",
            orders=Order.objects.all(),
        )


@pytest.mark.django_db(transaction=True)
def test_of_two_exports_at_once_the_second_counts_the_first(tenant: Tenant) -> None:
    ExportFactory()
    begun = Event()

    def start_one() -> str:
        asked = {"tenant": tenant, "actor": SYSTEM, "door": Export.Door.PORTAL, "query": ""}
        return exports.start_export(**asked, orders=Order.objects.all()).status

    def first() -> str:
        with transaction.atomic():
            status = start_one()
            begun.set()
            until_somebody_waits()
        return status

    def second() -> str:
        assert begun.wait(timeout=10)
        return start_one()

    assert in_threads(tenant, first, second) == ["waiting", "TOO_MANY_EXPORTS"]


def test_exports_of_yesterday_are_forgotten(rep_client: Client) -> None:
    old = ExportFactory(created_at=timezone.now() - timedelta(hours=25))
    young = ExportFactory(created_at=timezone.now() - timedelta(hours=23))
    start(rep_client)

    assert set(Export.objects.values_list("pk", flat=True)) & {old.pk, young.pk} == {young.pk}


# The stream


def state_of(client: Client, page: str) -> tuple[str, int, int]:
    """What the page says, asked as htmx does."""
    response = client.get(page, headers={"HX-Request": "true"})
    export = response.context["export"]
    polls = 'hx-trigger="every 1s"' in response.text
    assert polls == (export.status in ("waiting", "running"))
    return export.status, export.done, export.total


def test_progress_is_that_of_the_stream(rep_client: Client) -> None:
    """A batch counts when the server asks for the next one: by then it has left."""
    many_orders(2 * BATCH + 1)
    page = start(rep_client)
    assert state_of(rep_client, page) == ("waiting", 0, 2 * BATCH + 1)
    chunks = iter(file_of(rep_client, page).streaming_content)

    seen = []
    for chunk in chunks:
        seen.append((*state_of(rep_client, page)[:2], chunk.count(b"\r\n")))
    assert seen == [
        ("running", 0, 1),
        ("running", 0, BATCH),
        ("running", BATCH, BATCH),
        ("running", 2 * BATCH, 1),
    ]
    assert state_of(rep_client, page) == ("finished", 2 * BATCH + 1, 2 * BATCH + 1)


def test_first_rows_leave_before_the_last_are_read(rep_client: Client) -> None:
    many_orders(BATCH + 1)
    chunks = iter(file_of(rep_client, start(rep_client)).streaming_content)
    next(chunks)

    with CaptureQueriesContext(
        connection,
    ) as first:
        next(chunks)
    with CaptureQueriesContext(connection) as second:
        next(chunks)
    assert list(chunks) == []
    for queries, rows in ((first, BATCH), (second, 1)):
        items = [q["sql"] for q in queries if f'FROM "{OrderItem._meta.db_table}"' in q["sql"]]
        assert len(items) == 1
        assert items[0].split(" IN (")[1].count(",") + 1 >= rows


def test_scope_is_never_open_between_chunks(rep_client: Client, tenant: Tenant) -> None:
    make_order()
    response = file_of(rep_client, start(rep_client))

    def scopes() -> list[Any]:
        open_scopes.set(None)
        return [get_scope() for _ in response.streaming_content]

    assert copy_context().run(scopes) == [{}, {}]


def test_download_that_is_left_says_where_it_stopped(rep_client: Client) -> None:
    many_orders(BATCH + 1)
    page = start(rep_client)
    response = file_of(rep_client, page)
    chunks = iter(response.streaming_content)
    for _ in range(3):
        next(chunks)
    response._iterator.close()  # as a server does whose client has gone

    assert state_of(rep_client, page) == ("stopped", BATCH, BATCH + 1)
    text = rep_client.get(page).text
    assert "The file is not complete." in text
    assert "http-equiv" not in text


def test_page_starts_the_download_once(rep_client: Client) -> None:
    page = start(rep_client)
    text = rep_client.get(page).text
    assert f'<meta http-equiv="refresh" content="0; url={page}file/">' in text

    read(file_of(rep_client, page))
    assert "http-equiv" not in rep_client.get(page).text


def test_download_that_is_silent_may_be_started_again(rep_client: Client, rep: User) -> None:
    silent = ExportFactory(
        asked_by_ref=rep.actor_ref,
        status=Export.Status.RUNNING,
        updated_at=timezone.now() - exports.SILENCE - timedelta(seconds=1),
        query="status=pending",
    )
    text = rep_client.get(f"/orders/export/{silent.public_id}/").text

    assert "Nothing has left for a while." in text
    assert 'action="/orders/export/?status=pending"' in text


@pytest.mark.parametrize("door", ["/orders/", ADMIN_LIST])
def test_batch_costs_the_same_queries_for_one_order_and_for_many(
    manager_client: Client, django_assert_num_queries: Any, door: str
) -> None:
    for number in (1, BATCH - 1):
        many_orders(number)
        response = file_of(manager_client, start(manager_client, "?status=confirmed", door))
        # The ids, orders and lines of the batch, how far it is, and that it is finished.
        with django_assert_num_queries(5):
            read(response)
