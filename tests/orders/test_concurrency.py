"""Two people at once, in real transactions of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scope

from catalog.models import Variant
from catalog.services import set_price, set_variant_status
from customers.models import Customer
from customers.services import change_email
from orders import drafts, submitting
from orders.editing import Edit, EditedLine
from orders.models import Order, OrderEvent, OrderItem
from orders.said import Decision
from orders.services import (
    cancel_order,
    confirm_order,
    create_order,
    edit_order,
    reassign_orders,
    recall_order,
    replace_notes,
    send_back_order,
)
from orders.typed import Typed
from portal.errors import Conflict, DomainError
from portal.models import Tenant, User
from portal.permissions import MANAGER, Actor
from tests.factories import (
    SYSTEM,
    CustomerFactory,
    UserFactory,
    VariantFactory,
    make_order,
    new_order,
    order_body,
)
from tests.locks import until_somebody_waits
from tests.orders.test_drafts import at, typed

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(tenant: Tenant, *tasks: Callable[[], Any]) -> list[Any]:
    """What the tasks return, or the code of their refusal, each on a connection of its own."""
    ready = Barrier(len(tasks), timeout=10)

    def run(task: Callable[[], Any]) -> Any:
        try:
            with scope(tenant=tenant):
                connection.ensure_connection()
                ready.wait()
                return task()
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(timeout=20) for future in [pool.submit(run, task) for task in tasks]]


def create(tenant: Tenant, sku: str, email: str) -> Order:
    customer = order_body()["customer"] | {"email": email}
    return create_order(
        tenant=tenant,
        actor=SYSTEM,
        new_order=new_order(sku, customer=customer),
        source=Order.Source.API,
    )


@pytest.mark.parametrize("_round", range(3))
def test_same_new_email_in_different_case_is_one_customer(tenant: Tenant, _round: int) -> None:
    sku = VariantFactory().sku
    first, second = in_threads(
        tenant,
        lambda: create(tenant, sku, "New@example.com"),
        lambda: create(tenant, sku, "nEW@EXAMPLE.com"),
    )
    customer = Customer.objects.get()
    assert customer.email_key == "new@example.com"
    assert (first.customer_id, second.customer_id) == (customer.pk, customer.pk)
    assert {order.customer_email for order in Order.objects.all()} == {
        "New@example.com",
        "nEW@EXAMPLE.com",
    }


def test_second_caller_waits_for_the_first_to_be_saved(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    created, waits = Event(), Event()

    def slow() -> Order:
        with transaction.atomic():
            order = create(tenant, sku, "new@example.com")
            created.set()
            assert not waits.wait(timeout=0.3)
        return order

    def fast() -> Order:
        assert created.wait(timeout=10)
        order = create(tenant, sku, "NEW@example.com")
        waits.set()
        return order

    first, second = in_threads(tenant, slow, fast)
    assert first.customer_id == second.customer_id == Customer.objects.get().pk


def test_second_caller_creates_the_customer_when_the_first_gives_up(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    created = Event()

    def gives_up() -> None:
        with transaction.atomic():
            create(tenant, sku, "new@example.com")
            created.set()
            transaction.set_rollback(True)

    def stays() -> Order:
        assert created.wait(timeout=10)
        return create(tenant, sku, "NEW@example.com")

    _, order = in_threads(tenant, gives_up, stays)
    assert order.customer == Customer.objects.get()
    assert Customer.objects.get().email == "NEW@example.com"
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (confirm_order, cancel_order),
        (confirm_order, confirm_order),
        (cancel_order, cancel_order),
    ],
)
def test_two_reviewers_of_one_version_end_in_one_change(
    tenant: Tenant, first: Callable[..., Order], second: Callable[..., Order]
) -> None:
    order = make_order()
    seen = {"tenant": tenant, "actor": SYSTEM, "order_id": order.public_id, "version": 1}
    outcomes = in_threads(tenant, lambda: first(**seen).status, lambda: second(**seen).status)
    order.refresh_from_db()
    assert sorted(outcomes) == sorted([order.status, "STATE_CONFLICT"])
    assert order.version == 2
    assert list(order.events.values_list("kind", flat=True)) == ["created", order.status]


PAIRS = [
    ("confirm", "cancel"),
    ("confirm", "confirm"),
    ("confirm", "edit"),
    ("confirm", "send back"),
    ("confirm", "recall"),
    ("cancel", "cancel"),
]
"""What two people may decide about the same version of an order at once."""


def race(tenant: Tenant, rep: Actor, managers: Sequence[Actor], *steps: str) -> None:
    """One of the two wins and writes the one event; the other is told what it was, and by whom."""
    sku = Variant.objects.values_list("sku", flat=True).get()
    order = make_order(sku, actor=rep)
    actors = [
        rep if step in ("edit", "recall") else manager
        for step, manager in zip(steps, managers, strict=True)
    ]
    outcomes = in_threads(
        tenant,
        *(
            lambda step=step, actor=actor: decide(step, order, actor, sku)
            for step, actor in zip(steps, actors, strict=True)
        ),
    )
    [_, event] = order.events.all()
    winner = outcomes.index("")
    assert event.actor == actors[winner].label
    assert outcomes[1 - winner] == (
        f"STATE_CONFLICT: {event.actor} last changed it ({event.get_kind_display().lower()}). "
        "Look at it again first."
    )
    now = Order.objects.get(pk=order.pk)
    assert now.version == 2
    assert (now.status, now.awaiting, event.kind) in [
        ("confirmed", "manager", "confirmed"),
        ("cancelled", "manager", "cancelled"),
        ("pending", "manager", "edited"),
        ("pending", "rep", "sent_back"),
        ("pending", "rep", "recalled"),
    ]


def decide(step: str, order: Order, actor: Actor, sku: str) -> str:
    """Does it to the first version; what they are told instead, or nothing."""
    this: dict[str, Any] = {
        "tenant": order.tenant,
        "actor": actor,
        "order_id": order.public_id,
        "version": 1,
    }
    try:
        match step:
            case "confirm":
                confirm_order(**this)
            case "cancel":
                cancel_order(**this, reason="Called off")
            case "send back":
                send_back_order(**this, reason="Look again")
            case "recall":
                recall_order(**this)
            case "edit":
                line = {"sku": sku, "quantity": 3, "contractLength": 24}
                edit_order(**this, edit=Edit(new_order(items=[line]), [EditedLine(kept=0)]))
    except Conflict as error:
        return f"{error.code}: {error.message}"
    return ""


@pytest.fixture
def managers(manager_actor: Actor, tenant: Tenant) -> list[Actor]:
    other = UserFactory(username="other-manager", tenant=tenant, role=MANAGER)
    return [manager_actor, Actor.from_user(other)]


@pytest.mark.parametrize("_round", range(3))
@pytest.mark.parametrize("steps", PAIRS, ids=" and ".join)
def test_of_two_decisions_one_wins_and_the_other_is_told_so(
    tenant: Tenant, rep_actor: Actor, managers: list[Actor], steps: tuple[str, str], _round: int
) -> None:
    VariantFactory()
    race(tenant, rep_actor, managers, *steps)


@pytest.mark.parametrize(
    ("change", "refusal"), [(confirm_order, "STATE_CONFLICT"), (cancel_order, "ALREADY_CANCELLED")]
)
def test_same_change_twice_without_a_version_happens_once(
    tenant: Tenant, change: Callable[..., Order], refusal: str
) -> None:
    order = make_order()
    once = {"tenant": tenant, "actor": SYSTEM, "order_id": order.public_id}
    outcomes = in_threads(tenant, *[lambda: change(**once).version] * 2)
    assert set(outcomes) == {2, refusal}
    assert OrderEvent.objects.count() == 2


def test_variant_switched_off_meanwhile_is_ordered_or_not_never_half(tenant: Tenant) -> None:
    variant = VariantFactory()

    def switch_off() -> str:
        off = Variant.Status.INACTIVE
        which: Any = {"tenant": tenant, "variant_id": variant.public_id}
        return set_variant_status(actor=SYSTEM, status=off, **which).status

    switched, outcome = in_threads(
        tenant, switch_off, lambda: create(tenant, variant.sku, "new@example.com").status
    )
    assert (switched, outcome) in [
        ("inactive", "VARIANT_INACTIVE"),
        ("VARIANT_IN_USE", "pending"),
    ]
    created = int(outcome == "pending")
    assert (Order.objects.count(), Customer.objects.count()) == (created, created)


def test_two_customers_cannot_get_the_same_email(tenant: Tenant) -> None:
    customers = CustomerFactory(), CustomerFactory()
    outcomes = in_threads(
        tenant,
        lambda: change_email(customer=customers[0], email="new@example.com").email_key,
        lambda: change_email(customer=customers[1], email="New@example.com").email_key,
    )
    assert set(outcomes) == {"new@example.com", "VALIDATION_ERROR"}


def draft_at_25(tenant: Tenant) -> tuple[Variant, User, str, Typed]:
    """A variant at €25.00 for 24 months, and a rep's draft whose page shows that."""
    variant = VariantFactory()
    rep, form = UserFactory(), typed(variant.sku)
    draft_id = drafts.open_draft(tenant=tenant, owner=rep).public_id
    drafts.save(tenant=tenant, owner=rep, draft_id=draft_id, typed=form, revision=at(1))
    return variant, rep, draft_id, form


