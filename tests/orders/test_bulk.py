from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.forms import model_to_dict
from django.utils import timezone
from django_scopes import scope

from catalog.models import Price, Product, Variant
from customers.models import Customer
from orders.bulk import OrderRecord, Step, write_orders
from orders.models import Order, OrderEvent
from orders.reasons import Reason
from orders.schemas import NewOrder
from orders.services import cancel_order, create_order
from portal.errors import DomainError
from portal.models import Tenant
from portal.permissions import Actor

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("import")
PLACED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ADDRESS = {
    "contactName": "Noor el Idrissi",
    "streetAddress": "Coolsingel 93",
    "city": "Rotterdam",
    "country": "Netherlands",
}


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    tenant = Tenant.objects.create(
        slug="bulk", name="Bulk", currency="EUR", vat_rate=21, default_contract_length=24
    )
    with scope(tenant=tenant):
        product = Product.objects.create(
            tenant=tenant, sku="P", name="ThinkPad T14", brand="Lenovo", category="Laptops"
        )
        for sku, price in (("T14-A", "31.95"), ("T14-B", "26.45")):
            variant = Variant.objects.create(tenant=tenant, product=product, sku=sku, list_price=99)
            Price.objects.create(
                tenant=tenant, variant=variant, contract_length=24, monthly_price=Decimal(price)
            )
        yield tenant


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    email = "noor@stadsmakers.example"
    return Customer.objects.create(
        tenant=tenant, email=email, email_key=email, first_name="Noor", last_name="el Idrissi"
    )


def _new_order(customer: Customer, *quantities: int) -> NewOrder:
    body: dict[str, Any] = {
        "customer": {
            "email": customer.email,
            "firstName": customer.first_name,
            "lastName": customer.last_name,
        },
        "billingAddress": ADDRESS,
        "items": [
            {"sku": sku, "quantity": quantity}
            for sku, quantity in zip(("T14-A", "T14-B"), quantities, strict=False)
        ],
        "customFields": {"purchaseOrderNumber": "PO-1"},
        "notes": "Call first.",
    }
    return NewOrder.model_validate(body)


def _record(customer: Customer, order_id: str = "old-1", *steps: Step) -> OrderRecord:
    return OrderRecord(
        order_id=order_id,
        new_order=_new_order(customer, 3, 2),
        customer=customer,
        source=Order.Source.IMPORT,
        actor=ACTOR,
        at=PLACED,
        steps=steps,
    )


def _confirmed() -> Step:
    return Step(
        kind=OrderEvent.Kind.CONFIRMED, at=PLACED + timedelta(hours=1), actor=ACTOR, reason="Known."
    )


def _shape(order: Order) -> dict[str, Any]:
    rows: dict[str, Any] = model_to_dict(order, exclude=["id", "public_id", "source"])
    rows["items"] = [
        model_to_dict(item, exclude=["id", "order", "priced_at"])
        for item in order.items.order_by("position")
    ]
    rows["events"] = list(order.events.values("kind", "version", "actor_ref", "reason", "data"))
    del rows["created_at"], rows["updated_at"]
    return rows


def test_written_order_has_the_rows_of_a_created_one(tenant: Tenant, customer: Customer) -> None:
    created = create_order(
        tenant=tenant,
        actor=ACTOR,
        new_order=_new_order(customer, 3, 2),
        source=Order.Source.API,
    )
    # Placed earlier, so that neither is in the history of the other.
    write_orders(tenant=tenant, records=[_record(customer)])
    written = Order.objects.get(public_id="old-1")
    assert _shape(written) == _shape(Order.objects.get(pk=created.pk))


def test_written_order_keeps_its_id_and_date(tenant: Tenant, customer: Customer) -> None:
    write_orders(tenant=tenant, records=[_record(customer)])
    order = Order.objects.get()
    assert (order.public_id, order.created_at, order.updated_at) == ("old-1", PLACED, PLACED)
    assert order.events.get().at == PLACED


def test_each_record_has_its_own_lines_and_totals(tenant: Tenant, customer: Customer) -> None:
    write_orders(tenant=tenant, records=[_record(customer, "old-1"), _record(customer, "old-2")])
    for order in Order.objects.all():
        assert [(item.position, item.sku) for item in order.items.all()] == [
            (0, "T14-A"),
            (1, "T14-B"),
        ]
        assert order.subtotal == Decimal("148.75")
        assert order.total == Decimal("179.99")


def test_confirmed_then_rented_in_part(tenant: Tenant, customer: Customer) -> None:
    rented_at = PLACED + timedelta(days=2)
    rented = Step(kind=OrderEvent.Kind.PROGRESSED, at=rented_at, actor=ACTOR, rented=[3, 0])
    write_orders(tenant=tenant, records=[_record(customer, "old-1", _confirmed(), rented)])
    order = Order.objects.get()
    assert (order.status, order.rented_devices, order.version) == ("partial", 3, 3)
    assert order.confirmed_at == PLACED + timedelta(hours=1)
    assert [item.rented_devices for item in order.items.all()] == [3, 0]
    assert list(order.events.values_list("kind", "version", "at", "reason")) == [
        ("created", 1, PLACED, ""),
        ("confirmed", 2, PLACED + timedelta(hours=1), "Known."),
        ("progressed", 3, rented_at, ""),
    ]


