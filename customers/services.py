"""The only place that changes a customer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import IntegrityError, connection, transaction
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery

from customers.models import Customer, CustomerType
from portal.errors import Conflict, Detail, DomainError, NotFound
from portal.models import Tenant
from portal.permissions import Actor
from portal.text import clean, normalize_email

VALIDATION_ERROR = "VALIDATION_ERROR"
CUSTOMER_HAS_PENDING_ORDERS = "CUSTOMER_HAS_PENDING_ORDERS"


@dataclass(frozen=True, slots=True)
class Record:
    """What a customer's record says about them, cleaned."""

    FIELDS: ClassVar = ("first_name", "last_name", "company", "phone", "customer_type")

    email: str
    first_name: str
    last_name: str
    company: str
    phone: str
    customer_type: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is ordering, as submitted, with the addresses of this order (contract's objects)."""

    email: str
    first_name: str
    last_name: str
    company: str
    phone: str
    customer_type: CustomerType
    billing_address: Mapping[str, Any]
    shipping_address: Mapping[str, Any]

    def details(self) -> dict[str, str]:
        """What a new record says of them, the e-mail apart."""
        return {name: getattr(self, name) for name in Record.FIELDS}


def find_customer(
    *,
    tenant: Tenant,
    caller: Caller,
    customer_id: str = "",
    annotations: Mapping[str, Any] | None = None,
) -> Customer | None:
    """The customer who orders, by e-mail, or by id when the portal names one; None: a new one.

    `annotations` are what else to load in the same query. Raises NotFound for an unknown id.
    """
    known = Customer.objects.filter(tenant=tenant).annotate(**(annotations or {}))
    if customer_id:
        customer = known.filter(public_id=customer_id).first()
    else:
        customer = known.filter(email_key=normalize_email(caller.email)).first()
    if customer is None and customer_id:
        raise NotFound("There is no such customer.")
    return customer


def customer_problems(customer: Customer | None) -> Iterator[Detail]:
    """Why this customer cannot order, at `customer.email`; a new one always can."""
    if customer is not None and customer.status != Customer.Status.ACTIVE:
        message = f"{customer.email} is inactive and cannot order."
        yield Detail("customer.email", VALIDATION_ERROR, message)


def customer_for_order(
    *,
    tenant: Tenant,
    actor: Actor,
    caller: Caller,
    known: Customer | None,
    update: bool = False,
) -> Customer:
    """The customer of an order that is being written: `known` (from `find_customer`) or created.

    A known customer keeps its details unless `update` says to take over those submitted, another
    e-mail included; what was left empty stays as it is. The addresses of this order are
    remembered either way. Two calls at once with the same e-mail, in whatever case, end in one
    customer. Raises DomainError at `customer.email` if an update takes another customer's.
    Contract: Create Order, "Customer Handling".
    """
    if known is None:
        new = Customer(
            tenant=tenant,
            email=caller.email,
            email_key=normalize_email(caller.email),
            created_by=actor.label,
            last_billing_address=caller.billing_address,
            last_shipping_address=caller.shipping_address,
            **caller.details(),
        )
        if _insert(new):
            return new
        known = Customer.objects.get(tenant=tenant, email_key=new.email_key)
    _remember(known, caller, update)
    return known


def _insert(new: Customer) -> bool:
    """Writes the row, or says that somebody else just created the customer with this e-mail.

    As `bulk_create(ignore_conflicts=True)`, which does not tell, so that one would have to ask.
    """
    pk = Customer._meta.pk
    fields = [f for f in Customer._meta.concrete_fields if f is not pk and not f.generated]
    query = InsertQuery(Customer, on_conflict=OnConflict.IGNORE)
    query.insert_values(fields, [new])
    [row] = query.get_compiler(connection=connection).execute_sql([pk])
    if row is None:
        return False
    [new.pk] = row
    new._state.adding = False
    return True


def _remember(customer: Customer, caller: Caller, update: bool) -> None:
    customer.last_billing_address = dict(caller.billing_address)
    customer.last_shipping_address = dict(caller.shipping_address)
    fields = ["last_billing_address", "last_shipping_address", "updated_at"]
    if update:
        given = {name: value for name, value in caller.details().items() if value}
        for name, value in given.items():
            setattr(customer, name, value)
        fields += given
        if customer.email_key != normalize_email(caller.email):
            change_email(customer=customer, email=caller.email)
    customer.save(update_fields=fields)


@transaction.atomic
def update_customer(*, actor: Actor, customer: Customer, record: Record) -> Customer:
    """Corrects a customer's record. Orders that exist keep what they were placed with.

    Raises PermissionRefused, or DomainError at `customer.email` as `change_email` does.
    """
    actor.require("customers.change_customer", "You may not change customers.")
    for name in record.FIELDS:
        setattr(customer, name, getattr(record, name))
    customer.save(update_fields=[*record.FIELDS, "updated_at"])
    return change_email(customer=customer, email=record.email)


@transaction.atomic
def set_status(*, actor: Actor, customer: Customer, status: Customer.Status) -> Customer:
    """Makes a customer inactive, so that they cannot order, or active again.

    Raises PermissionRefused, or Conflict `CUSTOMER_HAS_PENDING_ORDERS`. Contract: Customers.
    """
    actor.require("customers.change_customer", "You may not change customers.")
    if status == Customer.Status.INACTIVE:
        require_no_pending_orders(customer=customer)
    customer.status = status
    customer.save(update_fields=["status", "updated_at"])
    return customer


def require_no_pending_orders(*, customer: Customer) -> None:
    """Raises Conflict `CUSTOMER_HAS_PENDING_ORDERS`, naming them.

    Inside a transaction: the row stays locked, so that no order can be added meanwhile.
    """
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    pending = locked.orders.filter(status="pending").values_list("public_id", flat=True)[:4]
    if ids := list(pending):
        names = ", ".join(ids[:3]) + (" and more" if len(ids) > 3 else "")
        message = f"This customer has pending orders: {names}."
        raise Conflict.at("status", CUSTOMER_HAS_PENDING_ORDERS, message)


@transaction.atomic
def change_email(*, customer: Customer, email: str) -> Customer:
    """Gives a customer another e-mail. Orders that exist keep the one they were placed with.

    Raises DomainError at `customer.email` if it is no address or belongs to another customer.
    """
    try:
        key = normalize_email(email)
    except ValueError as error:
        raise DomainError.at("customer.email", VALIDATION_ERROR, str(error)) from error
    customer.email, customer.email_key = clean(email), key
    try:
        with transaction.atomic():
            customer.save(update_fields=["email", "email_key", "updated_at"])
    except IntegrityError as error:
        raise DomainError.at(
            "customer.email", VALIDATION_ERROR, f"{email} belongs to another customer."
        ) from error
    return customer
