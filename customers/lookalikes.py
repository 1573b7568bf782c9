"""Known customers who may be the new one: told before a second record of them is made."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Right
from django.db.models.lookups import Exact, In

from customers.models import COMPANY_LENGTH, COMPARED_DIGITS, PHONE_LENGTH, Customer
from portal.expressions import IsAnyOf
from portal.text import Bare, Digits, EmailDomain, normalize_email

MOST_SHOWN = 4
_LOOKED_AT = 8
"""Customers looked at for each reason: more than are shown, as they may have several."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz.-_"
_SEPARATORS = re.compile("[._-]")
_LONGEST_EMAIL = 80
_SHORTEST_LOCAL_PART = 5
_SHORTEST_DOMAIN = 8
"""Characters that a part of an address needs before one wrong letter in it counts as a slip:
jan@ and jon@ are two people, abc.nl and abd.nl two companies."""

_SHORTEST_COMPANY = 3
_LEGAL_FORMS = ("", "bv", "nv", "vof", "gmbh", "ag", "ltd", "limited", "llc", "inc", "sa", "sarl")

_PROVIDERS = frozenset({
    "aol", "fastmail", "gmail", "gmx", "googlemail", "hotmail", "icloud", "live", "msn",
    "outlook", "proton", "protonmail", "yahoo", "ymail", "zoho",
})  # fmt: skip
"""Public mail providers, under any top-level domain: sharing one says nothing."""

_PROVIDER_DOMAINS = frozenset({
    "btinternet.com", "free.fr", "hetnet.nl", "home.nl", "kpnmail.nl", "laposte.net", "mac.com",
    "mail.com", "me.com", "online.nl", "orange.fr", "planet.nl", "skynet.be", "t-online.de",
    "telenet.be", "upcmail.nl", "wanadoo.fr", "web.de", "xs4all.nl", "ziggo.nl",
})  # fmt: skip
_OFTEN_MISTYPED = ("gmail.com", "hotmail.com", "outlook.com", "icloud.com", "yahoo.com")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody without a record: what tells whether they are known already, as it is compared.

    `email` normalised, the digits of `phone`, the letters and digits of `company`; the last two
    are empty while they say too little.
    """

    email: str
    phone: str = ""
    company: str = ""

    @classmethod
    def of(cls, email: str, phone: str = "", company: str = "") -> "Newcomer":
        """From what was typed. Raises ValueError for what is no e-mail."""
        digits, name = _digits(phone[:PHONE_LENGTH]), company_name(company[:COMPANY_LENGTH])
        return cls(
            normalize_email(email),
            digits if len(digits) >= COMPARED_DIGITS else "",
            name if len(name) >= _SHORTEST_COMPANY else "",
        )


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A known customer, and why they may be the newcomer, the strongest reason first."""

    customer: Customer
    reasons: list[str]


def find_lookalikes(newcomer: Newcomer) -> list[Lookalike]:
    """Customers of the tenant who may be the newcomer, at most four, the likeliest first.

    One query, with an index for each reason.
    """
    by_email, *others = (rows.order_by()[:_LOOKED_AT] for rows in _candidates(newcomer))
    found = {row.pk: row for row in (by_email.union(*others, all=True) if others else by_email)}
    ranked = []
    for customer in found.values():
        reasons = reasons_for(newcomer, customer)
        if reasons:
            ranked.append(
                (min(reasons), -len(reasons), customer.status, customer.pk, customer, reasons)
            )
    ranked.sort(key=lambda each: each[:4])
    return [
        Lookalike(customer, [reasons[strength] for strength in sorted(reasons)])
        for *_, customer, reasons in ranked[:MOST_SHOWN]
    ]


def _candidates(newcomer: Newcomer) -> Iterator[QuerySet[Customer]]:
    """One query for each reason; that for the e-mail always, and first."""
    customers = Customer.objects.all()
    emails = sorted(_similar_emails(newcomer.email))
    yield customers.filter(IsAnyOf("email_key", emails, TextField()))
    domain = newcomer.email.rpartition("@")[2]
    if not is_public(domain):
        yield customers.filter(Exact(EmailDomain("email_key"), domain))
    if newcomer.phone:
        last = newcomer.phone[-COMPARED_DIGITS:]
        yield customers.filter(Exact(Right(Digits("phone"), COMPARED_DIGITS), last))
    if newcomer.company:
        names = [Bare(Value(newcomer.company + form)) for form in _LEGAL_FORMS]
        yield customers.filter(In(Bare("company"), names))


