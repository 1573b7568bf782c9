"""`PUT` and `DELETE /v1/customers/{customerId}`: what changes, what is refused, what stays."""

from typing import Any

import pytest
from django.test import Client

from customers.examples import UPDATE
from customers.models import Customer
from orders.models import Order
from portal.models import Tenant
from tests.api import post, problems, send
from tests.factories import CustomerFactory, VariantFactory, address, make_order, order_body


def put(client: Client, customer: Customer, **changes: Any) -> Any:
    body = {"customerId": customer.public_id, **changes}
    return send(client, "PUT", f"/customers/{customer.public_id}", body)


def delete(client: Client, customer: Customer) -> Any:
    return send(client, "DELETE", f"/customers/{customer.public_id}")


def row(customer: Customer) -> dict[str, Any]:
    return Customer.objects.values().get(pk=customer.pk)


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    """With something in every field."""
    made: Customer = CustomerFactory(
        email="noor@example.com",
        company="Stadsmakers",
        phone="010 1234567",
        last_billing_address=address(),
        last_shipping_address=address(city="Delft"),
    )
    return made


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"firstName": " Zoë "}, {"first_name": "Zoë"}),
    ({"lastName": "Jansen"}, {"last_name": "Jansen"}),
    ({"company": "Café De Kroon"}, {"company": "Café De Kroon"}),
    ({"company": ""}, {"company": ""}),
    ({"phone": " "}, {"phone": ""}),
    ({"customerType": "business"}, {"customer_type": "business"}),
    ({"status": "inactive"}, {"status": "inactive"}),
    ({"email": "New@Example.com"}, {"email": "New@Example.com", "email_key": "new@example.com"}),
    ({"email": "NOOR@example.com"}, {"email": "NOOR@example.com"}),
    (
        {"billingAddress": address(city="Gouda", company=" ", postalCode=None)},
        {"last_billing_address": address(city="Gouda", postalCode=None)},
    ),
    ({"shippingAddress": address()}, {"last_shipping_address": address()}),
    (
        {"firstName": "Zoë", "email": "zoe@example.com", "phone": "", "status": "inactive"},
        {
            "first_name": "Zoë",
            "email": "zoe@example.com",
            "email_key": "zoe@example.com",
            "phone": "",
            "status": "inactive",
        },
    ),
]


@pytest.mark.parametrize(("sent", "changed"), CHANGES)
def test_what_is_sent_changes_and_nothing_else(
    api_client: Client, customer: Customer, sent: dict[str, Any], changed: dict[str, Any]
) -> None:
    before = row(customer)
    response = put(api_client, customer, **sent)
    assert response.status_code == 200, response.content
    after = row(customer)
    assert after.pop("updated_at") > before.pop("updated_at")
    # Follows from the others, in the database.
    del before["search_text"], after["search_text"]
    assert after == before | changed


def test_answer_shows_the_customer_as_they_are_now(api_client: Client, customer: Customer) -> None:
    response = put(api_client, customer, company="Café De Kroon")
    alone = send(api_client, "GET", f"/customers/{customer.public_id}").json()
    assert response.json() == {
        "success": True,
        "message": "Customer updated.",
        "customerId": customer.public_id,
        "customer": alone,
    }
    assert alone["company"] == "Café De Kroon"


def test_customer_who_was_read_can_be_sent_back(api_client: Client, tenant: Tenant) -> None:
    customer = make_order(status="partial").customer
    before = row(customer)
    whole = send(api_client, "GET", f"/customers/{customer.public_id}").json()
    assert put(api_client, customer, **whole).json()["customer"] == whole
    assert row(customer) == before


def test_update_that_changes_nothing_moves_nothing(api_client: Client, customer: Customer) -> None:
    before = row(customer)
    for same in ({}, {"firstName": "Noor", "status": "active"}, {"billingAddress": address()}):
        assert put(api_client, customer, **same).status_code == 200
    assert row(customer) == before


