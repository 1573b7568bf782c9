"""Creating, confirming and cancelling an order."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Product, Variant
from customers.models import Customer
from orders.models import Order, OrderEvent, OrderItem
from orders.services import cancel_order, confirm_order, create_order, read_new_order
from portal.errors import Conflict, DomainError, NotFound, PermissionRefused, ValidationFailed
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import (
    SYSTEM,
    CustomerFactory,
    CustomFieldFactory,
    DraftFactory,
    VariantFactory,
    address,
    make_order,
    new_order,
    open_tenant,
    order_body,
)

EXTENSION = {
    "originalOrderId": "ord_1",
    "extensionMonths": 6,
    "previousEndDate": "2026-01-31",
    "newEndDate": "2026-07-31",
}
UPGRADE = {
    "previousDevice": "MacBook Pro 14",
    "previousSerialNumber": "C02",
    "previousMonthlyAmount": Decimal("42.50"),
    "previousRentalId": "rental_1",
}


@pytest.fixture
def variant(tenant: Tenant) -> Variant:
    return VariantFactory(sku="A", list_price="900.00", acquisition_cost="700.00")


def create(*skus: str, actor: Actor = SYSTEM, options: Any = None, **changes: Any) -> Order:
    """The order as it is in the database."""
    order = create_order(
        tenant=open_tenant(),
        actor=actor,
        new_order=new_order(*skus, **changes),
        source=Order.Source.PORTAL,
        **(options or {}),
    )
    return Order.objects.get(pk=order.pk)


def counts() -> dict[str, int]:
    """How many rows each table has."""
    models = [
        m for m in apps.get_models() if m._meta.app_label in ("catalog", "customers", "orders")
    ]
    return {model.__name__: model._base_manager.count() for model in models}


def test_order_has_everything_that_was_sent(variant: Variant, rep: User) -> None:
    sent = order_body("A", notes="Call first.", customFields={"po": Decimal("1.10")})
    sent["customer"] |= {"company": "Acme", "phone": "+31 6", "customerType": "business"}
    order = create_order(
        tenant=rep.tenant,
        actor=Actor.from_user(rep),
        new_order=read_new_order(tenant=rep.tenant, data=sent),
        source=Order.Source.PORTAL,
    )
    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.awaiting, order.order_type) == ("pending", "manager", "standard")
    assert (order.source, order.version) == ("portal", 1)
    assert (order.created_by, order.created_by_ref) == (rep.email, f"user:{rep.pk}")
    assert (order.customer_email, order.customer_name) == ("noor@example.com", "Noor el Idrissi")
    assert (order.customer_company, order.customer_phone) == ("Acme", "+31 6")
    assert (order.customer_type, order.customer.customer_type) == ("business", "business")
    assert (order.billing_address, order.notes) == (address(), "Call first.")
    assert str(order.custom_fields) == "{'po': Decimal('1.10')}"
    assert order.created_at == order.updated_at


def test_order_has_the_prices_of_the_catalogue(tenant: Tenant, variant: Variant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(vat_rate=21)
    tenant.refresh_from_db()
    items = [{"sku": "A", "quantity": 3, "contractLength": 24}, {"sku": "A", "quantity": 1}]
    tenant.default_contract_length = 12
    order = create(items=items)
    assert [
        (i.position, i.quantity, i.contract_length, i.unit_price) for i in order.items.all()
    ] == [
        (0, 3, 24, Decimal(25)),
        (1, 1, 12, Decimal(30)),
    ]
    assert (order.subtotal, order.tax_amount, order.total) == (
        105,
        Decimal("22.05"),
        Decimal("127.05"),
    )
    assert (order.contract_value, order.total_devices) == (3 * 25 * 24 + 30 * 12, 4)
    assert (order.currency, order.vat_rate, order.prices_include_vat) == ("EUR", 21, False)


def test_price_in_the_body_is_ignored(variant: Variant) -> None:
    item = {"sku": "A", "quantity": 1, "contractLength": 24, "unitPrice": 1, "agreedPrice": 1}
    assert create(items=[item]).subtotal == 25


@pytest.mark.parametrize(
    ("list_price", "cost", "sources"),
    [
        ("900", "700", (900, "variant", 700, "variant")),
        ("900", None, (900, "variant", 900, "list_price")),
        (None, "700", (None, "unknown", 700, "variant")),
        (None, None, (None, "unknown", None, "unknown")),
        ("0", "0", (0, "variant", 0, "variant")),
    ],
)
def test_item_says_where_its_cost_comes_from(
    tenant: Tenant, list_price: Any, cost: Any, sources: Any
) -> None:
    VariantFactory(sku="A", list_price=list_price, acquisition_cost=cost)
    item = create("A").items.get()
    assert (
        item.list_price,
        item.list_price_source,
        item.acquisition_cost,
        item.acquisition_cost_source,
    ) == sources


@pytest.mark.parametrize(
    ("order_type", "changes"),
    [
        ("standard", {}),
        ("extension", {"extensionDetails": EXTENSION}),
        ("extension", {"extensionDetails": EXTENSION | {"reason": "Still needed"}}),
        ("extension", {}),
        ("upgrade", {"upgradeDetails": UPGRADE}),
        ("upgrade", {"upgradeDetails": UPGRADE | {"upgradeReason": "Faster"}}),
        ("standard", {"extensionDetails": EXTENSION, "upgradeDetails": UPGRADE}),
    ],
)
def test_details_of_the_type_are_kept(
    variant: Variant, order_type: str, changes: dict[str, Any]
) -> None:
    order = create("A", orderType=order_type, **changes)
    assert order.order_type == order_type
    assert order.extension_details == changes.get("extensionDetails")
    assert order.upgrade_details == changes.get("upgradeDetails")


def test_shipping_is_a_copy_of_billing_when_omitted(variant: Variant) -> None:
    assert create("A").shipping_address == address()
    elsewhere = address(city="Delft", postalCode=None)
    assert create("A", shippingAddress=elsewhere).shipping_address == elsewhere


def test_copies_do_not_follow_catalogue_or_customer(variant: Variant) -> None:
    order = create("A")
    before = Order.objects.values().get(), OrderItem.objects.values().get()
    Product.objects.update(name="Renamed")
    Variant.objects.update(sku="RENAMED", name="Renamed", list_price=1, acquisition_cost=1)
    variant.prices.update(monthly_price=1)
    Customer.objects.update(first_name="Other", email="other@example.com")
    assert (Order.objects.values().get(), OrderItem.objects.values().get()) == before
    assert order.items.get().sku == "A"


def test_known_customer_is_linked_and_not_overwritten(variant: Variant) -> None:
    customer = CustomerFactory(email="NOOR@example.com", first_name="N.")
    order = create("A")
    assert order.customer == customer
    assert (order.customer.first_name, order.customer_first_name) == ("N.", "Noor")
    assert order.customer.last_billing_address == address()


def test_known_customer_is_updated_when_asked(variant: Variant) -> None:
    CustomerFactory(email="noor@example.com", first_name="N.")
    assert create("A", options={"update_customer": True}).customer.first_name == "Noor"


def test_customer_named_by_id_orders_with_another_email(variant: Variant) -> None:
    customer = CustomerFactory(email="old@example.com")
    order = create("A", options={"customer_id": customer.public_id})
    assert (order.customer, order.customer_email) == (customer, "noor@example.com")
    assert Customer.objects.get().email == "old@example.com"


def test_order_remembers_its_draft(variant: Variant) -> None:
    draft = DraftFactory()
    assert create("A", options={"draft": draft}).draft == draft


def test_created_order_needs_no_query_to_be_shown(tenant: Tenant, variant: Variant) -> None:
    order = create_order(
        tenant=tenant, actor=SYSTEM, new_order=new_order("A"), source=Order.Source.API
    )
    with CaptureQueriesContext(connection) as queries:
        assert [item.sku for item in order.items.all()] == ["A"]
        assert order.customer.public_id.startswith("cust_")
    assert len(queries) == 0


@pytest.mark.parametrize("lines", [1, 5, 50])
@pytest.mark.parametrize("known", [True, False])
def test_statements_do_not_grow_with_the_lines(
    tenant: Tenant, variant: Variant, lines: int, known: bool
) -> None:
    if known:
        CustomerFactory(email="noor@example.com")
    placed = new_order(*["A"] * lines)
    with CaptureQueriesContext(connection) as statements:
        create_order(tenant=tenant, actor=SYSTEM, new_order=placed, source=Order.Source.API)
    assert len(statements) == 6


def refusals(variant: Variant) -> Iterator[tuple[dict[str, Any], list[tuple[str, str]]]]:
    VariantFactory(sku="OFF", status="inactive")
    customer = order_body()["customer"]
    CustomerFactory(email="gone@example.com", status="inactive")
    lines = [
        {"sku": "A", "quantity": 1, "contractLength": 24},
        {"sku": "A", "quantity": 1, "contractLength": 25},
        {"sku": "OFF", "quantity": 1},
        {"sku": "NONE", "quantity": 1},
    ]
    failing = [
        ("items.1.contractLength", "INVALID_CONTRACT_LENGTH"),
        ("items.2.sku", "VARIANT_INACTIVE"),
        ("items.3.sku", "VARIANT_NOT_FOUND"),
    ]
    gone = customer | {"email": "Gone@example.com"}
    yield {"items": lines}, failing
    yield {"items": lines[:1], "customer": gone}, [("customer.email", "VALIDATION_ERROR")]
    yield {"items": lines, "customer": gone}, [*failing, ("customer.email", "VALIDATION_ERROR")]


@pytest.mark.parametrize("case", range(3))
def test_refused_order_names_all_that_is_wrong_and_leaves_nothing(
    variant: Variant, case: int
) -> None:
    changes, wrong = list(refusals(variant))[case]
    before = counts()
    with pytest.raises(DomainError) as refused:
        create(**changes)
    assert [(d.path, d.code) for d in refused.value.details] == wrong
    assert (refused.value.code, refused.value.status) == (wrong[0][1], 400)
    assert counts() == before


def test_unknown_customer_id_leaves_nothing(variant: Variant) -> None:
    before = counts()
    with pytest.raises(NotFound):
        create("A", options={"customer_id": "cust_NONE"})
    assert counts() == before


def test_actor_without_permission_creates_nothing(variant: Variant) -> None:
    before = counts()
    with pytest.raises(PermissionRefused):
        create("A", actor=Actor("key:x", "x", frozenset({"orders.view_order"})))
    assert counts() == before


def test_shape_and_custom_fields_are_refused_together(tenant: Tenant) -> None:
    CustomFieldFactory(key="po", required=True)
    with pytest.raises(ValidationFailed) as refused:
        read_new_order(tenant=tenant, data=order_body(notes=1))
    assert [d.path for d in refused.value.details] == ["items", "notes", "customFields.po"]
    assert refused.value.message == "The request is not valid: items, notes, customFields.po."


@pytest.mark.parametrize("data", [None, [], "order", 1, True])
def test_body_that_is_no_object_is_refused(tenant: Tenant, data: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_new_order(tenant=tenant, data=data)
    assert [d.path for d in refused.value.details] == [""]


# Confirming and cancelling.

CHANGES = {"confirm": confirm_order, "cancel": cancel_order}
# What becomes of an order in each state: its new status, or the code of the refusal.
OUTCOMES = [
    ("pending", "confirm", "confirmed"),
    ("confirmed", "confirm", "STATE_CONFLICT"),
    ("partial", "confirm", "STATE_CONFLICT"),
    ("fulfilled", "confirm", "STATE_CONFLICT"),
    ("cancelled", "confirm", "STATE_CONFLICT"),
    ("pending", "cancel", "cancelled"),
    ("confirmed", "cancel", "cancelled"),
    ("partial", "cancel", "ORDER_NOT_CANCELLABLE"),
    ("fulfilled", "cancel", "ORDER_NOT_CANCELLABLE"),
    ("cancelled", "cancel", "ALREADY_CANCELLED"),
]


def change(action: str, order: Order, actor: Actor, **options: Any) -> str:
    """The status of the order afterwards, or the code of the refusal, which changed nothing."""
    before = Order.objects.values().get(pk=order.pk), order.events.count()
    try:
        CHANGES[action](tenant=order.tenant, actor=actor, order_id=order.public_id, **options)
    except DomainError as error:
        assert (Order.objects.values().get(pk=order.pk), order.events.count()) == before
        return error.code
    return Order.objects.get(pk=order.pk).status


@pytest.mark.parametrize(("status", "action", "outcome"), OUTCOMES)
def test_manager_changes_an_order(
    manager_actor: Actor, status: str, action: str, outcome: str
) -> None:
    assert change(action, make_order(status=status), manager_actor) == outcome


@pytest.mark.parametrize(("status", "action", "outcome"), OUTCOMES)
def test_rep_changes_no_order_own_or_not(
    rep_actor: Actor, status: str, action: str, outcome: str
) -> None:
    for order in (make_order(status=status), make_order(status=status, actor=rep_actor)):
        assert change(action, order, rep_actor) == "INSUFFICIENT_PERMISSIONS"


@pytest.mark.parametrize("who", ["manager", "superuser"])
def test_own_order_is_confirmed_by_permission_only(
    request: pytest.FixtureRequest, who: str
) -> None:
    user: User = request.getfixturevalue(who)
    order = make_order(actor=Actor.from_user(user))
    assert change("confirm", order, Actor.from_user(user)) == "INSUFFICIENT_PERMISSIONS"
    user.user_permissions.add(Permission.objects.get(codename="confirm_own_order"))
    granted = Actor.from_user(User.objects.get(pk=user.pk))
    assert change("confirm", order, granted) == "confirmed"


def test_own_order_is_cancelled_without(manager_actor: Actor) -> None:
    assert change("cancel", make_order(actor=manager_actor), manager_actor) == "cancelled"


def test_order_that_waits_for_its_rep_is_not_confirmed(manager_actor: Actor) -> None:
    order = make_order()
    Order.objects.update(awaiting="rep")
    assert change("confirm", order, manager_actor) == "STATE_CONFLICT"
    assert change("cancel", order, manager_actor) == "cancelled"


@pytest.mark.parametrize("action", CHANGES)
def test_stale_version_is_refused(manager_actor: Actor, action: str) -> None:
    order = make_order()
    assert change(action, order, manager_actor, version=2) == "STATE_CONFLICT"
    assert change(action, order, manager_actor, version=0) == "STATE_CONFLICT"
    done = {"confirm": "confirmed", "cancel": "cancelled"}
    assert change(action, order, manager_actor, version=1) == done[action]


def test_loser_is_told_who_was_faster(manager_actor: Actor) -> None:
    order = make_order(status="cancelled")
    with pytest.raises(Conflict) as refused:
        confirm_order(tenant=order.tenant, actor=manager_actor, order_id=order.public_id, version=1)
    assert refused.value.message == "test last changed it (cancelled). Look at it again first."


@pytest.mark.parametrize("action", CHANGES)
def test_order_of_another_tenant_is_not_found(
    manager_actor: Actor, other_tenant: Tenant, action: str
) -> None:
    foreign = make_order(tenant=other_tenant)
    with pytest.raises(NotFound):
        CHANGES[action](tenant=open_tenant(), actor=manager_actor, order_id=foreign.public_id)


@pytest.mark.parametrize("action", CHANGES)
@pytest.mark.parametrize("reason", ["", "  \n", "Credit check passed.\nTwice.", "a" * 1000])
def test_reason_is_kept(manager_actor: Actor, action: str, reason: str) -> None:
    order = make_order()
    change(action, order, manager_actor, reason=reason)
    assert order.events.get(version=2).reason == reason.strip()


@pytest.mark.parametrize("action", CHANGES)
@pytest.mark.parametrize("reason", ["a" * 1001, "No\x00", "No\u200b", "No\ud800", "\u202eNo"])
def test_reason_too_long_or_with_hidden_characters_is_refused(
    manager_actor: Actor, action: str, reason: str
) -> None:
    order = make_order()
    assert change(action, order, manager_actor, reason=reason) == "VALIDATION_ERROR"


def test_confirmation_is_signed(manager: User) -> None:
    order = make_order()
    change("confirm", order, Actor.from_user(manager), reason="Known customer.")
    order.refresh_from_db()
    event = order.events.get(kind="confirmed")
    assert (order.version, event.version) == (2, 2)
    assert (order.confirmed_by, order.confirmed_by_ref) == (manager.email, f"user:{manager.pk}")
    assert order.confirmed_at is not None
    assert (order.cancelled_at, order.cancelled_by) == (None, "")
    assert (event.actor, event.actor_ref) == (manager.email, f"user:{manager.pk}")


def test_cancellation_is_signed_and_keeps_who_confirmed(manager: User) -> None:
    order = make_order(status="confirmed")
    change("cancel", order, Actor.from_user(manager), reason="Customer withdrew.")
    order.refresh_from_db()
    assert (order.version, order.cancel_reason) == (3, "Customer withdrew.")
    assert (order.cancelled_by, order.cancelled_by_ref) == (manager.email, f"user:{manager.pk}")
    assert order.cancelled_at is not None
    assert order.confirmed_by == "test"
    assert [(e.kind, e.version) for e in order.events.all()] == [
        ("created", 1),
        ("confirmed", 2),
        ("cancelled", 3),
    ]


def test_creation_is_an_event_with_the_total(variant: Variant) -> None:
    event = create("A").events.get()
    assert (event.kind, event.version, event.actor_ref) == ("created", 1, "system:test")
    assert str(event.data) == "{'total': Decimal('25.00')}"
    assert event.at == OrderEvent.objects.get().order.created_at


def test_line_at_an_agreed_price_keeps_the_catalogues_beside_it(variant: Variant) -> None:
    VariantFactory(sku="B")
    order = create_order(
        tenant=open_tenant(),
        actor=SYSTEM,
        new_order=new_order("A", "B").at([Decimal("24.50"), None]),
        source=Order.Source.PORTAL,
    )
    items = OrderItem.objects.filter(order=order)
    assert [(i.unit_price, i.catalogue_price, i.has_agreed_price) for i in items] == [
        (Decimal("24.50"), Decimal(25), True),
        (Decimal(25), Decimal(25), False),
    ]
    assert (order.subtotal, order.contract_value) == (Decimal("49.50"), Decimal(1188))
    assert order.events.get().data == {
        "total": Decimal("49.50"),
        "agreedPrices": [
            {"position": 0, "sku": "A", "said": Decimal("24.50"), "catalogue": Decimal("25.000")}
        ],
    }


def test_what_was_read_back_is_an_event_before_the_creation(variant: Variant) -> None:
    read = ["One MacBook for 24 months.", "That is all."]
    order = create("A", options={"read_back": read})
    assert [(event.kind, event.version) for event in order.events.all()] == [
        ("read_back", 1),
        ("created", 1),
    ]
    assert order.events.get(kind="read_back").data == {"sentences": read}