def reprice(tenant: Tenant, variant: Variant, price: str) -> Decimal:
    return set_price(
        tenant=tenant,
        actor=SYSTEM,
        variant=variant,
        contract_length=24,
        monthly_price=Decimal(price),
    ).monthly_price


@pytest.mark.parametrize("_round", range(3))
def test_price_that_changes_while_it_is_submitted_is_stored_as_said_or_not_at_all(
    tenant: Tenant, _round: int
) -> None:
    variant, rep, draft_id, form = draft_at_25(tenant)

    def submit() -> Decimal:
        order = submitting.submit_draft(
            tenant=tenant,
            owner=rep,
            actor=Actor.from_user(rep),
            draft_id=draft_id,
            typed=form,
            revision=at(2),
        )
        return order.total

    _, outcome = in_threads(tenant, lambda: reprice(tenant, variant, "27.50"), submit)
    stored = list(OrderItem.objects.values_list("unit_price", "catalogue_price"))
    assert (outcome, stored) in [
        (Decimal(25), [(Decimal(25), Decimal(25))]),
        ("PRICES_MOVED", []),
    ]
    assert Customer.objects.count() == len(stored)


@pytest.mark.parametrize("_round", range(3))
@pytest.mark.parametrize("keeps", [False, True], ids=["new prices", "said prices"])
def test_price_that_changes_while_it_is_decided_about_is_as_it_was_seen_or_not_at_all(
    tenant: Tenant, keeps: bool, _round: int
) -> None:
    variant, rep, draft_id, form = draft_at_25(tenant)
    reprice(tenant, variant, "27.50")
    one = {"tenant": tenant, "owner": rep, "draft_id": draft_id, "typed": form}
    seen = submitting.keep_refused(**one, revision=at(2)).moved.fingerprint

    def submit() -> Decimal:
        decision = Decision(keeps=keeps, seen=seen)
        order = submitting.submit_draft(
            actor=Actor.from_user(rep), revision=at(3), decision=decision, **one
        )
        return order.total

    _, outcome = in_threads(tenant, lambda: reprice(tenant, variant, "29.00"), submit)
    price = Decimal(25) if keeps else Decimal("27.50")
    stored = list(OrderItem.objects.values_list("unit_price", "catalogue_price"))
    assert (outcome, stored) in [(price, [(price, Decimal("27.50"))]), ("PRICES_MOVED", [])]


