"""Finding customers by what a rep half remembers."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from customers.models import Customer
from customers.search import marked
from portal.models import Tenant
from tests.customers.search import find, matching
from tests.factories import CustomerFactory


@pytest.fixture
def jansen(tenant: Tenant) -> object:
    return CustomerFactory(
        first_name="Zoë",
        last_name="Jansen",
        company="Café De Kroon",
        email="zoe@kroon.example",
        phone="+31 20 123 45 67",
    )


@pytest.fixture
def people(jansen: Customer) -> None:
    """Five who are easily taken for one another, and Jansen."""
    for first, last, company, email, phone in (
        ("Fatima", "el Idrissi", "Utrecht Fietsen", "f.elidrissi@fietsen.example", "06-12345678"),
        ("Piet", "Bakker", "Bakkerij 't Stoepje", "info@stoepje.example", "+32 2 123 45 67"),
        ("Jürgen", "Müller", "", "jm@example.org", "+49 (0)89 5550 1420"),
        ("Anna", "van den Berg", "Studio 54", "anna@studio54.example", "+1 212 555 0123"),
        ("Ruben", "de Vries", "", "ruben@example.net", ""),
    ):
        CustomerFactory(first_name=first, last_name=last, company=company, email=email, phone=phone)


def _found(text: str, limit: int = 8) -> list[Customer]:
    return [match.customer for match in find(text, limit)]


@pytest.mark.parametrize(
    "text",
    [
        "jansen",
        "JANSEN zoe",
        "kroon cafe",
        "zoe@kroon.example",
        "ZOE@KROON.EXAMPLE",
        "020 1234567",
        "+31201234567",
        "0031 20 123 45 67",
        "(020) 123-45-67",
        "020 12",
        "jan kro",
        "ansen",
        "jansen 020 123",
    ],
)
def test_customer_is_found_by_words_in_any_order(jansen: object, text: str) -> None:
    CustomerFactory(first_name="Piet", last_name="Bakker")

    assert list(matching(text)) == [jansen]
    assert _found(text) == [jansen]


@pytest.mark.parametrize("text", ["jansn", "jansne", "jnasen", "jansen zoee", "jamsen kroon"])
def test_typo_finds_similar_customer(jansen: object, text: str) -> None:
    CustomerFactory(first_name="Piet", last_name="Bakker")

    assert _found(text) == [jansen]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("fatima elidrisi", "Fatima"),
        ("elidrissi", "Fatima"),
        ("idrisi fatma", "Fatima"),
        ("utrecht ftaima", "Fatima"),
        ("fietsn", "Fatima"),
        ("f.elidrisi@fietsen.example", "Fatima"),
        ("+31612345678", "Fatima"),
        ("+31 6 1234 5678", "Fatima"),
        ("0612345678", "Fatima"),
        ("12345678", "Fatima"),
        ("bakr", "Piet"),
        ("stoepje bakkre", "Piet"),
        ("stoepje", "Piet"),
        ("02 123 45 67", "Piet"),
        ("muller", "Jürgen"),
        ("MÜLLER", "Jürgen"),
        ("mulelr", "Jürgen"),
        ("089 55501420", "Jürgen"),
        ("+49895550 1420", "Jürgen"),
        ("anna vandenberg", "Anna"),
        ("studio 54", "Anna"),
        ("212-555-0123", "Anna"),
        ("(212) 555 0123", "Anna"),
        ("+1 2125550123", "Anna"),
        ("de vrise", "Ruben"),
        ("ruben@exmaple.net", "Ruben"),
        ("rubn@example.net", "Ruben"),
    ],
)
def test_who_is_meant_comes_first(people: None, text: str, first: str) -> None:
    assert _found(text)[0].first_name == first


@pytest.mark.parametrize("text", ["", " ", "j", "xyzzy", "\0", "%%", "__", "9999999", "zoe bakr"])
def test_nothing_is_found_for_what_says_nothing(people: None, text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize("text", ["x" * 10_000, "9" * 10_000, "\ud800", "il " * 5000, "+" * 99])
def test_endless_and_broken_text_is_no_error(people: None, text: str) -> None:
    assert find(text) == []


def test_look_alikes_follow_who_matches_as_typed(tenant: Tenant) -> None:
    alike = [CustomerFactory(last_name=name) for name in ("Janssen", "Janssens")]
    exact = CustomerFactory(last_name="Jansen")

    found = find("jansen")
    assert [(match.customer, match.resembles) for match in found] == [
        (exact, False),
        (alike[0], True),
        (alike[1], True),
    ]


def test_known_email_needs_no_look_alikes(tenant: Tenant) -> None:
    known = CustomerFactory(email="noor@example.com")
    CustomerFactory(email="noortje@example.com")

    assert _found("noor@example.com") == [known]


def test_half_an_email_that_is_known_needs_no_look_alikes(tenant: Tenant) -> None:
    known = CustomerFactory(email="noor.jansen@example.com")
    alike = CustomerFactory(email="noor.jensen@example.com")

    assert _found("noor.jansen") == [known]
    assert set(_found("noor.jnsen")) == {known, alike}


def test_exact_email_comes_first_and_inactive_last(tenant: Tenant) -> None:
    inactive = CustomerFactory(email="a.ann@shop.example", last_name="Aa", status="inactive")
    longer = CustomerFactory(email="joann@shop.example", last_name="Bb")
    exact = CustomerFactory(email="ann@shop.example", last_name="Cc")

    assert _found("ann@shop.example") == [exact, longer, inactive]


def test_limit_bounds_the_answer(tenant: Tenant) -> None:
    for _ in range(4):
        CustomerFactory(last_name="Jansen")

    assert len(find("jansen", 3)) == 3
    assert len(find("jansne", 3)) == 3


@pytest.mark.parametrize("more", [1, 9])
def test_search_takes_the_same_queries_for_any_number_of_customers(
    tenant: Tenant, django_assert_num_queries: Any, more: int
) -> None:
    for _ in range(more):
        CustomerFactory(last_name="Jansen")
    with django_assert_num_queries(1):
        find("jansne")


def test_customers_of_another_tenant_are_not_found(jansen: object, other_tenant: Tenant) -> None:
    CustomerFactory(tenant=other_tenant, last_name="Jansen")

    assert _found("jansen") == _found("jansne") == [jansen]


@pytest.mark.parametrize(
    ("value", "typed", "hits"),
    [
        ("Zoë Jansen", "jan", ["Jan"]),
        ("Zoë Jansen", "ZOE sen", ["Zoë", "sen"]),
        ("+31 20 123 45 67", "020 1234", ["20 123 4"]),
        ("Studio 54", "studio 54", ["Studio", "54"]),
        ("İstanbul Straße", "strasse", []),
        ("a.b@x.example", ".b@", [".b@"]),
        ("Jansen", "", []),
    ],
)
def test_what_was_typed_is_marked(value: str, typed: str, hits: list[str]) -> None:
    pieces = marked(value, typed)
    assert "".join(piece for piece, _ in pieces) == value
    assert [piece for piece, is_hit in pieces if is_hit] == hits


def test_whole_words_come_before_parts_and_the_latest_first(tenant: Tenant) -> None:
    part = CustomerFactory(first_name="Janneke", last_name="Bakker")
    whole = [CustomerFactory(first_name="Jan", last_name="Bakker") for _ in range(3)]
    Customer.objects.filter(pk=whole[1].pk).update(updated_at=timezone.now() + timedelta(days=1))

    assert _found("jan bakker") == [whole[1], whole[2], whole[0], part]


@pytest.mark.parametrize("text", ["ann@shop.example", "n@shop.example", "ann@sh"])
def test_part_of_an_email_is_found_at_once(tenant: Tenant, text: str) -> None:
    customer = CustomerFactory(email="joann@shop.example")
    assert _found(text) == [customer]


@pytest.mark.parametrize("sign", ["-", "& ", "/ ", "( ", "' ", "– ", "@ ", "# 12 ", "\U0001f5a5 "])
def test_sign_in_front_is_no_error(tenant: Tenant, sign: str) -> None:
    CustomerFactory(first_name="Jan", last_name="Bakker")
    find(f"{sign} jan")
    assert list(matching(f"{sign} nobody")) == []
