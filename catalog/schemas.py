"""The contract's words for what can be ordered, for every door."""

from typing import Annotated

from pydantic import WithJsonSchema

from catalog.models import SKU_LENGTH
from portal.shapes import Text

Sku = Annotated[
    str,
    Text(SKU_LENGTH, required=True),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": SKU_LENGTH, "x-additive": ["maxLength"]}
    ),
]
Reason = Annotated[str, Text(1000, multiline=True)]
