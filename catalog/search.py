"""Finding a variant by half-remembered words."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import add
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
    """A variant that matches. `prices`: monthly price by contract length in months."""

    sku: str
    product_name: str
    variant_name: str
    brand: str
    is_orderable: bool
    prices: dict[int, Decimal]


class _Bare(Func):
    """Without everything that is not a letter or digit: SKUs are said, not spelled."""

    function = "regexp_replace"
    template = "%(function)s(%(expressions)s, '[^[:alnum:]]', '', 'g')"
    output_field = TextField()


def search_variants(*, tenant: Tenant, text: str, limit: int = 10) -> list[Found]:
    """The variants that match best, at most `limit`, those that cannot be ordered last.

    Every word must occur somewhere in SKU, product, brand, category, colour, grade or
    specification, in any order. If nothing matches, words that look alike do ("macbok"), and
    SKUs typed without their separators. One query, two if nothing matched; prices included.
    """
    text = text[:MAX_TEXT]
    words = _WORD.findall(text.lower())[:MAX_WORDS]
    if not words:
        return []
    variants = Variant.objects.filter(tenant=tenant).annotate(
        orderable=_zero_if(Q(status=Variant.Status.ACTIVE, product__status=Product.Status.ACTIVE))
    )
    return _rows(_containing(variants, words), limit) or _rows(_resembling(variants, words), limit)


def _containing(variants: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
    """Exact SKU first, then SKUs that start so, then product names with the first word.

    Within these, first where the words stand together as whole words ("grade b").
    """
    bare, phrase = "".join(words), " ".join(words)
    for word in set(words):
        variants = variants.filter(_contains(word))
    ranked: QuerySet[Any] = variants.annotate(
        bare_sku=_Bare(Fold("sku")),
        rank=Case(
            When(Q(bare_sku=Fold(Value(bare))), then=Value(0)),
            When(StartsWith(F("bare_sku"), Fold(Value(bare))), then=Value(1)),
            When(Contains(Fold("product__name"), Fold(Value(words[0]))), then=Value(2)),
            default=Value(3),
            output_field=IntegerField(),
        ),
        together=_zero_if(_contains(f" {phrase} ")),
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
        starts_so=_zero_if(StartsWith(F("bare_sku"), Fold(Value("".join(words))))),
    )
    if not alike:
        return variants.filter(starts_so=0).order_by("orderable", Length("sku"), "sku")
    variants = variants.annotate(
        likeness=reduce(add, alike), least=alike[0] if len(alike) == 1 else Least(*alike)
    )
    return variants.filter(Q(starts_so=0) | Q(*short, least__gte=SIMILAR)).order_by(
        "orderable", "starts_so", "-likeness", Length("sku"), "sku"
    )


def _contains(word: str) -> Contains:
    return Contains(F("search_text"), Fold(Value(word)))


def _zero_if(condition: Any) -> Case:
    """0 where it holds, else 1: what holds comes first."""
    return Case(When(condition, then=Value(0)), default=Value(1), output_field=IntegerField())


def _likeness(word: str) -> TrigramWordSimilarity:
    # The stubs know text only, where Django takes any expression.
    return TrigramWordSimilarity(Fold(Value(word)), "search_text")  # type: ignore[arg-type]


def _rows(variants: QuerySet[Any], limit: int) -> list[Found]:
    prices = Price.objects.filter(variant=OuterRef("pk")).order_by("contract_length")
    rows = variants.values_list(
        "sku",
        "product__name",
        "name",
        "product__brand",
        "orderable",
        ArraySubquery(prices.values("contract_length")),
        ArraySubquery(prices.values("monthly_price")),
    )
    return [
        Found(
            sku,
            product,
            name,
            brand,
            not unorderable,
            dict(zip(lengths, amounts, strict=True)),
        )
        for sku, product, name, brand, unorderable, lengths, amounts in rows[:limit]
    ]
