"""What the new-order page says of who is calling, and how the record fills the form."""

import json
from typing import Any

import pytest

from orders.card import CustomerCard, known_customer
from orders.typed import Typed
from portal.models import Tenant
from tests.factories import CustomerFactory, address

NOOR = {
    "customer-email": "noor@example.com",
    "customer-first_name": "Noor",
    "customer-last_name": "el Idrissi",
}


def card(tenant: Tenant, **fields: str) -> CustomerCard:
    typed = Typed.from_payload({"fields": fields})
    return CustomerCard(known_customer(tenant, typed), typed)


@pytest.fixture
def noor(tenant: Tenant) -> Any:
    return CustomerFactory(
        email="noor@example.com",
        company="Stadsmakers",
        phone="+31 6 1234 5678",
        last_billing_address=address(),
    )


def test_card_of_nobody_says_nothing(tenant: Tenant) -> None:
    nobody = card(tenant)
    assert (nobody.customer, nobody.is_new_customer, nobody.is_chosen) == (None, False, False)
    assert (nobody.differences, nobody.record, nobody.newcomer) == ([], "", "")


def test_new_customer_is_described_by_what_tells_who_they_are(tenant: Tenant) -> None:
    new = {"customer-email": " Piet@Acme.nl", "customer-phone": "020 1", "customer-company": "A"}
    assert card(tenant, **new).newcomer == "email=piet%40acme.nl"
    new |= {"customer-phone": "020 1234567", "customer-company": "Acme B.V."}
    assert card(tenant, **new).newcomer == "email=piet%40acme.nl&phone=201234567&company=acme"
    new |= {"billing-city": "Gouda"}
    assert card(tenant, **new).newcomer.endswith("&addressed=on")


@pytest.mark.parametrize(
    ("name", "typed", "difference"),
    [
        ("first_name", "Nora", ("First name", "Noor", "Nora")),
        ("company", "Acme", ("Company", "Stadsmakers", "Acme")),
        ("customer_type", "business", ("Customer type", "Individual", "Business")),
        ("phone", "", None),
        ("last_name", " el Idrissi ", None),
        ("email", "NOOR@example.com", None),
    ],
)
def test_differences_are_what_an_update_would_write(
    tenant: Tenant, noor: Any, name: str, typed: str, difference: tuple[str, ...] | None
) -> None:
    found = card(tenant, **NOOR | {f"customer-{name}": typed}).differences
    assert [(each.label, each.record, each.typed) for each in found] == (
        [difference] if difference else []
    )


def test_other_email_of_a_chosen_customer_is_a_difference(tenant: Tenant, noor: Any) -> None:
    fields = NOOR | {"customer-email": "n@new.example", "customer_id": noor.public_id}
    [difference] = card(tenant, **fields).differences
    assert (difference.record, difference.typed) == ("noor@example.com", "n@new.example")
    assert card(tenant, **fields | {"customer-email": "n@"}).differences == []


def test_record_fills_addresses_only_while_nothing_else_was_typed(
    tenant: Tenant, noor: Any
) -> None:
    email = {"customer-email": "noor@example.com"}
    blank = card(tenant, **email)
    assert (blank.is_blank, blank.differences) == (True, [])
    assert json.loads(blank.record)["billing-city"] == "Rotterdam"
    for fields in (email | {"billing-city": "Delft"}, NOOR):
        filled = json.loads(card(tenant, **fields).record)
        assert filled["customer-company"] == "Stadsmakers"
        assert not [name for name in filled if name.startswith("billing-")]
