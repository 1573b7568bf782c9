"""`GET /v1/customers/{customerId}`: the record, and what the orders add up to."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers import metrics
from customers.models import Customer
from orders.models import Order
from portal.models import ApiKey, Tenant
from portal.permissions import SCOPES
from tests.api import exact, problems, send
from tests.factories import CustomerFactory, VariantFactory, address, make_order


def read(client: Client, customer: Customer) -> Any:
    response = send(client, "GET", f"/customers/{customer.public_id}")
    assert response.status_code == 200, response.content
    return exact(response)


def give(order: Order, customer: Customer) -> Order:
    """The order, as one of that customer."""
    Order.objects.filter(pk=order.pk).update(customer=customer)
    return order


def moment(at: Any) -> str:
    return str(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def test_customer_is_shown_with_all_that_is_known(api_client: Client, tenant: Tenant) -> None:
    business = {
        "email": "Noor@Example.com",
        "firstName": "Noor",
        "lastName": "el Idrissi",
        "company": "Stadsmakers",
        "phone": "+31 6 1234 5678",
        "customerType": "business",
    }
    order = make_order(customer=business, shippingAddress=address(postalCode=None))
    customer = order.customer
    assert read(api_client, customer) == {
        **business,
        "customerId": customer.public_id,
        "tenantId": "demo",
        "totalOrders": 1,
        "totalDevicesRented": 0,
        "totalMonthlyRevenue": 0,
        "status": "active",
        "orderIds": [order.public_id],
        "rentalIds": [],
        "lastBillingAddress": address(),
        "lastShippingAddress": address(postalCode=None),
        "createdAt": moment(customer.created_at),
        "updatedAt": moment(customer.updated_at),
        "createdBy": "test",
    }


def test_what_is_not_known_is_left_out(api_client: Client, tenant: Tenant) -> None:
    assert read(api_client, CustomerFactory()).keys() == {
        *("customerId", "tenantId", "email", "firstName", "lastName", "customerType", "status"),
        *("totalOrders", "totalDevicesRented", "totalMonthlyRevenue", "orderIds", "rentalIds"),
        *("createdAt", "updatedAt", "createdBy"),
    }


def test_orders_in_every_state_are_counted_and_named_newest_first(
    api_client: Client, tenant: Tenant
) -> None:
    customer = CustomerFactory()
    states = ("pending", "fulfilled", "cancelled", "partial", "confirmed")
    orders = [give(make_order(status=state), customer) for state in states]
    shown = read(api_client, customer)
    newest = sorted(orders, key=lambda order: order.created_at, reverse=True)
    assert shown["totalOrders"] == 5
    assert shown["orderIds"] == [order.public_id for order in newest]


def test_what_is_rented_is_added_up_by_device(api_client: Client, tenant: Tenant) -> None:
    customer = CustomerFactory()
    for sku, price in (("A", "10.10"), ("B", "20.20")):
        VariantFactory(sku=sku, prices={24: price})
    items = [
        {"sku": sku, "quantity": quantity, "contractLength": 24}
        for sku, quantity in (("A", 3), ("B", 5))
    ]
    for status in ("pending", "confirmed", "partial", "fulfilled", "fulfilled"):
        give(make_order(status=status, items=items), customer)
    shown = read(api_client, customer)
    # Of the partial order, one device of its first line is rented.
    assert shown["totalDevicesRented"] == 1 + 8 + 8
    assert shown["totalMonthlyRevenue"] == Decimal("10.10") + 2 * Decimal("131.30")


@pytest.mark.parametrize(
    ("currency", "price", "written"),
    [("EUR", "12.5", b"25.00"), ("JPY", "12", b"24"), ("BHD", "1.25", b"2.500")],
)
def test_revenue_has_the_decimals_of_the_currency(
    api_client: Client, tenant: Tenant, currency: str, price: str, written: bytes
) -> None:
    tenant.currency = currency
    tenant.save()
    variant = VariantFactory(prices={24: price})
    items = [{"sku": variant.sku, "quantity": 2, "contractLength": 24}]
    customer = make_order(status="fulfilled", items=items).customer
    response = send(api_client, "GET", f"/customers/{customer.public_id}")
    [shown] = re.findall(rb'"totalMonthlyRevenue": ?([^,]+),', response.content)
    assert shown == written


def test_only_the_newest_orders_are_named(
    api_client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "MOST_ORDER_IDS", 2)
    orders = [make_order() for _ in range(3)]
    shown = read(api_client, orders[0].customer)
    assert shown["totalOrders"] == 3
    assert shown["orderIds"] == [orders[2].public_id, orders[1].public_id]


def test_revenue_of_the_page_is_that_of_the_order_of_the_list(tenant: Tenant) -> None:
    """Both ways to count it agree."""
    for status in ("partial", "fulfilled", "confirmed"):
        make_order(status=status)
    customers = Customer.objects.all()
    alone = metrics.metrics_of(customers)
    for customer in metrics.with_monthly_revenue(customers):
        assert customer.monthly_revenue == alone[customer.pk].monthly_revenue
    for customer in metrics.with_devices_rented(customers):
        assert customer.devices_rented == alone[customer.pk].devices_rented


@pytest.mark.parametrize("orders", [0, 1, 20])
def test_customer_costs_the_same_queries_for_any_number_of_orders(
    api_client: Client, tenant: Tenant, django_assert_num_queries: Any, orders: int
) -> None:
    customer = CustomerFactory(email="noor@example.com")
    for _ in range(orders):
        make_order()
    with django_assert_num_queries(4):
        assert read(api_client, customer)["totalOrders"] == orders


def test_inactive_customer_is_shown(api_client: Client, tenant: Tenant) -> None:
    assert read(api_client, CustomerFactory(status="inactive"))["status"] == "inactive"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_customer_of_another_tenant_is_as_unknown_as_nobody(
    api_client: Client, tenant: Tenant, other_tenant: Tenant, method: str
) -> None:
    foreign = CustomerFactory(tenant=other_tenant).public_id
    answers = [
        send(api_client, method, f"/customers/{path}", {"customerId": sent, "firstName": "X"})
        for path, sent in ((foreign, foreign), (foreign, "cust_0"), ("cust_0", "cust_0"))
    ]
    assert [problems(answer) for answer in answers] == [(404, "NOT_FOUND", [])] * 3
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_customers_are_neither_made_nor_patched_here(
    api_client: Client, tenant: Tenant, method: str
) -> None:
    path = f"/customers/{CustomerFactory().public_id}"
    response = send(api_client, method, path, {})
    assert problems(response) == (405, "METHOD_NOT_ALLOWED", [])
    assert set(response["Allow"].split(", ")) == {"DELETE", "GET", "PUT"}


@pytest.mark.parametrize(
    ("method", "scope"),
    [("GET", "customers:read"), ("PUT", "customers:write"), ("DELETE", "customers:write")],
)
def test_each_operation_needs_its_scope_alone(
    api_client: Client, api_key: ApiKey, tenant: Tenant, method: str, scope: str
) -> None:
    customer = CustomerFactory()
    path, body = f"/customers/{customer.public_id}", {"customerId": customer.public_id}
    api_key.scopes = sorted(SCOPES.keys() - {scope})
    api_key.save()
    refused = send(api_client, method, path, body)
    assert problems(refused) == (403, "INSUFFICIENT_PERMISSIONS", [])
    api_key.scopes = [scope]
    api_key.save()
    assert send(api_client, method, path, body).status_code == 200
