"""Finding a customer before they have spelt their name."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from customers.models import Customer
from portal.text import Fold, search_words

FEWEST_CHARACTERS = 2
SIMILAR_ENOUGH = 0.4
"""How alike (0 to 1, in trigrams) a mistyped word and a part of the record must be."""

ALIKE_LENGTH = range(4, 41)
"""Letters of a word that is taken for a mistyped one; fewer look like too much."""

MOST_ALIKE = 3
"""Look-alikes shown after customers who match as typed."""

MOST_COMPARED = 500
"""Customers whose likeness is weighed: a word such as `bakery` has thousands of look-alikes."""

# A limit without an order tempts the planner to read the table until enough have been found.
_FOR_LOOK_ALIKES = """
    SELECT set_config('pg_trgm.word_similarity_threshold', %s::text, true),
           set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)
"""

_NUMBER = re.compile(r"[+(]*[0-9][0-9()./-]*")
_ORDER = ("status", "last_name", "first_name", "pk")


@dataclass(frozen=True, slots=True)
class Match:
    """A customer who may be meant. `resembles`: found only by taking a word for a mistyped one."""

    customer: Customer
    resembles: bool


def matching_customers(text: str) -> QuerySet[Customer]:
    """Customers of the tenant with every word in name, company, e-mail, phone or id.

    Words stand in any order, in any case, with or without accents; a phone number is found
    however it is spaced, with or without its country code. Without words, all customers.
    """
    found = Q()
    for words in _together(search_words(text)):
        found &= _contains_all(words) | _has_phone(words)
    return Customer.objects.filter(found)


def find_customers(text: str, limit: int = 8) -> list[Match]:
    """The customers most likely meant by what was typed so far, the exact e-mail first.

    Active ones come before inactive ones. While there is room, customers follow who match once a
    word is taken for a mistyped one, so that `jansn` finds Jansen, and `jansen` Janssen last;
    an e-mail that is known needs none. Nothing is found for a single character.
    """
    words = search_words(text)
    typed = " ".join(words)
    if len(typed) < FEWEST_CHARACTERS:
        return []
    exact = Case(
        When(email_key=typed.lower(), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rows = matching_customers(text).order_by(exact.desc(), *_ORDER)[:limit]
    found = [Match(customer, False) for customer in rows]
    if found and ("@" in typed or len(found) == limit):
        return found
    room = min(MOST_ALIKE, limit - len(found)) if found else limit
    known = [match.customer.pk for match in found]
    return found + [Match(customer, True) for customer in _resembling(typed, known, room)]


def _together(words: Iterable[str]) -> Iterator[list[str]]:
    """Each word alone; those of a number that was typed with spaces, together."""
    number: list[str] = []
    for word in words:
        if _NUMBER.fullmatch(word):
            number.append(word)
            continue
        if number:
            yield number
            number = []
        yield [word]
    if number:
        yield number


def _contains_all(words: Iterable[str]) -> Q:
    found = Q()
    for word in words:
        found &= Q(search_text__contains=Fold(Value(word)))
    return found


def _has_phone(words: list[str]) -> Q:
    """Whose phone number holds these digits; nobody's, if the words are no digits.

    A leading zero stands for a country code (020 finds +31 20), and a number with its country
    code, of one to three digits, is also looked for as it is dialled at home.
    """
    if not _NUMBER.fullmatch(words[0]):
        return Q()
    number = "".join(words).replace("(0)", "")
    digits = re.sub(r"\D", "", number)
    wanted = {digits.lstrip("0") or digits}
    if number.startswith(("+", "00")) and len(digits) > 9:
        national = digits.lstrip("0")
        wanted |= {f"0{national[length:]}" for length in (1, 2, 3)}
        # North America has one code, and no zero at home.
        wanted |= {national[1:]} if national.startswith("1") else set()
    found = Q()
    for each in sorted(wanted):
        found |= Q(search_text__contains=each)
    return found


def _resembling(typed: str, known: list[int], limit: int) -> list[Customer]:
    """Customers with words that look alike, the most alike first; other words have to occur."""
    words = list(dict.fromkeys(typed.replace("@", " ").split()))
    alike = [word for word in words if len(word) in ALIKE_LENGTH and not _NUMBER.fullmatch(word)]
    if not alike:
        return []
    found = _contains_all(word for word in words if word not in alike)
    for word in alike:
        found &= Q(search_text__trigram_word_similar=Fold(Value(word))) | _swapped(word)
    candidates = Customer.objects.filter(found).exclude(pk__in=known).order_by()
    # The stubs know text only, where Django takes any expression.
    likeness = reduce(
        add,
        (TrigramWordSimilarity(Fold(Value(word)), "search_text") for word in alike),  # type: ignore[arg-type]
    )
    rows = Customer.objects.filter(pk__in=candidates.values("pk")[:MOST_COMPARED])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FOR_LOOK_ALIKES, [SIMILAR_ENOUGH])
        return list(rows.order_by(likeness.desc(), *_ORDER)[:limit])


def _swapped(word: str) -> Q:
    """Two letters in the wrong order leave few trigrams right: these words are tried as such."""
    found = Q()
    for at in range(len(word) - 1):
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        found |= Q(search_text__contains=Fold(Value(swapped)))
    return found


def marked(value: str, typed: str) -> list[tuple[str, bool]]:
    """The value in pieces, each with whether it is what was typed: why a customer was found."""
    folded = "".join(_base(char) for char in value)
    hits: set[int] = set()
    for words in _together(search_words(typed)):
        for pattern in _patterns(words):
            for hit in re.finditer(pattern, folded):
                hits.update(range(*hit.span()))
    pieces: list[tuple[str, bool]] = []
    for at, char in enumerate(value):
        if pieces and pieces[-1][1] == (at in hits):
            char = pieces.pop()[0] + char
        pieces.append((char, at in hits))
    return pieces


def _patterns(words: list[str]) -> Iterator[str]:
    yield from (re.escape("".join(map(_base, word))) for word in words)
    digits = re.sub(r"\D", "", "".join(words)).lstrip("0")
    if _NUMBER.fullmatch(words[0]) and len(digits) > 2:
        yield r"[^0-9]*".join(digits)


def _base(char: str) -> str:
    """The letter without case and accent, one for one."""
    return unicodedata.normalize("NFD", char)[0].lower()[:1]
