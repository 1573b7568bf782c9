"""The shapes that a program sends: types shared by every part of the contract, and what is refused.

Field names are the contract's, in camelCase on the wire. Unknown fields are ignored. A blank
optional string counts as absent and is kept as "".
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from portal import money, text
from portal.errors import Detail, ValidationFailed
from portal.models import MAX_CONTRACT_LENGTH


def refusal(message: str) -> PydanticCustomError:
    """What a validator raises, in our own words."""
    return PydanticCustomError("portal", "{reason}", {"reason": message})


@dataclass(frozen=True, slots=True)
class Text:
    """A string: trimmed, NFC, nothing hidden in it, at most so long; blank only if optional."""

    max_length: int
    required: bool = False
    multiline: bool = False

    def check(self, value: str) -> str:
        try:
            value = text.clean(value, multiline=self.multiline)
        except ValueError as error:
            raise refusal(str(error)) from error
        if self.required and not value:
            raise refusal("This field is required.")
        if len(value) > self.max_length:
            raise refusal(f"This may have {self.max_length} characters at most.")
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        limits = {"minLength": 1} if self.required else {}
        limits["maxLength"] = self.max_length
        return {**handler(schema), **limits, "x-additive": list(limits)}


def _email(value: Any) -> Any:
    if not isinstance(value, str):
        raise refusal("Enter an e-mail address such as name@example.com.")
    try:
        text.normalize_email(value)
    except ValueError as error:
        raise refusal(str(error)) from error
    return text.clean(value)


def whole_number(value: Any) -> int:
    """An integer; 1.0 counts as one, true and "1" do not."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise refusal("Enter a whole number.")
    # Compared before it is converted: 1e300 would become an integer of 300 digits.
    exact = Decimal(value)
    if abs(exact) > 10**9:
        raise refusal("This number is too large.")
    if exact != int(exact):
        raise refusal("Enter a whole number.")
    return int(exact)


def number(value: Any) -> Decimal:
    """A number as it was written, whole or not; true and "5" are none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise refusal("Enter a number.")
    return Decimal(value)


def not_null(value: Any) -> Any:
    """Anything but null: what is optional is left out."""
    if value is None:
        raise refusal("Leave this out instead of sending null.")
    return value


def as_moment(value: Any) -> datetime | None:
    """A point in time: ISO 8601 with its offset, since nobody knows which zone else is meant."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None:
            # The database takes no offset of 16 hours or more.
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return None


def _moment_of_query(value: Any) -> datetime:
    if (at := as_moment(value)) is None:
        raise refusal("Enter a moment with its zone, such as 2026-01-31T12:00:00Z; send + as %2B.")
    return at


class Omissible:
    """An object that may be left out, but not sent as null: `Annotated[X | None, Omissible()]`.

    It is checked as X alone: what is wrong in a union, pydantic reports once per member, at
    paths that name the member.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        present = next(member for member in get_args(source) if member is not type(None))
        return core_schema.no_info_before_validator_function(
            not_null, handler.generate_schema(present)
        )


MAXIMUM = {"x-additive": ["maximum"]}
"""Marks a limit of ours in the OpenAPI document."""
OURS: dict[str, Any] = {"x-additive": True}
"""Marks what the contract does not have at all."""

Email = Annotated[
    str,
    BeforeValidator(_email),
    WithJsonSchema(
        {"type": "string", "format": "email", "maxLength": 254, "x-additive": ["maxLength"]}
    ),
]
Months = Annotated[
    int,
    Field(gt=0, le=MAX_CONTRACT_LENGTH, json_schema_extra=MAXIMUM),
    BeforeValidator(whole_number),
]
Amount = Annotated[
    Decimal,
    Field(ge=0, le=money.MAX_UNIT_PRICE),
    BeforeValidator(number),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": 9999999.999,
            "x-additive": ["minimum", "maximum"],
        }
    ),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment_of_query),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class ContractModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_alias=True, strict=True)

    def stored(self) -> dict[str, Any]:
        """The contract's object as it is kept and sent back: blank and absent fields left out."""
        # What was stored before may come as another type of number than what was just read.
        values = self.model_dump(by_alias=True, exclude_unset=True, warnings="none")
        return {
            key: value
            for key, value in values.items()
            if value not in ("", None) or (key == "postalCode" and value is None)
        }


