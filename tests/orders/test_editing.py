"""Editing an order: what stays, what is new, what is overridden, and where it goes then."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Price, Variant
from customers.models import Customer
from orders.editing import Edit, EditedLine, Override
from orders.models import Order, OrderEvent, OrderItem
from orders.services import confirm_order, edit_order, recall_order, send_back_order
from portal.errors import DomainError
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import CustomerFactory, VariantFactory, make_order, new_order

pytestmark = pytest.mark.usefixtures("tenant")


def edit(
    order: Order, actor: Actor, *skus: str, lines: list[EditedLine] | None = None, **changes: Any
) -> Order:
    """The order edited to be one of these SKUs; without `lines`, each goes on where it was."""
    wanted = new_order(*skus, **changes)
    kept = [EditedLine(kept=number) for number, _ in enumerate(wanted.items)]
    return edit_order(
        tenant=order.tenant,
        actor=actor,
        order_id=order.public_id,
        version=order.version,
        edit=Edit(wanted, kept if lines is None else lines),
    )


def items(order: Order) -> list[tuple[int, str, int, Decimal]]:
    found = OrderItem.objects.filter(order=order)
    return [(item.position, item.sku, item.quantity, item.unit_price) for item in found]


def changes_of(order: Order) -> dict[str, Any]:
    found: dict[str, Any] = order.events.latest("at", "id").data["changes"]
    return found


def line(sku: str, quantity: int, length: int = 24) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, "contractLength": length}


@pytest.fixture
def order(rep_actor: Actor) -> Order:
    """Of 2 A and 2 B at €25 for 24 months, by the rep."""
    VariantFactory(sku="A", list_price=900, acquisition_cost=700)
    VariantFactory(sku="B")
    return make_order(items=[line("A", 2), line("B", 2)], actor=rep_actor)


def test_kept_line_keeps_its_price_and_a_new_one_has_the_catalogues(
    order: Order, rep_actor: Actor
) -> None:
    Price.objects.update(monthly_price=30)
    VariantFactory(sku="C", prices={24: 7})
    kept = [EditedLine(kept=0), EditedLine(kept=1), EditedLine()]
    wanted = [line("A", 5), line("B", 2), line("C", 1)]
    edited = edit(order, rep_actor, items=wanted, lines=kept)
    assert items(edited) == [(0, "A", 5, 25), (1, "B", 2, 25), (2, "C", 1, 7)]
    assert (edited.subtotal, edited.total_devices, edited.version) == (182, 8, 2)
    assert edited.contract_value == 182 * 24


def test_kept_line_stays_although_its_variant_is_no_longer_offered(
    order: Order, rep_actor: Actor
) -> None:
    Variant.objects.filter(sku="A").update(status="inactive")
    assert items(edit(order, rep_actor, items=[line("A", 3), line("B", 2)]))[0] == (0, "A", 3, 25)


def test_line_of_another_length_is_replaced_at_the_catalogues_price(
    order: Order, rep_actor: Actor
) -> None:
    Price.objects.filter(contract_length=36).update(monthly_price=11)
    edited = edit(order, rep_actor, items=[line("A", 2, 36), line("B", 2)])
    assert items(edited) == [(0, "A", 2, 11), (1, "B", 2, 25)]
    assert OrderItem.objects.get(position=0).contract_length == 36


def test_line_that_is_left_out_goes(order: Order, rep_actor: Actor) -> None:
    edited = edit(order, rep_actor, items=[line("B", 2)], lines=[EditedLine(kept=1)])
    assert items(edited) == [(1, "B", 2, 25)]
    assert changes_of(edited)["items.0"][1] is None


def test_line_comes_after_any_number_of_lines_that_went(order: Order, rep_actor: Actor) -> None:
    OrderItem.objects.filter(position=1).update(position=32_767)
    kept = [EditedLine(kept=0), EditedLine(kept=32_767), EditedLine()]
    edited = edit(order, rep_actor, items=[line("A", 2), line("B", 2), line("A", 1)], lines=kept)
    assert [position for position, *_ in items(edited)] == [0, 32_767, 32_768]


def test_event_has_every_change_before_and_after(order: Order, rep_actor: Actor) -> None:
    customer = {"email": "noor@example.com", "firstName": "Noor", "lastName": "Idrissi"}
    edited = edit(order, rep_actor, items=[line("A", 3), line("B", 2)], customer=customer)
    found = changes_of(edited)
    assert found["customer.lastName"] == ["el Idrissi", "Idrissi"]
    assert [each["quantity"] for each in found["items.0"]] == [2, 3]
    assert found["totals.total"] == [100, 125]
    assert set(found) == {
        *("customer.lastName", "items.0", "totals.subtotal", "totals.total"),
        "totals.contractValue",
    }


def test_edit_that_changes_nothing_writes_nothing(order: Order, rep_actor: Actor) -> None:
    edited = edit(order, rep_actor, items=[line("A", 2), line("B", 2)])
    edited.refresh_from_db()
    assert (edited.version, OrderEvent.objects.count()) == (1, 1)


def test_edit_of_a_confirmed_order_returns_it_to_pending(
    order: Order, rep_actor: Actor, manager_actor: Actor
) -> None:
    order = confirm_order(tenant=order.tenant, actor=manager_actor, order_id=order.public_id)
    edited = edit(order, rep_actor, items=[line("A", 1), line("B", 2)])
    edited.refresh_from_db()
    assert (edited.status, edited.awaiting) == ("pending", "manager")
    assert (edited.confirmed_at, edited.confirmed_by, edited.confirmed_by_ref) == (None, "", "")


@pytest.mark.parametrize("status", ["cancelled", "partial", "fulfilled"])
def test_order_in_another_state_cannot_be_edited(status: str, manager_actor: Actor) -> None:
    order = make_order(status=status)
    VariantFactory(sku="A")
    with pytest.raises(DomainError) as refused:
        edit(order, manager_actor, "A")
    assert refused.value.code == "STATE_CONFLICT"


def test_stale_edit_is_refused_with_who_was_faster(
    order: Order, rep_actor: Actor, manager_actor: Actor
) -> None:
    edit(order, manager_actor, items=[line("A", 9), line("B", 2)])
    with pytest.raises(DomainError, match=r"manager@portal\.example last changed it"):
        edit(order, rep_actor, items=[line("A", 1), line("B", 2)])
    assert OrderItem.objects.get(position=0).quantity == 9


def test_rep_edits_own_orders_only(order: Order, other_rep_actor: Actor) -> None:
    with pytest.raises(DomainError) as refused:
        edit(order, other_rep_actor, items=[line("A", 1), line("B", 2)])
    assert refused.value.code == "INSUFFICIENT_PERMISSIONS"


def test_whoever_edited_cannot_confirm(order: Order, manager_actor: Actor) -> None:
    edited = edit(order, manager_actor, items=[line("A", 1), line("B", 2)])
    with pytest.raises(DomainError) as refused:
        confirm_order(tenant=order.tenant, actor=manager_actor, order_id=edited.public_id)
    assert [each.code for each in refused.value.details] == ["FOUR_EYES"]


# Overrides


def test_override_holds_instead_of_the_catalogue(order: Order, manager_actor: Actor) -> None:
    decided = Override(
        unit_price=Decimal("20.50"), list_price=Decimal(800), acquisition_cost=Decimal(650),
        reason="A regular",
    )  # fmt: skip
    lines = [EditedLine(0, decided), EditedLine(1)]
    edited = edit(order, manager_actor, items=[line("A", 2), line("B", 2)], lines=lines)
    item = OrderItem.objects.get(position=0)
    assert (item.unit_price, item.catalogue_price) == (Decimal("20.50"), 25)
    assert (item.list_price, item.list_price_source) == (800, "manual")
    assert (item.acquisition_cost, item.acquisition_cost_source) == (650, "manual")
    assert (item.overridden_by, item.override_reason) == (manager_actor.label, "A regular")
    assert edited.subtotal == 91
    assert edited.reasons["other_price"]["lines"][0]["catalogue"] == 25


@pytest.mark.parametrize(
    ("override", "field"),
    [
        (Override(unit_price=Decimal(20)), "overrideReason"),
        (Override(unit_price=Decimal("20.005"), reason="x"), "unitPrice"),
        (Override(unit_price=Decimal(-1), reason="x"), "unitPrice"),
        (Override(list_price=Decimal(10**8), reason="x"), "listPriceOverride"),
        (Override(acquisition_cost=Decimal(-1), reason="x"), "acquisitionCostOverride"),
        (Override(unit_price=Decimal(20), reason="x" * 1001), "overrideReason"),
    ],
)
def test_bad_override_is_named(
    order: Order, manager_actor: Actor, override: Override, field: str
) -> None:
    lines = [EditedLine(0), EditedLine(1, override)]
    with pytest.raises(DomainError) as refused:
        edit(order, manager_actor, items=[line("A", 2), line("B", 2)], lines=lines)
    assert [each.path for each in refused.value.details] == [f"items.1.{field}"]


def test_rep_overrides_nothing(order: Order, rep_actor: Actor) -> None:
    lines = [EditedLine(0, Override(unit_price=Decimal(1), reason="Asked")), EditedLine(1)]
    with pytest.raises(DomainError) as refused:
        edit(order, rep_actor, items=[line("A", 2), line("B", 2)], lines=lines)
    assert refused.value.code == "INSUFFICIENT_PERMISSIONS"
    assert OrderItem.objects.get(position=0).unit_price == 25


# Customer


def test_another_known_customer_takes_the_order(order: Order, rep_actor: Actor) -> None:
    other = CustomerFactory(email="other@example.com")
    customer = {"email": "Other@example.com", "firstName": "O", "lastName": "Ther"}
    edited = edit(order, rep_actor, items=[line("A", 2), line("B", 2)], customer=customer)
    assert edited.customer == other
    assert changes_of(edited)["customer.customerId"][1] == other.public_id


def test_another_address_of_the_same_customer_changes_the_order_only(
    order: Order, rep_actor: Actor
) -> None:
    customer = {"email": "noor@work.example", "firstName": "Noor", "lastName": "el Idrissi"}
    edited = edit(order, rep_actor, items=[line("A", 2), line("B", 2)], customer=customer)
    assert (edited.customer_email, edited.customer_id) == ("noor@work.example", order.customer_id)
    assert Customer.objects.get().email == "noor@example.com"
    assert "differs" in edited.reasons


# Sent back and recalled


def test_order_sent_back_waits_for_its_rep_and_returns_with_the_difference(
    order: Order, rep_actor: Actor, manager_actor: Actor
) -> None:
    back = send_back_order(
        tenant=order.tenant,
        actor=manager_actor,
        order_id=order.public_id,
        version=1,
        reason="Ask again.",
        remarks={"items.0": "Really two?", "notes": "  "},
    )
    event = order.events.latest("at", "id")
    assert (event.reason, event.data) == ("Ask again.", {"remarks": {"items.0": "Really two?"}})
    assert not Order.objects.awaiting_review().exists()
    with pytest.raises(DomainError, match="back with its rep"):
        confirm_order(tenant=order.tenant, actor=manager_actor, order_id=order.public_id)
    again = edit(back, rep_actor, items=[line("A", 1), line("B", 2)])
    assert (again.public_id, again.awaiting) == (order.public_id, "manager")
    assert order.events.latest("at", "id").kind == OrderEvent.Kind.RESUBMITTED


def test_sending_back_needs_a_word(order: Order, manager_actor: Actor) -> None:
    with pytest.raises(DomainError) as refused:
        send_back_order(
            tenant=order.tenant, actor=manager_actor, order_id=order.public_id, reason=" "
        )
    assert [each.path for each in refused.value.details] == ["reason"]


def test_recalled_order_is_submitted_again_unchanged(order: Order, rep_actor: Actor) -> None:
    back = recall_order(tenant=order.tenant, actor=rep_actor, order_id=order.public_id, version=1)
    assert back.awaiting == Order.Awaiting.REP
    again = edit(back, rep_actor, items=[line("A", 2), line("B", 2)])
    assert (again.awaiting, again.version) == ("manager", 3)


def test_order_of_somebody_else_cannot_be_recalled(order: Order, other_rep_actor: Actor) -> None:
    with pytest.raises(DomainError) as refused:
        recall_order(tenant=order.tenant, actor=other_rep_actor, order_id=order.public_id)
    assert refused.value.code == "INSUFFICIENT_PERMISSIONS"


# Rules of the tenant


def test_above_the_limit_only_those_permitted_confirm(
    order: Order, tenant: Tenant, manager_actor: Actor
) -> None:
    tenant.confirm_limit = order.contract_value - 1
    with pytest.raises(DomainError, match=r"above €2,399\.00") as refused:
        confirm_order(tenant=tenant, actor=manager_actor, order_id=order.public_id)
    assert [each.code for each in refused.value.details] == ["ABOVE_LIMIT"]
    permitted = Actor(
        manager_actor.ref,
        manager_actor.label,
        manager_actor.permissions | {"orders.confirm_large_order"},
    )
    confirmed = confirm_order(tenant=tenant, actor=permitted, order_id=order.public_id)
    assert confirmed.status == Order.Status.CONFIRMED


def test_tenant_without_four_eyes_lets_managers_confirm_their_own(
    tenant: Tenant, manager_actor: Actor
) -> None:
    tenant.four_eyes = False
    own = make_order(actor=manager_actor)
    confirmed = confirm_order(tenant=tenant, actor=manager_actor, order_id=own.public_id)
    assert confirmed.status == Order.Status.CONFIRMED
