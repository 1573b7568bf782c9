"""A newcomer who is known already is noticed, and strangers are left alone."""

from typing import Any

import pytest
from django.db import connection

from customers.lookalikes import (
    Newcomer,
    company_name,
    email_slip,
    find_lookalikes,
    is_public,
    is_same_phone,
)
from customers.models import Customer
from portal.models import Tenant
from tests.factories import CustomerFactory

LETTER, SWAPPED, DOTS = (
    "e-mail differs in one letter",
    "e-mail has two letters swapped",
    "e-mail differs in dots or dashes",
)


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("jan.de.vries@kpn.example", "jan.devries@kpn.example", DOTS),
        ("jandevries@kpn.example", "jan-de.vries@kpn.example", DOTS),
        ("jo.e@kpn.example", "joe@kpn.example", DOTS),
        ("fatima@gmail.com", "fatma@gmail.com", LETTER),
        ("fatima@gmail.com", "fatimaa@gmail.com", LETTER),
        ("fatima@gmail.com", "fatina@gmail.com", LETTER),
        ("fatima@gmail.com", "faitma@gmail.com", SWAPPED),
        ("jan@gmial.com", "jan@gmail.com", "e-mail at gmail.com, not gmial.com"),
        ("jan@gmial.con", "jan@gmail.com", "e-mail at gmail.com, not gmial.con"),
        ("jan@hotmial.com", "jan@hotmail.com", "e-mail at hotmail.com, not hotmial.com"),
        ("jan@gmail.com", "jan@gmial.com", SWAPPED),
        ("info@bakkerij-jansn.nl", "info@bakkerij-jansen.nl", LETTER),
        # The same, or somebody else.
        ("jan@gmail.com", "jan@gmail.com", ""),
        ("jan@gmail.com", "jon@gmail.com", ""),
        ("jan@gmail.com", "jan@hotmail.com", ""),
        ("anna82@gmail.com", "anna83@gmail.com", ""),
        ("jansen1978@gmail.com", "jansen1987@gmail.com", ""),
        ("info@abc.nl", "info@abd.nl", ""),
        ("fatima@gmail.com", "fatima.el@gmail.com", ""),
        ("fatima@gmail.com", "fatma@hotmail.com", ""),
    ],
)
def test_slips_in_an_email_are_told_from_other_people(one: str, other: str, slip: str) -> None:
    assert email_slip(one, other) == slip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+31 20 123 45 67", "020-1234567", True),
        ("0031201234567", "+31 (0)20 123 45 67", True),
        ("+1 (212) 555-0123", "212 555 0123", True),
        ("02 123 45 67", "+32 2 123 45 67", True),
        ("06 12345678", "0612345678", True),
        ("020 1234567", "010 1234567", False),
        ("+31 6 12345678", "+32 6 12345678", False),
        ("1234567", "020 1234567", False),
        ("", "", False),
        ("none", "none", False),
    ],
)
def test_phones_are_compared_without_country_code(one: str, other: str, same: bool) -> None:
    assert is_same_phone(one, other) is is_same_phone(other, one) is same


@pytest.mark.parametrize(
    ("domain", "public"),
    [
        ("gmail.com", True),
        ("yahoo.co.uk", True),
        ("hotmail.nl", True),
        ("ziggo.nl", True),
        ("bakkerij-jansen.nl", False),
        ("live.bakkerij-jansen.nl", False),
        ("gmail.bakker.example", False),
    ],
)
def test_providers_are_told_from_companies(domain: str, public: bool) -> None:
    assert is_public(domain) is public


@pytest.mark.parametrize(
    ("company", "name"),
    [
        ("Café De Kroon B.V.", "cafedekroon"),
        ("cafe de kroon bv", "cafedekroon"),
        ("Café-De-Kroon", "cafedekroon"),
        ("Kroon V.O.F.", "kroon"),
        ("BV", "bv"),
        ("Müller GmbH", "muller"),
        ("株式会社", "株式会社"),
        ("…", ""),
    ],
)
def test_company_is_compared_without_its_legal_form(company: str, name: str) -> None:
    assert company_name(company) == name


def _told(newcomer: Newcomer) -> list[tuple[str, list[str]]]:
    return [(each.customer.email, each.reasons) for each in find_lookalikes(newcomer)]


@pytest.fixture
def jansen(tenant: Tenant) -> object:
    return CustomerFactory(
        email="jan.de.vries@bakkerij-jansen.nl",
        company="Bakkerij Jansen B.V.",
        phone="+31 20 123 45 67",
    )


