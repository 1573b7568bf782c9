"""Finding a customer before they have spelt their name.

Here typed text is split into words, numbers and phone numbers. Who matches, and through which
index, is decided by `customers_find` and `customers_matching`, functions in the database.
docs/adr/0014-the-latest-customers-first.md says how.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from customers.models import Customer
from portal.expressions import IsAnyOf
from portal.models import Tenant
from portal.text import Fold, search_words

FEWEST_CHARACTERS = 2

MOST_ALIKE = 3
"""Look-alikes shown after customers who match as typed."""

_NUMBER = re.compile(r"[+(]*[0-9][0-9()./-]*")

# Written by hand: Django needs longer to write it down than PostgreSQL to answer it.
_FIND = """
    SELECT customer.*, resembles
    FROM customers_find(%s, %s::text[], %s::text[], %s::text[], %s, %s, %s) WITH ORDINALITY
        AS found(found_id, resembles, place)
    JOIN customers_customer AS customer ON customer.id = found_id
    ORDER BY place
"""
_MATCHING = "SELECT customers_matching(%s, %s::text[], %s::text[], %s::text[])"


@dataclass(frozen=True, slots=True)
class Match:
    """A customer who may be meant. `resembles`: found only by taking a word for a mistyped one."""

    customer: Customer
    resembles: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed: words, the longest number in it as it was typed, and as phone numbers."""

    words: list[str]
    numbers: list[str]
    phones: list[str]

    @classmethod
    def of(cls, text: str) -> "Asked":
        parts = list(_together(search_words(text)))
        numbers = max(
            (part for part in parts if _NUMBER.fullmatch(part[0])),
            key=lambda part: len("".join(part)),
            default=[],
        )
        words = [word for part in parts if part is not numbers for word in part]
        return cls(words, numbers, sorted(_phones(numbers)))


def matching_customers(*, tenant: Tenant, text: str) -> QuerySet[Customer]:
    """Customers of the tenant with every word in name, company, e-mail, phone or id.

    Words stand in any order, in any case, with or without accents; a phone number is found
    however it is spaced, with or without its country code. Without words, all customers. Asks the
    database at once who they are, unless they are so many that a list shows a page of them soon.

    Beyond the 2,000 customers who changed or ordered last, a number stands where digits begin,
    phone numbers apart; an id is found from its beginning; one or two letters begin a word; and
    where more than a hundred words have three letters or more inside, they are looked for in
    a hundred.
    """
    asked = Asked.of(text)
    customers: QuerySet[Customer] = Customer.objects.filter(tenant=tenant)
    if not asked.words + asked.numbers:
        return customers
    with connection.cursor() as cursor:
        cursor.execute(_MATCHING, [tenant.pk, asked.words, asked.numbers, asked.phones])
        [(found,)] = cursor.fetchall()
    if found is None:
        return customers.filter(_holds(asked))
    return customers.filter(IsAnyOf("pk", found, BigIntegerField()))


def find_customers(*, tenant: Tenant, text: str, limit: int = 8) -> list[Match]:
    """The customers most likely meant by what was typed so far, the exact e-mail first.

    Active ones come before inactive ones; then who has the words whole rather than parts of them;
    then who changed or ordered last. While there is room, customers follow who match once a
    word is taken for a mistyped one, so that `jansn` finds Jansen, and `jansen` Janssen last;
    an e-mail that is known, or half of one, needs none. Nothing is found for a single character.
    One query.
    """
    words = search_words(text)
    typed = " ".join(words)
    if len(typed) < FEWEST_CHARACTERS:
        return []
    asked = Asked.of(text)
    email = typed.lower() if "@" in typed else ""
    # With a column more than the stubs know of.
    rows: Iterable[Any] = Customer.objects.raw(
        _FIND,
        [tenant.pk, asked.words, asked.numbers, asked.phones, email, limit, MOST_ALIKE],
    )
    return [Match(customer, customer.resembles) for customer in rows]


def _together(words: Iterable[str]) -> Iterator[list[str]]:
    """Each word alone; those of a number that was typed with spaces, together."""
    for is_number, group in groupby(words, lambda word: bool(_NUMBER.fullmatch(word))):
        if is_number:
            yield list(group)
        else:
            yield from ([word] for word in group)


def _phones(numbers: list[str]) -> set[str]:
    """The digits to look for in stored phone numbers when this one is typed.

    A leading zero stands for a country code (020 finds +31 20), and a number with its country
    code, of one to three digits, is also looked for as it is dialled at home.
    """
    number = "".join(numbers).replace("(0)", "")
    digits = re.sub(r"\D", "", number)
    if not digits:
        return set()
    wanted = {digits.lstrip("0") or digits}
    if number.startswith(("+", "00")) and len(digits) > 9:
        national = digits.lstrip("0")
        wanted |= {f"0{national[length:]}" for length in (1, 2, 3)}
        # North America has one code, and no zero at home.
        wanted |= {national[1:]} if national.startswith("1") else set()
    return wanted


def _holds(asked: Asked) -> Q:
    """Customers whose text contains everything.

    `strpos` on purpose: the planner then expects one row in three and reads the list from its
    start.
    """
    found = _has_all(asked.words)
    if asked.numbers:
        phones = Q()
        for phone in asked.phones:
            phones |= _has_all([phone])
        found &= _has_all(asked.numbers) | phones
    return found


def _has_all(words: Iterable[str]) -> Q:
    found = Q()
    for word in words:
        found &= Q(GreaterThan(StrIndex("search_text", Fold(Value(word))), 0))
    return found


def marked(value: str, typed: str) -> list[tuple[str, bool]]:
    """The value in pieces, each with whether it is what was typed: why a customer was found."""
    folded = "".join(map(_base, value))
    is_hit = [False] * len(value)
    for pattern in _patterns(typed):
        for hit in pattern.finditer(folded):
            start, end = hit.span()
            is_hit[start:end] = [True] * (end - start)
    pieces = groupby(zip(value, is_hit, strict=True), key=itemgetter(1))
    return [("".join(char for char, _ in piece), hit) for hit, piece in pieces]


# One answer marks twenty values, and each keystroke asks for most letters again.
@lru_cache(maxsize=256)
def _patterns(typed: str) -> list[re.Pattern[str]]:
    return [
        re.compile(pattern)
        for words in _together(search_words(typed))
        for pattern in _patterns_of(words)
    ]


def _patterns_of(words: list[str]) -> Iterator[str]:
    yield from (re.escape("".join(map(_base, word))) for word in words)
    digits = re.sub(r"\D", "", "".join(words)).lstrip("0")
    if _NUMBER.fullmatch(words[0]) and len(digits) > 2:
        yield r"[^0-9]*".join(digits)


@lru_cache(maxsize=4_096)
def _base(char: str) -> str:
    """The letter without case and accent, one for one."""
    return unicodedata.normalize("NFD", char)[0].lower()[:1]