def test_orders_that_change_while_they_are_handed_over_lose_nothing(
    tenant: Tenant, rep_actor: Actor, manager_actor: Actor
) -> None:
    VariantFactory(sku="A")
    noted, cancelled, untouched = (make_order("A", actor=rep_actor) for _ in range(3))
    colleague = UserFactory(username="colleague")
    changed = Event()

    def change() -> None:
        this: dict[str, Any] = {"tenant": tenant, "actor": manager_actor}
        with transaction.atomic():
            replace_notes(**this, order_id=noted.public_id, notes="Call first.")
            cancel_order(**this, order_id=cancelled.public_id)
            changed.set()
            until_somebody_waits()

    def hand_over() -> int:
        assert changed.wait(timeout=10)
        orders = Order.objects.open().looked_after_by(rep_actor.ref)
        return reassign_orders(tenant=tenant, actor=manager_actor, orders=orders, to=colleague)

    assert in_threads(tenant, change, hand_over) == [None, 2]
    assert list(Order.objects.order_by("pk").values_list("rep", "notes", "version")) == [
        (colleague.email, "Call first.", 3),
        (rep_actor.label, "", 2),
        (colleague.email, "", 2),
    ]
    events = OrderEvent.objects.filter(kind=OrderEvent.Kind.REASSIGNED).order_by("order")
    assert list(events.values_list("order", "version")) == [(noted.pk, 3), (untouched.pk, 2)]
