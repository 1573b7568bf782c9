"""Customers in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from portal.models import Tenant, User
from tests.factories import CustomerFactory, address, make_order
from tests.permissions import grant

LIST = reverse("admin:customers_customer_changelist")
NAMES = ("email", "first_name", "last_name", "company", "phone", "customer_type", "status")


def change_url(customer: Customer) -> str:
    return reverse("admin:customers_customer_change", args=[customer.pk])


def form(customer: Customer, **changes: Any) -> dict[str, Any]:
    return {**{name: getattr(customer, name) for name in NAMES}, **changes}


def errors(page: Any) -> dict[str, list[str]]:
    assert page.status_code == 200
    found: dict[str, list[str]] = page.context["adminform"].form.errors
    return found


@pytest.mark.parametrize("number", [1, 12])
def test_list_takes_the_same_queries_for_any_number(
    manager_client: Client, number: int, django_assert_num_queries: Any
) -> None:
    for _ in range(number):
        CustomerFactory()
    with django_assert_num_queries(5):
        assert manager_client.get(LIST).status_code == 200


@pytest.mark.parametrize("text", ["sjoberg alva", "noordzee", "ALVA@example.com", "0612345678"])
def test_search_finds_a_customer(manager_client: Client, text: str) -> None:
    wanted = CustomerFactory(
        first_name="Alva", last_name="Sjöberg", company="Noordzee", phone="06 1234 5678",
        email="alva@example.com",
    )  # fmt: skip
    CustomerFactory()
    found = manager_client.get(LIST, {"q": text}).context["cl"].result_list
    assert list(found) == [wanted]


@pytest.mark.parametrize("query", ["?status__exact=inactive", "?customer_type__exact=business"])
def test_filters_narrow_the_list(manager_client: Client, query: str) -> None:
    CustomerFactory()
    wanted = CustomerFactory(status="inactive", customer_type="business")
    assert list(manager_client.get(LIST + query).context["cl"].result_list) == [wanted]


def test_record_is_changed(manager_client: Client) -> None:
    customer = CustomerFactory()
    sent = form(customer, email=" New@Example.com", first_name="Alva", phone="1", company="Acme")
    assert manager_client.post(change_url(customer), sent).status_code == 302
    customer.refresh_from_db()
    assert (customer.email, customer.email_key) == ("New@Example.com", "new@example.com")
    assert (customer.first_name, customer.phone, customer.company) == ("Alva", "1", "Acme")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "TAKEN@example.com"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a\u200bb@example.com"}, "email"),
        ({"first_name": " "}, "first_name"),
        ({"last_name": "\u202edrow"}, "last_name"),
        ({"company": "x" * 201}, "company"),
        ({"customer_type": "alien"}, "customer_type"),
    ],
)
def test_bad_value_is_refused_at_its_field(
    manager_client: Client, changes: dict[str, str], field: str
) -> None:
    CustomerFactory(email="taken@example.com")
    customer = CustomerFactory()
    page = manager_client.post(change_url(customer), form(customer, phone="typed", **changes))
    assert list(errors(page)) == [field]
    assert 'value="typed"' in page.content.decode()
    customer.refresh_from_db()
    assert customer.phone == ""


def test_customer_with_pending_orders_stays_active(manager_client: Client) -> None:
    order = make_order()
    customer = order.customer
    page = manager_client.post(change_url(customer), form(customer, status="inactive"))
    assert errors(page) == {"status": [f"This customer has pending orders: {order.public_id}."]}
    customer.refresh_from_db()
    assert customer.status == "active"


def test_customer_with_rented_devices_stays_active(manager_client: Client) -> None:
    order = make_order(status="partial")
    page = manager_client.post(change_url(order.customer), form(order.customer, status="inactive"))
    assert errors(page) == {"status": [f"This customer has rented devices: {order.public_id}."]}


def test_inactive_customer_with_pending_orders_can_be_corrected(manager_client: Client) -> None:
    customer = make_order().customer
    Customer.objects.filter(pk=customer.pk).update(status="inactive")
    sent = form(customer, status="inactive", phone="1")
    assert manager_client.post(change_url(customer), sent).status_code == 302
    customer.refresh_from_db()
    assert (customer.status, customer.phone) == ("inactive", "1")


def test_change_keeps_what_somebody_else_changed_meanwhile(manager_client: Client) -> None:
    customer = CustomerFactory(phone="1", company="Acme")
    page = manager_client.get(change_url(customer)).text
    assert 'name="initial-phone" value="1"' in page
    shown = {f"initial-{name}": value for name, value in form(customer).items()}
    sent = form(customer, company="Kroon") | shown
    Customer.objects.filter(pk=customer.pk).update(phone="2")
    assert manager_client.post(change_url(customer), sent).status_code == 302
    customer.refresh_from_db()
    assert (customer.phone, customer.company) == ("2", "Kroon")


@pytest.mark.parametrize("status", ["confirmed", "cancelled"])
def test_customer_without_pending_orders_becomes_inactive_and_active_again(
    manager_client: Client, status: str
) -> None:
    customer = make_order(status=status).customer
    for wanted in ("inactive", "active"):
        manager_client.post(change_url(customer), form(customer, status=wanted))
        customer.refresh_from_db()
        assert customer.status == wanted


def test_page_shows_addresses_and_links_to_the_orders(manager_client: Client) -> None:
    order = make_order(billingAddress=address(city="Delft"))
    make_order(customer={"email": "else@example.com", "firstName": "E", "lastName": "F"})
    page = manager_client.get(change_url(order.customer)).content.decode()
    query = f"?status=all&amp;customer__id__exact={order.customer_id}"
    orders = reverse("admin:orders_order_changelist")
    assert f'href="{orders}{query}"' in page
    assert "Delft" in page
    listed = manager_client.get(orders + query.replace("&amp;", "&")).context["cl"].result_list
    assert list(listed) == [order]


@pytest.mark.parametrize("page", ["add", "delete"])
def test_customers_are_neither_added_nor_deleted(superuser_client: Client, page: str) -> None:
    customer = CustomerFactory()
    url = reverse(f"admin:customers_customer_{page}", args=[] if page == "add" else [customer.pk])
    assert superuser_client.post(url, form(customer, post="yes")).status_code == 403
    assert Customer.objects.count() == 1


def test_changing_needs_permission(manager: User, client_of: Callable[[User], Client]) -> None:
    manager.groups.clear()
    grant(manager, "customers.view_customer")
    customer = CustomerFactory()
    client = client_of(manager)
    assert client.get(change_url(customer)).status_code == 200
    assert client.post(change_url(customer), form(customer, phone="1")).status_code == 403
    customer.refresh_from_db()
    assert customer.phone == ""


def test_foreign_customer_is_never_shown(superuser_client: Client, other_tenant: Tenant) -> None:
    customer = CustomerFactory(tenant=other_tenant)
    assert not superuser_client.get(LIST).context["cl"].result_list
    answer = superuser_client.post(change_url(customer), form(customer, phone="1"))
    assert answer["Location"] == reverse("admin:index")