@pytest.mark.parametrize(
    ("newcomer", "reasons"),
    [
        (
            Newcomer.of("jan.devries@bakkerij-jansen.nl"),
            [DOTS, "same domain bakkerij-jansen.nl"],
        ),
        (Newcomer.of("jan.de.vries@bakkerij-jansne.nl"), [SWAPPED]),
        (Newcomer.of("piet@bakkerij-jansen.nl"), ["same domain bakkerij-jansen.nl"]),
        (Newcomer.of("piet@gmail.com", phone="020 1234567"), ["same phone"]),
        (Newcomer.of("piet@gmail.com", company="bakkerij jansen"), ["same company name"]),
        (Newcomer.of("piet@gmail.com", company="Bakkerij-Jansen BV"), ["same company name"]),
        (
            Newcomer.of("piet@gmail.com", "0201234567", "Bakkerij Jansen"),
            ["same phone", "same company name"],
        ),
        (Newcomer.of("piet@gmail.com", "", "Bakkerij Jansen Zonen"), None),
        (Newcomer.of("piet@gmail.com", "010 1234567", "Jansen"), None),
        (Newcomer.of("piet@jansen.nl", "12", "B."), None),
        (Newcomer.of(f"{'x' * 64}@{'y' * 63}.example"), None),
        (Newcomer.of("piet@gmail.com", "\0\ud800", "\0\ud800 a"), None),
        (Newcomer.of("piet@gmail.com", "9" * 10_000, "z" * 10_000), None),
    ],
)
def test_known_customer_is_pointed_out_with_the_reason(
    jansen: object, newcomer: Newcomer, reasons: list[str] | None
) -> None:
    CustomerFactory(email="stranger@gmail.com", company="Kroon", phone="+31 30 765 43 21")
    expected = [] if reasons is None else [("jan.de.vries@bakkerij-jansen.nl", reasons)]
    assert _told(newcomer) == expected


@pytest.mark.parametrize("email", ["", "jan", "jan@", "a\0@example.com", "a b@example.com"])
def test_nobody_is_like_who_has_no_email(email: str) -> None:
    with pytest.raises(ValueError, match=r"name@example\.com|cannot be seen"):
        Newcomer.of(email)


def test_what_says_too_little_is_not_compared() -> None:
    assert Newcomer.of(" Jan@Acme.NL ", "020 12", "B.") == Newcomer("jan@acme.nl")
    assert Newcomer.of("jan@acme.nl", "020 1234567", "Acme B.V.") == Newcomer(
        "jan@acme.nl", "201234567", "acme"
    )


def test_strongest_reason_comes_first_and_four_are_enough(tenant: Tenant) -> None:
    for number in range(6):
        CustomerFactory(email=f"colleague{number}@acme.nl")
    CustomerFactory(email="other@gmail.com", phone="020 1234567")
    CustomerFactory(email="sandra@acme.nl", status="inactive")

    told = _told(Newcomer.of("sandar@acme.nl", "+31201234567"))
    assert [email for email, _ in told][:2] == ["sandra@acme.nl", "other@gmail.com"]
    assert len(told) == 4


def test_people_of_one_provider_do_not_know_each_other(tenant: Tenant) -> None:
    CustomerFactory(email="sandra@gmail.com")
    assert _told(Newcomer.of("pieter@gmail.com")) == []


def test_customers_of_another_tenant_are_not_told(tenant: Tenant, other_tenant: Tenant) -> None:
    CustomerFactory(tenant=other_tenant, email="sandra@acme.nl", phone="020 1234567")
    assert _told(Newcomer.of("sandra@acme.nl", "020 1234567")) == []


@pytest.mark.parametrize("colleagues", [1, 12])
def test_look_alikes_take_one_query_and_an_index_for_each_reason(
    tenant: Tenant, django_assert_num_queries: Any, colleagues: int
) -> None:
    for number in range(colleagues):
        CustomerFactory(email=f"colleague{number}@acme.nl", company="Acme", phone="020 1234567")
    # So many others that the planner has not to choose among indexes of a single page.
    Customer.objects.bulk_create(
        CustomerFactory.build(
            tenant=tenant,
            email=f"a@d{number}.example",
            company=f"Company {number}",
            phone=f"030 {number:07}",
        )
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        # Without statistics a tenant's rows seem few, and any index of the tenant as good as these.
        for of_a_list in ("newest", "by_first_name", "by_last_name", "updated"):
            cursor.execute(f"DROP INDEX customer_{of_a_list}")
    with django_assert_num_queries(1) as asked:
        find_lookalikes(Newcomer.of("sandra@acme.nl", "020 1234567", "Acme"))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked.captured_queries[0]['sql']}")
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan
    for index in ("email_domain", "phone_digits", "company_bare"):
        assert f"customer_{index} " in plan
