"""Words that nobody has any more are forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.forgetting import PARTS, forget_words
from customers.models import Customer, SearchWord
from portal.models import Tenant
from tests.customers.test_search_entries import known_words
from tests.factories import CustomerFactory


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    customer: Customer = CustomerFactory(last_name="van den Berg", email="z.berg7@kroon.example")
    return customer


def test_word_is_deleted_a_day_after_nobody_has_it(customer: Customer) -> None:
    CustomerFactory(last_name="Kroon", email="k@x.example")
    customer.delete()
    assert forget_words() == 0
    SearchWord.objects.filter(unused_since__isnull=False).update(
        unused_since=timezone.now() - timedelta(days=2)
    )
    assert forget_words() > 0
    assert "kroon" in known_words()
    assert not SearchWord.objects.filter(word="vandenberg").exists()


def test_word_that_somebody_brought_back_meanwhile_stays(customer: Customer) -> None:
    SearchWord.objects.update(unused_since=timezone.now() - timedelta(days=2))
    assert forget_words() == 0
    assert "berg" in known_words()


def test_word_that_its_last_customers_lost_together_is_forgotten(customer: Customer) -> None:
    left = SearchWord.objects.create(tenant=customer.tenant, word="lonesome")
    for _ in range(PARTS):
        assert forget_words() == 0
    assert "lonesome" not in known_words()
    assert "berg" in known_words()
    SearchWord.objects.filter(pk=left.pk).update(unused_since=timezone.now() - timedelta(days=2))
    assert forget_words() == 1


def test_word_that_returns_is_there_once(customer: Customer) -> None:
    Customer.objects.update(last_name="Smit")
    Customer.objects.update(last_name="van den Berg")
    forget_words()
    assert SearchWord.objects.filter(word="vandenberg", unused_since=None).count() == 1
    SearchWord.objects.filter(word="vandenberg").update(unused_since=timezone.now())
    forget_words()
    assert SearchWord.objects.filter(word="vandenberg", unused_since=None).count() == 1
