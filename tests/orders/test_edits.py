"""Changing an order on the page that it was typed on: the draft, its prices, two people at once."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from catalog.models import Price, Variant
from orders import draft_life, drafts, edits
from orders.models import MAX_LINES, Draft, Order, OrderItem
from orders.said import fingerprint
from orders.services import cancel_order, comment_order, confirm_order, send_back_order
from orders.typed import Typed, record_fields
from portal.errors import DomainError
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import CustomerFactory, CustomFieldFactory, VariantFactory, address, make_order
from tests.permissions import grant

ITEMS = [
    {"sku": "A", "quantity": 2, "contractLength": 24},
    {"sku": "B", "quantity": 1, "contractLength": 12},
]


@pytest.fixture
def order(rep_actor: Actor) -> Order:
    VariantFactory(sku="A", list_price=900, acquisition_cost=700)
    VariantFactory(sku="B")
    return make_order(items=ITEMS, actor=rep_actor, notes="Call first.")


def start(client: Client, order: Order) -> Draft:
    answer = client.post(f"/orders/{order.public_id}/edit/")
    assert answer.status_code == 302
    draft: Draft = Draft.objects.get(public_id=answer["Location"].split("/")[-2])
    assert draft.edits == order
    return draft


def form_of(draft: Draft, **changes: str) -> dict[str, Any]:
    """The form as the page posts it, with what somebody typed."""
    draft.refresh_from_db()
    typed = Typed.from_payload(draft.payload)
    form: dict[str, Any] = {
        "tab": "a",
        "base": str(draft.sequence),
        "sequence": str(draft.sequence + 1),
        **typed.fields,
        "line": [line.id for line in typed.lines],
    }
    for line in typed.lines:
        form[f"line-{line.id}-sku"] = line.sku
        form[f"line-{line.id}-quantity"] = line.quantity
        form[f"line-{line.id}-length"] = line.contract_length
    return form | {name.replace("__", "-"): value for name, value in changes.items()}


def submit(client: Client, draft: Draft, **changes: str) -> Any:
    return client.post(f"/orders/new/{draft.public_id}/", form_of(draft, **changes))


def quantities() -> list[int]:
    return list(OrderItem.objects.order_by("position").values_list("quantity", flat=True))


def test_form_says_what_the_order_says(rep_client: Client, order: Order) -> None:
    page = rep_client.get(f"/orders/new/{start(rep_client, order).public_id}/")
    html = page.text
    assert f"<code>{order.public_id}</code>" in html
    for text in ("noor@example.com", "Coolsingel 93", "Call first.", "Save changes"):
        assert text in html
    sheet = page.context["sheet"]
    assert [(line.typed.sku, line.typed.quantity, line.chosen) for line in sheet.lines] == [
        ("A", "2", "24"),
        ("B", "1", "12"),
    ]
    assert not sheet.moved
    assert sheet.totals.total == order.total


def test_order_submitted_unchanged_stays_as_it_is(rep_client: Client, order: Order) -> None:
    assert submit(rep_client, start(rep_client, order)).status_code == 303
    order.refresh_from_db()
    assert (order.version, order.events.count()) == (1, 1)


def test_change_is_saved_under_the_same_id(rep_client: Client, order: Order) -> None:
    draft = start(rep_client, order)
    changes = {"line-k0-quantity": "5", "customer-phone": "+31 6 1", "edit_reason": "They called"}
    answer = submit(rep_client, draft, **changes)
    assert answer["Location"] == f"/orders/{order.public_id}/"
    event = order.events.latest("at", "id")
    assert (event.kind, event.reason) == ("edited", "They called")
    assert set(event.data["changes"]) == {
        *("items.0", "customer.phone", "totals.subtotal", "totals.total"),
        "totals.contractValue",
    }
    assert quantities() == [5, 1]
    # A second submit, from any tab, lands on the order, or says what is not in it.
    assert submit(rep_client, draft).status_code == 303
    later = submit(rep_client, draft, **{"line-k0-quantity": "9"})
    assert later.status_code == 409
    assert "9 × A" in later.content.decode()
    assert quantities() == [5, 1]


def test_kept_line_keeps_its_price_on_the_page_and_in_the_order(
    rep_client: Client, order: Order
) -> None:
    Price.objects.filter(variant__sku="A").update(monthly_price=99)
    Variant.objects.filter(sku="B").update(status="inactive")
    draft = start(rep_client, order)
    sheet = rep_client.get(f"/orders/new/{draft.public_id}/").context["sheet"]
    assert [line.priced.unit_price for line in sheet.lines] == [25, 30]
    assert not sheet.moved
    assert submit(rep_client, draft, **{"line-k0-quantity": "3"}).status_code == 303
    assert list(OrderItem.objects.values_list("unit_price", flat=True)) == [25, 30]


def test_another_length_has_todays_price_and_the_old_one_is_still_offered(
    rep_client: Client, order: Order
) -> None:
    Price.objects.filter(variant__sku="A").update(monthly_price=99)
    draft = start(rep_client, order)
    rep_client.get(f"/orders/new/{draft.public_id}/")
    saved = rep_client.post(
        f"/orders/new/{draft.public_id}/save/", form_of(draft, **{"line-k0-length": "36"})
    )
    line = saved.context["sheet"].lines[0]
    assert line.priced.unit_price == 99
    assert {rung.months: rung.unit_price for rung in line.ladder} == {12: 99, 24: 25, 36: 99}


def test_vat_that_moved_is_accepted_before_it_is_saved(
    rep_client: Client, order: Order, tenant: Tenant
) -> None:
    Tenant.objects.update(vat_rate=21)
    draft = start(rep_client, order)
    refused = submit(rep_client, draft, **{"line-k0-quantity": "3"})
    assert refused.status_code == 422
    seen = refused.context["moved"].fingerprint
    answer = submit(rep_client, draft, **{"line-k0-quantity": "3", "prices": f"new-{seen}"})
    assert answer.status_code == 303
    order.refresh_from_db()
    assert (order.vat_rate, order.total) == (21, Decimal("127.05"))


def test_custom_field_without_a_place_on_the_form_stays(
    rep_client: Client, rep_actor: Actor
) -> None:
    VariantFactory(sku="A")
    CustomFieldFactory(key="po")
    sent = {"po": "PO-1", "shop": {"cart": [1, 2]}, "seats": 12}
    order = make_order(items=ITEMS[:1], actor=rep_actor, customFields=sent)
    draft = start(rep_client, order)
    assert submit(rep_client, draft, **{"custom-po": "PO-2"}).status_code == 303
    order.refresh_from_db()
    assert order.custom_fields == {**sent, "po": "PO-2"}


def test_bad_input_is_named_and_nothing_is_lost(rep_client: Client, order: Order) -> None:
    draft = start(rep_client, order)
    refused = submit(rep_client, draft, **{"line-k0-quantity": "0", "customer-first_name": " "})
    assert refused.status_code == 422
    assert [problem.name for problem in refused.context["form"].problems] == [
        "customer-first_name",
        "line-k0-quantity",
    ]
    order.refresh_from_db()
    assert (order.version, quantities()) == (1, [2, 1])


def test_rep_can_neither_start_nor_submit_a_change_of_a_colleagues_order(
    rep_client: Client, other_rep_actor: Actor
) -> None:
    order = make_order(actor=other_rep_actor)
    answer = rep_client.post(f"/orders/{order.public_id}/edit/")
    assert answer.status_code == 403
    assert not Draft.objects.exists()


def test_line_override_by_manager(manager_client: Client, order: Order) -> None:
    draft = start(manager_client, order)
    assert "Decide on another price" in manager_client.get(f"/orders/new/{draft.public_id}/").text
    decided = {"line-k0-price": "20,5"}
    refused = submit(manager_client, draft, **decided)
    assert [problem.name for problem in refused.context["form"].problems] == ["line-k0-why"]
    assert refused.context["sheet"].totals.total == 71
    assert refused.context["moved"] is None or not refused.context["moved"]
    decided |= {"line-k0-why": "A regular", "line-k0-cost": "650"}
    assert submit(manager_client, draft, **decided).status_code == 303
    item = OrderItem.objects.get(position=0)
    assert (item.unit_price, item.acquisition_cost) == (Decimal("20.5"), 650)
    assert item.override_reason == "A regular"


def test_override_is_refused_to_a_rep(rep_client: Client, order: Order) -> None:
    draft = start(rep_client, order)
    page = rep_client.get(f"/orders/new/{draft.public_id}/").text
    assert "Decide on another price" not in page
    assert "700" not in page
    refused = submit(rep_client, draft, **{"line-k0-price": "1", "line-k0-why": "Please"})
    assert refused.status_code == 422
    assert "You may not override prices or costs." in refused.text
    assert OrderItem.objects.get(position=0).unit_price == 25


def test_whoever_may_decide_on_prices_alone_sees_no_costs(
    rep: User, rep_client: Client, order: Order
) -> None:
    grant(rep, "orders.override_price")
    page = rep_client.get(f"/orders/new/{start(rep_client, order).public_id}/").text
    assert "Decide on another price" in page
    assert re.findall(r"\b[79]00\b", page) == []


def test_price_that_a_rep_forges_is_neither_shown_nor_quoted(
    rep: User, rep_client: Client, order: Order
) -> None:
    new = drafts.open_draft(tenant=order.tenant, owner=rep)
    for draft, line, total in ((start(rep_client, order), "k0", 80), (new, "f0", 25)):
        form = form_of(draft)
        form |= {"line": [*form["line"], *({line} - set(form["line"]))]}
        form |= {f"line-{line}-sku": "A", f"line-{line}-length": "24", f"line-{line}-price": "1"}
        form.setdefault(f"line-{line}-quantity", "1")
        rep_client.post(f"/orders/new/{draft.public_id}/save/", form)
        page = rep_client.get(f"/orders/new/{draft.public_id}/quote/")
        assert page.context["quote"].totals.total == total


def test_decision_that_is_handed_to_whom_may_not_decide_does_not_hold(
    rep: User, rep_client: Client, manager_client: Client, order: Order
) -> None:
    draft = start(manager_client, order)
    decided = {"line-k0-price": "20", "line-k0-why": "A regular"}
    manager_client.post(f"/orders/new/{draft.public_id}/save/", form_of(draft, **decided))
    to = {"colleague": rep.email}
    manager_client.post(f"/orders/new/{draft.public_id}/hand-over/", to)
    lines = rep_client.get(f"/orders/new/{draft.public_id}/").context["sheet"].lines
    assert lines[0].priced.unit_price == 25
    assert submit(rep_client, draft).status_code == 303
    assert OrderItem.objects.get(position=0).unit_price == 25


def test_chosen_customer_with_another_address_is_the_one_that_is_updated(
    rep_client: Client, order: Order
) -> None:
    chosen = CustomerFactory(first_name="Zoë")
    form = record_fields(chosen) | {"customer-email": "zoe@work.example"}
    draft = start(rep_client, order)
    assert submit(rep_client, draft, **form, customer_record="update").status_code == 303
    former = order.customer
    for row in (order, chosen, former):
        row.refresh_from_db()
    assert order.customer == chosen
    assert (former.first_name, former.email) == ("Noor", "noor@example.com")
    assert (chosen.first_name, chosen.email) == ("Zoë", "zoe@work.example")


@pytest.mark.parametrize("amount", ["cheap", "-1", "1e9", "20.005", "\0"])
def test_override_that_is_no_amount_is_named(
    manager_client: Client, order: Order, amount: str
) -> None:
    draft = start(manager_client, order)
    decided = {"line-k0-price": amount, "line-k0-why": "A regular"}
    refused = submit(manager_client, draft, **decided)
    assert refused.status_code == 422
    assert [problem.name for problem in refused.context["form"].problems] == ["line-k0-price"]


@pytest.mark.parametrize("part", ["price", "list", "cost"])
@pytest.mark.parametrize(
    ("amount", "problem"),
    [
        ("abc", "Enter an amount."),
        ("-5", "Enter an amount from 0 to 9,999,999.999."),
        ("99999999", "Enter an amount from 0 to 9,999,999.999."),
        ("12.345", "EUR has no amounts as fine as this."),
        ("12,5", ""),
        (" ", ""),
    ],
)
def test_override_that_is_no_amount_is_told_at_once(
    manager_client: Client, order: Order, part: str, amount: str, problem: str
) -> None:
    draft = start(manager_client, order)
    page = f"/orders/new/{draft.public_id}/"
    form = form_of(draft) | {f"line-k0-{part}": amount}
    saved = " ".join(manager_client.post(f"{page}save/", form).text.split())
    told = f"<strong>{problem}</strong> </div>" if problem else "</div>"
    where = f'<div id="id_line-k0-{part}-error" class="override-problem"'
    assert f'{where} hx-swap-oob="true"> {told}' in saved
    assert f"{where} > {told}" in " ".join(manager_client.get(page).text.split())


def test_manager_sees_a_line_that_cannot_be_priced(manager_client: Client, order: Order) -> None:
    draft = start(manager_client, order)
    refused = submit(manager_client, draft, **{"line-k0-length": "18"})
    assert refused.status_code == 422
    assert [problem.name for problem in refused.context["form"].problems] == ["line-k0-length"]


def test_two_lines_cannot_both_be_the_same_item(rep_client: Client, order: Order) -> None:
    draft = start(rep_client, order)
    form = form_of(draft) | {"line": ["k0", "k00", "k1"]}
    form |= {"line-k00-sku": "A", "line-k00-quantity": "3", "line-k00-length": "24"}
    assert rep_client.post(f"/orders/new/{draft.public_id}/", form).status_code == 303
    order.refresh_from_db()
    assert (quantities(), order.total_devices) == ([2, 1, 3], 6)


def test_tick_counts_for_the_change_that_was_read(rep_client: Client, order: Order) -> None:
    draft = start(rep_client, order)
    changes = {"line-k0-quantity": "3"}
    rep_client.post(f"/orders/new/{draft.public_id}/save/", form_of(draft, **changes))
    draft.refresh_from_db()
    read = draft.quote["readBack"]
    tick = {"read_back": fingerprint(read)}
    refused = submit(rep_client, draft, **tick, **{"line-k0-quantity": "9"})
    assert refused.status_code == 422
    assert quantities() == [2, 1]
    rep_client.post(f"/orders/new/{draft.public_id}/save/", form_of(draft, **changes))
    assert submit(rep_client, draft, **tick, **changes).status_code == 303
    assert order.events.get(kind="read_back").data == {"sentences": read}


# Two people


def test_what_somebody_else_saved_stands_beside_and_one_more_submit_puts_ours_on_top(
    rep_client: Client, manager_client: Client, order: Order
) -> None:
    ours, theirs = start(rep_client, order), start(manager_client, order)
    change = {"line-k0-quantity": "7", "billing-city": "Delft", "notes": "Theirs"}
    assert submit(manager_client, theirs, **change).status_code == 303
    refused = submit(rep_client, ours, **{"line-k1-quantity": "4", "notes": "Ours"})
    assert refused.status_code == 409
    assert [(row.path, row.after) for row in refused.context["changes"]][-2:] == [
        ("shippingAddress.city", "Delft"),
        ("notes", "Theirs"),
    ]
    assert refused.context["clashes"] == [("Notes", "Ours")]
    assert quantities() == [7, 1]
    shown = refused.context["sheet"].typed
    assert (shown.fields["billing-city"], shown.fields["notes"]) == ("Delft", "Ours")
    assert submit(rep_client, ours).status_code == 303
    assert quantities() == [7, 4]
    order.refresh_from_db()
    assert (order.notes, order.billing_address["city"]) == ("Ours", "Delft")


def test_line_that_they_removed_and_we_changed_comes_again(
    rep_client: Client, manager_client: Client, order: Order
) -> None:
    ours, theirs = start(rep_client, order), start(manager_client, order)
    form = form_of(theirs) | {"line": ["k0"]}
    assert manager_client.post(f"/orders/new/{theirs.public_id}/", form).status_code == 303
    refused = submit(rep_client, ours, **{"line-k1-quantity": "4"})
    assert refused.context["clashes"] == [("Item", "removed")]
    assert submit(rep_client, ours).status_code == 303
    assert quantities() == [2, 4]


def test_order_that_was_confirmed_meanwhile_says_so_first(
    rep_client: Client, manager_actor: Actor, order: Order
) -> None:
    draft = start(rep_client, order)
    confirm_order(tenant=order.tenant, actor=manager_actor, order_id=order.public_id)
    refused = submit(rep_client, draft, **{"line-k0-quantity": "3"})
    assert "Confirmed by manager@portal.example" in " ".join(refused.text.split())
    order.refresh_from_db()
    assert order.status == "confirmed"
    assert submit(rep_client, draft).status_code == 303
    order.refresh_from_db()
    assert (order.status, quantities()) == ("pending", [3, 1])


def test_comment_meanwhile_is_no_obstacle(
    rep_client: Client, manager_actor: Actor, order: Order
) -> None:
    draft = start(rep_client, order)
    comment_order(tenant=order.tenant, actor=manager_actor, order_id=order.public_id, comment="Hm.")
    assert submit(rep_client, draft, **{"line-k0-quantity": "3"}).status_code == 303


def test_order_that_was_cancelled_meanwhile_keeps_what_was_typed(
    rep_client: Client, manager_actor: Actor, order: Order
) -> None:
    draft = start(rep_client, order)
    cancel_order(tenant=order.tenant, actor=manager_actor, order_id=order.public_id)
    assert submit(rep_client, draft, notes="Kept").status_code == 409
    refused = submit(rep_client, draft)
    assert refused.status_code == 422
    assert "it is cancelled" in refused.text
    draft.refresh_from_db()
    assert draft.payload["fields"]["notes"] == "Kept"


# Sent back


def test_remarks_stand_at_their_fields_until_it_is_submitted_again(
    rep_client: Client, manager_actor: Actor, order: Order
) -> None:
    send_back_order(
        tenant=order.tenant,
        actor=manager_actor,
        order_id=order.public_id,
        reason="Two things.",
        remarks={
            "customer.phone": "Is missing",
            "items.1": "12 or 24?",
            "billingAddress": "Where?",
        },
    )
    draft = start(rep_client, order)
    page = rep_client.get(f"/orders/new/{draft.public_id}/")
    assert [(each.anchor, each.message) for each in page.context["form"].remarks] == [
        ("id_customer-phone", "Is missing"),
        ("id_line-k1-quantity", "12 or 24?"),
        ("id_billing-contact_name", "Where?"),
    ]
    for text in ("Two things.", "Is missing", "Submit again"):
        assert text in page.text
    assert page.text.count("12 or 24?") == 2
    assert submit(rep_client, draft, **{"customer-phone": "+31 6 1"}).status_code == 303
    order.refresh_from_db()
    assert (order.awaiting, order.events.latest("at", "id").kind) == ("manager", "resubmitted")


def test_recall_opens_the_order_to_be_corrected(rep_client: Client, order: Order) -> None:
    answer = rep_client.post(f"/orders/{order.public_id}/recall/", {"version": "1"})
    draft = Draft.objects.get(edits=order)
    assert draft.public_id in answer["Location"]
    order.refresh_from_db()
    assert order.awaiting == "rep"


def test_own_recall_is_no_obstacle_to_a_change_begun_before(
    rep_client: Client, order: Order
) -> None:
    draft = start(rep_client, order)
    rep_client.post(f"/orders/new/{draft.public_id}/save/", form_of(draft, notes="Half"))
    rep_client.post(f"/orders/{order.public_id}/recall/", {"version": "1"})
    assert submit(rep_client, draft).status_code == 303
    order.refresh_from_db()
    assert (order.awaiting, order.notes) == ("manager", "Half")


def test_stale_recall_changes_nothing(
    rep_client: Client, manager_actor: Actor, order: Order
) -> None:
    confirm_order(tenant=order.tenant, actor=manager_actor, order_id=order.public_id)
    answer = rep_client.post(f"/orders/{order.public_id}/recall/", {"version": "1"})
    assert answer.status_code == 409
    assert not Draft.objects.exists()


# The draft


def test_change_under_way_is_gone_on_with(rep: User, rep_client: Client, order: Order) -> None:
    draft = start(rep_client, order)
    rep_client.post(f"/orders/new/{draft.public_id}/save/", form_of(draft, notes="Half"))
    assert start(rep_client, order) == draft
    [summary] = draft_life.summaries(owner=rep)
    assert summary.edits == order.public_id
    assert order.public_id in rep_client.get("/").text


def test_untouched_change_starts_from_the_order_as_it_is_now(
    rep_client: Client, manager_client: Client, order: Order
) -> None:
    first = start(rep_client, order)
    submit(manager_client, start(manager_client, order), notes="Newer")
    second = start(rep_client, order)
    assert second != first
    assert second.payload["fields"]["notes"] == "Newer"


def test_untouched_change_that_is_open_elsewhere_keeps_what_is_typed_there(
    rep_client: Client, manager_client: Client, order: Order
) -> None:
    first = start(rep_client, order)
    submit(manager_client, start(manager_client, order), notes="Newer")
    start(rep_client, order)
    typed_there = form_of(first, notes="Typed in the first tab")
    page = rep_client.post(f"/orders/new/{first.public_id}/save/", typed_there)
    assert page.status_code != 404
    first.refresh_from_db()
    assert first.payload["fields"]["notes"] == "Typed in the first tab"
    assert first.discarded_at


def test_change_of_an_order_is_no_place_for_a_new_one(
    rep: User, rep_client: Client, order: Order
) -> None:
    draft = start(rep_client, order)
    assert drafts.open_draft(tenant=order.tenant, owner=rep) != draft


def test_discarded_change_can_be_begun_again(rep_client: Client, order: Order) -> None:
    draft = start(rep_client, order)
    rep_client.post(f"/orders/new/{draft.public_id}/discard/")
    answer = rep_client.post(f"/orders/{order.public_id}/edit/")
    assert draft.public_id not in answer["Location"]


def test_discarded_change_does_not_come_back_beside_the_one_begun_since(
    rep_client: Client, order: Order
) -> None:
    draft = start(rep_client, order)
    rep_client.post(f"/orders/new/{draft.public_id}/discard/")
    start(rep_client, order)
    answer = rep_client.post(f"/orders/new/{draft.public_id}/restore/", follow=True)
    assert f"is changing order {order.public_id} already." in answer.text
    draft.refresh_from_db()
    assert draft.discarded_at


def test_change_is_not_handed_to_whom_is_changing_the_order_already(
    rep: User, manager: User, rep_client: Client, manager_client: Client, order: Order
) -> None:
    draft = start(rep_client, order)
    start(manager_client, order)
    to = {"colleague": manager.email}
    answer = rep_client.post(f"/orders/new/{draft.public_id}/hand-over/", to, follow=True)
    assert f"manager is changing order {order.public_id} already." in answer.text
    draft.refresh_from_db()
    assert draft.owner == rep


def test_unchanged_details_of_every_kind_are_no_difference(
    rep_client: Client, rep_actor: Actor
) -> None:
    VariantFactory(sku="A")
    CustomFieldFactory(key="seats", type="number")
    order = make_order(
        items=ITEMS[:1],
        actor=rep_actor,
        orderType="upgrade",
        upgradeDetails={
            "previousDevice": "MacBook Pro 14",
            "previousSerialNumber": "C02",
            "previousMonthlyAmount": Decimal("42.50"),
            "previousRentalId": "rental_1",
        },
        shippingAddress=address(city="Delft", postalCode=None),
        customFields={"seats": Decimal("12.5")},
    )
    assert submit(rep_client, start(rep_client, order)).status_code == 303
    order.refresh_from_db()
    assert order.version == 1


def test_every_line_of_the_longest_order_is_decided_on(
    manager_client: Client, rep_actor: Actor
) -> None:
    items = [{"sku": VariantFactory().sku, "quantity": 1, "contractLength": 24}] * MAX_LINES
    draft = start(manager_client, make_order(items=items, actor=rep_actor))
    parts = {"price": "20", "list": "900", "cost": "700", "why": "Many"}
    decided = {f"line-k{n}-{name}": text for n in range(MAX_LINES) for name, text in parts.items()}
    assert submit(manager_client, draft, **decided).status_code == 303
    assert OrderItem.objects.filter(unit_price=20, acquisition_cost=700).count() == MAX_LINES


@pytest.mark.parametrize("number", [1, 12])
def test_live_totals_of_a_change_take_the_same_queries_for_any_number_of_lines(
    rep_client: Client, rep_actor: Actor, number: int, django_assert_num_queries: Any
) -> None:
    order = make_order(*(VariantFactory().sku for _ in range(number)), actor=rep_actor)
    draft = start(rep_client, order)
    form = form_of(draft, notes="x")
    with django_assert_num_queries(9):
        rep_client.post(f"/orders/new/{draft.public_id}/save/", form)


def test_edit_needs_an_order_of_the_tenant(rep: User) -> None:
    with pytest.raises(DomainError, match="no such order"):
        edits.start_edit(tenant=rep.tenant, owner=rep, order_id="ord_NONE")
