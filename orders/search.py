"""Searching a list of orders as fast among ten million as among ten thousand.

A page shows the first orders that match, so no more are looked for. Most words that people type
are common: the rows at the beginning of the list are read and compared until the page is full.
What is rare among so many rows is taken from an index: by its words, and by parts of words only
where no order has them whole. An order number is recognised by its shape.
"""

import re

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from orders.queries import OrderQuerySet
from portal.models import Tenant
from portal.text import search_words, searched_phone

NEAR = 10_000
"""Rows of a list that are read for a word before it counts as rare."""

FEWEST_LETTERS = 3
"""Of a word whose parts are looked for in all orders."""

PHONE_DIGITS = 7
"""Last digits of a phone number that `orders_words` knows it by."""

_NUMBER = re.compile(r"ord_.+|\S*\d\S{3,}|\S{3,}\d", re.IGNORECASE)
_TEXT = "search_text LIKE portal_fold(%s)"
_SKU = """
    EXISTS (SELECT FROM orders_orderitem WHERE order_id = near.id AND upper(sku) LIKE upper(%s))
"""
# So that the words are looked up, and not the text's trigrams, which are many and in every order.
_ALSO_TEXT = "(search_text || '') LIKE portal_fold(%s)"
# The ids, and whether the page is full or there are no others.
_NEAR = """
    SELECT ids, cardinality(ids) = %s OR NOT EXISTS ({beyond}) FROM (SELECT ARRAY(
        SELECT id FROM ({first}) AS near
        WHERE {found}
        LIMIT %s
    ) AS ids) AS found
"""
# As an array, so that they are found first: a limit tempts the planner to walk the list instead.
_WORDS = """
    orders_order.id = ANY (ARRAY(
        SELECT id FROM orders_order
        WHERE orders_words(tenant_id, search_text, customer_phone)
            @> orders_words(%s, portal_fold(%s), '') AND {found}
    ))
"""


def first_found(rows: OrderQuerySet, text: str, most: int, *, tenant: Tenant) -> OrderQuerySet:
    """The first `most` orders of an ordered list that match the text, as `matching` has it.

    A complete order number is answered by that order alone. Beyond the first 10,000 rows, an order
    that matches only by part of a word, or by SKU, is left out if another has the whole words, or
    if no typed word has three letters. Without words, all orders.
    """
    words = search_words(text)
    if not words:
        return rows
    ids, is_all = _first_ids(rows, words, searched_phone(text), most, tenant)
    # No index has parts of one or two letters: all orders would be read for them.
    if not is_all and max(map(len, words)) >= FEWEST_LETTERS:
        ids = _ids(rows.matching(text), most)
    return rows.filter(pk__in=ids)


def _first_ids(
    rows: OrderQuerySet, words: list[str], phone: str, most: int, tenant: Tenant
) -> tuple[list[int], bool]:
    """What can be found soon, and whether nothing else has to be looked for."""
    [word, *others] = words
    if not others and _NUMBER.fullmatch(word) and (ids := _of_this_number(rows, word)):
        return ids, True
    near, is_all = _near(rows, words, most)
    if is_all and near:
        return near, True
    if len(phone) >= PHONE_DIGITS:
        known = _by_index(rows, phone[-PHONE_DIGITS:], [phone], most, tenant)
    else:
        known = _by_index(rows, " ".join(words), words, most, tenant)
    return [*near, *known], bool(known)


def _ids(rows: OrderQuerySet, most: int) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:most])


def _of_this_number(rows: OrderQuerySet, word: str) -> list[int]:
    """The order of this id, in whatever case, with or without its prefix."""
    number = word.lower().removeprefix("ord_").upper()
    return _ids(rows.filter(public_id__in=[word, f"ord_{number}"]).order_by(), 1)


def _near(rows: OrderQuerySet, words: list[str], most: int) -> tuple[list[int], bool]:
    """Which of the first rows match, and whether these are enough or all."""
    try:
        first, given = rows.values("id", "search_text")[:NEAR].query.sql_with_params()
        beyond, also = rows.values("id")[NEAR : NEAR + 1].query.sql_with_params()
    except EmptyResultSet:  # A filter that no row can meet, such as an id beyond all numbers.
        return [], True
    found = f"{' AND '.join([_TEXT] * len(words))} OR {_SKU}"
    likes = [*map(_like, words), _like(" ".join(words))]
    with connection.cursor() as cursor:
        sql = _NEAR.format(beyond=beyond, first=first, found=found)
        cursor.execute(sql, [most, *also, *given, *likes, most])
        ids, is_all = cursor.fetchone()
    return ids, is_all


def _by_index(
    rows: OrderQuerySet, indexed: str, words: list[str], most: int, tenant: Tenant
) -> list[int]:
    """The rows that the index finds by the words of `indexed` and that contain everything typed."""
    sql = _WORDS.format(found=" AND ".join([_ALSO_TEXT] * len(words)))
    given = [tenant.pk, indexed, *map(_like, words)]
    found = RawSQL(sql, given, output_field=BooleanField())  # noqa: S611 (parameters are apart)
    return _ids(rows.filter(found), most)


def _like(text: str) -> str:
    return f"%{connection.ops.prep_for_like_query(text)}%"