def reasons_for(newcomer: Newcomer, customer: Customer) -> dict[int, str]:
    """Why the customer may be the newcomer, by strength (0 is the strongest); empty: no reason."""
    domain = newcomer.email.rpartition("@")[2]
    is_same_company = newcomer.company and newcomer.company == company_name(customer.company)
    reasons = {
        0: email_slip(newcomer.email, customer.email_key),
        1: "same phone" if is_same_phone(newcomer.phone, customer.phone) else "",
        2: "same company name" if is_same_company else "",
        3: f"same domain {domain}"
        if not is_public(domain) and customer.email_key.endswith(f"@{domain}")
        else "",
    }
    return {strength: reason for strength, reason in reasons.items() if reason}


def is_public(domain: str) -> bool:
    """Whether anybody can have an address there, so that two who do need not know each other."""
    name, _, top = domain.partition(".")
    by_name = name in _PROVIDERS and len(top) <= len("com.au")
    return by_name or domain in _PROVIDER_DOMAINS


def email_slip(one: str, other: str) -> str:
    """How two normalised e-mails that a slip of the pen sets apart differ, or "".

    A digit is never a slip: anna82@ and anna83@ are two people.
    """
    (local, _, domain), (other_local, _, other_domain) = one.rpartition("@"), other.rpartition("@")
    if one == other:
        return ""
    if domain == other_domain:
        if _SEPARATORS.sub("", local) == _SEPARATORS.sub("", other_local):
            return "e-mail differs in dots or dashes"
        return _slip(local, other_local) if len(local) >= _SHORTEST_LOCAL_PART else ""
    if local != other_local:
        return ""
    if other_domain in _intended_providers(domain):
        return f"e-mail at {other_domain}, not {domain}"
    return _slip(domain, other_domain) if len(domain) >= _SHORTEST_DOMAIN else ""


def _slip(one: str, other: str) -> str:
    if other not in _one_slip_away(one):
        return ""
    is_swap = len(one) == len(other) and sorted(one) == sorted(other)
    return "e-mail has two letters swapped" if is_swap else "e-mail differs in one letter"


def is_same_phone(one: str, other: str) -> bool:
    """Whether two numbers are the same, however spaced, with or without country code."""
    short, long = sorted((_digits(one), _digits(other)), key=len)
    if len(short) < COMPARED_DIGITS:
        return False
    return long.endswith(short) and len(long) - len(short) <= 3


def _digits(phone: str) -> str:
    """The digits without the zeros in front, that a country code replaces."""
    return re.sub(r"\D", "", phone.replace("(0)", "")).lstrip("0")


def company_name(company: str) -> str:
    """The name as it is compared: letters and digits alone, without its legal form."""
    text = "".join(
        char for char in unicodedata.normalize("NFKD", company) if not unicodedata.combining(char)
    )
    words = re.findall(r"[^\W_]+", text.lower())
    for count in (1, 2, 3):  # bv, b.v., v.o.f.
        if len(words) > count and "".join(words[-count:]) in _LEGAL_FORMS:
            return "".join(words[:-count])
    return "".join(words)


def _similar_emails(email: str) -> set[str]:
    """Every address that one slip sets apart from this one (see `email_slip`), itself not.

    Some two thousand: looked up one by one in an index they take milliseconds, while an index of
    similar text would have to look at everybody of a large provider.
    """
    local, _, domain = email.rpartition("@")
    if len(email) > _LONGEST_EMAIL:
        return set()
    bare = _SEPARATORS.sub("", local)
    locals_ = {bare} | {
        ".".join((bare[:first], bare[first:second], bare[second:]))
        for first, second in combinations(range(1, len(bare)), 2)
    }
    locals_ |= {f"{bare[:at]}{sign}{bare[at:]}" for at in range(1, len(bare)) for sign in ".-_"}
    if len(local) >= _SHORTEST_LOCAL_PART:
        locals_ |= _one_slip_away(local)
    domains = set(_intended_providers(domain))
    if len(domain) >= _SHORTEST_DOMAIN:
        domains |= _one_slip_away(domain)
    similar = {f"{each}@{domain}" for each in locals_} | {f"{local}@{each}" for each in domains}
    return similar - {email}


def _intended_providers(domain: str) -> list[str]:
    """The providers whose name this is with up to two slips: gmial.con is gmail.com."""
    if is_public(domain):
        return []
    near = _one_slip_away(domain) | {domain}
    return [each for each in _OFTEN_MISTYPED if not near.isdisjoint(_one_slip_away(each))]


def _one_slip_away(text: str) -> set[str]:
    """The text with a letter too many, too few, another one, or two swapped; digits stay."""
    found = set()
    for at in range(len(text) + 1):
        before, after = text[:at], text[at:]
        found |= {before + letter + after for letter in _LETTERS}
        if after and not after[0].isdecimal():
            found.add(before + after[1:])
            found |= {before + letter + after[1:] for letter in _LETTERS}
            if len(after) > 1 and not after[1].isdecimal():
                found.add(before + after[1] + after[0] + after[2:])
    return found - {text}
