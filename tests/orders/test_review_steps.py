"""What a reviewer does on the page of one order: only to the version that was on the screen."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.editing import Edit, EditedLine, Override
from orders.models import Order, OrderEvent
from orders.services import (
    cancel_order,
    comment_order,
    confirm_order,
    edit_order,
    replace_notes,
    send_back_order,
)
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import (
    SYSTEM,
    CustomFieldFactory,
    VariantFactory,
    address,
    make_order,
    new_order,
)
from tests.orders.test_admin import review_url, step_url
from tests.permissions import grant


@pytest.fixture
def order(rep_actor: Actor) -> Order:
    """Of 2 A at €25 for 24 months, by the rep."""
    VariantFactory(sku="A", list_price=900, acquisition_cost=700, product__name="MacBook")
    return make_order(items=[line(2)], actor=rep_actor)


def line(quantity: int) -> dict[str, Any]:
    return {"sku": "A", "quantity": quantity, "contractLength": 24}


def edit(order: Order, actor: Actor, quantity: int, **override: Any) -> None:
    wanted = new_order(items=[line(quantity)])
    edited = EditedLine(kept=0, override=Override(**override))
    edit_order(
        tenant=order.tenant,
        actor=actor,
        order_id=order.public_id,
        edit=Edit(wanted, [edited]),
        reason="They called again",
    )


def text_of(answer: Any) -> str:
    """The page as it is read."""
    content = answer.content.decode()
    body = content[content.index('id="main"') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def unchanged(order: Order) -> bool:
    """Whether nothing was written since the order was loaded."""
    now = Order.objects.get(pk=order.pk)
    return (now.status, now.awaiting, now.version) == (order.status, order.awaiting, order.version)


# What was seen is what is confirmed


def test_review_page_confirms_the_version_that_it_shows(
    manager_client: Client, order: Order
) -> None:
    comment_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, comment="Hello")
    page = manager_client.get(review_url(order)).content.decode()
    assert f'action="{step_url(order, "confirm")}"' in page
    assert '<input type="hidden" name="version" value="2">' in page
    manager_client.post(step_url(order, "confirm"), {"version": 2})
    assert Order.objects.get().status == "confirmed"


def test_moved_order_is_shown_old_against_new_and_asked_about_again(
    manager_client: Client, rep_actor: Actor, order: Order
) -> None:
    edit(order, rep_actor, 3)
    order.refresh_from_db()
    answer = manager_client.post(step_url(order, "confirm"), {"version": 1})
    assert answer.status_code == 409
    assert unchanged(order)
    text = text_of(answer)
    assert "rep@portal.example last changed it (changed). Look at it again first." in text
    assert "Changed by rep@portal.example “They called again”" in text
    assert (
        "Item 1 2 × MacBook (A), 24 months at €25.00 3 × MacBook (A), 24 months at €25.00" in text
    )
    assert "Total per month €50.00 €75.00" in text
    assert "Coolsingel" not in text
    manager_client.post(step_url(order, "confirm"), {"version": answer.context["order"].version})
    assert Order.objects.get().status == "confirmed"


def test_difference_shows_costs_to_those_only_who_may_see_them(
    manager: User, client_of, manager_actor: Actor, order: Order
) -> None:
    edit(order, manager_actor, 2, acquisition_cost=Decimal(650), reason="New supplier")
    Tenant.objects.update(four_eyes=False)
    for permissions, seen in (
        (["catalog.view_costs"], True),
        ([], False),
    ):
        manager.groups.clear()
        manager.user_permissions.clear()
        grant(manager, "orders.view_order", "orders.confirm_order", *permissions)
        answer = client_of(User.objects.get(pk=manager.pk)).post(
            step_url(order, "confirm"), {"version": 1}
        )
        assert answer.status_code == 409
        assert ("cost €650.00" in text_of(answer)) == seen


def test_comment_alone_is_shown_and_nothing_differs(manager_client: Client, order: Order) -> None:
    comment_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, comment="Wait!")
    text = text_of(manager_client.post(step_url(order, "confirm"), {"version": 1}))
    assert "Commented by test “Wait!”" in text
    assert "What the order says is the same." in text


def test_loser_is_told_who_was_faster_and_not_asked_again(
    manager_client: Client, order: Order
) -> None:
    cancel_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, reason="Gone")
    answer = manager_client.post(step_url(order, "confirm"), {"version": 1})
    assert answer.status_code == 409
    assert "test last changed it (cancelled)." in text_of(answer)
    assert "Cancelled by test “Gone”" in text_of(answer)
    assert "Confirm this version" not in text_of(answer)


@pytest.mark.parametrize("left", ["confirmed", "sent back"])
def test_order_that_came_back_shows_the_whole_difference_on_top(
    manager_client: Client, manager_actor: Actor, rep_actor: Actor, order: Order, left: str
) -> None:
    this: dict[str, Any] = {"tenant": order.tenant, "order_id": order.public_id}
    if left == "confirmed":
        confirm_order(actor=manager_actor, **this)
    else:
        send_back_order(actor=manager_actor, reason="How many?", **this)
    edit(order, rep_actor, 3)
    replace_notes(actor=rep_actor, notes="Ring twice", **this)
    edit(order, rep_actor, 4)
    page = manager_client.get(review_url(order))
    text = text_of(page)
    verb = "confirmed it" if left == "confirmed" else "sent it back"
    assert f"What has changed since manager@portal.example {verb}, just now" in text
    top = text[text.index("What has changed since") : text.index("Totals")]
    assert "Item 1 2 × MacBook (A), 24 months at €25.00 4 × MacBook (A)" in top
    # The second edit left the notes out again: what was changed back differs no longer.
    assert "Ring twice" not in top
    assert "Coolsingel" not in top


def test_order_that_is_new_shows_no_difference(manager_client: Client, order: Order) -> None:
    assert "What has changed since" not in text_of(manager_client.get(review_url(order)))


def test_confirming_goes_on_to_the_next_when_asked(manager_client: Client, order: Order) -> None:
    other = make_order()
    answer = manager_client.post(step_url(order, "confirm"), {"version": 1, "next": ""})
    assert answer["Location"] == review_url(other)
    answer = manager_client.post(step_url(other, "confirm"), {"version": 1, "next": ""})
    assert answer["Location"] == review_url(other)


def test_moved_order_goes_on_to_the_next_once_it_is_confirmed(
    manager_client: Client, order: Order
) -> None:
    comment_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, comment="Wait!")
    seen = manager_client.post(step_url(order, "confirm"), {"version": 1, "next": ""})
    assert '<input type="hidden" name="next">' in seen.content.decode()
    seen = manager_client.post(step_url(order, "confirm"), {"version": 1})
    assert '<input type="hidden" name="next">' not in seen.content.decode()


def test_history_has_each_change_before_and_after(
    manager_client: Client, rep_actor: Actor, order: Order
) -> None:
    edit(order, rep_actor, 3)
    edit(order, rep_actor, 5)
    [created, first, second] = manager_client.get(review_url(order)).context["history"]
    assert created.changes == []
    assert [(c.before[:1], c.after[:1]) for c in (first.changes[0], second.changes[0])] == [
        ("2", "3"),
        ("3", "5"),
    ]


# The tenant's rules


def test_rule_that_refuses_says_which_and_why(manager_client: Client, order: Order) -> None:
    Tenant.objects.update(confirm_limit=1000)
    page = text_of(manager_client.get(review_url(order)))
    words = "Its contract value of €1,200.00 is above €1,000.00; you may not confirm that much."
    assert f"Above the limit {words}" in page
    answer = manager_client.post(step_url(order, "confirm"), {"version": 1})
    assert answer.status_code == 403
    assert words in text_of(answer)
    assert unchanged(order)


def test_edited_order_needs_four_eyes(
    manager_client: Client, manager_actor: Actor, order: Order
) -> None:
    edit(order, manager_actor, 3)
    page = text_of(manager_client.get(review_url(order)))
    assert "Four eyes You changed this order; somebody else has to confirm it." in page


# Sending back


def send_back(client: Client, order: Order, **data: Any) -> Any:
    return client.post(step_url(order, "send_back"), {"version": order.version, **data})


def test_order_is_sent_back_with_a_reason_and_remarks(manager_client: Client, order: Order) -> None:
    usual = "The price needs a reason"
    remarks = {"remarks.items.0": "Why so few?", "remarks.billingAddress": "Which floor?"}
    answer = send_back(manager_client, order, usual=usual, reason="See below", **remarks)
    assert answer["Location"] == review_url(order)
    event = OrderEvent.objects.latest("id")
    assert (event.kind, event.reason) == ("sent_back", f"{usual}: See below")
    assert event.data == {"remarks": {"billingAddress": "Which floor?", "items.0": "Why so few?"}}
    assert Order.objects.get().awaiting == "rep"
    text = text_of(manager_client.get(review_url(order)))
    assert "Back with the rep" in text
    assert "Item 1: “Why so few?”" in text


def test_send_back_page_has_a_place_for_every_part_of_the_order(manager_client: Client) -> None:
    CustomFieldFactory(key="po", label="PO number")
    order = make_order(
        customFields={"other": 1},
        notes="Ring twice",
        shippingAddress=address(city="Delft"),
        upgradeDetails={
            "previousDevice": "MacBook Air",
            "previousSerialNumber": "C02X",
            "previousMonthlyAmount": 20,
            "previousRentalId": "sub_1",
        },
    )
    page = manager_client.get(step_url(order, "send_back"))
    places = page.context["form"].remarks()
    assert {title: [place.path for place, _ in each] for title, each in places.items()} == {
        "Customer": [
            "customer.email",
            "customer.firstName",
            "customer.lastName",
            "customer.company",
            "customer.phone",
            "customer.customerType",
        ],
        "Items": ["items.0"],
        "Addresses": ["billingAddress", "shippingAddress"],
        "Custom fields": ["customFields.po", "customFields"],
        "Order": ["orderType", "upgradeDetails", "notes"],
    }
    text = text_of(page)
    assert "Shipping address Noor el Idrissi, Coolsingel 93, Delft, Netherlands" in text
    assert "MacBook Air" in text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"reason": "x" * 1001}, "1000 characters"),
        ({"usual": "The price needs a reason", "reason": "x" * 990}, "over 1,000 characters"),
        ({"usual": "forged"}, "forged"),
        ({"reason": "\u202e"}, "Nothing was done yet"),
        ({"remarks.items.0": "x" * 1001}, "1000 characters"),
        ({"remarks.items.0": "\u202e"}, "Nothing was done yet"),
    ],
)
def test_bad_reason_or_remark_is_refused_and_all_of_it_kept(
    manager_client: Client, order: Order, data: dict[str, str], message: str
) -> None:
    sent = {"remarks.notes": "None given", "remarks.customer.phone": "Whose?", **data}
    answer = send_back(manager_client, order, **sent)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert message in page
    assert unchanged(order)
    assert [value for name, value in sent.items() if name != "usual" and value not in page] == []


@pytest.mark.parametrize("data", [{}, {"usual": "", "reason": " ", "remarks.items.0": " "}])
def test_order_is_not_sent_back_without_a_word(
    manager_client: Client, order: Order, data: dict[str, str]
) -> None:
    answer = send_back(manager_client, order, **data)
    assert answer.status_code == 400
    assert "Say what the rep should correct." in text_of(answer)
    assert unchanged(order)


def test_remarks_survive_a_change_meanwhile(
    manager_client: Client, manager_actor: Actor, order: Order
) -> None:
    VariantFactory(sku="B")
    two = make_order("A", "B")
    wanted = Edit(new_order("A"), [EditedLine(kept=0)])
    edit_order(tenant=two.tenant, actor=manager_actor, order_id=two.public_id, edit=wanted)
    sent = {"remarks.items.0": "One?", "remarks.items.1": "Two?", "reason": "In my words"}
    answer = send_back(manager_client, two, **sent)
    assert answer.status_code == 409
    page = answer.content.decode()
    for text in sent.values():
        assert f"\n{text}</textarea>" in page
    assert "No longer in the order Remark on Item 2 –" in text_of(answer)
    two.refresh_from_db()
    send_back(manager_client, two, **sent)
    assert OrderEvent.objects.latest("id").data["remarks"] == {"items.0": "One?", "items.1": "Two?"}


def test_remark_on_no_field_of_an_order_is_left_out(manager_client: Client, order: Order) -> None:
    send_back(manager_client, order, reason="Look", **{"remarks.status": "confirmed"})
    event = OrderEvent.objects.latest("id")
    assert (event.kind, event.data) == ("sent_back", {})
