"""Finding customers by what a rep half remembers."""

import pytest

from customers.search import find_customers, matching_customers
from portal.models import Tenant
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
        "(020) 123-45-67",
        "jan kro",
    ],
)
def test_customer_is_found_by_words_in_any_order(jansen: object, text: str) -> None:
    CustomerFactory(first_name="Piet", last_name="Bakker")

    assert list(matching_customers(text)) == [jansen]
    assert find_customers(text) == [jansen]


@pytest.mark.parametrize("text", ["jansn", "jansne", "jansen zoee"])
def test_typo_finds_similar_customer(jansen: object, text: str) -> None:
    CustomerFactory(first_name="Piet", last_name="Bakker")

    assert find_customers(text) == [jansen]


@pytest.mark.parametrize("text", ["", " ", "j", "xyzzy", "\0", "%%", "__", "9999999"])
def test_nothing_is_found_for_what_says_nothing(jansen: object, text: str) -> None:
    assert find_customers(text) == []


def test_exact_email_comes_first_and_inactive_last(tenant: Tenant) -> None:
    inactive = CustomerFactory(email="a.ann@shop.example", last_name="Aa", status="inactive")
    longer = CustomerFactory(email="joann@shop.example", last_name="Bb")
    exact = CustomerFactory(email="ann@shop.example", last_name="Cc")

    assert find_customers("ann@shop.example") == [exact, longer, inactive]


def test_limit_bounds_the_answer(tenant: Tenant) -> None:
    for _ in range(4):
        CustomerFactory(last_name="Jansen")

    assert len(find_customers("jansen", 3)) == 3


def test_customers_of_another_tenant_are_not_found(jansen: object, other_tenant: Tenant) -> None:
    CustomerFactory(tenant=other_tenant, last_name="Jansen")

    assert find_customers("jansen") == [jansen]
