"""`manage.py import_orders`: orders of the past, each once, whatever happens in between."""

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest
import simplejson
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scope, scopes_disabled

from catalog.models import Product
from customers.models import Customer
from customers.services import Changes, update_customer
from orders import importing
from orders.editing import Edit, EditedLine, Override
from orders.importing import import_orders
from orders.models import CustomField, Order, OrderEvent, OrderItem
from orders.representation import order_body
from orders.services import edit_order, replace_notes
from portal.exact_json import dumps
from portal.models import ApiKey, Tenant, User
from tests.api import send
from tests.factories import (
    SYSTEM,
    CustomerFactory,
    CustomFieldFactory,
    TenantFactory,
    UserFactory,
    VariantFactory,
    address,
    make_order,
    new_order,
)
from tests.locks import until_somebody_waits
from tests.orders.past import many_orders, past_item, past_order, write_lines
from tests.orders.test_concurrency import create, in_threads
from tests.orders.test_services import EXTENSION, UPGRADE, counts
from tests.server import address_of_database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files are, and what is refused goes."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(*orders: Any) -> Path:
    return write_lines(Path("orders.jsonl"), iter(orders))


def run(file: Path | str, *flags: str, tenant: str = "demo") -> str:
    """Imports the file and returns the summary without its seconds; nothing may be refused."""
    out = io.StringIO()
    call_command("import_orders", str(file), *flags, tenant=tenant, stdout=out)
    return out.getvalue().splitlines()[-1].partition(", in ")[0]


def refused(file: Path, *flags: str) -> list[dict[str, Any]]:
    """What is refused of the file, as it is written down."""
    path = Path(f"{file}.refused.jsonl")
    with pytest.raises(CommandError, match=f"^[0-9]+ refused: see {path}.$") as ended:
        run(file, *flags)
    assert ended.value.returncode == 1
    return [simplejson.loads(line, use_decimal=True) for line in path.read_bytes().splitlines()]


def details(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(detail["path"], detail["message"]) for detail in told["error"]["details"]]


def load(tenant: Tenant, order_id: str = "old-1") -> Order:
    whole = Order.objects.select_related("tenant", "customer").prefetch_related("items")
    return whole.get(tenant=tenant, public_id=order_id)


def body(order: Order) -> dict[str, Any]:
    """As Get Order answers it, written and read again; tenant apart, and how often we wrote it."""
    answer = order_body(load(order.tenant, order.public_id), with_costs=True)
    read: dict[str, Any] = simplejson.loads(dumps(answer), use_decimal=True)
    del read["tenantId"], read["version"]
    return read


# Round trips


@pytest.fixture
def twin(tenant: Tenant) -> Tenant:
    """Another tenant with the same currency, which has no catalogue and no customers."""
    return TenantFactory(slug="twin", vat_rate=19, prices_include_vat=True)


def assert_same_in(twin: Tenant, order: Order) -> Order:
    """The order is answered by both tenants alike, once it is imported into the other."""
    told = body(order)
    assert run(lines({"tenantId": "demo", **told}), tenant="twin").startswith("1 read, 1 written")
    with scope(tenant=twin):
        imported = load(twin, order.public_id)
        assert body(imported) == told
    return imported


