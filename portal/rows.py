"""Rows of the database that are known by a unique key."""

from typing import TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


def one_or_none(found: models.QuerySet[Row]) -> Row | None:
    """The only row, or None: half the work of `first()`, which asks for the first in order."""
    return next(iter(found.order_by()), None)
