"""An order's page, and confirming and cancelling from it."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Order, OrderEvent
from orders.services import cancel_order, comment_order, replace_notes, send_back_order
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import SYSTEM, VariantFactory, address, make_order

CONFIRM, CANCEL = ">Confirm order<", ">Cancel order<"


def _address_of(order: Order, action: str = "") -> str:
    return f"/orders/{order.public_id}/{action}"


def _post(client: Client, order: Order, action: str, **data: Any) -> Any:
    return client.post(_address_of(order, f"{action}/"), {"version": order.version} | data)


def test_page_shows_everything_about_the_order(rep_client: Client) -> None:
    VariantFactory(sku="MACBOOK-PRO-16-M3", prices={24: "25.50"}, name="Silver, grade A")
    order = make_order(
        customer={
            "email": "zoe@kroon.example",
            "firstName": "Zoë",
            "lastName": "Jansen",
            "company": "Café De Kroon",
            "phone": "+31 20 123 45 67",
            "customerType": "business",
        },
        billingAddress=address(postalCode="3011 AD"),
        shippingAddress=address(streetAddress="Haven 9"),
        items=[{"sku": "MACBOOK-PRO-16-M3", "quantity": 1200, "contractLength": 24}],
        orderType="upgrade",
        upgradeDetails={
            "previousDevice": "MacBook Air",
            "previousSerialNumber": "C02ABC",
            "previousMonthlyAmount": Decimal("19.5"),
            "previousRentalId": "rent_1",
        },
        customFields={"poNumber": "PO-77"},
        notes="Deliver before noon.",
    )
    text = rep_client.get(_address_of(order)).text

    for shown in (
        order.public_id, "Pending", "Upgrade", "Zoë Jansen", "Café De Kroon", "zoe@kroon.example",
        "+31 20 123 45 67", "Business", "3011 AD", "Haven 9", "MACBOOK-PRO-16-M3",
        "Silver, grade A", "1,200", "€25.50", "€30,600.00", "€734,400.00", "MacBook Air", "C02ABC",
        "€19.50", "poNumber", "PO-77", "Deliver before noon.", "Created",
    ):  # fmt: skip
        assert shown in text


@pytest.mark.parametrize("status", [Order.Status.PENDING, Order.Status.CONFIRMED])
@pytest.mark.parametrize("who", ["rep_client", "manager_client"])
def test_explanation_spans_the_columns_that_there_are(
    who: str, status: str, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(who)
    text = client.get(_address_of(make_order(status=status))).text
    head = text[text.index('<table class="grid cards">') :].partition("</thead>")[0]
    assert f'colspan="{head.count("<th ")}"' in text


def test_costs_and_list_prices_are_for_managers(rep_client: Client, manager_client: Client) -> None:
    VariantFactory(sku="X1", acquisition_cost="811.11", list_price="999.99")
    order = make_order("X1")
    for_rep = rep_client.get(_address_of(order)).text
    for_manager = manager_client.get(_address_of(order)).text

    assert ("811.11" in for_rep, "999.99" in for_rep) == (False, False)
    assert ("811.11" in for_manager, "999.99" in for_manager) == (True, True)


def test_difference_from_the_record_is_shown(rep_client: Client) -> None:
    order = make_order()
    order.customer.phone = "+31 6 1111"
    order.customer.save()

    assert "Phone: nothing, in the record +31 6 1111" in " ".join(
        rep_client.get(_address_of(order)).text.split()
    )


def test_order_of_another_tenant_is_404(manager_client: Client, other_tenant: Tenant) -> None:
    order = make_order(tenant=other_tenant)

    assert manager_client.get(_address_of(order)).status_code == 404
    assert _post(manager_client, order, "confirm").status_code == 404
    assert _post(manager_client, order, "cancel").status_code == 404


def test_rep_is_offered_and_allowed_neither_decision(rep_client: Client) -> None:
    order = make_order()
    text = rep_client.get(_address_of(order)).text

    assert (CONFIRM in text, CANCEL in text) == (False, False)
    assert _post(rep_client, order, "confirm").status_code == 403
    assert _post(rep_client, order, "cancel").status_code == 403
    order.refresh_from_db()
    assert order.status == Order.Status.PENDING


@pytest.mark.parametrize("status", Order.Status.values)
def test_manager_is_offered_what_the_status_allows(manager_client: Client, status: str) -> None:
    order = make_order(status=status)
    text = manager_client.get(_address_of(order)).text

    assert (CONFIRM in text) == (status == "pending")
    assert (CANCEL in text) == (status in ("pending", "confirmed"))


def test_manager_confirms(manager_client: Client, manager: User) -> None:
    order = make_order()
    response = _post(manager_client, order, "confirm")

    assert response.url == _address_of(order)
    assert "The order is confirmed." in manager_client.get(response.url).text
    order.refresh_from_db()
    assert (order.status, order.confirmed_by) == ("confirmed", manager.email)


def test_manager_cancels_with_a_reason(manager_client: Client) -> None:
    order = make_order()
    response = _post(manager_client, order, "cancel", reason="Bought elsewhere.\r\nSorry.")

    assert "Bought elsewhere.\nSorry." in manager_client.get(response.url).text
    order.refresh_from_db()
    assert (order.status, order.cancel_reason) == ("cancelled", "Bought elsewhere.\nSorry.")


def test_decision_about_a_version_that_moved_on_is_asked_again(
    manager_client: Client, rep: User
) -> None:
    order = make_order(actor=Actor.from_user(rep))
    replace_notes(
        tenant=order.tenant,
        actor=Actor.from_user(rep),
        order_id=order.public_id,
        notes="Call before delivery.",
    )
    response = _post(manager_client, order, "cancel", reason="Typed with care")
    shown = " ".join(response.text.split())

    assert response.status_code == 409
    assert "Nothing was done: this order changed since you looked at it" in shown
    who = f'<span class="who">by {rep.email}</span>'
    assert f"<strong>Notes changed</strong> {who} · just now" in shown
    assert '<td data-label="After">Call before delivery.</td>' in shown
    assert "Typed with care</textarea>" in shown
    order.refresh_from_db()
    assert (order.status, order.version) == (Order.Status.PENDING, 2)

    response = _post(manager_client, order, "cancel", reason="Typed with care")
    order.refresh_from_db()
    assert (response.status_code, order.status) == (302, Order.Status.CANCELLED)


def test_confirmation_of_a_version_that_moved_on_is_asked_again(
    manager_client: Client, rep: User, other_rep_actor: Actor
) -> None:
    order = make_order(actor=Actor.from_user(rep))
    comment_order(
        tenant=order.tenant,
        actor=other_rep_actor,
        order_id=order.public_id,
        comment="They called: wait.",
    )
    response = _post(manager_client, order, "confirm")

    assert response.status_code == 409
    assert "They called: wait." in response.text
    assert "What the order says is the same." in response.text
    assert response.text.count(">Confirm order as it is now<") == 1
    assert CONFIRM not in response.text
    order.refresh_from_db()
    assert order.status == Order.Status.PENDING
    assert _post(manager_client, order, "confirm").status_code == 302


def test_own_comment_is_nothing_that_a_decision_has_to_look_at_again(
    manager_client: Client,
) -> None:
    order = make_order()
    _post(manager_client, order, "comment", comment="Asked the customer.")

    assert _post(manager_client, order, "confirm").status_code == 302


def test_own_comment_does_not_keep_a_rep_from_recalling(rep_client: Client, rep: User) -> None:
    order = make_order(actor=Actor.from_user(rep))
    _post(rep_client, order, "comment", comment="They called.")

    assert _post(rep_client, order, "recall").status_code == 302
    order.refresh_from_db()
    assert order.awaiting == Order.Awaiting.REP


def test_reviewer_is_led_to_where_an_order_is_sent_back(
    manager_client: Client, rep_client: Client
) -> None:
    order = make_order()
    address = f"/admin/orders/order/{order.pk}/send_back/"

    assert f'href="{address}"' in manager_client.get(_address_of(order)).text
    assert address not in rep_client.get(_address_of(order)).text
    assert manager_client.get(address).status_code == 200


def test_decision_that_came_too_late_says_so_and_loses_nothing(
    manager_client: Client, rep: User
) -> None:
    order = make_order(actor=Actor.from_user(rep))
    cancel_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, reason="Withdrew.")
    response = _post(manager_client, order, "cancel", reason="Typed with care")
    assert "It cannot be cancelled any more." in response.text
    assert "Typed with care" in response.text

    response = _post(manager_client, order, "confirm")
    assert response.status_code == 409
    assert "It cannot be confirmed: it is cancelled." in response.text
    assert "Confirm order as it is now" not in response.text
    assert OrderEvent.objects.filter(order=order).count() == 2


def test_reason_that_is_too_long_is_named_beside_its_field(manager_client: Client) -> None:
    order = make_order()
    response = _post(manager_client, order, "cancel", reason="x" * 1001)

    assert "This may have 1,000 characters at most." in response.text
    assert "x" * 1001 + "</textarea>" in response.text


def test_order_that_waits_for_its_rep_shows_what_the_manager_said(
    rep_client: Client, manager_client: Client, rep: User, manager: User
) -> None:
    order = make_order(actor=Actor.from_user(rep))
    send_back_order(
        tenant=order.tenant,
        actor=Actor.from_user(manager),
        order_id=order.public_id,
        reason="Please look again.",
        remarks={"items.0": "Two, not twenty?", "customer.phone": "It has no country code."},
    )
    for_rep, for_manager = (
        " ".join(client.get(_address_of(order)).text.split())
        for client in (rep_client, manager_client)
    )
    for shown in (
        f'<strong>Sent back to the rep</strong> <span class="who">by {manager.email}</span>',
        "It waits for you: correct it and submit it again.",
        "Please look again.",
        '<strong>Item 1:</strong> <span class="pre-line">Two, not twenty?</span>',
        '<strong>Phone:</strong> <span class="pre-line">It has no country code.</span>',
    ):
        assert shown in for_rep
    assert f"It waits for {rep.email}." in for_manager
    assert "It cannot be confirmed" not in for_manager


def test_second_cancellation_says_that_it_is_cancelled(manager_client: Client) -> None:
    order = make_order(status=Order.Status.CANCELLED)
    response = _post(manager_client, order, "cancel")

    assert response.status_code == 400
    assert "It cannot be cancelled: it is cancelled." in response.text


def test_own_order_is_confirmed_only_by_permission(manager_client: Client, manager: User) -> None:
    order = make_order(actor=Actor.from_user(manager))
    refused = _post(manager_client, order, "confirm")

    assert refused.status_code == 403
    assert "somebody else has to confirm it" in refused.text
    assert CONFIRM not in manager_client.get(_address_of(order)).text

    manager.user_permissions.add(Permission.objects.get(codename="confirm_own_order"))
    assert _post(manager_client, order, "confirm").status_code == 302


@pytest.mark.parametrize(
    "data",
    [
        {"version": ""},
        {"version": "x"},
        {"version": "-1"},
        {"version": str(2**40)},
        {"version": "1\0"},
        {"reason": "a\0b"},
        {"reason": "hidden \u200b"},
        {"reason": "x" * 1001},
    ],
)
def test_bad_decision_changes_nothing_and_is_explained(
    manager_client: Client, data: dict[str, str]
) -> None:
    order = make_order()
    response = _post(manager_client, order, "cancel", **data)

    assert response.status_code in (400, 422)
    assert 'role="alert"' in response.text
    order.refresh_from_db()
    assert (order.status, order.version) == ("pending", 1)
    assert OrderEvent.objects.filter(order=order).count() == 1


def test_decision_wants_a_post(manager_client: Client) -> None:
    order = make_order()

    assert manager_client.get(_address_of(order, "confirm/")).status_code == 405
    assert manager_client.get(_address_of(order, "cancel/")).status_code == 405


def test_page_costs_the_same_queries_for_one_and_for_ten_items_and_events(
    manager_client: Client, django_assert_num_queries: Any
) -> None:
    skus = [VariantFactory().sku for _ in range(10)]
    one, ten = make_order(skus[0]), make_order(*skus)
    for number in range(10):
        comment_order(
            tenant=ten.tenant, actor=SYSTEM, order_id=ten.public_id, comment=f"Comment {number}"
        )
    for order in (one, ten):
        with django_assert_num_queries(7 + 1):
            manager_client.get(_address_of(order))
