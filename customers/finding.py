"""Finding customers over the API: one, or a page of those who match (contract: List Customers)."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from django.db.models import Field as Column
from django.db.models import IntegerField, QuerySet
from pydantic import BeforeValidator, Field, WithJsonSchema

from customers.metrics import AMOUNT, with_active_rentals, with_devices_rented, with_monthly_revenue
from customers.models import Customer, CustomerType
from customers.services import UNKNOWN
from portal.errors import Detail, NotFound, ValidationFailed
from portal.listing import Rows, SortedQuery
from portal.models import Tenant
from portal.permissions import Actor
from portal.shapes import OURS, Moment, Omissible, refusal
from portal.text import normalize_email


def _email_key(value: str) -> str:
    try:
        return normalize_email(value)
    except ValueError as error:
        raise refusal(f"{error} Send + as %2B.") from error


def _one_of(*values: str, also: Mapping[str, Any] | None = None) -> WithJsonSchema:
    """As the contract has it: any text, of which only these are known."""
    return WithJsonSchema({"type": "string", "x-values": list(values), **(also or {})})


class CustomersQuery(SortedQuery):
    status: Annotated[
        Annotated[Customer.Status, Field(strict=False)],
        _one_of(*Customer.Status.values, also={"x-additive": ["default"]}),
        Field(description="Without it, active ones only."),
    ] = Customer.Status.ACTIVE
    customer_type: Annotated[
        Annotated[CustomerType, Field(strict=False)] | None,
        Omissible(),
        _one_of(*CustomerType.values),
        Field(description="Only customers of this type."),
    ] = None
    email: Annotated[
        str, BeforeValidator(_email_key), Field(description="The whole address, in any case.")
    ] = ""
    has_active_rentals: Annotated[
        Literal["true", "false"] | None,
        _one_of("true", "false"),
        Field(
            description="Whether a device is rented to them now. Offered up to 100,000 customers."
        ),
    ] = None
    updated_since: Annotated[
        Moment | None,
        Omissible(),
        Field(
            description="Only customers whose record changed, or who ordered, at or after this "
            "moment (ISO 8601 with a zone: 2026-01-31T12:00:00Z), sorted by it unless told.",
            json_schema_extra=OURS,
        ),
    ] = None
    sort_by: Annotated[
        Literal[
            "createdAt",
            "firstName",
            "lastName",
            "email",
            "totalMonthlyRevenue",
            "totalDevicesRented",
        ],
        Field(
            description="Equal values are sorted by age. The last two count the orders of all "
            "customers first: they are offered up to 10,000 customers."
        ),
    ] = "createdAt"


# Each of these has an index of the tenant and this column; see Customer.Meta.
_COLUMNS: Mapping[str, str] = {
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email_key",
}
_COUNTED: Mapping[str, tuple[Callable[..., QuerySet[Customer]], str, "Column[Any, Any]"]] = {
    "totalDevicesRented": (with_devices_rented, "devices_rented", IntegerField()),
    "totalMonthlyRevenue": (with_monthly_revenue, "monthly_revenue", AMOUNT),
}


MOST_COUNTED, MOST_ASKED = 10_000, 100_000
"""Customers of a tenant whose orders are all counted to sort them, or looked at to filter them."""


def page_of_customers(*, tenant: Tenant, actor: Actor, query: CustomersQuery) -> Rows[Customer]:
    """One page of the customers who match all that is asked.

    Raises PermissionRefused, or ValidationFailed: at `startAfter` for a cursor of another list or
    order, at what is not offered among so many customers.
    """
    actor.require("customers.view_customer", "You may not see customers.")
    _refuse_beyond(tenant, query)
    customers: QuerySet[Customer] = Customer.objects.filter(tenant=tenant, status=query.status)
    if query.customer_type:
        customers = customers.filter(customer_type=query.customer_type)
    if query.email:
        customers = customers.filter(email_key=query.email)
    if query.has_active_rentals:
        wanted = query.has_active_rentals == "true"
        customers = with_active_rentals(customers, wanted=wanted)
    if query.updated_since:
        customers = customers.filter(updated_at__gte=query.updated_since)
    descending = query.sort_dir == "desc"
    if by := _COLUMNS.get(query.sorted_by):
        return Rows(customers, query, by=by, descending=descending)
    count, by, field = _COUNTED[query.sorted_by]
    return Rows(count(customers), query, by=by, field=field, descending=descending)


def _refuse_beyond(tenant: Tenant, query: CustomersQuery) -> None:
    """Raises ValidationFailed for what takes seconds among so many customers."""
    if query.sort_by in _COUNTED:
        name, most = "sortBy", MOST_COUNTED
    elif query.has_active_rentals:
        name, most = "hasActiveRentals", MOST_ASKED
    else:
        return
    if Customer.objects.filter(tenant=tenant).order_by()[: most + 1].count() > most:
        message = f"This is offered up to {most:,} customers; there are more."
        raise ValidationFailed([Detail(name, "VALIDATION_ERROR", message)])


def customer_with_id(*, tenant: Tenant, actor: Actor, customer_id: str) -> Customer:
    """The customer with this public id, active or not. Raises PermissionRefused, NotFound."""
    actor.require("customers.view_customer", "You may not see customers.")
    customer = Customer.objects.filter(tenant=tenant, public_id=customer_id).first()
    if customer is None:
        raise NotFound(UNKNOWN)
    return customer
