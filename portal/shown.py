"""Values as the API shows them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
Count = Annotated[int, WithJsonSchema({"type": "number"})]
Success = Annotated[Literal[True], WithJsonSchema({"type": "boolean", "enum": [True]})]
Cursor = Annotated[str | None, WithJsonSchema({"type": ["string", "null"]})]


def given(**values: Any) -> dict[str, Any]:
    """Only what there is: neither None nor blank nor empty."""
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def moment(at: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
