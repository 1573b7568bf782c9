"""Lists over the API: what is asked in the query string, and the page that answers."""

import re
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import parse_qsl

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from pydantic import BeforeValidator, WithJsonSchema
from pydantic import Field as PydanticField

from portal.errors import Detail, ValidationFailed
from portal.shapes import ContractModel, Shape, parse, refusal
from portal.text import clean

T = TypeVar("T", bound=Model)

LIMIT = 50
"""Rows of a page, unless told."""
MOST = 100

_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_signer = Signer(salt="portal.listing", sep=".")


def limit(default: int, most: int) -> Any:
    """How many rows; the contract sends it as text. More than the most are the most."""

    def check(value: Any) -> int:
        if isinstance(value, int):
            return value
        digits = value.lstrip("0")
        if not (digits.isascii() and digits.isdecimal()):
            raise refusal("Enter a whole number of 1 or more.")
        return min(int(digits[:20]), most)

    described = {
        "type": "string",
        "pattern": "^[0-9]*[1-9][0-9]*$",
        "description": f"Rows of a page: {default} unless told, {most:,} at most.",
        "x-additive": ["pattern"],
    }
    return Annotated[
        int,
        BeforeValidator(check),
        WithJsonSchema(described),
        PydanticField(json_schema_extra=_without_default),
    ]


def _without_default(schema: dict[str, Any]) -> None:
    """A number is no default of a text."""
    schema.pop("default", None)


Limit: Any = limit(LIMIT, MOST)


class ListQuery(ContractModel):
    """What every list is asked: how many rows, and from where on."""

    limit: Limit = LIMIT
    start_after: Annotated[
        str, PydanticField(description="`nextCursor` of the page before, for the next one.")
    ] = ""


def read_query(request: HttpRequest, model: type[Shape]) -> Shape:
    """The query string as the model; blank and unknown parameters count as absent.

    Raises ValidationFailed naming every parameter that is wrong, is sent twice or hides a
    character.
    """
    sent, problems = sent_parameters(request)
    query, found = parse(model, sent)
    if query is None or problems:
        raise ValidationFailed([*problems, *found])
    return query


def refuse_bad_query(request: HttpRequest) -> None:
    """Also where nothing is asked: raises ValidationFailed for a parameter as above."""
    _, problems = sent_parameters(request)
    if problems:
        raise ValidationFailed(problems)


def sent_parameters(request: HttpRequest) -> tuple[dict[str, str], list[Detail]]:
    """What the query string says, blank values left out, and which parameters it says badly.

    Raises ValidationFailed at path "" if it is no UTF-8, is wrongly escaped or has more than 100
    parameters.
    """
    sent: dict[str, str] = {}
    seen: set[str] = set()
    problems = []
    for name, value in _pairs(request):
        try:
            value = clean(value)
            clean(name)
        except ValueError as error:
            problems.append(Detail(name, "VALIDATION_ERROR", str(error)))
            continue
        if name in seen:
            problems.append(Detail(name, "VALIDATION_ERROR", "Send this once."))
        elif value:
            sent[name] = value
        seen.add(name)
    return sent, problems


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    message = "The query string is no UTF-8, or has more than 100 parameters."
    try:
        # A server hands bytes over as if each were a character; not all of them are escaped.
        asked = request.META.get("QUERY_STRING", "").encode("latin-1").decode()
        if _NO_ESCAPE.search(asked):
            message = "The query string has a % that begins no escape; send % itself as %25."
            raise ValueError(message)
        return parse_qsl(
            asked,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=100,
        )
    except ValueError as error:
        raise ValidationFailed([Detail("", "VALIDATION_ERROR", message)]) from error


class Rows(Generic[T]):
    """One page of a list, and the cursor of the next one, if there is any."""

    def __init__(
        self,
        queryset: QuerySet[T],
        query: ListQuery,
        *,
        by: str = "created_at",
        field: "Field[Any, Any] | None" = None,
        descending: bool = True,
    ) -> None:
        """The rows by a column, and by age where it is the same.

        As fast at the millionth row as at the first; rows that are added meanwhile shift nothing.
        `field` reads a value of `by` from a cursor where the model has no such field. Raises
        ValidationFailed at `startAfter` for a cursor that is none, or that of another order.
        """
        field = field or queryset.model._meta.get_field(by)  # type: ignore[assignment]
        side, sign = ("lt", "-") if descending else ("gt", "")
        if query.start_after:
            value, pk = _position(query.start_after, f"{sign}{by}", field)
            queryset = queryset.filter(
                # The first condition bounds the index scan; the second leaves out what was shown.
                Q(**{f"{by}__{side}e": value}),
                Q(**{f"{by}__{side}": value}) | Q(**{by: value, f"pk__{side}": pk}),
            )
        found = list(queryset.order_by(f"{sign}{by}", f"{sign}pk")[: query.limit + 1])
        self.limit = query.limit
        self.rows = found[: query.limit]
        self.next = None
        if len(found) > query.limit:
            last = self.rows[-1]
            at = getattr(last, by)
            shown = at.isoformat() if hasattr(at, "isoformat") else str(at)
            self.next = _signer.sign_object([f"{sign}{by}", shown, last.pk])

    def body(self, name: str, shown: list[Any]) -> dict[str, Any]:
        """The contract's envelope: `count` is that of this page."""
        return {
            name: shown,
            "count": len(shown),
            "limit": self.limit,
            "hasMore": self.next is not None,
            "nextCursor": self.next,
        }


def _position(cursor: str, order: str, field: Any) -> tuple[Any, int]:
    try:
        told, shown, pk = _signer.unsign_object(cursor)
        if told == order:
            return field.to_python(shown), pk
        message = "This cursor belongs to another order of the list. Start without it."
    except (BadSignature, ValidationError, ValueError):
        message = "This is no cursor of this list. Send the nextCursor of the page before."
    raise ValidationFailed([Detail("startAfter", "VALIDATION_ERROR", message)])
