"""What a search has to find, worked out from the rules alone: slowly, and in plain Python.

Nothing of this is shared with the search, which reads these rules in SQL. A variant matches if its
SKU, separators left out, begins with what was typed; or if every typed word

- begins one of its words, or stands inside one (three letters or more),
- or begins the initials of its product (two letters or more),
- or is a number and its unit, which stand apart in it, or is one of them, which stand together,
- but for a number in front of other words that is known as a whole: that has to be one.

A word that nothing has is taken for two known ones. If nothing is found, or few things by
one or two letters, numbers need not be whole, and one or two letters may stand inside a word. If
still nothing is found, words of four letters or more, numbers apart, may be a slip away: a letter
too many, too few, wrong, or elsewhere; what nothing is a slip away from is taken for what looks
like it, which is a number that the database is asked for.
"""

import random
import re
import string
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from django.db import connection

from catalog.search import Found
from portal.models import Tenant
from tests.by_hand import fold

Rows = int
"""A set of variants: bit n stands for the n-th."""

LAST = "\U0010ffff"

EVERYTHING = """
    SELECT variant.sku, product.name,
        concat_ws(' ', variant.sku, variant.name, color, 'grade ' || grade),
        concat_ws(' ', brand, product.name, category, specification, aliases, product.sku),
        variant.status = 'active' AND product.status = 'active'
    FROM catalog_variant AS variant JOIN catalog_product AS product ON product.id = product_id
    WHERE variant.tenant_id = %s
"""
ALIKE = """
    SELECT word FROM catalog_searchword
    WHERE tenant_id = %s AND word !~ '^=' AND word_similarity(%s, word) >= 0.45
    ORDER BY word_similarity(%s, word) DESC, rows DESC LIMIT 64
"""


def split(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text))


def initials(name: str) -> str:
    humps = re.sub(r"([a-z])([A-Z0-9])", r"\1 \2", name)
    return "".join(split(re.sub(r"\b([^\W\d_])[a-z]+\b", r"\1", humps)))


def slips(word: str) -> set[str]:
    return {word, *(word[:n] + word[n + 1 :] for n in range(len(word)))}


def is_unit(word: str) -> bool:
    return len(word) > 1 and word.isalpha()


def has_slips(word: str) -> bool:
    """Not a number, and no part number so long that it is rather found by its likeness."""
    return len(word) > 2 and not word.isdigit() and (len(word) <= 8 or word.isalpha())


