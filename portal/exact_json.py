"""JSON whose numbers keep every digit: money and custom fields never pass through a float."""

import json
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

import simplejson
from django.db import models

MAX_EXPONENT = 308
"""Numbers beyond 10^308 are legal JSON, but neither a double nor the database can hold them."""
MAX_NUMBER_LENGTH = 1000
"""Characters of one number."""
# Without any of these no number needs to be looked at: a body may hold a million of them.
_UNUSUAL = re.compile(rf"(?<![0-9.])[0-9.]{{{MAX_EXPONENT + 1}}}|[0-9][eE]")


# Made once: a page of a list reads hundreds of small values.
_WRITER = simplejson.JSONEncoder(
    use_decimal=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
)
_READER = json.JSONDecoder(parse_float=Decimal)


def dumps(value: Any) -> str:
    return str(_WRITER.encode(value))


def loads_strict(body: bytes) -> Any:
    """Reads JSON from outside. Raises ValueError, whatever is wrong with it, saying what.

    More is refused than a parser must: another encoding than UTF-8, a byte order mark, a name
    that occurs twice in an object, numbers that nothing can hold, nesting without end.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("It is not UTF-8.") from error
    if not text.strip():
        raise ValueError("It is empty.")
    if text.startswith("\ufeff"):
        raise ValueError("It starts with a byte order mark.")
    unusual = _UNUSUAL.search(text)
    try:
        return simplejson.loads(
            text,
            parse_float=_decimal if unusual else Decimal,
            parse_int=_integer if unusual else int,
            object_pairs_hook=_object,
        )
    except RecursionError as error:
        raise ValueError("It is nested too deeply.") from error


def _decimal(literal: str) -> Decimal:
    if len(literal) <= MAX_NUMBER_LENGTH:
        with suppress(InvalidOperation):
            number = Decimal(literal)
            if abs(number.adjusted()) <= MAX_EXPONENT:
                return number
    raise ValueError("It contains a number that is too long, too large or too small.")


def _integer(literal: str) -> int:
    return int(literal) if len(literal) <= MAX_EXPONENT else int(_decimal(literal))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("It has an object in which a name occurs twice.")
    return made


class ExactEncoder(json.JSONEncoder):
    """Writes a Decimal as the number that it is."""

    def encode(self, o: Any) -> str:
        return dumps(o)


class ExactDecoder(json.JSONDecoder):
    """Reads a number with a point as a Decimal."""

    def __init__(self) -> None:
        """Nothing to prepare: one is made for every value that is read."""

    def decode(self, s: str, *args: Any) -> Any:
        return _READER.decode(s)


def ExactJSONField(**kwargs: object) -> models.JSONField:  # noqa: N802 (reads as a field)
    """A column of JSON that gives back every number as it was put in."""
    return models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder, **kwargs)  # type: ignore[arg-type]
