"""The search for customers against its rules, worked out by hand, for what one might type."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Customer
from portal.models import Tenant
from tests.customers.by_hand import has, is_looked_for, mistyped, questions
from tests.customers.search import find, matching
from tests.factories import CustomerFactory

LIMIT = 8
FIRST = ["Sanne", "Daan", "Fatima", "Zoë", "Jürgen", "Bjørn", "Mila", "Anna-Sophie", "Élodie"]
LAST = ["Bakker", "Jansen", "Janssen", "van den Berg", "el Idrissi", "Müller", "de Vries", "Yilmaz"]
COMPANIES = ["", "Zorggroep Oost", "Bakkerij 't Stoepje", "Studio 54", "Café De Kroon B.V.", "3M"]
CROWD = """
    INSERT INTO customers_customer (tenant_id, public_id, email, email_key, first_name, last_name,
        company, phone, customer_type, status, created_at, updated_at, created_by)
    SELECT %s, name, name || '@xq.xq', name || '@xq.xq', 'Xq', 'Xq', '', '', 'individual', 'active',
        %s, %s, 'test'
    FROM generate_series(1, 2001) AS n, translate(n::text, '0123456789', 'абвгдежзик') AS name
"""


@pytest.fixture(params=[False, True], ids=["few", "many"])
def is_crowded(request: pytest.FixtureRequest, tenant: Tenant) -> bool:
    """Whether two thousand others changed later, so that nobody is among the latest."""
    if request.param:
        later = timezone.now() + timedelta(days=1)
        with connection.cursor() as cursor:
            cursor.execute(CROWD, [tenant.pk, later, later])
    return bool(request.param)


@pytest.fixture
def people(tenant: Tenant) -> list[Customer]:
    """Three hundred who share names, companies and the beginnings of their numbers."""
    chance = random.Random(5)
    built = []
    for number in range(300):
        first, last, company = (chance.choice(each) for each in (FIRST, LAST, COMPANIES))
        name = f"{first[0]}.{last.replace(' ', '')}".lower()
        domain = "gmail.example" if not company else "work.example"
        built.append(
            CustomerFactory.build(
                tenant=tenant,
                first_name=first,
                last_name=last,
                company=company,
                email=f"{name}{number * 37}@{domain}",
                phone=f"+31 {10 + number % 60} {chance.randint(1000000, 9999999)}",
                status="inactive" if number % 9 == 4 else "active",
            )
        )
    return Customer.objects.bulk_create(built)


def test_search_finds_who_matches_and_nobody_else(people: list[Customer], is_crowded: bool) -> None:
    problems = {}
    for text in questions(people, 120, random.Random(2)):
        words = text.split()
        allowed = {each.pk for each in people if all(has(each, word) for word in words)}
        expected = {
            each.pk
            for each in people
            if each.pk in allowed
            and (
                (each.status == "active" and not is_crowded)
                or all(is_looked_for(each, word) for word in words)
            )
        }
        found = [match.customer for match in find(text, LIMIT) if not match.resembles]
        listed = set(matching(text).values_list("pk", flat=True))
        active = [each.status == "active" for each in found]
        if (
            not {each.pk for each in found} <= allowed
            or len(found) < min(LIMIT, len(expected))
            or active != sorted(active, reverse=True)
            or not expected <= listed <= allowed
        ):
            problems[text] = (expected, allowed, found, listed)
    assert problems == {}


def test_slip_of_the_finger_finds_who_is_meant(people: list[Customer], is_crowded: bool) -> None:
    chance = random.Random(3)
    for customer in people[20:80]:
        word = chance.choice([w for w in customer.last_name.split() if len(w) > 3])
        text = f"{mistyped(word, chance)} {customer.email.partition('.')[2].partition('@')[0]}"
        assert customer in [match.customer for match in find(text, LIMIT)], text


@pytest.mark.parametrize(
    ("company", "text"),
    [
        ("24/7 Media", "24/7 Media"),
        ("24/7 Media", "media 24/7"),
        ("24/7 Media", "24 7 media"),
        ("0800 Repair", "0800 Repair"),
        ("0800 Repair", "080"),
        ("24/7/365 Support", "24/7/3"),
        ("0800 1234 Repair", "repair 0800 12"),
        ("0800 1234 Repair", f"{'(' * 301}1234567"),
        ("Smit & Zoon", "smit & zoon"),
        ("100% Groen", "100% groen"),
        ("100 % Groen", "100 % groen"),
    ],
)
def test_signs_and_numbers_of_a_name_are_found_as_written(
    is_crowded: bool, tenant: Tenant, company: str, text: str
) -> None:
    customer = CustomerFactory(tenant=tenant, company=company, phone="+31 20 123 4567")
    assert [match.customer for match in find(text, LIMIT)] == [customer]
    assert list(matching(text)) == [customer]


def test_sign_alone_is_looked_for_in_names(is_crowded: bool, tenant: Tenant) -> None:
    customer = CustomerFactory(tenant=tenant, company="Smit & Zoon")
    assert list(matching("&")) == [customer]
