from dataclasses import replace

import pytest

from customers.models import Customer, CustomerType
from customers.services import (
    DETAILS,
    Caller,
    Changes,
    change_email,
    customer_for_order,
    customer_problems,
    find_customer,
    update_customer,
)
from portal.errors import DomainError, NotFound, PermissionRefused
from portal.models import Tenant
from portal.permissions import Actor
from tests.factories import SYSTEM, CustomerFactory, address

CALLER = Caller(
    email="Noor@Example.com",
    first_name="Noor",
    last_name="el Idrissi",
    company="Stadsmakers",
    phone="+31 6 1234 5678",
    customer_type=CustomerType.BUSINESS,
    billing_address=address(),
    shipping_address=address(city="Delft"),
)


def call(tenant: Tenant, caller: Caller, update: bool = False) -> Customer:
    known = find_customer(tenant=tenant, caller=caller)
    customer = customer_for_order(
        tenant=tenant, actor=SYSTEM, caller=caller, known=known, update=update
    )
    return Customer.objects.get(pk=customer.pk)


def test_new_caller_becomes_a_customer(tenant: Tenant) -> None:
    customer = call(tenant, CALLER)
    assert (customer.email, customer.email_key) == ("Noor@Example.com", "noor@example.com")
    assert (customer.full_name, customer.company) == ("Noor el Idrissi", "Stadsmakers")
    assert (customer.phone, customer.customer_type) == ("+31 6 1234 5678", "business")
    assert (customer.last_billing_address, customer.last_shipping_address) == (
        address(),
        address(city="Delft"),
    )
    assert (customer.created_by, customer.status) == ("test", "active")


@pytest.mark.parametrize("email", ["noor@example.com", " NOOR@EXAMPLE.COM "])
def test_known_caller_is_found_in_any_case_and_not_overwritten(tenant: Tenant, email: str) -> None:
    first = call(tenant, CALLER)
    moved = replace(CALLER, email=email, first_name="N.", billing_address=address(city="Gouda"))
    again = call(tenant, moved)
    assert (again.pk, again.email, again.first_name) == (first.pk, "Noor@Example.com", "Noor")
    assert again.last_billing_address == address(city="Gouda")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_name", "N."),
        ("last_name", "Idrissi"),
        ("company", "Stadsmakers BV"),
        ("phone", "+31 10 555 0187"),
        ("customer_type", CustomerType.INDIVIDUAL),
    ],
)
def test_known_caller_is_updated_when_asked(tenant: Tenant, name: str, value: str) -> None:
    before = Customer.objects.values(name, *DETAILS)
    call(tenant, CALLER)
    [was] = before.all()
    call(tenant, replace(CALLER, **{name: value}), update=True)
    assert list(before.all()) == [was | {name: value}]


def test_update_keeps_what_was_left_empty(tenant: Tenant) -> None:
    call(tenant, CALLER)
    changed = replace(CALLER, first_name="N.", company="", phone="", email="NOOR@example.com")
    customer = call(tenant, changed, update=True)
    assert (customer.first_name, customer.company, customer.phone) == (
        "N.",
        "Stadsmakers",
        "+31 6 1234 5678",
    )
    assert customer.email == "Noor@Example.com"


def test_chosen_caller_takes_a_new_email_along_when_asked(tenant: Tenant) -> None:
    known = CustomerFactory(email="old@example.com")
    for update, email in ((False, "old@example.com"), (True, "Noor@Example.com")):
        customer_for_order(tenant=tenant, actor=SYSTEM, caller=CALLER, known=known, update=update)
        assert Customer.objects.get().email == email


def test_update_never_takes_the_email_of_another_customer(tenant: Tenant) -> None:
    """As when two reps give it away at the same time."""
    CustomerFactory(email="noor@example.com")
    known = CustomerFactory(email="old@example.com")
    with pytest.raises(DomainError) as refused:
        customer_for_order(tenant=tenant, actor=SYSTEM, caller=CALLER, known=known, update=True)
    assert [detail.path for detail in refused.value.details] == ["customer.email"]


def test_caller_is_found_by_id_with_another_email(tenant: Tenant) -> None:
    customer = CustomerFactory(email="old@example.com")
    found = find_customer(tenant=tenant, caller=CALLER, customer_id=customer.public_id)
    assert found == customer


def test_unknown_id_is_not_found(tenant: Tenant, other_tenant: Tenant) -> None:
    foreign = CustomerFactory(tenant=other_tenant)
    with pytest.raises(NotFound):
        find_customer(tenant=tenant, caller=CALLER, customer_id=foreign.public_id)


