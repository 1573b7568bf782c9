"""What an operation says of itself in the OpenAPI document, beyond what its signature tells.

Schemas are written out in place. Where we are stricter than the contract, the keyword is listed
under `x-additive`.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

JSON = "application/json"

ERRORS = {
    400: "`VALIDATION_ERROR`, with every field that is wrong, or one of the operation's own.",
    401: "`AUTH_REQUIRED` without a key, `INVALID_TOKEN` with a wrong one.",
    403: "`NO_TENANT_ACCESS`: not the tenant of this key. `INSUFFICIENT_PERMISSIONS`.",
    409: "`IDEMPOTENCY_IN_PROGRESS`: the first request still runs; wait for `Retry-After`.",
    413: "`BODY_TOO_LARGE`: over 2 MB.",
    415: "`UNSUPPORTED_MEDIA_TYPE`: not JSON in UTF-8.",
    422: "`IDEMPOTENCY_KEY_REUSED`: the key came with another body before.",
    500: "`INTERNAL_ERROR`: ours. It is logged under `X-Request-ID`.",
    503: "`UNAVAILABLE`: wait for `Retry-After`.",
}


class ErrorDetail(BaseModel):
    path: str
    code: str
    message: str


class ErrorBody(BaseModel):
    code: str
    message: str
    details: list[ErrorDetail] = []


class Error(BaseModel):
    """A request that was refused. `details` name each field, such as `items.0.sku`."""

    error: ErrorBody


class _Plain(GenerateJsonSchema):
    """Without titles, and without defaults that only say that a field is absent."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default") in (None, ""):
            described.pop("default", None)
        return described


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a model or typed dict, its parts in place instead of referred to."""
    schema = TypeAdapter(kind).json_schema(schema_generator=_Plain)
    parts = schema.pop("$defs", {})
    written: dict[str, Any] = _in_place(schema, parts)
    return written


def _in_place(node: Any, parts: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_in_place(inner, parts) for inner in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _in_place({**parts[node["$ref"].rpartition("/")[2]], **rest}, parts)
    return {
        key: _in_place(value, parts)
        for key, value in node.items()
        # A property may be called title; the title of a schema is a string.
        if not (key == "title" and isinstance(value, str))
    }


def header(name: str, description: str, *, required: bool, **schema: Any) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


TENANT_ID = header("Tenant-ID", "The tenant that the key belongs to.", required=True)
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "Any text of your own, new for each order. Sent again with the same body within 24 hours, "
    "it gives the same response, marked `Idempotent-Replayed: true`, and no second order.",
    required=False,
    minLength=1,
    maxLength=255,
    pattern="^[\\x21-\\x7e]+$",
)


def creation(*, body: Any, response: Any, examples: Mapping[str, Any]) -> dict[str, Any]:
    """Of an operation that creates something: its body, with examples, and its 201."""
    named = {name: {"value": example} for name, example in examples.items()}
    return {
        "parameters": [TENANT_ID, IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": schema_of(body), "examples": named}},
        },
        "responses": {
            201: {"content": {JSON: {"schema": schema_of(response)}}},
            **{status: {"description": text} for status, text in ERRORS.items()},
        },
    }
