"""The only place that changes a customer."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery
from django.utils import timezone

from customers.models import Customer, CustomerType
from portal.errors import Conflict, Detail, DomainError, NotFound, ValidationFailed
from portal.models import Tenant
from portal.permissions import Actor
from portal.rows import one_or_none
from portal.text import clean, normalize_email

VALIDATION_ERROR = "VALIDATION_ERROR"
CUSTOMER_HAS_PENDING_ORDERS = "CUSTOMER_HAS_PENDING_ORDERS"
CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS = "CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS"

UNKNOWN = "There is no such customer."

DETAILS = ("first_name", "last_name", "company", "phone", "customer_type")
"""What a record says of somebody, e-mail and addresses apart."""

ROWS_PER_UPDATE = 200


class Changes(TypedDict, total=False):
    """What is to change of a customer's record, cleaned. What is not named stays as it is."""

    email: str
    first_name: str
    last_name: str
    company: str
    phone: str
    customer_type: str
    status: str
    last_billing_address: Mapping[str, Any]
    last_shipping_address: Mapping[str, Any]


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
        return {name: getattr(self, name) for name in DETAILS}


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
        known = known.filter(public_id=customer_id)
    else:
        known = known.filter(email_key=normalize_email(caller.email))
    customer = one_or_none(known)
    if customer is None and customer_id:
        raise NotFound(UNKNOWN)
    return customer


def customer_problems(customer: Customer | None) -> Iterator[Detail]:
    """Why this customer cannot order, at `customer.email`; a new one always can."""
    if customer is not None and customer.status != Customer.Status.ACTIVE:
        message = f"{customer.email} is inactive and cannot order."
        yield Detail("customer.email", VALIDATION_ERROR, message)


def _require_active(customer: Customer) -> None:
    if problems := [*customer_problems(customer)]:
        raise DomainError.of(problems)


