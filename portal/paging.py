"""Lists without page numbers, counts with an end: as fast among ten million rows as among ten."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

T = TypeVar("T", bound=Model)

PAGE_SIZE = 50
LAST_KEY = 2**63 - 1
COUNTED = 1_000
"""Rows that are counted, where nobody needs to know how many more there are."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OLDER, _NEWER = "o", "n"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, newest first, and the cursors of the pages on both sides, or empty."""

    rows: list[T]
    newer: str
    older: str


def count_some(queryset: QuerySet[Any]) -> int:
    """How many rows there are; one more than `COUNTED` stands for any number beyond it."""
    return queryset.order_by()[: COUNTED + 1].count()


def key_of(model: type[Model], public_id: str, *, otherwise: int) -> Coalesce:
    """The key of a row in a statement. Cursors name rows by their public ids: keys count us all.

    `otherwise` stands for a row that is gone by then, and has the list begin before or behind all
    that was made at the same moment.
    """
    rows = model._default_manager.filter(public_id=public_id).order_by().values("pk")
    return Coalesce(Subquery(rows[:1]), Value(otherwise))


def newest_first(
    queryset: QuerySet[T],
    cursor: str = "",
    *,
    size: int = PAGE_SIZE,
    first_of: Callable[[Any, int], QuerySet[T]] | None = None,
) -> Page[T]:
    """The page of a queryset that a cursor names, ordered by `created_at`, newest first.

    Rows that are added meanwhile shift nothing. A cursor that says nothing is the first page.
    `first_of` narrows the rows that follow, in their order, to so many that are wanted.
    """
    way, created_at, public_id = _read(cursor)
    older_way = way != _NEWER
    if way:
        # The first condition bounds the index scan; the second leaves out what was shown.
        side, otherwise = ("lt", LAST_KEY) if older_way else ("gt", 0)
        pk = key_of(queryset.model, public_id, otherwise=otherwise)
        queryset = queryset.filter(
            Q(**{f"created_at__{side}e": created_at}),
            Q(**{f"created_at__{side}": created_at})
            | Q(created_at=created_at, **{f"pk__{side}": pk}),
        )
    order = ("-created_at", "-pk") if older_way else ("created_at", "pk")
    queryset = queryset.order_by(*order)
    if first_of:
        queryset = first_of(queryset, size + 1)
    rows = list(queryset[: size + 1])
    more = len(rows) > size
    rows = rows[:size] if older_way else rows[:size][::-1]
    return Page(
        rows,
        newer=_write(_NEWER, rows[0]) if rows and (way if older_way else more) else "",
        older=_write(_OLDER, rows[-1]) if rows and (more if older_way else way) else "",
    )


def _write(way: str, row: Any) -> str:
    at = (row.created_at - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(f"{way}.{at}.{row.public_id}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[str, datetime, str]:
    nothing = ("", _EPOCH, "")
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        way, at, public_id = text.split(".", 2)
        created_at = _EPOCH + int(at) * _MICROSECOND
    except (binascii.Error, ValueError, OverflowError):
        return nothing
    known = way in (_OLDER, _NEWER) and "\0" not in public_id
    return (way, created_at, public_id) if known else nothing