def test_orders_keep_what_they_were_placed_with(api_client: Client, tenant: Tenant) -> None:
    order = make_order()
    before = Order.objects.values().get(pk=order.pk)
    changes = {"email": "new@example.com", "firstName": "Zoë", "billingAddress": address(city="G")}
    assert put(api_client, order.customer, **changes).status_code == 200
    assert Order.objects.values().get(pk=order.pk) == before


def test_changed_email_is_that_of_the_next_order(api_client: Client, tenant: Tenant) -> None:
    customer = make_order().customer
    put(api_client, customer, email="new@example.com")
    order = make_order(customer=order_body()["customer"] | {"email": "New@example.com"})
    assert order.customer == customer


ADDRESSES = ("billingAddress", "shippingAddress")
BAD: list[tuple[dict[str, Any], list[str]]] = [
    *(
        ({"customerId": wrong}, ["customerId"])
        for wrong in (None, 1, "", "cust_0", " {}", "{}\x00", "{}\u200b", "\ud800", ["{}"], {})
    ),
    *(
        ({name: wrong}, [name])
        for name in ("firstName", "lastName")
        for wrong in (None, 1, True, "", " \t", "x" * 101, "a\x00", "a\u200b", "a\nb", "\ud800", [])
    ),
    *(
        ({name: wrong}, [name])
        for name, length in (("company", 200), ("phone", 50))
        for wrong in (None, 1, "x" * (length + 1), "a\x00", "a\u202eb", "a\nb", "\ud800", {})
    ),
    *(
        ({"email": wrong}, ["email"])
        for wrong in (
            None, 1, "", " ", "noor", "a b@example.com", "noor@example", "noor\u200b@example.com",
            "noor@example.com\x00", f"{'n' * 250}@example.com", "\ud800@example.com", [],
        )
    ),
    *(
        ({name: wrong}, [name])
        for name in ("customerType", "status")
        for wrong in (None, 1, "", "Active", "gone", "active\x00", ["business"], {})
    ),
    *(({name: wrong}, [name]) for name in ADDRESSES for wrong in (None, "same", [], 1)),
    *(
        (
            {name: {}},
            [f"{name}.{line}" for line in ("city", "contactName", "country", "streetAddress")],
        )
        for name in ADDRESSES
    ),
    *(
        ({name: address(**{line: wrong})}, [f"{name}.{line}"])
        for name in ADDRESSES
        for line in ("city", "company")
        for wrong in (None, 1, "x" * 301, "a\x00", "a\u200b", "\ud800")
    ),
    *(({name: address(postalCode=3011)}, [f"{name}.postalCode"]) for name in ADDRESSES),
    (
        {"customerId": 5, "email": "x", "status": "gone", "phone": None},
        ["customerId", "email", "phone", "status"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "paths"), BAD)
def test_bad_shape_is_refused_by_name(
    api_client: Client, customer: Customer, changes: dict[str, Any], paths: list[str]
) -> None:
    before = row(customer)
    sent_id = changes.get("customerId")
    if isinstance(sent_id, str):
        changes = changes | {"customerId": sent_id.format(customer.public_id)}
    response = put(api_client, customer, **{"company": "Changed", **changes})
    assert problems(response) == (400, "VALIDATION_ERROR", paths)
    assert row(customer) == before


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", ""), (b"{", ""), (b"null", ""), (b"[]", ""), (b'"x"', ""), (b"{}", "customerId"),
        (b'{"phone": "1", "phone": "2"}', ""), (b'{"phone": "\xff"}', ""),
        ('{"phone": "1"}'.encode("utf-16"), ""), (b"[" * 100_000, ""),
    ],
)  # fmt: skip
def test_body_that_is_no_update_is_refused(
    api_client: Client, customer: Customer, body: bytes, path: str
) -> None:
    response = send(api_client, "PUT", f"/customers/{customer.public_id}", body)
    assert problems(response) == (400, "VALIDATION_ERROR", [path])


def test_update_is_sent_as_json(api_client: Client, customer: Customer) -> None:
    path = f"/v1/customers/{customer.public_id}"
    response = api_client.put(path, b"firstName=Zoe", content_type="text/plain")
    assert problems(response) == (415, "UNSUPPORTED_MEDIA_TYPE", [])


