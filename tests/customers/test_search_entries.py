"""What the search knows of customers: kept by the database, whoever writes."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers.models import Customer, SearchEntry, SearchWord
from customers.services import Arrival, Caller, customers_of_the_past
from portal.models import Tenant
from portal.permissions import Actor
from tests.customers.search import find, matching
from tests.factories import CustomerFactory


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    customer: Customer = CustomerFactory(
        first_name="Zoë",
        last_name="van den Berg",
        company="Café 54",
        email="z.berg7@kroon.example",
        phone="+31 20 123",
    )
    return customer


def tokens(customer: Customer) -> list[str]:
    """The tokens of the customer's entry, as they are stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lexeme FROM customers_searchentry, unnest(words) WHERE customer_id = %s",
            [customer.pk],
        )
        return [lexeme for (lexeme,) in cursor]


def words(customer: Customer) -> set[str]:
    return {token.partition("/")[2] for token in tokens(customer)}


def known_words() -> set[str]:
    unused = SearchWord.objects.filter(unused_since__isnull=True)
    return set(unused.values_list("word", flat=True))


def test_entry_has_what_a_rep_may_remember(customer: Customer) -> None:
    told = "zoe van den berg vandenberg cafe 54 z 7 kroon example 3120123 120123 20123 0123"
    assert words(customer) == {*told.split(), f"={customer.public_id.lower()}"}
    assert known_words() == {word for word in told.split() if word.isalpha()}


@pytest.mark.parametrize("column", ["first_name", "last_name", "company"])
def test_entry_follows_the_record(customer: Customer, column: str) -> None:
    Customer.objects.update(**{column: "RÉNAMED"})
    assert "renamed" in words(customer)
    assert "renamed" in known_words()


def test_nothing_of_before_is_found(customer: Customer) -> None:
    Customer.objects.update(
        last_name="Smit", email="s@x.example", email_key="s@x.example", phone="+32 2 765"
    )
    for text in ("vandenberg", "berg", "brg", "kroon", "020 123", "z.berg7@kroon.example"):
        assert find(text) == []
        assert not matching(text).exists()
    assert {"berg", "vandenberg", "kroon"}.isdisjoint(known_words())
    assert [match.customer for match in find("smit")] == [customer]


@pytest.mark.parametrize("status", ["inactive", "active"])
def test_status_moves_at_once(customer: Customer, status: str) -> None:
    Customer.objects.update(status="inactive")
    Customer.objects.update(status=status)
    lead = f"{customer.tenant_id}.{'0' if status == 'active' else '9'}"
    assert {token.partition("/")[0] for token in tokens(customer)} == {lead}


def test_entry_goes_with_its_customer(customer: Customer) -> None:
    customer.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not SearchEntry.objects.exists()
    assert known_words() == set()


def test_entries_come_with_rows_that_are_written_together(tenant: Tenant) -> None:
    actor = Actor.system("test")
    callers = [
        Caller(f"a{n}@x.example", "Anna", f"Name{'abc'[n]}", "", "", "individual", {}, {})
        for n in range(3)
    ]
    arrivals = [Arrival(caller, timezone.now()) for caller in callers]
    customers_of_the_past(tenant=tenant, actor=actor, arrivals=arrivals)
    assert {"anna", "namea", "nameb", "namec"} <= known_words()
    assert SearchWord.objects.filter(word="anna").count() == 1


def test_address_of_an_order_does_not_touch_the_entry(customer: Customer) -> None:
    def version() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid, xmin FROM customers_searchentry")
            return cursor.fetchall()

    before = version()
    with transaction.atomic():
        Customer.objects.update(last_billing_address={"city": "Delft"}, updated_at=timezone.now())
        customer.refresh_from_db()
        customer.save()
    assert version() == before


def test_word_of_another_tenant_is_no_hint(customer: Customer, other_tenant: Tenant) -> None:
    CustomerFactory(tenant=other_tenant, last_name="Idrissi")
    assert find("idrisi") == []
    assert "idrissi" not in known_words()


def test_word_that_comes_back_is_known_again(customer: Customer) -> None:
    Customer.objects.update(last_name="Smit")
    CustomerFactory(last_name="van den Berg")
    assert {"vandenberg", "smit"} <= known_words()
