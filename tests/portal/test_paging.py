"""Keyset paging: `portal.paging.newest_first`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from customers.models import Customer
from portal.models import Tenant
from portal.paging import newest_first
from tests.factories import CustomerFactory

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def customers(tenant: Tenant) -> list[Customer]:
    """Newest first; the middle three were made at the same moment."""
    minutes = [0, 1, 1, 1, 2]
    return [CustomerFactory(created_at=AT + timedelta(minutes=m)) for m in minutes][::-1]


def test_pages_walk_through_all_rows_and_back(customers: list[Customer]) -> None:
    first = newest_first(Customer.objects.all(), size=2)
    second = newest_first(Customer.objects.all(), first.older, size=2)
    third = newest_first(Customer.objects.all(), second.older, size=2)
    back = newest_first(Customer.objects.all(), third.newer, size=2)

    assert first.rows + second.rows + third.rows == customers
    assert [bool(page.newer) for page in (first, second, third)] == [False, True, True]
    assert [bool(page.older) for page in (first, second, third)] == [True, True, False]
    assert back.rows == second.rows
    assert newest_first(Customer.objects.all(), back.newer, size=2) == first


def test_row_added_meanwhile_shifts_nothing(customers: list[Customer]) -> None:
    first = newest_first(Customer.objects.all(), size=2)
    CustomerFactory(created_at=AT + timedelta(hours=1))

    assert newest_first(Customer.objects.all(), first.older, size=2).rows == customers[2:4]


def test_pages_go_on_where_a_row_is_gone(customers: list[Customer]) -> None:
    """With those made at the same moment again, rather than without some of them."""
    second = newest_first(Customer.objects.all(), size=2)
    third = newest_first(Customer.objects.all(), second.older, size=2)
    customers[1].delete()
    customers[2].delete()

    assert newest_first(Customer.objects.all(), second.older).rows == customers[3:]
    assert newest_first(Customer.objects.all(), third.newer).rows == [customers[0], customers[3]]


def test_cursor_tells_no_key(customers: list[Customer]) -> None:
    older = newest_first(Customer.objects.all(), size=2).older
    told = urlsafe_b64decode(older + "=" * (-len(older) % 4)).decode()
    assert told.split(".")[2] == customers[1].public_id


def test_page_without_rows_has_no_neighbours(tenant: Tenant) -> None:
    page = newest_first(Customer.objects.all())

    assert (page.rows, page.newer, page.older) == ([], "", "")


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "\0",
        "A" * 5000,
        _encoded("o.x.2"),
        _encoded("z.1.2"),
        _encoded("o.1"),
        _encoded("o.1.\0"),
        _encoded(f"o.{10**30}.1"),
        _encoded(f"n.-{10**20}.1"),
    ],
)
def test_cursor_that_says_nothing_is_the_first_page(customers: list[Customer], cursor: str) -> None:
    assert newest_first(Customer.objects.all(), cursor, size=2).rows == customers[:2]
