"""Finding a variant by half-remembered words."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import add, and_
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import (
    Case,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Least, Length
from django.db.models.lookups import Contains, StartsWith

from catalog.models import Price, Product, Variant
from portal.models import Tenant
from portal.text import Fold

MAX_TEXT = 100
MAX_WORDS = 8
SIMILAR = 0.45
"""How alike (0 to 1) a mistyped word and some part of the text must be."""

ALIKE_LENGTH = 4
"""Letters that a word needs before it is taken for a mistyped one."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A variant that matches. `prices`: monthly price by contract length in months.

    `is_guessed`: a word was taken for a mistyped one.
    """

    sku: str
    product_name: str
    variant_name: str
    brand: str
    is_orderable: bool
    is_guessed: bool
    prices: dict[int, Decimal]


class _Bare(Func):
    """Without everything that is not a letter or digit: SKUs are said, not spelled."""

    function = "regexp_replace"
    template = "%(function)s(%(expressions)s, '[^[:alnum:]]', '', 'g')"
    output_field = TextField()


def search_variants(*, tenant: Tenant, text: str, limit: int = 10) -> list[Found]:
    """The variants that match best, at most `limit`, those that cannot be ordered last.

    Every word must occur somewhere in SKU, product, brand, category, colour, grade, specification
    or aliases, in any order, or begin the product's initials ("mbp16"). If nothing matches, words
    that look alike do ("macbok"), and SKUs typed without their separators. One query, two if
    nothing matched; prices included.
    """
    found = search_words(tenant=tenant, texts=[text], limit=limit)[text]
    return found or search_alike(tenant=tenant, texts=[text], limit=limit)[text]


def find_skus(*, tenant: Tenant, texts: Iterable[str]) -> dict[str, list[Found]]:
    """For each text the variant that has it for its SKU; one query for all texts."""
    texts = [text for text in texts if "\0" not in text]
    variants = _variants(tenant).filter(sku__in=texts).annotate(guessed=Value(0))
    rows = [_row(columns)[1] for columns in _columns(variants, 0)]
    return {found.sku: [found] for found in rows}


def search_words(*, tenant: Tenant, texts: Iterable[str], limit: int) -> dict[str, list[Found]]:
    """For each text the variants that have all its words; one query for all texts."""
    return _search(tenant, texts, _containing, limit)


def search_alike(*, tenant: Tenant, texts: Iterable[str], limit: int) -> dict[str, list[Found]]:
    """For each text the variants that have something like its words; one query for all texts."""
    return _search(tenant, texts, _resembling, limit)


def _search(
    tenant: Tenant,
    texts: Iterable[str],
    matching: Callable[[QuerySet[Any], list[str]], QuerySet[Any]],
    limit: int,
) -> dict[str, list[Found]]:
    variants = _variants(tenant)
    found: dict[str, list[Found]] = {text: [] for text in texts}
    asked = {text: words for text in found if (words := words_of(text))}
    answers = [
        _columns(matching(variants, words), number)[:limit]
        for number, words in enumerate(asked.values())
    ]
    if answers:
        names = list(asked)
        rows = answers[0].union(*answers[1:], all=True) if len(answers) > 1 else answers[0]
        for number, row in map(_row, rows):
            found[names[number]].append(row)
    return found


def _variants(tenant: Tenant) -> QuerySet[Any]:
    return Variant.objects.filter(tenant=tenant).annotate(
        orderable=_zero_if(Q(status=Variant.Status.ACTIVE, product__status=Product.Status.ACTIVE))
    )


def words_of(text: str) -> list[str]:
    """The words that are searched for: letters and digits in a row, without their case."""
    return _WORD.findall(text[:MAX_TEXT].lower())[:MAX_WORDS]


def _containing(variants: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
    """Exact SKU first, then SKUs that start so, then by the words of the product's name.

    Within these, first where the words stand together as whole words ("grade b"). Last come those
    of which only the initials match.
    """
    bare, phrase, name = "".join(words), " ".join(words), Fold("product__name")
    not_in_words = ~reduce(and_, map(_contains, words))
    in_name = [Contains(name, Fold(Value(word))) for word in words]
    for word in set(words):
        variants = variants.filter(_contains(word) | _begins_initials(word))
    ranked: QuerySet[Any] = variants.annotate(
        bare_sku=_Bare(Fold("sku")),
        rank=Case(
            When(Q(bare_sku=Fold(Value(bare))), then=Value(0)),
            When(StartsWith(F("bare_sku"), Fold(Value(bare))), then=Value(1)),
            When(not_in_words & _begins_initials(bare), then=Value(6)),
            When(not_in_words, then=Value(7)),
            When(Q(StartsWith(name, Fold(Value(words[0]))), *in_name), then=Value(2)),
            When(Q(*in_name), then=Value(3)),
            When(in_name[0], then=Value(4)),
            default=Value(5),
            output_field=IntegerField(),
        ),
        together=_zero_if(_contains(f" {phrase} ")),
        guessed=Value(0),
    )
    return ranked.order_by("orderable", "rank", "together", "product__name", "sku")


def _resembling(variants: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
    """SKUs that start so without their separators; then what looks alike, word by word.

    A word of less than four letters looks like too much: it has to occur as it is.
    """
    alike = [_likeness(word) for word in dict.fromkeys(words) if len(word) >= ALIKE_LENGTH]
    short = [_contains(word) for word in words if len(word) < ALIKE_LENGTH]
    variants = variants.annotate(
        bare_sku=_Bare(Fold("sku")),
        guessed=_zero_if(StartsWith(F("bare_sku"), Fold(Value("".join(words))))),
    )
    if not alike:
        return variants.filter(guessed=0).order_by("orderable", Length("sku"), "sku")
    variants = variants.annotate(
        likeness=reduce(add, alike), least=alike[0] if len(alike) == 1 else Least(*alike)
    )
    return variants.filter(Q(guessed=0) | Q(*short, least__gte=SIMILAR)).order_by(
        "orderable", "guessed", "-likeness", Length("sku"), "sku"
    )


def _contains(word: str) -> Q:
    return Q(Contains(F("search_text"), Fold(Value(word))))


def _begins_initials(word: str) -> Q:
    """Of two letters or digits at least: one begins the initials of too much."""
    return Q(StartsWith(F("initials"), Fold(Value(word)))) if len(word) > 1 else Q()


def _zero_if(condition: Any) -> Case:
    """0 where it holds, else 1: what holds comes first."""
    return Case(When(condition, then=Value(0)), default=Value(1), output_field=IntegerField())


def _likeness(word: str) -> TrigramWordSimilarity:
    # The stubs know text only, where Django takes any expression.
    return TrigramWordSimilarity(Fold(Value(word)), "search_text")  # type: ignore[arg-type]


def _columns(variants: QuerySet[Any], number: int) -> QuerySet[Any]:
    prices = Price.objects.filter(variant=OuterRef("pk")).order_by("contract_length")
    return variants.values_list(
        Value(number),
        "sku",
        "product__name",
        "name",
        "product__brand",
        "orderable",
        "guessed",
        ArraySubquery(prices.values("contract_length")),
        ArraySubquery(prices.values("monthly_price")),
    )


def _row(columns: tuple[Any, ...]) -> tuple[int, Found]:
    """A row, and the number of the text that found it."""
    number, sku, product, name, brand, unorderable, guessed, lengths, amounts = columns
    prices = dict(zip(lengths, amounts, strict=True))
    return number, Found(sku, product, name, brand, not unorderable, bool(guessed), prices)
