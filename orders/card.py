"""What is known of who is calling, beside what was typed about them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2s
from urllib.parse import urlencode

from customers.lookalikes import Newcomer
from customers.models import Customer, CustomerType
from orders.typed import Typed, customer_fields, record_fields
from portal.models import Tenant, User
from portal.rows import one_or_none
from portal.text import normalize_email

RECORD_LABELS = {
    "email": "E-mail",
    "first_name": "First name",
    "last_name": "Last name",
    "company": "Company",
    "phone": "Phone",
    "customer_type": "Customer type",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A detail that was typed otherwise than the customer's record has it."""

    label: str
    record: str
    typed: str


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """Who is calling, as far as it is known: `customer`, or None for a new one or nobody yet."""

    customer: Customer | None
    typed: Typed

    @property
    def is_chosen(self) -> bool:
        """Whether the customer was chosen and calls with another e-mail than the record has."""
        return self.customer is not None and self.customer.email_key != email_key(self.typed)

    @property
    def is_new_customer(self) -> bool:
        return self.customer is None and bool(email_key(self.typed))

    @property
    def is_blank(self) -> bool:
        """Whether nothing but the e-mail was typed about a known customer."""
        return self.customer is not None and not any(
            _text(self.typed, name) for name in ("first_name", "last_name", "company", "phone")
        )

    @property
    def differences(self) -> Sequence[Difference]:
        """What the record would take over: never what was left empty, which says nothing."""
        if self.customer is None or self.is_blank:
            return []
        record = record_fields(self.customer)
        pairs = {
            name: (record[f"customer-{name}"], _text(self.typed, name)) for name in RECORD_LABELS
        }
        if not self.is_chosen or not email_key(self.typed):
            del pairs["email"]
        return [
            Difference(RECORD_LABELS[name], _shown(name, known), _shown(name, typed))
            for name, (known, typed) in pairs.items()
            if typed and typed != known
        ]

    @property
    def record(self) -> str:
        """The fields that "Use the record" fills, as JSON: with the last addresses as long as
        neither a detail nor an address was typed."""
        if self.customer is None:
            return ""
        whole = self.is_blank and not _is_addressed(self.typed)
        fields = customer_fields(self.customer) if whole else record_fields(self.customer)
        return json.dumps(fields)

    @property
    def newcomer(self) -> str:
        """A new customer, as the query that looks for known ones who are like them; or empty."""
        if not self.is_new_customer:
            return ""
        newcomer = Newcomer.of(*(_text(self.typed, name) for name in ("email", "phone", "company")))
        query: Mapping[str, str] = asdict(newcomer) | {
            "addressed": "on" if _is_addressed(self.typed) else ""
        }
        return urlencode({name: value for name, value in query.items() if value})

    @property
    def newcomer_id(self) -> str:
        """The same for the same query, so that it is asked once."""
        return blake2s(self.newcomer.encode(), digest_size=8).hexdigest()


def card_for(user: User, tenant: Tenant, typed: Typed) -> CustomerCard:
    """What is known of who is calling; to who may not see customers nothing at all is told."""
    if not user.has_perm("customers.view_customer"):
        return CustomerCard(None, Typed({}, []))
    return CustomerCard(known_customer(tenant, typed), typed)


def known_customer(tenant: Tenant, typed: Typed) -> Customer | None:
    """Whose e-mail this is, or else the one who was chosen and calls with another e-mail."""
    chosen = typed.fields.get("customer_id", "").replace("\0", "")
    return _found(tenant, email_key=email_key(typed)) or _found(tenant, public_id=chosen)


def _found(tenant: Tenant, **unique: str) -> Customer | None:
    if not all(unique.values()):
        return None
    return one_or_none(Customer.objects.filter(tenant=tenant, **unique))


def email_key(typed: Typed) -> str:
    """The e-mail as it is unique, or "" while it is none yet."""
    try:
        return normalize_email(typed.fields.get("customer-email", ""))
    except ValueError:
        return ""


def _text(typed: Typed, name: str) -> str:
    return typed.fields.get(f"customer-{name}", "").strip()


def _shown(name: str, value: str) -> str:
    return dict(CustomerType.choices).get(value, value) if name == "customer_type" else value


def _is_addressed(typed: Typed) -> bool:
    return any(value.strip() for name, value in typed.fields.items() if name.startswith("billing-"))


def same_caller(typed: Typed, before: Typed) -> bool:
    """Whether a card of what was typed shows what it showed before."""
    return _about(typed) == _about(before)


def _about(typed: Typed) -> tuple[dict[str, str], str, bool]:
    """What of the form a card depends on."""
    details = {name: _text(typed, name) for name in RECORD_LABELS}
    return details, typed.fields.get("customer_id", ""), _is_addressed(typed)