class Catalogue:
    """The words of every variant of a tenant, as they are now."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.skus: list[str] = []
        self.active: list[bool] = []
        self.rows_of: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        """By word, and by initials with = in front."""
        self.apart: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        """By a number and its unit, written together, where they are not."""
        self.kept: dict[str, Rows] = {}
        with connection.cursor() as cursor:
            cursor.execute(EVERYTHING, [tenant.pk])
            for sku, name, own, about, active in cursor:
                self._add(sku, name, split(f"{own} {about}"), active)

    def _add(self, sku: str, product_name: str, told: list[str], active: bool) -> None:
        words = set(told)
        if first := initials(product_name):
            words.add(f"={first}")
        for word in words:
            self.rows_of[word].append(len(self.skus))
        for word in {one + two for one, two in pairwise(told) if one.isdigit() and is_unit(two)}:
            self.apart[word].append(len(self.skus))
        self.skus.append(sku)
        self.active.append(active)

    def problem(self, text: str, found: Sequence[Found], limit: int) -> str:
        """What is wrong with an answer, or nothing."""
        expected, guessed = self.answer(text, limit)
        numbers = [self.numbers[each.sku] for each in found]
        active = [self.active[number] for number in numbers]
        most_active = min(limit, sum(self.active[number] for number in expected))
        if not set(numbers) <= expected or len(set(numbers)) < len(numbers):
            return "wrong"
        if [each.is_orderable for each in found] != active or any(
            each.is_guessed != guessed for each in found
        ):
            return "marked wrongly"
        if sorted(active, reverse=True) != active:
            return "inactive before active"
        if sum(active) < most_active or len(numbers) < min(limit, len(expected)):
            return "short" if numbers else "empty"
        return ""

    @cached_property
    def numbers(self) -> dict[str, int]:
        return {sku: number for number, sku in enumerate(self.skus)}

    def answer(self, text: str, enough: int) -> tuple[set[int], bool]:
        """All that matches, by number, and whether a word had to be guessed."""
        typed = split(text)
        bare = "".join(typed)
        may_widen = any(len(word) < 3 or word.isdigit() for word in typed)
        for guesses in (False, True):
            for widely in (False, True)[: 1 + may_widen]:
                found = self._by_sku(bare) | self._by_words(typed, widely, guesses)
                is_enough = widely or not may_widen or len(bare) > 2
                if found and (is_enough or found.bit_count() >= enough):
                    return _numbers(found), guesses
        return set(), True

    @cached_property
    def words(self) -> list[str]:
        return sorted(self.rows_of)

    def _by_sku(self, bare: str) -> Rows:
        keys = self._sorted_keys
        first, last = bisect_left(keys, (bare, 0)), bisect_left(keys, (bare + LAST, 0))
        return self._bits(number for _, number in keys[first:last]) if bare else 0

    @cached_property
    def _sorted_keys(self) -> list[tuple[str, int]]:
        return sorted(("".join(split(sku)), number) for number, sku in enumerate(self.skus))

    def _by_words(self, typed: list[str], widely: bool, guesses: bool) -> Rows:
        found, number, guessed = -1, 0, False
        while number < len(typed):
            word = typed[number]
            meant = self._meant(word, _joined(typed, number), number == len(typed) - 1, widely)
            may_slip = guesses and len(word) > 3 and not word.isdigit()
            slipped = self._slipped(word, meant) if may_slip else set()
            if meant or slipped or self._is_apart(word):
                found &= self._having(meant | slipped) | self._bits(self.apart.get(word, ()))
                guessed |= bool(slipped)
                number += 1
            elif cut := self._cut(word):
                typed = [*typed[:number], word[:cut], word[cut:], *typed[number + 1 :]]
            else:
                return 0
        return found if typed and guessed == guesses else 0

    def _is_apart(self, word: str) -> bool:
        """Whether it is a known number and a known unit."""
        found = re.fullmatch(r"(\d+)(.+)", word)
        return bool(found and is_unit(found[2]) and {*found.groups()} <= self.rows_of.keys())

    def _meant(self, word: str, joined: str, is_last: bool, widely: bool) -> set[str]:
        together = {joined} & self.rows_of.keys()
        if word.isdigit() and not is_last and not widely and word in self.rows_of:
            return {word} | together
        meant = set(self._beginning(word)) | together
        if len(word) > 1:
            meant |= set(self._beginning(f"={word}"))
        if len(word) > 2 or widely:
            meant |= {other for other in self._containing(word) if other[0] != "="}
        return meant

    def _beginning(self, word: str) -> list[str]:
        return self.words[bisect_left(self.words, word) : bisect_left(self.words, word + LAST)]

    def _containing(self, word: str) -> Iterator[str]:
        place = self._text.find(word)
        while place >= 0:
            end = self._text.index("\n", place)
            yield self._text[self._text.rindex("\n", 0, place) + 1 : end]
            place = self._text.find(word, end)

    @cached_property
    def _text(self) -> str:
        return "\n".join(["", *self.words, ""])

    def _slipped(self, word: str, meant: set[str]) -> set[str]:
        near = {other for slip in slips(word) for other in self._slips.get(slip, ())}
        near = {other for other in near if word not in other}
        is_known = any(other[0] != "=" for other in meant)
        return near or (set() if is_known else self._alike(word))

    def _alike(self, word: str) -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(ALIKE, [self.tenant.pk, word, word])
            return {other for (other,) in cursor}

    @cached_property
    def _slips(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for word in self.words:
            if word[0] != "=" and has_slips(word):
                for slip in slips(word):
                    found[slip].append(word)
        return dict(found)

    def _cut(self, word: str) -> int:
        cuts = (n for n in range(len(word) - 2, 1, -1) if word[:n] in self.rows_of)
        return next((n for n in cuts if self._beginning(word[n:])), 0)

    def _having(self, words: Iterable[str]) -> Rows:
        found = 0
        for word in words:
            found |= self._rows(word)
        return found

    def _rows(self, word: str) -> Rows:
        numbers = self.rows_of[word]
        if len(numbers) < 1000:
            return self._bits(numbers)
        if word not in self.kept:
            self.kept[word] = self._bits(numbers)
        return self.kept[word]

    def _bits(self, numbers: Iterable[int]) -> Rows:
        bits = bytearray(len(self.skus) // 8 + 1)
        for number in numbers:
            bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")


def _joined(typed: Sequence[str], number: int) -> str:
    """What a word makes with its neighbour, if they are a number and its unit."""
    for one, two in ((number, number + 1), (number - 1, number)):
        if one >= 0 and two < len(typed) and typed[one].isdigit() and is_unit(typed[two]):
            return typed[one] + typed[two]
    return ""


def _numbers(rows: Rows) -> set[int]:
    numbers = set()
    for start, byte in enumerate(rows.to_bytes(rows.bit_length() // 8 + 1, "little")):
        while byte:
            low = byte & -byte
            numbers.add(start * 8 + low.bit_length() - 1)
            byte ^= low
    return numbers


def questions(texts: Sequence[str], number: int, chance: random.Random) -> Iterator[str]:
    """What one might type, each out of a text that says all about a variant: some of its words, in
    any order, some cut short, some with a slip, some with a number and its unit in one."""
    for _ in range(number):
        text = chance.choice(texts)
        if chance.random() < 0.2:
            text = re.sub(r"(\d) (?=[A-Z]{2}\b)", r"\1", text)
        words = list(dict.fromkeys(split(text)))
        words = chance.sample(words, min(len(words), chance.choice((1, 2, 2, 3, 3, 4))))
        for n, word in enumerate(words):
            if len(word) > 3 and chance.random() < 0.3:
                words[n] = word[: chance.randint(2, len(word))]
        long = [n for n, word in enumerate(words) if len(word) > 3 and not word.isdigit()]
        if long and chance.random() < 0.3:
            n = chance.choice(long)
            words[n] = _mistyped(words[n], chance)
        yield " ".join(words)


def _mistyped(word: str, chance: random.Random) -> str:
    n, other = chance.randrange(len(word)), chance.choice(string.ascii_lowercase)
    before, letter, after = word[:n], word[n], word[n + 1 :]
    ways = [before + after, before + other + letter + after, before + other + after]
    if after:
        ways.append(before + after[0] + letter + after[1:])
    return chance.choice(ways)
