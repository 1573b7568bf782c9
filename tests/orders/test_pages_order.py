"""An order's page, and confirming and cancelling from it."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Order, OrderEvent
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import VariantFactory, address, make_order

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


def test_decision_about_a_version_that_moved_on_is_a_conflict(manager_client: Client) -> None:
    order = make_order()
    _post(manager_client, order, "confirm")
    response = _post(manager_client, order, "cancel", reason="Typed with care")

    assert response.status_code == 409
    assert "Look at it again first." in response.text
    assert "Typed with care" in response.text
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED


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


def test_page_costs_the_same_queries_for_one_and_for_ten_items(
    manager_client: Client, django_assert_num_queries: Any
) -> None:
    skus = [VariantFactory().sku for _ in range(10)]
    for order in (make_order(skus[0]), make_order(*skus)):
        with django_assert_num_queries(7 + 1):
            manager_client.get(_address_of(order))
