"""Customers over the API. They are made by orders, and only changed here."""

from collections.abc import Sequence
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Path, Router

from customers.examples import (
    CUSTOMER,
    DEACTIVATED,
    LISTED,
    NO_CUSTOMER,
    STILL_ACTIVE,
    UPDATE,
    UPDATED,
)
from customers.finding import CustomersQuery, customer_with_id, page_of_customers
from customers.metrics import metrics_of
from customers.models import Customer
from customers.representation import (
    CustomerAck,
    CustomerBody,
    CustomerList,
    CustomerUpdateResponse,
    customer_body,
)
from customers.schemas import CustomerUpdate
from customers.services import update_customer
from portal.api_request import ApiRequest, JsonBody, json_response
from portal.listing import read_query
from portal.openapi import operation
from portal.refusals import invalid
from portal.shapes import read

router = Router(tags=["Customers"])

CustomerId = Annotated[str, Path(alias="customerId")]
ONE = "/customers/{public_id:customerId}"


@router.get(
    "/customers",
    url_name="customers",
    **operation(
        "listCustomers",
        "List customers",
        scope="customers:read",
        without_scope="You may not see customers.",
        query=CustomersQuery,
        response=CustomerList,
        example=LISTED,
    ),
)
def list_customers(request: ApiRequest) -> HttpResponse:
    """The customers who match all that is asked, exactly; a page at a time.

    Inactive ones are shown with `status=inactive` alone. Send `nextCursor` as `startAfter` for the
    next page, with the same parameters besides.
    """
    tenant, actor = request.tenant, request.actor
    query = read_query(request, CustomersQuery)
    page = page_of_customers(tenant=tenant, actor=actor, query=query)
    return json_response(page.body("customers", _shown(request, page.rows)), status=200)


@router.get(
    ONE,
    url_name="customer",
    **operation(
        "getCustomer",
        "Get a customer",
        scope="customers:read",
        without_scope="You may not see customers.",
        response=CustomerBody,
        example=CUSTOMER,
        refusals=[NO_CUSTOMER],
    ),
)
def get_customer(request: ApiRequest, customer_id: CustomerId) -> HttpResponse:
    """The customer as they are now, active or not."""
    tenant, actor = request.tenant, request.actor
    customer = customer_with_id(tenant=tenant, actor=actor, customer_id=customer_id)
    return json_response(_shown(request, [customer])[0], status=200)


@router.put(
    ONE,
    url_name="customer",
    **operation(
        "updateCustomer",
        "Update a customer",
        scope="customers:write",
        without_scope="You may not change customers.",
        body=CustomerUpdate,
        examples=UPDATE,
        response=CustomerUpdateResponse,
        example=UPDATED,
        refusals=[
            invalid("customerId", "This field is required."),
            NO_CUSTOMER,
            *STILL_ACTIVE,
        ],
    ),
)
def put_customer(request: ApiRequest, customer_id: CustomerId) -> HttpResponse:
    """Changes the fields that are sent, and no others.

    Orders that exist keep what they were placed with. `status` inactive is the same as deleting,
    active lets them order again.
    """
    tenant, actor = request.tenant, request.actor
    update = read(CustomerUpdate, JsonBody(request).data)
    customer = update_customer(
        tenant=tenant,
        actor=actor,
        customer_id=customer_id,
        repeated_id=update.customer_id,
        changes=update.changes,
    )
    [shown] = _shown(request, [customer])
    return json_response(_done("Customer updated.", customer) | {"customer": shown}, status=200)


@router.delete(
    ONE,
    url_name="customer",
    **operation(
        "deleteCustomer",
        "Deactivate a customer",
        scope="customers:write",
        without_scope="You may not change customers.",
        response=CustomerAck,
        example=DEACTIVATED,
        refusals=[NO_CUSTOMER, *STILL_ACTIVE],
    ),
)
def delete_customer(request: ApiRequest, customer_id: CustomerId) -> HttpResponse:
    """Makes the customer inactive: they cannot order, and lists show them only if asked to.

    Their orders stay. Sent again, it changes nothing.
    """
    customer = update_customer(
        tenant=request.tenant,
        actor=request.actor,
        customer_id=customer_id,
        changes={"status": Customer.Status.INACTIVE},
    )
    return json_response(_done("Customer deactivated.", customer), status=200)


def _shown(request: ApiRequest, customers: Sequence[Customer]) -> list[dict[str, Any]]:
    metrics = metrics_of(customers)
    return [customer_body(each, metrics[each.pk], tenant=request.tenant) for each in customers]


def _done(message: str, customer: Customer) -> dict[str, Any]:
    return {"success": True, "message": message, "customerId": customer.public_id}