Shape = TypeVar("Shape", bound=ContractModel)


MOST_HIDDEN, MOST_WRONG = 100, 800
"""Details of one answer about hidden characters and wrong fields; who sends more knows by then."""


def parse(model: type[Shape], data: Any) -> tuple[Shape | None, list[Detail]]:
    """The data as the model and no details, or None and every field that has the wrong shape.

    Characters that cannot be seen are refused also where the model has no field, and in names.
    """
    hidden = list(islice(_hidden(data), MOST_HIDDEN))
    try:
        parsed = model.model_validate(data)
    except ValidationError as error:
        found = [
            Detail(_path(each["loc"]), "VALIDATION_ERROR", _message(each))
            for each in error.errors(include_url=False)[:MOST_WRONG]
        ]
        if more := error.error_count() - len(found):
            hidden.append(Detail("", "VALIDATION_ERROR", f"{more:,} more fields are wrong."))
        told = {detail.path for detail in found}
        return None, [*found, *(detail for detail in hidden if not _covered(detail.path, told))]
    return (None, hidden) if hidden else (parsed, [])


def _path(parts: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in parts)


def _covered(path: str, told: Set[str]) -> bool:
    """Whether something was said of this place already, or of what it is a part of."""
    parts = path.split(".")
    return any(".".join(parts[:end]) in told for end in range(1, len(parts) + 1))


def _hidden(data: Any) -> Iterator[Detail]:
    """Every text and every name in the data that hides a character, at its path.

    A name that does is no part of a path: it could not be shown.
    """
    # Where we are is known by what is open above it: a body may have a million places.
    names: list[int | str] = []
    levels: list[Iterator[tuple[int | str, Any]]] = [iter([("", data)])]
    while levels:
        for name, value in levels[-1]:
            if isinstance(value, str):
                if character := _hidden_character(value):
                    yield _hides([*names, name], "It", character)
            elif isinstance(value, dict):
                if character := _hidden_character("".join(value)):
                    yield _hides([*names, name], "A name in it", character)
                    continue
                levels.append(_with_text(value.items()))
                names.append(name)
                break
            elif isinstance(value, list):
                levels.append(_with_text(enumerate(value)))
                names.append(name)
                break
        else:
            levels.pop()
            del names[-1:]


def _with_text(items: Iterable[tuple[int | str, Any]]) -> Iterator[tuple[int | str, Any]]:
    return iter([item for item in items if item[1] and isinstance(item[1], (str, dict, list))])


def _hides(names: list[int | str], what: str, character: str) -> Detail:
    why = f"{what} contains a character that cannot be seen ({character})."
    return Detail(_path(names[1:]), "VALIDATION_ERROR", why)


def _hidden_character(value: str) -> str | None:
    return text.hidden_character(value.replace("\r", "\n"), multiline=True)


def read(model: type[Shape], data: Any) -> Shape:
    """The data as the model. Raises ValidationFailed with every field of the wrong shape."""
    parsed, problems = parse(model, data)
    if parsed is None:
        raise ValidationFailed(problems)
    return parsed


_MESSAGES = {
    "missing": "This field is required.",
    "string_type": "Send a string.",
    "list_type": "Send a list.",
    "bool_type": "Send true or false.",
    "model_type": "Send an object.",
    "model_attributes_type": "Send an object.",
    "dict_type": "Send an object.",
    "string_unicode": "This contains a character that cannot be sent.",
    "too_short": "Add at least one item.",
}


def _message(found: Mapping[str, Any]) -> str:
    """In our own words; `found` is one of pydantic's errors."""
    match found["type"]:
        case "greater_than_equal":
            return f"Enter {found['ctx']['ge']:,} or more."
        case "greater_than":
            return f"Enter more than {found['ctx']['gt']:,}."
        case "less_than_equal":
            return f"Enter {found['ctx']['le']:,} at most."
        case "too_long":
            return f"There may be {found['ctx']['max_length']:,} items at most."
        case "enum" | "literal_error":
            return f"Choose {found['ctx']['expected']}."
        case kind:
            message: str = _MESSAGES.get(kind, found["msg"])
            return message