@pytest.mark.parametrize("email", ["taken@example.com", "TAKEN@Example.com"])
def test_email_of_another_customer_is_refused_whole(
    api_client: Client, customer: Customer, email: str
) -> None:
    CustomerFactory(email="taken@example.com", status="inactive")
    before = row(customer)
    response = put(api_client, customer, email=email, firstName="Zoë")
    assert problems(response) == (400, "VALIDATION_ERROR", ["email"])
    assert row(customer) == before


def test_email_of_a_customer_elsewhere_is_free(
    api_client: Client, customer: Customer, other_tenant: Tenant
) -> None:
    CustomerFactory(tenant=other_tenant, email="taken@example.com")
    assert put(api_client, customer, email="taken@example.com").status_code == 200


def test_deleted_customer_is_inactive_and_cannot_order(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    customer = make_order("A", status="cancelled").customer
    response = delete(api_client, customer)
    assert (response.status_code, response.json()) == (
        200,
        {"success": True, "message": "Customer deactivated.", "customerId": customer.public_id},
    )
    assert row(customer)["status"] == "inactive"
    refused = post(api_client, order_body("A"))
    assert problems(refused) == (400, "VALIDATION_ERROR", ["customer.email"])
    assert Order.objects.count() == 1


def test_revived_customer_orders_again(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    customer = CustomerFactory(email="noor@example.com", status="inactive")
    assert put(api_client, customer, status="active").json()["customer"]["status"] == "active"
    assert post(api_client, order_body("A")).status_code == 201


def test_deleting_again_is_the_same(api_client: Client, customer: Customer) -> None:
    first = delete(api_client, customer)
    before = row(customer)
    again = delete(api_client, customer)
    assert (again.status_code, again.content) == (200, first.content)
    assert row(customer) == before


def deactivate_by_put(client: Client, customer: Customer) -> Any:
    return put(client, customer, status="inactive", phone="changed")


@pytest.mark.parametrize("deactivate", [delete, deactivate_by_put], ids=["DELETE", "PUT"])
@pytest.mark.parametrize(
    ("states", "codes"),
    [
        (["pending"], ["CUSTOMER_HAS_PENDING_ORDERS"]),
        (["partial"], ["CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS"]),
        (["fulfilled"], ["CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS"]),
        (
            ["fulfilled", "pending"],
            ["CUSTOMER_HAS_PENDING_ORDERS", "CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS"],
        ),
        (["confirmed", "cancelled"], []),
    ],
)
def test_customer_with_open_orders_stays_active(
    api_client: Client, customer: Customer, deactivate: Any, states: list[str], codes: list[str]
) -> None:
    orders = {state: make_order(status=state) for state in states}
    for order in orders.values():
        Order.objects.filter(pk=order.pk).update(customer=customer)
    before = row(customer)
    response = deactivate(api_client, customer)
    if not codes:
        assert (response.status_code, row(customer)["status"]) == (200, "inactive")
        return
    assert problems(response) == (409, codes[0], ["status"] * len(codes))
    details = response.json()["error"]["details"]
    assert [detail["code"] for detail in details] == codes
    assert orders[states[0]].public_id in details[-1]["message"]
    assert row(customer) == before


def test_inactive_customer_with_open_orders_can_be_corrected(
    api_client: Client, tenant: Tenant
) -> None:
    """As when a confirmed order was changed after they became inactive."""
    customer = make_order().customer
    Customer.objects.filter(pk=customer.pk).update(status="inactive")
    assert put(api_client, customer, status="inactive", phone="1").status_code == 200
    assert row(customer)["phone"] == "1"


@pytest.mark.parametrize("name", UPDATE)
def test_examples_work(api_client: Client, tenant: Tenant, name: str) -> None:
    customer = CustomerFactory(public_id=UPDATE[name]["customerId"])
    response = send(api_client, "PUT", f"/customers/{customer.public_id}", UPDATE[name])
    assert response.status_code == 200, response.content