def test_all_devices_rented_is_fulfilled(tenant: Tenant, customer: Customer) -> None:
    rented = Step(
        kind=OrderEvent.Kind.PROGRESSED,
        at=PLACED + timedelta(days=2),
        actor=ACTOR,
        rented=[3, 2],
    )
    write_orders(tenant=tenant, records=[_record(customer, "old-1", _confirmed(), rented)])
    assert Order.objects.get().status == Order.Status.FULFILLED


def test_cancelled_keeps_the_reason(tenant: Tenant, customer: Customer) -> None:
    at = PLACED + timedelta(hours=3)
    cancelled = Step(kind=OrderEvent.Kind.CANCELLED, at=at, actor=ACTOR, reason="Too late.")
    write_orders(tenant=tenant, records=[_record(customer, "old-1", cancelled)])
    order = Order.objects.get()
    assert (order.status, order.cancelled_at, order.cancel_reason, order.cancelled_by) == (
        "cancelled",
        at,
        "Too late.",
        "import",
    )


def test_line_without_a_price_writes_nothing(tenant: Tenant, customer: Customer) -> None:
    Price.objects.filter(variant__sku="T14-B").delete()
    with pytest.raises(DomainError, match="has no price yet"):
        write_orders(tenant=tenant, records=[_record(customer)])
    assert not Order.objects.exists()


def test_taken_id_is_refused(tenant: Tenant, customer: Customer) -> None:
    with pytest.raises(IntegrityError, match="order_public_id"):
        write_orders(
            tenant=tenant, records=[_record(customer, "old-1"), _record(customer, "old-1")]
        )


@pytest.mark.parametrize("records", [1, 30])
def test_number_of_queries_does_not_depend_on_the_records(
    tenant: Tenant, customer: Customer, records: int, django_assert_num_queries: Any
) -> None:
    batch = [_record(customer, f"old-{number}", _confirmed()) for number in range(records)]
    # The transaction's begin and end, the quote, and an insert for each of the three tables.
    with django_assert_num_queries(6):
        write_orders(tenant=tenant, records=batch)
    batch = [_record(customer, f"new-{number}") for number in range(records)]
    # And what happened before them, the reasons that follow from it.
    with django_assert_num_queries(8):
        write_orders(tenant=tenant, records=batch)


def _varied(customer: Customer) -> list[OrderRecord]:
    """Orders one day after another, most of them with some reason to look twice."""
    elsewhere = ADDRESS | {"city": "Delft"}
    po = {"customFields": {"purchaseOrderNumber": "PO-2"}}
    extension = {
        "orderType": "extension",
        "extensionDetails": {
            "originalOrderId": "old-1",
            "extensionMonths": 6,
            "previousEndDate": "2026-01-31",
            "newEndDate": "2026-07-30",
        },
    }
    bodies: list[dict[str, Any]] = [
        {"quantities": [2]},
        {"quantities": [2], **po},
        {"quantities": [9, 9], "shippingAddress": elsewhere, **po},
        {"quantities": [1, 30], "shippingAddress": elsewhere, "customFields": None},
        {"quantities": [1], "customFields": {"purchaseOrderNumber": 7}, **extension},
        {"quantities": [1], "customFields": {"purchaseOrderNumber": "PO-“3”"}, "cancelled": True},
        {"quantities": [1], "customFields": {"purchaseOrderNumber": "PO-“3”"}, "days": 9},
        {"quantities": [1, 1], "customer": {"firstName": "Nora"}, "orderType": "extension"},
    ]
    records = []
    at = PLACED
    for number, body in enumerate(bodies):
        at += timedelta(days=body.pop("days", 1))
        new = _new_order(customer, *body.pop("quantities"))
        cancelled = body.pop("cancelled", False)
        data = new.model_dump(by_alias=True, exclude_unset=True)
        data |= body | {"customer": data["customer"] | body.get("customer", {})}
        step = Step(kind=OrderEvent.Kind.CANCELLED, at=at, actor=ACTOR)
        records.append(
            OrderRecord(
                order_id=f"old-{number}",
                new_order=NewOrder.model_validate(data),
                customer=customer,
                source=Order.Source.API,
                actor=ACTOR,
                at=at,
                steps=[step] if cancelled else [],
            )
        )
    return records


def test_reasons_are_those_of_orders_that_were_created_one_by_one(
    tenant: Tenant, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = _varied(customer)
    pending = Order.objects.filter(status="pending").order_by("public_id")
    with transaction.atomic():
        for record in records:
            monkeypatch.setattr(timezone, "now", lambda record=record: record.at)
            order = create_order(
                tenant=tenant, actor=ACTOR, new_order=record.new_order, source=Order.Source.API
            )
            Order.objects.filter(pk=order.pk).update(public_id=record.order_id)
            if record.steps:
                cancel_order(tenant=tenant, actor=ACTOR, order_id=record.order_id)
        created = list(pending.values("public_id", "reasons", "risk"))
        transaction.set_rollback(True)
    # Whichever way round they are written.
    write_orders(tenant=tenant, records=records[::-1])
    assert list(pending.values("public_id", "reasons", "risk")) == created
    found = {code for order in created for code in order["reasons"]}
    assert found == set(Reason.values) - {"other_price", "low_price", "other_details"}
