"""Finding a variant by half-remembered words.

What matches and what comes first is decided by `catalog_search`, a function in the database, in
one statement however many texts are asked for. docs/adr/0013-search-in-tiers.md says how.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from portal.models import Tenant

MAX_TEXT = 100
MAX_WORDS = 16

_WORD = re.compile(r"[^\W_]+")

# Written by hand: Django needs longer to write it down than PostgreSQL to answer it.
_SEARCH = "SELECT * FROM catalog_search(%s, %s, %s, %s)"
_CALLED_SO = """
    SELECT 0, offer.* FROM catalog_offers(
        ARRAY(SELECT id FROM catalog_variant WHERE tenant_id = %s AND sku = ANY (%s))
    ) AS offer
"""


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
    prices: dict[int, Decimal]
    is_guessed: bool


def find_skus(*, tenant: Tenant, texts: Iterable[str]) -> dict[str, list[Found]]:
    """For each text the variant that has it for its SKU; one query for all texts."""
    texts = [text for text in texts if "\0" not in text]
    rows = _rows(_CALLED_SO, [tenant.pk, texts])
    return {found.sku: [found] for _, found in rows}


def find_by_words(*, tenant: Tenant, texts: Mapping[str, int]) -> dict[str, list[Found]]:
    """For each text the variants that match best, as many as it says; one query for all texts.

    Every word must occur somewhere in SKU, product, brand, category, colour, grade, specification
    or aliases, in any order, or begin the product's initials ("mbp16"); or the SKU must begin with
    them all, whatever separates what. What is often ordered comes first, what cannot be ordered
    last.
    """
    return _search(tenant, texts, forgiving=False)


def find_alike(*, tenant: Tenant, texts: Mapping[str, int]) -> dict[str, list[Found]]:
    """The same for texts that nothing has all words of: mistyped words match as well ("macbok").

    One word at least is taken for a mistyped one.
    """
    return _search(tenant, texts, forgiving=True)


def words_of(text: str) -> list[str]:
    """The words that are searched for: letters and digits in a row, without their case."""
    return _WORD.findall(text[:MAX_TEXT].lower())[:MAX_WORDS]


def _search(tenant: Tenant, texts: Mapping[str, int], *, forgiving: bool) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = {text: [] for text in texts}
    asked = {text: " ".join(words) for text in found if (words := words_of(text))}
    names = list(asked)
    if names:
        wanted = [texts[name] for name in names]
        arguments = [tenant.pk, list(asked.values()), wanted, forgiving]
        for number, row in _rows(_SEARCH, arguments, is_guessed=forgiving):
            found[names[number - 1]].append(row)
    return found


def _rows(
    statement: str, arguments: Sequence[Any], *, is_guessed: bool = False
) -> list[tuple[int, Found]]:
    """Each row, and the number of the text that found it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return [
            (
                number,
                Found(
                    sku, product, variant, brand, orderable, dict(zip(*prices, strict=True)),
                    is_guessed,
                ),
            )
            for number, sku, product, variant, brand, orderable, *prices in cursor
        ]  # fmt: skip
