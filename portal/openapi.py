"""What an operation says of itself in the OpenAPI document, beyond what its signature tells.

Where we are stricter than the contract, the keyword is listed under `x-additive`; what the
contract does not have at all is marked by it.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

JSON = "application/json"

ALWAYS = {
    400: "`VALIDATION_ERROR`, with everything that is wrong.",
    401: "`AUTH_REQUIRED` without a key, `INVALID_TOKEN` with a wrong one.",
    403: "`NO_TENANT_ACCESS`: not the tenant of this key. `INSUFFICIENT_PERMISSIONS`.",
    429: "`RATE_LIMITED`: wait for `Retry-After`.",
    500: "`INTERNAL_ERROR`: ours. It is logged under `X-Request-ID`.",
    503: "`UNAVAILABLE`: wait for `Retry-After`.",
}
"""How any operation may refuse."""
OF_BODY = {
    413: "`BODY_TOO_LARGE`: over 2 MB.",
    415: "`UNSUPPORTED_MEDIA_TYPE`: not JSON in UTF-8.",
}
OF_KEY = {
    409: "`IDEMPOTENCY_IN_PROGRESS`: the first request still runs; wait for `Retry-After`.",
    422: "`IDEMPOTENCY_KEY_REUSED`: the key came with another request before.",
}

COMPONENTS: dict[str, Any] = {}
"""The objects that operations name instead of repeating them."""


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
        if described.get("default") in (None, "", []):
            described.pop("default", None)
        return described


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a model or typed dict, by reference; a list of choices is in its place.

    An object is called by its title, or else by its class without `Body`.
    """
    schema = TypeAdapter(kind).json_schema(schema_generator=_Plain)
    parts = schema.pop("$defs", {})
    named: dict[str, Any] = _named(schema, parts)
    return named


def _named(node: Any, parts: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_named(inner, parts) for inner in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        # What is said of this place alone stands beside the reference.
        return {**_named(parts[node["$ref"].rpartition("/")[2]], parts), **rest}
    title = node.get("title")
    # A property may be called title; the title of a schema is a string.
    told = {k: v for k, v in node.items() if not (k == "title" and isinstance(title, str))}
    written = {key: _named(value, parts) for key, value in told.items()}
    if not (isinstance(title, str) and node.get("type") == "object"):
        return written
    name = title.removesuffix("Body")
    if COMPONENTS.setdefault(name, written) != written:
        raise ValueError(f"Two different objects are called {name}.")
    return {"$ref": f"#/components/schemas/{name}"}


def parameter(where: str, name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": where,
        "name": name,
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


TENANT_ID = {
    **parameter("header", "Tenant-ID", "The tenant that the key belongs to."),
    "required": True,
}
IDEMPOTENCY_KEY = {
    **parameter(
        "header",
        "Idempotency-Key",
        "Any text of your own, new for each request. Sent again with the same body within 24 "
        "hours, it gives the same response, marked `Idempotent-Replayed: true`, and nothing is "
        "done twice.",
        minLength=1,
        maxLength=255,
        pattern="^[\\x21-\\x7e]+$",
    ),
    "x-additive": True,
}


def _asked(query: type[BaseModel]) -> list[dict[str, Any]]:
    """The parameters of a query string, each as its field says."""
    schema = TypeAdapter(query).json_schema(schema_generator=_Plain)
    described = _named({"properties": schema["properties"]}, schema.get("$defs", {}))
    parameters = []
    for name, field in described["properties"].items():
        ours = field.pop("x-additive", None)
        # Blank counts as absent, which no format of a text allows.
        field.pop("format", None)
        made = parameter("query", name, field.pop("description", ""), **field)
        made["allowEmptyValue"] = True  # It counts as absent.
        if isinstance(ours, list):
            made["schema"]["x-additive"] = ours
        elif ours:
            made["x-additive"] = True
        parameters.append(made)
    return parameters


def operation(
    operation_id: str,
    summary: str,
    *,
    response: Any,
    status: int = 200,
    body: Any = None,
    body_required: bool = True,
    examples: Mapping[str, Any] | None = None,
    media: Mapping[str, Any] | None = None,
    query: type[BaseModel] | None = None,
    query_pattern: str = "",
    refusals: Mapping[int, str] | None = None,
    keyed: bool = False,
    ours: bool = False,
) -> dict[str, Any]:
    """What a router is told of an operation.

    `media` is a body that is not JSON, by its media types, and `query_pattern` how parameters
    look whose names are the tenant's. `refusals` are its own errors by status; `keyed` takes an
    `Idempotency-Key`, `ours` is not in the contract.
    """
    known = (ALWAYS, OF_BODY if body else {}, OF_KEY if keyed else {})
    errors: dict[int, str] = {}
    for more in (*known, refusals or {}):
        for code, text in more.items():
            errors[code] = f"{errors[code]} {text}" if code in errors else text
    described: dict[str, Any] = {
        "parameters": [TENANT_ID, *([IDEMPOTENCY_KEY] if keyed else []), *_asked(query or Nothing)],
        "responses": {
            status: {"content": {JSON: {"schema": schema_of(response)}}},
            **{code: {"description": text} for code, text in sorted(errors.items())},
        },
    }
    if body:
        content: dict[str, Any] = {"schema": schema_of(body)}
        if examples:
            content["examples"] = {name: {"value": value} for name, value in examples.items()}
        described["requestBody"] = {"required": body_required, "content": {JSON: content}}
    if media:
        described["requestBody"] = {"required": True, "content": dict(media)}
    if query_pattern:
        described["x-query-pattern"] = query_pattern
    if ours:
        described["x-additive"] = True
    return {
        "operation_id": operation_id,
        "summary": summary,
        "response": {status: None, **dict.fromkeys(sorted(errors), Error)},
        "openapi_extra": described,
    }


class Nothing(BaseModel):
    """A query string in which nothing is asked."""
