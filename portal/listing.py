"""Lists over the API: what is asked in the query string, and the page that answers."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import parse_qsl

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db.models import BooleanField, Expression, F, Field, Func, Model, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.http import HttpRequest
from pydantic import BeforeValidator, WithJsonSchema
from pydantic import Field as PydanticField

from portal.errors import Detail, ValidationFailed
from portal.paging import LAST_KEY, key_of
from portal.shapes import ContractModel, Moment, Shape, parse, refusal
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
        "pattern": "^([0-9]*[1-9][0-9]*)?$",
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


class SortedQuery(ListQuery):
    """What a list is asked that can be sorted, and asked for what changed lately."""

    updated_since: Moment | None = None
    sort_by: str = "createdAt"
    sort_dir: Annotated[
        Literal["asc", "desc"], PydanticField(description="Ascending or descending.")
    ] = "desc"

    @property
    def sorted_by(self) -> str:
        """What the list is sorted by: what changed lately by when it did, unless told."""
        told = "sort_by" in self.model_fields_set
        return self.sort_by if told or not self.updated_since else "updatedAt"


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


def sent_parameters(
    request: HttpRequest, *, verbatim: str | None = None
) -> tuple[dict[str, str], list[Detail]]:
    """What the query string says, blank values left out, and which parameters it says badly.

    Trimmed and in Unicode NFC, but for parameters whose names begin with `verbatim`. Raises
    ValidationFailed at path "" if it is no UTF-8, is wrongly escaped or has more than 100
    parameters.
    """
    sent: dict[str, str] = {}
    seen: set[str] = set()
    problems = []
    for name, value in _pairs(request):
        try:
            clean(name)
            cleaned = clean(value)
        except ValueError as error:
            problems.append(Detail(name, "VALIDATION_ERROR", str(error)))
            continue
        if name in seen:
            problems.append(Detail(name, "VALIDATION_ERROR", "Send this once."))
        elif cleaned:
            sent[name] = value if verbatim and name.startswith(verbatim) else cleaned
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


class Columns(Func):
    """Several columns as one value. PostgreSQL compares it within one range of an index."""

    template = "ROW(%(expressions)s)"
    output_field = BooleanField()  # Of no meaning: it is compared only.


class Rows(Generic[T]):
    """One page of a list, and the cursor of the next one, if there is any."""

    def __init__(
        self,
        queryset: QuerySet[T],
        query: ListQuery,
        *,
        by: str = "created_at",
        then: str | None = None,
        field: "Field[Any, Any] | None" = None,
        descending: bool = True,
    ) -> None:
        """The rows by a column, where it is the same by another (`then`), and last by age.

        As fast at the millionth row as at the first, however many have the same value, if there
        is an index of these columns; rows that are added meanwhile shift nothing. `field` reads a
        value of `by` from a cursor where the model has no such field. Raises ValidationFailed at
        `startAfter` for a cursor that is none, or that of another list or order.
        """
        model = queryset.model._meta
        fields: dict[str, Any] = {by: field or model.get_field(by)}
        if then:
            fields[then] = model.get_field(then)
        fields["pk"] = model.pk
        order = [f"-{name}" if descending else name for name in fields]
        name = f"{model.label_lower} {' '.join(order)}"
        if query.start_after:
            shown = _position(query.start_after, name, fields, LAST_KEY if descending else 0)
            behind = LessThan if descending else GreaterThan
            queryset = queryset.filter(behind(Columns(*map(F, fields)), Columns(*shown)))
        found = list(queryset.order_by(*order)[: query.limit + 1])
        self.limit = query.limit
        self.rows = found[: query.limit]
        self.next = None
        if len(found) > query.limit:
            columns = [*(column for column in fields if column != "pk"), "public_id"]
            last = [_shown(getattr(self.rows[-1], column)) for column in columns]
            self.next = _signer.sign_object([name, *last])

    def body(self, name: str, shown: list[Any]) -> dict[str, Any]:
        """The contract's envelope: `count` is that of this page."""
        return {
            name: shown,
            "count": len(shown),
            "limit": self.limit,
            "hasMore": self.next is not None,
            "nextCursor": self.next,
        }


def _shown(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _position(
    cursor: str, name: str, fields: Mapping[str, Any], otherwise: int
) -> list[Expression]:
    """The last row of the page before: what it has in each of these fields, the key as the last."""
    *columns, key = fields.values()
    try:
        told, *shown, public_id = _signer.unsign_object(cursor)
        if told == name:
            values = [
                Value(field.to_python(text), output_field=field)
                for field, text in zip(columns, shown, strict=True)
            ]
            return [*values, key_of(key.model, public_id, otherwise=otherwise)]
        message = "This cursor belongs to another list or another order. Start without it."
    except (BadSignature, ValidationError, ValueError):
        message = "This is no cursor of this list. Send the nextCursor of the page before."
    raise ValidationFailed([Detail("startAfter", "VALIDATION_ERROR", message)])