@pytest.mark.parametrize("status", list(Order.Status))
def test_order_of_each_status_is_the_same_afterwards(
    tenant: Tenant, twin: Tenant, status: str
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(vat_rate=21)
    tenant.refresh_from_db()
    VariantFactory(sku="A", product__images=["https://shop.example/a.png"])
    VariantFactory(sku="B")
    who = {"firstName": "Noor", "lastName": "el Idrissi", "email": "Noor@Example.com"}
    order = make_order(
        status=status,
        items=[
            {"sku": "A", "quantity": 3, "contractLength": 24},
            {"sku": "B", "quantity": 2, "contractLength": 12},
            {"sku": "A", "quantity": 1, "contractLength": 36},
        ],
        customer=who | {"company": "Acme", "phone": "+31 6", "customerType": "business"},
        shippingAddress=address(city="Delft", postalCode=None),
        customFields={"seats": Decimal("1.10"), "nested": {"list": [1, None, "x"]}},
        notes="Call first.\nTwice.",
    )
    imported = assert_same_in(twin, order)
    assert (imported.status, imported.source) == (status, "import")
    assert (imported.vat_rate, imported.prices_include_vat) == (21, False)


@pytest.mark.parametrize(
    ("order_type", "details"),
    [("extension", {"extensionDetails": EXTENSION}), ("upgrade", {"upgradeDetails": UPGRADE})],
)
def test_extension_and_upgrade_are_the_same_afterwards(
    tenant: Tenant, twin: Tenant, order_type: str, details: dict[str, Any]
) -> None:
    assert_same_in(twin, make_order(orderType=order_type, **details))


@pytest.mark.parametrize("costs", [{}, {"list_price": 900}, {"acquisition_cost": 650}])
def test_costs_are_the_same_afterwards(tenant: Tenant, twin: Tenant, costs: Any) -> None:
    VariantFactory(sku="A", **costs)
    assert_same_in(twin, make_order("A"))


def test_decided_prices_are_the_same_afterwards(tenant: Tenant, twin: Tenant) -> None:
    VariantFactory(sku="A", list_price=900, acquisition_cost=650)
    order = make_order("A")
    decided = Override(
        unit_price=Decimal(20), list_price=Decimal(800), acquisition_cost=Decimal(0), reason="Deal"
    )
    edit = Edit(new_order("A"), [EditedLine(kept=0, override=decided)])
    edit_order(tenant=tenant, actor=SYSTEM, order_id=order.public_id, edit=edit)
    imported = assert_same_in(twin, order)
    with scope(tenant=twin):
        assert imported.reasons == {"first_order": {}}


@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize(("currency", "price"), [("JPY", "3195"), ("BHD", "31.955")])
def test_other_currencies_are_the_same_afterwards(
    tenant: Tenant, twin: Tenant, currency: str, price: str, included: bool
) -> None:
    Tenant.objects.update(currency=currency)
    Tenant.objects.filter(pk=tenant.pk).update(vat_rate=10, prices_include_vat=included)
    tenant.refresh_from_db()
    twin.refresh_from_db()
    VariantFactory(sku="A", prices={24: price}, list_price=price)
    imported = assert_same_in(twin, make_order("A"))
    assert (imported.vat_rate, imported.prices_include_vat) == (10, included)


# What becomes of an order


@pytest.mark.parametrize(
    ("status", "events"),
    [
        ("pending", ["created"]),
        ("confirmed", ["created", "confirmed"]),
        ("partial", ["created", "confirmed", "progressed"]),
        ("fulfilled", ["created", "confirmed", "progressed"]),
        ("cancelled", ["created", "cancelled"]),
    ],
)
def test_history_leads_to_the_status(tenant: Tenant, status: str, events: list[str]) -> None:
    run(lines(past_order(status=status)))
    order = load(tenant)
    created = datetime(2023, 5, 4, 9, 30, tzinfo=UTC)
    changed = datetime(2023, 5, 6, 14, tzinfo=UTC)
    assert (order.created_at, order.updated_at) == (created, changed)
    told = list(order.events.values_list("kind", "at", "actor_ref", "version"))
    assert [(kind, ref) for kind, _, ref, _ in told] == [(e, "system:import") for e in events]
    moments = [at for _, at, _, _ in told]
    assert moments[1:] == [created] * (len(events) - 2) + [changed] * (len(events) > 1)
    assert [version for *_, version in told] == list(range(1, len(events) + 1))
    assert order.version == len(events)


@pytest.mark.parametrize("status", ["confirmed", "partial", "fulfilled"])
def test_order_was_confirmed_when_its_record_says(
    tenant: Tenant, twin: Tenant, status: str
) -> None:
    confirmed = datetime(2023, 5, 5, 8, tzinfo=UTC)
    run(lines(past_order(status=status, confirmedAt="2023-05-05T08:00:00.000Z")))
    order = load(tenant)
    assert order.confirmed_at == order.events.get(kind="confirmed").at == confirmed
    assert order.updated_at == datetime(2023, 5, 6, 14, tzinfo=UTC)
    assert_same_in(twin, order)


def test_cancelled_order_was_confirmed_and_cancelled_when_its_record_says(
    tenant: Tenant, twin: Tenant
) -> None:
    told = {
        "confirmedAt": "2023-05-05T08:00:00.000Z",
        "cancelledAt": "2023-05-06T08:00:00.000Z",
    }
    run(lines(past_order(status="cancelled", **told)))
    order = load(tenant)
    assert list(order.events.values_list("kind", "at")) == [
        ("created", datetime(2023, 5, 4, 9, 30, tzinfo=UTC)),
        ("confirmed", datetime(2023, 5, 5, 8, tzinfo=UTC)),
        ("cancelled", datetime(2023, 5, 6, 8, tzinfo=UTC)),
    ]
    assert order.status == "cancelled"
    assert order.updated_at == datetime(2023, 5, 6, 14, tzinfo=UTC)
    assert_same_in(twin, order)


def test_order_that_was_sent_back_is_known_again(tenant: Tenant) -> None:
    order = past_order(status="pending")
    run(lines(order))
    Order.objects.update(awaiting="rep")
    again = run(lines(order | {"awaiting": "rep"}))
    assert again.startswith("1 read, 0 written, 1 already there, 0 refused")


def test_what_the_portal_has_no_place_for_is_kept_with_the_event(tenant: Tenant) -> None:
    elsewhere = {
        "payment": {"status": "paid", "paidAmount": Decimal("95.85")},
        "billingGroupId": "bg_1",
        "trackingNumber": "3SABC",
        "shippedAt": "2023-05-05",
        "rentalIds": ["r1"],
    }
    order = past_order(past_item(rentalIds=["r1"]), status="partial", **elsewhere)
    run(lines(order))
    kept = OrderEvent.objects.get(kind="created").data["imported"]
    assert len(kept.pop("sha256")) == 64
    assert kept == elsewhere | {"itemRentalIds": [["r1"]]}


def test_retired_sku_is_imported_as_it_was(tenant: Tenant) -> None:
    order = past_order(past_item("GONE", productName="ThinkPad X200"))
    run(lines(order))
    item = OrderItem.objects.get()
    assert (item.variant, item.sku, item.product_name) == (None, "GONE", "ThinkPad X200")
    assert (item.unit_price, item.catalogue_price) == (Decimal("31.95"), None)


@pytest.mark.parametrize(
    "retired", [{"status": "inactive"}, {"product__status": Product.Status.DISCONTINUED}]
)
def test_variant_that_is_no_longer_offered_is_linked(
    tenant: Tenant, retired: dict[str, Any]
) -> None:
    variant = VariantFactory(sku="OLD", **retired)
    run(lines(past_order(past_item(contractLength=7))))
    item = OrderItem.objects.get()
    assert (item.variant, item.variant_name, item.contract_length) == (variant, "Silver", 7)
    # Names and ids are those of the past.
    assert (item.product_name, item.variant_public_id) == ("ThinkPad T14", "old-variant")


def test_variant_of_another_tenant_is_none(tenant: Tenant, other_tenant: Tenant) -> None:
    VariantFactory(sku="OLD", tenant=other_tenant)
    run(lines(past_order()))
    assert OrderItem.objects.get().variant is None


def test_pages_show_an_imported_order(
    tenant: Tenant, rep_client: Client, manager_client: Client
) -> None:
    costs = {"listPrice": 900, "acquisitionCost": 650}
    orders = [
        past_order(past_item("GONE", **costs), status=status, orderId=f"old {status}")
        for status in Order.Status
    ]
    run(lines(*orders))
    for order in Order.objects.all():
        page = f"/orders/old%20{order.status}/"
        assert rep_client.get(page).status_code == 200
        assert manager_client.get(f"{page}items/0/").status_code == 200
        assert manager_client.get(f"/admin/orders/order/{order.pk}/change/").status_code == 200


@pytest.mark.parametrize("order_id", ["e\u0301x", "e\u0301" * 64, "\u03b1\u0313\u0300\u0345" * 64])
def test_order_is_found_by_its_id_as_it_was_sent(
    tenant: Tenant, api_client: Client, rep_client: Client, order_id: str
) -> None:
    run(lines(past_order(orderId=order_id)))
    stored = Order.objects.get().public_id
    assert stored == unicodedata.normalize("NFC", order_id) != order_id
    for asked in (order_id, stored):
        answer = send(api_client, "GET", f"/orders/{quote(asked)}")
        assert (answer.status_code, answer.json()["orderId"]) == (200, stored)
        assert rep_client.get(f"/orders/{quote(asked)}/").status_code == 200


def test_who_placed_it_is_known_again(tenant: Tenant, rep: User, api_key: ApiKey) -> None:
    creators = [rep.email.upper(), api_key.public_id, "jan@old.example", ""]
    run(lines(*(past_order(orderId=f"o{n}", createdBy=by) for n, by in enumerate(creators))))
    told = Order.objects.order_by("public_id").values_list(
        "created_by", "created_by_ref", "rep_ref", "rep"
    )
    assert list(told) == [
        (rep.email.upper(), rep.actor_ref, rep.actor_ref, rep.email),
        (api_key.public_id, *[f"key:{api_key.public_id}"] * 2, api_key.public_id),
        ("jan@old.example", "system:import", "system:import", "import"),
        ("import", "system:import", "system:import", "import"),
    ]


def test_user_of_another_tenant_is_a_stranger(tenant: Tenant, other_tenant: Tenant) -> None:
    stranger = UserFactory(tenant=other_tenant)
    run(lines(past_order(createdBy=stranger.email)))
    assert (load(tenant).created_by, load(tenant).rep) == (stranger.email, "import")


def test_pending_order_has_the_reasons_of_one_that_is_placed(tenant: Tenant) -> None:
    VariantFactory(sku="OLD")
    first = past_order(orderId="old-1", customFields={"purchaseOrderNumber": "PO-1"})
    second = past_order(
        past_item(quantity=30),
        status="pending",
        orderId="old-2",
        createdAt="2023-05-05T09:30:00Z",
        customFields={"purchaseOrderNumber": "PO-1"},
        shippingAddress=address(city="Utrecht"),
    )
    run(lines(second, first))
    reasons = load(tenant, "old-2").reasons
    assert reasons == {
        "new_address": {"last": first["shippingAddress"], "order": "old-1"},
        "unusual_quantity": {
            "largest": 3,
            "usual": 9,
            "lines": [{"position": 0, "sku": "OLD", "name": "ThinkPad T14", "quantity": 30}],
        },
        "repeated": {"order": "old-1"},
        "repeated_po": {"number": "PO-1", "order": "old-1"},
    }
    assert load(tenant, "old-1").reasons == {}


@pytest.mark.parametrize(("before", "now"), [(4711, "4711"), ("4711", 4711), (4711, 4711)])
def test_po_number_of_a_pending_order_is_the_same_as_text_and_as_number(
    tenant: Tenant, before: Any, now: Any
) -> None:
    VariantFactory(sku="OLD")
    first = past_order(orderId="old-1", customFields={"purchaseOrderNumber": before})
    second = past_order(
        status="pending",
        orderId="old-2",
        createdAt="2023-05-05T09:30:00Z",
        customFields={"purchaseOrderNumber": now},
    )
    run(lines(second, first))
    found = load(tenant, "old-2").reasons["repeated_po"]
    assert found == {"number": "4711", "order": "old-1"}


# Customers


def customer(email: str = "noor@example.com", **changes: Any) -> dict[str, Any]:
    return {"email": email, "firstName": "Noor", "lastName": "el Idrissi", **changes}


def test_customer_is_found_by_email_and_not_overwritten(tenant: Tenant) -> None:
    known = CustomerFactory(email="Noor@Example.com", first_name="Nora", status="inactive")
    run(lines(past_order(customer=customer("NOOR@example.com", customerId="theirs"))))
    assert load(tenant).customer == known
    known.refresh_from_db()
    assert (known.first_name, known.status, known.email) == ("Nora", "inactive", "Noor@Example.com")
    assert known.last_shipping_address == address(city="Delft")


def test_customers_of_one_email_in_any_case_are_one(tenant: Tenant) -> None:
    emails = ["Noor@Example.com", "noor@example.com", "NOOR@EXAMPLE.COM"]
    orders = [
        past_order(orderId=f"old-{n}", customer=customer(email, customerId=f"c{n}"))
        for n, email in enumerate(emails)
    ]
    run(lines(*orders))
    known = Customer.objects.get()
    assert (known.public_id, known.email, known.orders.count()) == ("c0", "Noor@Example.com", 3)
    assert known.created_by == "import"
    assert list(Order.objects.order_by("public_id").values_list("customer_email", flat=True)) == (
        emails
    )


def test_customer_id_that_is_taken_is_replaced(tenant: Tenant, other_tenant: Tenant) -> None:
    CustomerFactory(public_id="taken", email="somebody@example.com")
    CustomerFactory(public_id="free", tenant=other_tenant)
    orders = [
        past_order(orderId=f"old-{n}", customer=customer(f"c{n}@example.com", customerId=wanted))
        for n, wanted in enumerate(["taken", "free", "free"])
    ]
    run(lines(*orders))
    ids = [load(tenant, f"old-{n}").customer.public_id for n in range(3)]
    assert ids[1] == "free"
    assert [each[:5] for each in (ids[0], ids[2])] == ["cust_", "cust_"]
    assert Customer.objects.count() == 4


@pytest.mark.parametrize("newest_first", [False, True])
def test_customer_has_the_addresses_of_the_last_order(tenant: Tenant, newest_first: bool) -> None:
    orders = [
        past_order(
            orderId=f"old-{year}",
            createdAt=f"{year}-05-04T09:30:00Z",
            updatedAt=f"{year}-05-04T09:30:00Z",
            billingAddress=address(city=f"City {year}"),
            shippingAddress=address(city=f"Town {year}"),
        )
        for year in (2021, 2022, 2023)
    ]
    for order in reversed(orders) if newest_first else orders:
        run(lines(order))
    known = Customer.objects.get()
    assert known.last_billing_address == address(city="City 2023")
    assert known.last_shipping_address == address(city="Town 2023")
    assert known.created_at.year == 2021


def test_later_order_in_the_portal_says_where_the_customer_lives(tenant: Tenant) -> None:
    make_order(billingAddress=address(city="Gouda"))
    since = Customer.objects.get().created_at
    run(lines(past_order()))
    known = Customer.objects.get()
    assert known.last_billing_address == address(city="Gouda")
    assert known.created_at == since


def test_address_that_somebody_gave_the_record_since_stays(tenant: Tenant) -> None:
    run(lines(past_order(orderId="old-1", createdAt="2022-05-04T09:30:00Z")))
    known = Customer.objects.get()
    changes = Changes(last_billing_address=address(city="Utrecht"))
    update_customer(tenant=tenant, actor=SYSTEM, customer_id=known.public_id, changes=changes)
    run(lines(past_order(orderId="old-2", billingAddress=address(city="Gouda"))))
    known.refresh_from_db()
    assert known.last_billing_address == address(city="Utrecht")


# What is refused


def test_refused_lines_are_written_down_and_the_others_imported(tenant: Tenant) -> None:
    good, bad = past_order(), past_order(orderId="old-2")
    bad["items"][0]["quantity"] = 0
    bad["customer"]["email"] = "nobody"
    [told] = refused(lines(good, bad))
    assert (told["line"], told["orderId"], told["order"]) == (2, "old-2", bad)
    assert told["error"]["code"] == "VALIDATION_ERROR"
    assert told["error"]["message"] == (
        "The request is not valid: customer.email, items.0.quantity."
    )
    assert sorted(details(told)) == [
        ("customer.email", "Enter an e-mail address such as name@example.com."),
        ("items.0.quantity", "Enter 1 or more."),
    ]
    assert list(Order.objects.values_list("public_id", flat=True)) == ["old-1"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{", "Expecting property name enclosed in double quotes or '}': line 1 column 2"),
        (b'{"orderId": NaN}', "Expecting value"),
        (b'{"orderId": "a", "orderId": "b"}', "It has an object in which a name occurs twice."),
        (b'{"orderId": "\xff"}', "It is not UTF-8."),
        (b"\xef\xbb\xbf{}", "It starts with a byte order mark."),
        (b"[" * 100_000, "It is nested too deeply."),
        (b'{"a": 1' + b"0" * 5000 + b"}", "It contains a number that is too long"),
        (b'"' + b"x" * 2 * 1024 * 1024 + b'"', "A line may have 2 MB at most."),
    ],
)
def test_line_that_is_no_json(tenant: Tenant, text: bytes, why: str) -> None:
    file = Path("orders.jsonl")
    file.write_bytes(b"\n \r\n" + text + b"\n" + dumps(past_order()).encode())
    [told] = refused(file)
    assert (told["line"], told["orderId"], "order" in told) == (3, None, False)
    [(path, message)] = details(told)
    assert path == ""
    assert message.startswith("This is not proper JSON. " + why) or why in message
    assert Order.objects.count() == 1


@pytest.mark.parametrize("order_id", ["old\\u0000", "\\ud800", "\\u200b", 7, None, ["x"]])
def test_id_that_no_order_can_have(tenant: Tenant, order_id: Any) -> None:
    file = lines(past_order(orderId="@"))
    file.write_text(file.read_text().replace('"@"', json.dumps(order_id).replace("\\\\", "\\")))
    [told] = refused(file)
    assert [path for path, _ in details(told)] == ["orderId"]
    assert told["orderId"] is None


def test_message_may_quote_what_cannot_be_written(tenant: Tenant) -> None:
    file = lines(past_order(customFields={"name": "\u200b"}))
    file.write_text(file.read_text().replace('"name"', '"\\ud800"'))
    [told] = refused(file)
    assert [path for path, _ in details(told)] == ["customFields"]
    assert told["order"]["customFields"] == {"\ud800": "\u200b"}


def test_custom_field_of_the_wrong_type(tenant: Tenant) -> None:
    CustomFieldFactory(key="seats", label="Seats", type=CustomField.Type.NUMBER)
    [told] = refused(lines(past_order(customFields={"seats": "three"})))
    assert details(told) == [("customFields.seats", "Seats must be a number.")]


def test_what_only_the_database_refuses_leaves_the_others(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ADD CONSTRAINT no_luck CHECK (notes <> 'bad')")
    orders = [
        past_order(
            orderId=f"old-{n}",
            notes="bad" if n in (3, 4, 17) else "",
            customer=customer(f"customer{n}@example.com"),
        )
        for n in range(20)
    ]
    told = refused(lines(*orders))
    assert [each["orderId"] for each in told] == ["old-3", "old-4", "old-17"]
    assert details(told[0]) == [("", "The database refuses it: no_luck.")]
    # Nor do those stay whose only order it was.
    assert (Order.objects.count(), Customer.objects.count()) == (17, 17)


def test_file_of_refusals_goes_where_it_is_told_and_stays_only_with_some(tenant: Tenant) -> None:
    file = lines(past_order(status=""))
    with pytest.raises(CommandError, match=r"^1 refused: see other\.jsonl\.$"):
        run(file, "--refused", "other.jsonl")
    assert len(Path("other.jsonl").read_text().splitlines()) == 1
    run(lines(past_order()), "--refused", "other.jsonl")
    assert [path.name for path in Path().iterdir()] == ["orders.jsonl"]


def test_file_is_not_overwritten_by_what_is_refused_of_it(tenant: Tenant) -> None:
    file = lines(past_order(status=""))
    before = file.read_bytes()
    with pytest.raises(CommandError, match="would overwrite what is to be read"):
        run(file, "--refused", "./orders.jsonl")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("file", "flags", "tenant_id", "message"),
    [
        ("none.jsonl", [], "demo", "none.jsonl cannot be read: No such file or directory."),
        (".", [], "demo", ". cannot be read: Is a directory."),
        ("orders.jsonl", [], "nobody", "There is no tenant “nobody”. There are: demo."),
        (
            "orders.jsonl",
            ["--refused", "no/such/folder"],
            "demo",
            "no/such/folder cannot be written: No such file or directory.",
        ),
    ],
)
def test_import_that_cannot_begin_says_why(
    tenant: Tenant, file: str, flags: list[str], tenant_id: str, message: str
) -> None:
    lines(past_order())
    with pytest.raises(CommandError) as ended:
        run(file, *flags, tenant=tenant_id)
    assert str(ended.value) == message
    assert not Order.objects.exists()


# Again, and again


def test_second_run_changes_nothing(tenant: Tenant) -> None:
    file = lines(*many_orders(12))
    assert run(file) == "12 read, 12 written, 0 already there, 0 refused"
    before = counts(), list(Order.objects.order_by("pk").values())
    assert run(file) == "12 read, 0 written, 12 already there, 0 refused"
    assert (counts(), list(Order.objects.order_by("pk").values())) == before


def test_order_that_went_on_in_the_portal_is_already_there(tenant: Tenant) -> None:
    file = lines(past_order())
    run(file)
    replace_notes(tenant=tenant, actor=SYSTEM, order_id="old-1", notes="Moved on.")
    assert run(file) == "1 read, 0 written, 1 already there, 0 refused"
    assert load(tenant).notes == "Moved on."


def test_same_content_written_otherwise_is_already_there(tenant: Tenant) -> None:
    order = past_order(status="partial")
    run(lines(order))
    again = dict(reversed(list(order.items()))) | {"unknown": 1, "createdAt": "2023-05-04T11:30+02"}
    assert run(lines(again)) == "1 read, 0 written, 1 already there, 0 refused"


def test_export_of_the_same_tenant_is_already_there(tenant: Tenant) -> None:
    made = [make_order(status=status) for status in Order.Status]
    replace_notes(tenant=tenant, actor=SYSTEM, order_id=made[0].public_id, notes="Call first.")
    before = counts()
    exported = [order_body(load(tenant, order.public_id), with_costs=True) for order in made]
    assert run(lines(*exported)) == "5 read, 0 written, 5 already there, 0 refused"
    assert counts() == before


def test_other_content_under_a_known_id_is_refused_by_its_fields(tenant: Tenant) -> None:
    run(lines(past_order()))
    before = counts(), body(load(tenant))
    other = past_order(
        past_item(quantity=4), past_item(), notes="Other.", shippingAddress=address(city="Gouda")
    )
    [told] = refused(lines(other))
    assert (told["error"]["code"], told["error"]["message"]) == (
        "ORDER_EXISTS",
        "The order old-1 exists already, with other content.",
    )
    assert [path for path, _ in details(told)] == [
        "shippingAddress.city",
        "items",
        "totals.subtotal",
        "totals.total",
        "totals.totalDevices",
        "rentalProgress.totalDevices",
        "notes",
    ]
    assert details(told)[0] == ("shippingAddress.city", 'The portal has "Delft".')
    assert (counts(), body(load(tenant))) == before


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (False, 0), ([1, [0]], [1, [False]]), ({"b": True}, {"b": 1})]
)
def test_content_that_only_python_takes_for_the_same_is_refused(
    tenant: Tenant, before: Any, after: Any
) -> None:
    run(lines(past_order(customFields={"a": before})))
    [told] = refused(lines(past_order(customFields={"a": after})))
    assert told["error"]["code"] == "ORDER_EXISTS"
    [(path, _)] = details(told)
    assert path.startswith("customFields.a")


