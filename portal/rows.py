"""Rows of the database: one by its key, many at once, and turns where none can be locked."""

from typing import TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)

ROWS_PER_INSERT = 2_000
"""Rows of one statement where thousands are written."""


def one_or_none(found: models.QuerySet[Row]) -> Row | None:
    """The only row, or None: half the work of `first()`, which asks for the first in order."""
    return next(iter(found.order_by()), None)


def take_turns(name: str) -> None:
    """Until the transaction ends, whoever else takes turns under this name waits here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
