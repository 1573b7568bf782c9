"""Expressions that Django has no words for."""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Field, Func, Value


class IsAnyOf(Func):
    """As `__in`, with all values in one parameter: there may be thousands."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, column: str, values: Sequence[object], field: "Field[Any, Any]") -> None:
        super().__init__(F(column), Value(values, ArrayField(field)))