@pytest.mark.parametrize("flags", [[], ["--dry-run"]])
def test_id_that_comes_twice(tenant: Tenant, flags: list[str]) -> None:
    first, other = past_order(), past_order(notes="Other.")
    [told] = refused(lines(first, first, past_order(orderId="old-2"), other), *flags)
    assert (told["line"], told["error"]["code"]) == (4, "ORDER_EXISTS")
    assert Order.objects.count() == (0 if flags else 2)


def test_refused_order_does_not_hold_its_id(tenant: Tenant) -> None:
    file = lines(past_order(status=""), past_order())
    for flags in (["--dry-run"], []):
        assert [told["line"] for told in refused(file, *flags)] == [1]
    assert Order.objects.count() == 1


def test_order_of_another_tenant_is_another_order(tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.update(currency="EUR")
    file = lines(past_order())
    run(file)
    assert run(file, tenant="other").startswith("1 read, 1 written")
    with scopes_disabled():
        assert Order.objects.count() == 2


def test_dry_run_checks_everything_and_writes_nothing(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ADD CONSTRAINT no_luck CHECK (notes <> 'bad')")
    before = counts()
    orders = [past_order(orderId="o1", notes="bad"), past_order(orderId="o2", status="")]
    file = lines(*orders, *many_orders(5))
    assert [told["orderId"] for told in refused(file, "--dry-run")] == ["o1", "o2"]
    assert counts() == before
    file = lines(*many_orders(5))
    assert run(file, "--dry-run") == "5 read, 5 would be written, 0 already there, 0 refused"
    assert counts() == before


def test_dry_run_compares_with_what_is_there(tenant: Tenant) -> None:
    run(lines(past_order(), past_order(orderId="old-2")))
    before = counts()
    again = past_order() | {"unknown": 1}
    file = lines(again, past_order(orderId="old-2", notes="Other."), past_order(orderId="old-3"))
    [told] = refused(file, "--dry-run")
    assert (told["line"], told["error"]["code"]) == (2, "ORDER_EXISTS")
    assert counts() == before


# Files


def test_packed_file_is_unpacked(tenant: Tenant) -> None:
    file = lines(*many_orders(5))
    packed = Path("orders.jsonl.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert run(packed).startswith("5 read, 5 written")


@pytest.mark.parametrize("damage", [slice(0, -20), slice(10, None)])
def test_packed_file_that_is_damaged_ends_the_import(tenant: Tenant, damage: slice) -> None:
    file = lines(*many_orders(5))
    packed = Path("orders.jsonl.gz")
    packed.write_bytes(gzip.compress(file.read_bytes())[damage])
    with pytest.raises(CommandError, match="run it again to go on"):
        run(packed)
    assert Order.objects.count() == 0


def test_standard_input(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    text = lines(past_order(), past_order(orderId="")).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    with pytest.raises(CommandError, match=r"^1 refused: see stdin\.refused\.jsonl\.$"):
        run("-")
    assert Path("stdin.refused.jsonl").exists()
    assert Order.objects.count() == 1


def pipe(monkeypatch: pytest.MonkeyPatch, *command: str) -> "subprocess.Popen[bytes]":
    """Has standard input read what the command writes, as a shell does."""
    fed = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert fed.stdout
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(fed.stdout))
    return fed


@pytest.mark.parametrize("flags", [[], ["--refused", "other.jsonl"]])
def test_pipe_out_of_a_file_of_refusals_does_not_overwrite_it(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    path = Path(flags[1] if flags else "stdin.refused.jsonl")
    path.write_bytes(lines(*many_orders(300)).read_bytes())
    before = path.read_bytes()
    with pipe(monkeypatch, "cat", str(path)), pytest.raises(CommandError) as ended:
        run("-", *flags)
    assert str(ended.value) == (
        f"{path} is there, and may be what is to be read: nothing was imported. Move it away or "
        "rename it, or name another file with --refused."
    )
    assert (path.read_bytes(), Order.objects.count()) == (before, 0)
    with pipe(monkeypatch, "cat", str(path)):
        assert run("-", "--refused", "new.jsonl").startswith("300 read, 300 written")


def test_named_pipe_is_one_too(tenant: Tenant) -> None:
    os.mkfifo("fifo")
    path = Path("fifo.refused.jsonl")
    path.write_text("{}\n")
    with subprocess.Popen(["cp", str(path), "fifo"]), pytest.raises(CommandError, match="is there"):
        run("fifo")
    assert path.read_text() == "{}\n"


def test_empty_file_of_refusals_is_in_nobodys_way(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An import that was killed leaves one.
    Path("stdin.refused.jsonl").touch()
    with pipe(monkeypatch, "cat", str(lines(past_order()))):
        assert run("-").startswith("1 read, 1 written")
    assert not Path("stdin.refused.jsonl").exists()


def test_empty_file_is_an_import_of_nothing(tenant: Tenant) -> None:
    assert run(lines()) == "0 read, 0 written, 0 already there, 0 refused"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_counts_along_in_place(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ORDERS_PER_BATCH", 4)
    out = Terminal()
    call_command("import_orders", str(lines(*many_orders(8))), tenant="demo", stdout=out)
    progress = r"\r\[(#*) *\] ([0-9]) orders, ([0-9]+)%, [0-9]+ a second"
    (bar, first, share), *last = re.findall(progress, out.getvalue())
    assert (first, last) == ("4", [("#" * 30, "8", "100")])
    assert (0 < int(share) < 100, len(bar)) == (True, int(share) * 30 // 100)
    assert out.getvalue().splitlines()[-1].startswith("8 read, 8 written")


def test_batch_ends_before_it_is_too_large_to_hold(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BYTES_PER_BATCH", 4000)
    with lines(*many_orders(9)).open("rb") as file:
        batches = [len(batch) for batch in import_orders(tenant=tenant, file=file)]
    assert sum(batches) == 9
    assert max(batches) < 5


def test_number_of_queries_does_not_depend_on_the_orders(tenant: Tenant) -> None:
    assert queries(tenant, 2, "a") == queries(tenant, 60, "b")
    # Nor where all of them are there already, written otherwise.
    assert queries(tenant, 2, "a", " ") == queries(tenant, 60, "b", " ")


def queries(tenant: Tenant, count: int, of: str, space: str = "") -> int:
    """Of an import of so many orders: pending ones, too, and of two customers at least."""
    orders = [order | {"status": "pending"} for order in many_orders(count, of=of)]
    for number, order in enumerate(orders):
        order["customer"] = customer(f"{of}{number % 2}-{number // 2}@example.com")
        order["rentalProgress"]["rentedDevices"] = 0
    text = "".join(dumps(order).replace("{", "{" + space, 1) + "\n" for order in orders)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        [batch] = import_orders(tenant=tenant, file=io.BytesIO(text.encode()))
    assert {line.outcome for line in batch} == {"already there" if space else "written"}
    return len(captured)


# Killed, and two at once


def in_process(tenant: Tenant, **options: Any) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "manage.py", "import_orders", "--tenant", tenant.slug, "-"]
    return subprocess.Popen(
        [*command, "--refused", str(Path("refused.jsonl").absolute())],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": address_of_database()},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        **options,
    )


def assert_each_once(ids: list[str]) -> None:
    """Each order is there once, whole, with its events and one customer for each e-mail."""
    assert sorted(Order.objects.values_list("public_id", flat=True)) == sorted(ids)
    created = OrderEvent.objects.filter(kind="created")
    assert created.count() == created.values("order").distinct().count() == len(ids)
    for order in Order.objects.prefetch_related("items", "events"):
        assert sum(item.quantity for item in order.items.all()) == order.total_devices
        assert order.version == len(order.events.all())


@pytest.mark.django_db(transaction=True)
def test_import_that_is_killed_goes_on_where_it_was(tenant: Tenant) -> None:
    orders = list(many_orders(importing.ORDERS_PER_BATCH + 100))
    text = "".join(dumps(order) + "\n" for order in orders).encode()
    with in_process(tenant) as process:
        assert process.stdin
        process.stdin.write(text)
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not Order.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert Order.objects.count() == importing.ORDERS_PER_BATCH
    assert run(lines(*orders)) == "600 read, 100 written, 500 already there, 0 refused"
    assert_each_once([order["orderId"] for order in orders])


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_write_each_order_once(tenant: Tenant) -> None:
    file = lines(*many_orders(300))
    found = in_threads(tenant, lambda: run(file), lambda: run(file, "--refused", "second"))
    written = [int(summary.split(", ")[1].split()[0]) for summary in found]
    assert sum(written) == 300
    assert [summary.endswith("0 refused") for summary in found] == [True, True]
    assert_each_once([order["orderId"] for order in many_orders(300)])
    assert Customer.objects.count() == -(-300 // 8)


@pytest.mark.django_db(transaction=True)
def test_customer_who_orders_meanwhile_is_the_same(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    file = lines(*many_orders(40))
    found = in_threads(
        tenant,
        lambda: run(file),
        lambda: [create(tenant, sku, f"c{number}@EXAMPLE.com") for number in range(5)],
    )
    assert found[0] == "40 read, 40 written, 0 already there, 0 refused"
    assert (Customer.objects.count(), Order.objects.count()) == (5, 45)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("created_at", ["2022-05-04T09:30:00Z", "2024-05-04T09:30:00Z"])
def test_address_of_an_order_that_is_placed_meanwhile_stays(
    tenant: Tenant, created_at: str
) -> None:
    run(lines(past_order()))
    VariantFactory(sku="NEW")
    placed = Event()
    moved = past_order(
        orderId="old-0",
        createdAt=created_at,
        updatedAt=created_at,
        billingAddress=address(city="Gouda"),
    )
    file = lines(moved)

    def place() -> None:
        with transaction.atomic():
            make_order("NEW", billingAddress=address(city="Utrecht"))
            placed.set()
            until_somebody_waits()

    def bring_in() -> str:
        assert placed.wait(timeout=10)
        return run(file)

    _, summary = in_threads(tenant, place, bring_in)
    assert summary == "1 read, 1 written, 0 already there, 0 refused"
    known = Customer.objects.get()
    assert known.last_billing_address == known.last_shipping_address == address(city="Utrecht")
    assert known.created_at.year == min(2023, int(created_at[:4]))
