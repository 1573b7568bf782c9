"""What changed about an order since somebody looked at it."""

from collections.abc import Sequence
from typing import Any

import pytest

from orders.changes import in_words, label_of, unreviewed
from orders.editing import Edit, EditedLine
from orders.models import Order
from orders.services import confirm_order, edit_order, recall_order, send_back_order
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import VariantFactory, make_order, new_order


def happen(order: Order, step: str, *, rep: Actor, manager: Actor, number: int) -> None:
    this: dict[str, Any] = {"tenant": order.tenant, "order_id": order.public_id}
    match step:
        case "confirm":
            confirm_order(actor=manager, **this)
        case "send back":
            send_back_order(actor=manager, reason="Look again", **this)
        case "recall":
            recall_order(actor=rep, **this)
        case "edit":
            edit = Edit(new_order("A", customFields={"number": number}), [EditedLine(kept=0)])
            edit_order(actor=rep, edit=edit, **this)


@pytest.mark.parametrize(
    ("steps", "versions"),
    [
        ([], []),
        (["edit"], []),
        (["send back"], []),
        (["send back", "edit"], [3]),
        (["recall", "edit"], [3]),
        (["confirm", "edit"], [3]),
        (["confirm", "edit", "recall", "edit"], [3, 4, 5]),
        (["send back", "edit", "recall", "edit"], [3, 4, 5]),
        (["recall", "edit", "recall", "edit"], [3, 4, 5]),
        (["confirm", "edit", "confirm", "edit"], [5]),
    ],
)
def test_unreviewed_is_all_since_the_last_decision_about_it(
    rep_actor: Actor, manager_actor: Actor, steps: Sequence[str], versions: list[int]
) -> None:
    VariantFactory(sku="A")
    order = make_order("A", actor=rep_actor)
    for number, step in enumerate(steps):
        happen(order, step, rep=rep_actor, manager=manager_actor, number=number)
    assert [event.version for event in unreviewed(Order.objects.get())] == versions


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("customer.phone", "Phone"),
        ("billingAddress", "Billing address"),
        ("shippingAddress.city", "Shipping address, City"),
        ("items.0", "Item 1"),
        ("customFields", "Custom fields"),
        ("customFields.po", "PO number"),
        ("customFields.other", "other"),
        ("extensionDetails", "Extension"),
        ("notes", "Notes"),
    ],
)
def test_every_field_has_a_name_that_people_use(path: str, label: str) -> None:
    assert label_of(path, {"po": "PO number"}) == label


def test_custom_field_named_as_an_amount_of_the_contract_is_no_money(tenant: Tenant) -> None:
    found = {"customFields.previousMonthlyAmount": [None, "a lot"]}
    [change] = in_words(found, make_order(), with_costs=False)
    assert (change.before, change.after) == ("", "a lot")