def customer_for_order(
    *,
    tenant: Tenant,
    actor: Actor,
    caller: Caller,
    known: Customer | None,
    update: bool = False,
    latest: bool = True,
) -> Customer:
    """The customer of an order that is being written: `known` (from `find_customer`) or created.

    A known customer keeps its details unless `update` says to take over those submitted, another
    e-mail included; what was left empty stays as it is. The addresses of this order are
    remembered either way, if it is their `latest`. Two calls at once with the same e-mail, in
    whatever case, end in one customer. Raises PermissionRefused for an update by an actor who may
    not change customers, and DomainError at `customer.email` if it takes another customer's, or if
    the customer became inactive after they were found. Contract: Create Order, "Customer Handling".
    """
    if update:
        actor.require("customers.change_customer", "You may not change customers.")
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
        _require_active(known)
    _remember(known, caller, update, latest)
    return known


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who ordered at some time in the past, with the id that they have elsewhere."""

    caller: Caller
    at: datetime
    customer_id: str = ""

    @property
    def email_key(self) -> str:
        return normalize_email(self.caller.email)


@transaction.atomic
def customers_of_the_past(
    *, tenant: Tenant, actor: Actor, arrivals: Sequence[Arrival]
) -> list[Customer]:
    """The customer of each arrival, found by e-mail or created, in the same number of queries
    however many there are.

    Whoever is known keeps their details, inactive ones too. Who is new is described as they were
    when they arrived first in this sequence, under the id that they bring if it is free.
    """
    keys = [arrival.email_key for arrival in arrivals]
    known = _by_key(tenant, keys)
    new = {
        key: arrival
        for key, arrival in reversed(list(zip(keys, arrivals, strict=True)))
        if key not in known
    }
    # A second round if somebody else just took an id, or gave it to another customer.
    while missing := sorted(new.keys() - known.keys()):
        taken = _taken_ids(tenant, {new[key].customer_id for key in missing})
        rows = [_arrived(tenant, actor, key, new[key], taken) for key in missing]
        Customer.objects.bulk_create(rows, ignore_conflicts=True)
        known |= _by_key(tenant, missing)
    return [known[key] for key in keys]


def _by_key(tenant: Tenant, keys: Collection[str]) -> dict[str, Customer]:
    found = Customer.objects.filter(tenant=tenant, email_key__in=set(keys))
    return {customer.email_key: customer for customer in found}


def _taken_ids(tenant: Tenant, wanted: Collection[str]) -> set[str]:
    found = Customer.objects.filter(tenant=tenant, public_id__in=wanted)
    return set(found.values_list("public_id", flat=True))


def _arrived(tenant: Tenant, actor: Actor, key: str, arrival: Arrival, taken: set[str]) -> Customer:
    """A new customer, unsaved; `taken` has their id from now on."""
    customer = Customer(
        tenant=tenant,
        email=arrival.caller.email,
        email_key=key,
        created_at=arrival.at,
        created_by=actor.label,
        last_billing_address=arrival.caller.billing_address,
        last_shipping_address=arrival.caller.shipping_address,
        **arrival.caller.details(),
    )
    if arrival.customer_id and arrival.customer_id not in taken:
        customer.public_id = arrival.customer_id
        taken.add(arrival.customer_id)
    return customer


def locked_customers(*, keys: Collection[int]) -> dict[int, Customer]:
    """These customers as they are now, by key; nobody else changes them in this transaction.

    Whoever is ordering is waited for: what their order says of them is seen from here on.
    """
    rows = Customer.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)
    return {customer.pk: customer for customer in rows}


@transaction.atomic
def remember_past(*, customers: Sequence[Customer]) -> None:
    """Writes when these customers, who are locked, first ordered, and their last addresses."""
    for customer in customers:
        customer.updated_at = timezone.now()
    Customer.objects.bulk_update(
        customers,
        ["created_at", "last_billing_address", "last_shipping_address", "updated_at"],
        ROWS_PER_UPDATE,
    )


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


def _remember(customer: Customer, caller: Caller, update: bool, latest: bool) -> None:
    """Writes what this call says of them, unless they were made inactive since they were found."""
    values: dict[str, Any] = {"updated_at": timezone.now()}
    if latest:
        values["last_billing_address"] = dict(caller.billing_address)
        values["last_shipping_address"] = dict(caller.shipping_address)
    if update:
        values |= {name: value for name, value in caller.details().items() if value}
    for name, value in values.items():
        setattr(customer, name, value)
    # Asked here, where the row is locked, at the price of no further statement.
    fit = Q(status=Customer.Status.ACTIVE) | Q(status=customer.status)
    if not Customer.objects.filter(fit, pk=customer.pk).update(**values):
        _require_active(Customer.objects.get(pk=customer.pk))
    if update and customer.email_key != normalize_email(caller.email):
        change_email(customer=customer, email=caller.email)


@transaction.atomic
def update_customer(
    *,
    tenant: Tenant,
    actor: Actor,
    customer_id: str,
    changes: Changes,
    repeated_id: str | None = None,
) -> Customer:
    """Changes what is named of a customer's record. Orders that exist keep their copy.

    Two at once wait for each other, and neither undoes what only the other changed. Who becomes
    inactive cannot order until they are active again. A body that repeats the id is refused if it
    is another's. Raises PermissionRefused, NotFound, ValidationFailed at `customerId`, DomainError
    at `email` as `change_email` does, and Conflict at `status` as `require_nothing_open` does.
    Contract: Update Customer, Delete Customer.
    """
    actor.require("customers.change_customer", "You may not change customers.")
    rows = Customer.objects.filter(tenant=tenant, public_id=customer_id)
    customer = rows.select_for_update().first()
    if customer is None:
        raise NotFound(UNKNOWN)
    if repeated_id not in (None, customer_id):
        message = "Send the id that stands in the address."
        raise ValidationFailed([Detail("customerId", VALIDATION_ERROR, message)])
    changed = {name: value for name, value in changes.items() if getattr(customer, name) != value}
    if changed.get("status") == Customer.Status.INACTIVE:
        require_nothing_open(customer=customer)
    email = changed.pop("email", None)
    for name, value in changed.items():
        setattr(customer, name, value)
    if changed:
        customer.save(update_fields=[*changed, "updated_at"])
    if email is not None:
        change_email(customer=customer, email=str(email), at="email")
    return customer


_OPEN = (
    (CUSTOMER_HAS_PENDING_ORDERS, "pending orders", Q(status="pending")),
    (CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS, "rented devices", Q(rented_devices__gt=0)),
)
"""What keeps a customer active: orders, another app's, by the names of their fields alone."""


def require_nothing_open(*, customer: Customer) -> None:
    """Raises Conflict at `status` while a customer cannot be made inactive, naming the orders.

    `CUSTOMER_HAS_PENDING_ORDERS`, and `CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS` while devices are
    rented. Inside a transaction: the row stays locked, so that no order is added meanwhile.
    """
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    problems = []
    for code, what, which in _OPEN:
        ids = list(locked.orders.filter(which).values_list("public_id", flat=True)[:4])
        if ids:
            names = ", ".join(ids[:3]) + (" and more" if len(ids) > 3 else "")
            problems.append(Detail("status", code, f"This customer has {what}: {names}."))
    if problems:
        raise Conflict.of(problems)


@transaction.atomic
def change_email(*, customer: Customer, email: str, at: str = "customer.email") -> Customer:
    """Gives a customer another e-mail. Orders that exist keep the one they were placed with.

    Raises DomainError, `at` where it stands, if it is no address or belongs to another customer.
    """
    try:
        key = normalize_email(email)
    except ValueError as error:
        raise DomainError.at(at, VALIDATION_ERROR, str(error)) from error
    customer.email, customer.email_key = clean(email), key
    try:
        with transaction.atomic():
            customer.save(update_fields=["email", "email_key", "updated_at"])
    except IntegrityError as error:
        message = f"{email} belongs to another customer."
        raise DomainError.at(at, VALIDATION_ERROR, message) from error
    return customer
