"""What the parts of a typed text can mean in the catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.asking import Part, Reading, read_parts
from catalog.models import SKU_LENGTH
from catalog.search import Found, find_alike, find_by_words, find_skus, words_of
from portal.formats import parse_decimal
from portal.models import Tenant

Known = Mapping[str, Sequence[Found]]
"""What was found, by the words that it was searched for with."""


_PRICED_BELOW = 1_000_000
"""Devices that a total is worked out for: far more than an order takes, but no endless number."""


@dataclass(frozen=True, slots=True)
class Option:
    """A variant as a reading of a part asks for it."""

    found: Found
    reading: Reading

    @property
    def is_orderable(self) -> bool:
        """Whether it is rented out, and has a price."""
        return self.found.is_orderable and bool(self.found.prices)

    @property
    def is_offered(self) -> bool:
        """Whether it can be ordered, for the contract length that was typed if one was."""
        return self.is_orderable and (not self.reading.length or self.unit_price is not None)

    @property
    def unit_price(self) -> Decimal | None:
        """Per device and month at the contract length that was typed, if it has that."""
        prices = {str(months): price for months, price in self.found.prices.items()}
        return prices.get(self.reading.length)

    @property
    def monthly_total(self) -> Decimal | None:
        """Of as many devices as were typed; None if that is no number of devices."""
        if self.unit_price is None:
            return None
        try:
            quantity = parse_decimal(self.reading.quantity or "1")
        except ValueError:
            return None
        return self.unit_price * quantity if 0 <= quantity < _PRICED_BELOW else None


@dataclass(frozen=True, slots=True)
class Match:
    """A part, and what it can mean: the likeliest first, what cannot be ordered last."""

    part: Part
    options: Sequence[Option]

    @property
    def orderable(self) -> list[Option]:
        return [option for option in self.options if option.is_orderable]

    @property
    def certain(self) -> Option | None:
        """The only thing that it can mean, or the one whose SKU or whole name was typed."""
        meant = (
            [each for each in self.orderable if _is_called(each, each.found.sku)]
            or [each for each in self.orderable if _is_called(each, each.found.product_name)]
            or self.orderable
        )
        return meant[0] if len(meant) == 1 and not meant[0].found.is_guessed else None

    @property
    def reading(self) -> Reading:
        """How the part is read, the number at its end left open if that is not decided."""
        readings = {option.reading for option in self.options}
        return readings.pop() if len(readings) == 1 else self.part.readings[-1]


def ask(*, tenant: Tenant, text: str) -> list[Part]:
    """The parts of what was typed or pasted. One that is a SKU as a whole is not taken apart."""
    sku = text.strip()
    if ";" in sku and len(sku) <= SKU_LENGTH and find_skus(tenant=tenant, texts=[sku]):
        return [Part(sku, (Reading(sku),))]
    return read_parts(text)


def match_parts(*, tenant: Tenant, parts: Sequence[Part], limit: int) -> list[Match]:
    """What each part can mean, at most `limit` options each.

    What matches is said by `find_by_words` and, only if nothing does, by `find_alike`. A number
    that may be a contract length is one where that length is offered, and a word where something
    has it among its words; if both find something, both are offered. One query if every part finds
    something by its words, three if not, and one more for several parts.
    """
    known: dict[str, list[Found]] = {}
    if len(parts) > 1 or any(";" in part.text for part in parts):
        known = find_skus(tenant=tenant, texts={r.words for part in parts for r in part.readings})
    # What is offered for the length that was typed may stand further down.
    timed = {reading.words for part in parts for reading in part.every_reading if reading.length}
    for find, asks_otherwise in ((find_by_words, False), (find_by_words, True), (find_alike, True)):
        readings = [
            reading
            for part in parts
            if not any(known.get(reading.words) for reading in part.every_reading)
            for reading in (part.every_reading if asks_otherwise else part.readings)
            if find is find_alike or reading.words not in known
        ]
        texts = {r.words: limit * 4 if r.words in timed else limit for r in readings}
        known |= find(tenant=tenant, texts=texts)
    known = {words: _usual_first(found, tenant) for words, found in known.items()}
    return [Match(part, _options(part, known, limit)) for part in parts]


def _usual_first(found: Sequence[Found], tenant: Tenant) -> list[Found]:
    """Of the same product first what can be had for the months that the tenant's lines begin with.

    Products keep the search's order, which decides which is meant.
    """
    usual = tenant.default_contract_length
    by_name: defaultdict[str, list[Found]] = defaultdict(list)
    for each in sorted(found, key=lambda each: (not each.is_orderable, usual not in each.prices)):
        by_name[each.product_name].append(each)
    return [by_name[each.product_name].pop(0) for each in found]


def _options(part: Part, known: Known, limit: int) -> list[Option]:
    groups = _by_reading(part.readings, known)
    others = _by_reading(part.otherwise, known)
    every = [option for group in (*groups, *others) for option in group]
    offered = _offered([_called_so(part, every), *(_offered(_in_order(groups)) or others)])
    chosen = _fairly(offered, limit) if offered else [each for each in every if each.is_orderable]
    unorderable = [each for each in every if not each.is_orderable]
    by_sku = [each for group in offered for each in group if _is_called(each, each.found.sku)]
    different: dict[tuple[str, str, str], Option] = {}
    for option in (*by_sku, *chosen, *unorderable):
        different.setdefault(_what(option), option)
    return list(different.values())[:limit]


def _by_reading(readings: Iterable[Reading], known: Known) -> list[list[Option]]:
    return [[Option(found, each) for found in known.get(each.words, ())] for each in readings]


def _in_order(groups: list[list[Option]]) -> list[list[Option]]:
    """The last number is a length before it is a word, unless what it names is called so."""
    if len(groups) != 2 or not all(groups):
        return groups
    timed, named = groups
    is_name = timed[0].reading.length in words_of(named[0].found.product_name)
    return [named, timed] if is_name else groups


def _offered(groups: Iterable[Iterable[Option]]) -> list[list[Option]]:
    offered = [[option for option in group if option.is_offered] for group in groups]
    return [group for group in offered if group]


def _fairly(groups: Sequence[Sequence[Option]], limit: int) -> list[Option]:
    """Of each group its share of what fits, and what then is free, in the order of the groups."""
    share = limit // len(groups)
    free = limit - sum(min(len(group), share) for group in groups)
    chosen: list[Option] = []
    for group in groups:
        taken = min(len(group), share + free)
        free -= max(taken - share, 0)
        chosen += group[:taken]
    return chosen


def _called_so(part: Part, options: Iterable[Option]) -> list[Option]:
    """What has the whole text in its SKU or name, number included: 840 G10."""
    whole = Reading(part.text)
    if whole not in part.otherwise:
        return []
    said = _phrase(part.text)
    return [
        Option(option.found, whole)
        for option in options
        if said in _phrase(option.found.sku) or said in _phrase(option.found.product_name)
    ]


def _phrase(text: str) -> str:
    """Its words, so that another text's stand in it one after the other, or do not."""
    return f" {' '.join(words_of(text))} "


def _what(option: Option) -> tuple[str, str, str]:
    return option.found.sku, option.reading.quantity, option.reading.length


def _is_called(option: Option, name: str) -> bool:
    return "".join(words_of(option.reading.words)) == "".join(words_of(name))