def test_email_of_another_tenant_is_new(tenant: Tenant, other_tenant: Tenant) -> None:
    CustomerFactory(tenant=other_tenant, email="noor@example.com")
    assert find_customer(tenant=tenant, caller=CALLER) is None


def test_only_an_inactive_customer_cannot_order(tenant: Tenant) -> None:
    inactive = CustomerFactory(email="noor@example.com", status="inactive")
    assert [(p.path, p.code) for p in customer_problems(inactive)] == [
        ("customer.email", "VALIDATION_ERROR")
    ]
    assert list(customer_problems(CustomerFactory())) == list(customer_problems(None)) == []


def test_email_is_changed(tenant: Tenant) -> None:
    customer = change_email(customer=CustomerFactory(), email=" New@Example.com ")
    customer.refresh_from_db()
    assert (customer.email, customer.email_key) == ("New@Example.com", "new@example.com")


def test_own_email_is_written_otherwise(tenant: Tenant) -> None:
    customer = CustomerFactory(email="noor@example.com")
    assert change_email(customer=customer, email="Noor@example.com").email == "Noor@example.com"


@pytest.mark.parametrize("email", ["TAKEN@example.com", "no address", "a\u200b@example.com"])
def test_email_that_is_taken_or_none_is_refused(tenant: Tenant, email: str) -> None:
    CustomerFactory(email="taken@example.com")
    customer = CustomerFactory(email="noor@example.com")
    with pytest.raises(DomainError) as refused:
        change_email(customer=customer, email=email)
    assert [(d.path, d.code) for d in refused.value.details] == [
        ("customer.email", "VALIDATION_ERROR")
    ]
    customer.refresh_from_db()
    assert customer.email == "noor@example.com"


def test_email_of_a_customer_elsewhere_is_free(tenant: Tenant, other_tenant: Tenant) -> None:
    CustomerFactory(tenant=other_tenant, email="taken@example.com")
    customer = change_email(customer=CustomerFactory(), email="taken@example.com")
    assert customer.email == "taken@example.com"


def test_record_is_not_updated_by_whom_may_not_change_customers(tenant: Tenant) -> None:
    actor = Actor("user:1", "rep@example.com", frozenset({"orders.add_order"}))
    customer = CustomerFactory(email="noor@example.com")
    with pytest.raises(PermissionRefused):
        customer_for_order(tenant=tenant, actor=actor, caller=CALLER, known=customer, update=True)
    with pytest.raises(PermissionRefused):
        update_customer(
            tenant=tenant,
            actor=actor,
            customer_id=customer.public_id,
            changes={"phone": "1"},
        )
    customer.refresh_from_db()
    assert (customer.phone, customer.last_billing_address) == ("", None)


def test_caller_who_became_inactive_since_they_were_found_is_refused(tenant: Tenant) -> None:
    customer = CustomerFactory(email="noor@example.com")
    Customer.objects.filter(pk=customer.pk).update(status="inactive")
    with pytest.raises(DomainError) as refused:
        customer_for_order(tenant=tenant, actor=SYSTEM, caller=CALLER, known=customer)
    assert [detail.path for detail in refused.value.details] == ["customer.email"]


def test_caller_who_was_inactive_already_keeps_their_order(tenant: Tenant) -> None:
    """A confirmed order may still be corrected."""
    customer = CustomerFactory(email="noor@example.com", status="inactive")
    customer_for_order(tenant=tenant, actor=SYSTEM, caller=CALLER, known=customer)
    assert Customer.objects.get().last_billing_address == address()


def test_update_of_a_customer_of_another_tenant_finds_nobody(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    foreign = CustomerFactory(tenant=other_tenant)
    with pytest.raises(NotFound):
        update_customer(
            tenant=tenant, actor=SYSTEM, customer_id=foreign.public_id, changes={"phone": "1"}
        )


def test_refused_email_leaves_the_other_changes_unsaved(tenant: Tenant) -> None:
    CustomerFactory(email="taken@example.com")
    customer = CustomerFactory()
    changes: Changes = {"phone": "1", "email": "taken@example.com"}
    with pytest.raises(DomainError) as refused:
        update_customer(
            tenant=tenant, actor=SYSTEM, customer_id=customer.public_id, changes=changes
        )
    assert [detail.path for detail in refused.value.details] == ["email"]
    customer.refresh_from_db()
    assert customer.phone == ""
