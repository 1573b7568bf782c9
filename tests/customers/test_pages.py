"""The list of customers, a customer's page, and correcting the record."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer
from portal.models import Tenant, User
from tests.factories import CustomerFactory, make_order
from tests.permissions import grant

HTMX = {"HX-Request": "true"}
RECORD = {
    "first_name": "Zoë",
    "last_name": "Jansen",
    "email": "zoe@kroon.example",
    "company": "Café De Kroon",
    "phone": "+31 20 123",
    "customer_type": "business",
}


def _shown(response: Any) -> list[Customer]:
    return list(response.context["page"].rows)


def _address_of(customer: Customer, action: str = "") -> str:
    return f"/customers/{customer.public_id}/{action}"


def test_list_is_searched_and_filtered(rep_client: Client) -> None:
    one = CustomerFactory(last_name="Bakker", customer_type="business")
    two = CustomerFactory(last_name="Jansen", status="inactive")

    assert _shown(rep_client.get("/customers/")) == [two, one]
    assert _shown(rep_client.get("/customers/", {"q": "jans noor"})) == [two]
    assert _shown(rep_client.get("/customers/", {"status": "active"})) == [one]
    assert _shown(rep_client.get("/customers/", {"type": "individual"})) == [two]


def test_fragment_is_the_results_alone(rep_client: Client) -> None:
    CustomerFactory()
    response = rep_client.get("/customers/", {"q": "noor"}, headers=HTMX)

    assert response.text.lstrip().startswith('<div id="results"')
    assert "HX-Request" in response.headers["Vary"]


def test_empty_lists_say_what_to_do(rep_client: Client) -> None:
    assert "No customers yet" in rep_client.get("/customers/").text
    assert "No customer matches" in rep_client.get("/customers/", {"q": "x"}).text


@pytest.mark.parametrize(
    "asked",
    [
        {"cursor": "x"},
        {"q": "\0"},
        {"q": "%"},
        {"status": "gone"},
        {"type": "\0"},
        {"q": "x" * 5000},
    ],
)
def test_bad_input_is_never_an_error(rep_client: Client, asked: dict[str, str]) -> None:
    assert rep_client.get("/customers/", asked).status_code == 200


def test_list_costs_the_same_queries_for_one_and_for_100_customers(
    rep_client: Client, django_assert_num_queries: Any
) -> None:
    for more in (1, 99):
        for _ in range(more):
            CustomerFactory()
        with django_assert_num_queries(4):
            rep_client.get("/customers/")


def test_page_shows_record_addresses_and_orders(rep_client: Client) -> None:
    order = make_order()
    other = make_order(customer={"email": "x@example.com", "firstName": "X", "lastName": "Y"})
    customer = order.customer
    response = rep_client.get(_address_of(customer))

    for shown in (customer.email, "Noor el Idrissi", "Coolsingel 93", order.public_id):
        assert shown in response.text
    assert other.public_id not in response.text
    assert f'href="/orders/new/?customer={customer.public_id}"' in response.text


def test_orders_of_a_customer_are_for_who_may_see_orders(
    rep: User, client_of: Callable[[User], Client]
) -> None:
    order = make_order(status="confirmed")
    rep.groups.clear()
    grant(rep, "customers.view_customer")
    response = client_of(rep).get(_address_of(order.customer))

    assert order.customer.email in response.text
    assert order.public_id not in response.text
    assert "On contract" not in response.text


def test_orders_of_a_customer_come_in_pages(rep_client: Client) -> None:
    orders = [make_order() for _ in range(21)][::-1]
    first = rep_client.get(_address_of(orders[0].customer))
    cursor = first.context["page"].older
    second = rep_client.get(_address_of(orders[0].customer), {"cursor": cursor})

    assert _shown(first) == orders[:20]
    assert _shown(second) == orders[20:]


def test_page_costs_the_same_queries_for_one_and_for_several_orders(
    rep_client: Client, django_assert_num_queries: Any
) -> None:
    customer = make_order().customer
    for more in (0, 4):
        for _ in range(more):
            make_order()
        with django_assert_num_queries(7):
            rep_client.get(_address_of(customer))


def test_devices_on_contract_are_shown_with_their_order_and_end(rep_client: Client) -> None:
    orders = [make_order(status="confirmed") for _ in range(3)]
    make_order()
    response = rep_client.get(_address_of(orders[0].customer))

    assert [line.order_id for line in response.context["devices"].lines] == [
        order.public_id for order in orders
    ]
    html = " ".join(response.text.split())
    assert html.count('data-label="Until"') == 3
    assert (
        f'<a href="/orders/{orders[0].public_id}/"><code>{orders[0].public_id}</code></a>' in html
    )


def test_page_of_a_large_customer_says_whose_devices_it_shows(
    rep_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.caller.ORDERS_LOOKED_AT", 2)
    monkeypatch.setattr("orders.views.customer.DEVICES_SHOWN", 1)
    orders = [make_order(status="confirmed") for _ in range(2)]
    page = _address_of(orders[0].customer)

    def said() -> str:
        return " ".join(rep_client.get(page).text.split())

    assert "The first to end comes first" in said()
    assert "and 1 more" in said()
    for status in ("confirmed", "pending", "pending"):
        make_order(status=status)
        assert "Of their last 2 orders" in said()
    assert "No devices" in said()


def test_customer_without_devices_on_contract_says_so(rep_client: Client) -> None:
    assert "No devices" in rep_client.get(_address_of(make_order().customer)).text


@pytest.mark.parametrize("path", ["/customers/", "/orders/"])
def test_address_of_a_narrowed_list_has_no_blank_filters(rep_client: Client, path: str) -> None:
    asked = {"q": "noor", "status": "", "type": ""}
    assert rep_client.get(path, asked, headers=HTMX)["HX-Push-Url"] == f"{path}?q=noor"
    assert rep_client.get(path, {"q": ""}, headers=HTMX)["HX-Push-Url"] == path
    assert "HX-Push-Url" not in rep_client.get(path, asked)


def test_inactive_customer_is_not_offered_an_order(rep_client: Client) -> None:
    text = rep_client.get(_address_of(CustomerFactory(status="inactive"))).text

    assert "This customer is inactive and cannot order." in text
    assert "New order for this customer" not in text


def test_customer_of_another_tenant_is_404(
    rep_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    foreign = CustomerFactory(tenant=other_tenant)

    assert rep_client.get(_address_of(foreign)).status_code == 404
    assert rep_client.get(_address_of(foreign, "edit/")).status_code == 404
    assert rep_client.post(_address_of(foreign, "edit/"), RECORD).status_code == 404
    assert rep_client.get("/customers/", {"q": foreign.email}).context["page"].rows == []


def test_record_is_corrected_and_orders_keep_their_copy(rep_client: Client) -> None:
    order = make_order()
    response = rep_client.post(_address_of(order.customer, "edit/"), RECORD, follow=True)

    assert "The record is saved." in response.text
    customer = Customer.objects.get(pk=order.customer_id)
    assert {name: getattr(customer, name) for name in RECORD} == RECORD
    assert customer.email_key == "zoe@kroon.example"
    order.refresh_from_db()
    assert order.customer_email == "noor@example.com"


def shown_as(record: dict[str, str]) -> dict[str, str]:
    """What the page sends back of what it was filled with."""
    return {f"initial-{name}": value for name, value in record.items()}


def test_correction_keeps_what_somebody_else_changed_meanwhile(rep_client: Client) -> None:
    customer = CustomerFactory(**RECORD)
    page = rep_client.get(_address_of(customer, "edit/")).text
    shown = shown_as(RECORD)
    for name, value in shown.items():
        assert f'name="{name}" value="{value}"' in page
    Customer.objects.filter(pk=customer.pk).update(phone="new", company="Kroon", last_name="Smit")

    typed = RECORD | {"first_name": "Zoe", "company": "", "last_name": "Jansens"}
    rep_client.post(_address_of(customer, "edit/"), typed | shown)
    customer.refresh_from_db()
    assert (customer.phone, customer.first_name) == ("new", "Zoe")
    # Where both changed something, the later one stands.
    assert (customer.company, customer.last_name) == ("", "Jansens")


def test_refused_correction_still_knows_what_was_shown(rep_client: Client) -> None:
    customer = CustomerFactory(**RECORD)
    typed = RECORD | {"first_name": "", "phone": "9"}
    page = rep_client.post(_address_of(customer, "edit/"), typed | shown_as(RECORD)).text
    assert 'name="initial-first_name" value="Zoë"' in page
    assert f'name="initial-phone" value="{RECORD["phone"]}"' in page


def test_form_starts_with_the_record(rep_client: Client) -> None:
    text = rep_client.get(_address_of(CustomerFactory(company="Kroon & Co"), "edit/")).text

    assert 'value="Kroon &amp; Co"' in text
    assert 'value="el Idrissi"' in text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"first_name": " "}, "first_name"),
        ({"last_name": "x" * 101}, "last_name"),
        ({"email": "nobody"}, "email"),
        ({"email": "taken@example.com"}, "email"),
        ({"email": "TAKEN@example.com"}, "email"),
        ({"company": "hidden\u200b"}, "company"),
        ({"phone": "1\x002"}, "phone"),
        ({"customer_type": "robot"}, "customer_type"),
    ],
)
def test_refused_correction_names_the_field_and_keeps_what_was_typed(
    rep_client: Client, tenant: Tenant, changes: dict[str, str], field: str
) -> None:
    CustomerFactory(email="taken@example.com")
    customer = CustomerFactory()
    response = rep_client.post(_address_of(customer, "edit/"), RECORD | changes)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert [
        each.name for each in response.context["form"] if each.field.widget.attrs.get("autofocus")
    ] == [field]
    assert field == "last_name" or 'value="Jansen"' in response.text
    customer.refresh_from_db()
    assert (customer.first_name, customer.company) == ("Noor", "")


def test_record_is_not_corrected_without_permission(rep_client: Client, rep: User) -> None:
    rep.groups.clear()
    customer = CustomerFactory()

    assert rep_client.post(_address_of(customer, "edit/"), RECORD).status_code == 403
    assert rep_client.get(_address_of(customer)).status_code == 403
    assert rep_client.get("/customers/").status_code == 403
