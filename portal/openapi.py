"""What an operation says of itself in the OpenAPI document, beyond what its signature tells.

Where we are stricter than the contract, the keyword is listed under `x-additive`; what the
contract does not have at all is marked by it.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from portal.errors import PermissionRefused, error_body
from portal.models import Tenant
from portal.refusals import ALWAYS, OF_BODY, OF_KEY, OF_LIST, Refusal
from portal.shapes import OURS

JSON = "application/json"
COMPONENTS: dict[str, Any] = {}
"""The objects that operations name instead of repeating them."""


class ErrorDetail(BaseModel):
    path: str
    code: str
    message: str


class ErrorObject(BaseModel):
    code: str
    message: str
    details: Annotated[list[ErrorDetail], Field(json_schema_extra=OURS)] = []


class Error(BaseModel):
    """A request that was refused. `details` name each field, such as `items.0.sku`."""

    error: ErrorObject


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
    **parameter(
        "header",
        "Tenant-ID",
        "The tenant that the key belongs to.",
        maxLength=Tenant._meta.get_field("slug").max_length,
        **{"x-additive": ["maxLength"]},
    ),
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


def _header(description: str, **more: Any) -> dict[str, Any]:
    schema = {"type": "string", **more}
    return {"description": description, "schema": schema, "x-additive": True}


HEADERS = {
    "X-Request-ID": _header(
        "Names this request in our log: tell it to us when something went wrong. Yours, if you "
        "sent one of 8 to 64 letters, digits, dots, hyphens and underscores.",
        pattern="^[A-Za-z0-9._-]{8,64}$",
    ),
    "Idempotent-Replayed": _header(
        "This is the answer to the first request with this `Idempotency-Key`; nothing was done "
        "again.",
        enum=["true"],
    ),
    "Retry-After": {
        "description": "Seconds to wait before the same request is sent again.",
        "schema": {"type": "string", "pattern": "^[0-9]+$", "x-additive": ["pattern"]},
    },
    "WWW-Authenticate": _header("How to say who you are: with a Bearer key.", enum=["Bearer"]),
}


def _with_headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}


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


def _refused(refusals: Iterable[Refusal]) -> dict[str, Any]:
    """The answer of one status: each error with its example, and the headers that it sends."""
    refusals = list(refusals)
    sent = {name: None for each in refusals for name in getattr(each.error, "headers", ())}
    examples = {each.name: {"value": {"error": error_body(each.error)}} for each in refusals}
    return {
        "description": " ".join(each.description for each in refusals),
        "headers": _with_headers(*sent),
        "content": {JSON: {"schema": schema_of(Error), "examples": examples}},
    }


RESPONSES = {
    name: _refused(each for each in (*ALWAYS, *OF_BODY, *OF_KEY) if each.error.status == status)
    for name, status in {
        "Unauthorized": 401,
        "BodyTooLarge": 413,
        "UnsupportedMediaType": 415,
        "IdempotencyKeyReused": 422,
        "TooManyRequests": 429,
        "InternalError": 500,
        "Unavailable": 503,
    }.items()
}
"""The answers that are the same everywhere; operations name them instead of repeating them."""


def _named_response(response: dict[str, Any]) -> dict[str, Any]:
    name = next((name for name, known in RESPONSES.items() if known == response), None)
    return {"$ref": f"#/components/responses/{name}"} if name else response


def _errors(refusals: Iterable[Refusal]) -> dict[int, Any]:
    """The answers by status. Of two refusals of one name the later holds."""
    by_status: dict[int, dict[str, Refusal]] = {}
    for each in refusals:
        by_status.setdefault(each.error.status, {})[each.name] = each
    return {
        status: _named_response(_refused(named.values()))
        for status, named in sorted(by_status.items())
    }


def operation(
    operation_id: str,
    summary: str,
    *,
    scope: str,
    without_scope: str,
    response: Any,
    example: Any,
    status: int = 200,
    body: Any = None,
    body_required: bool = True,
    examples: Mapping[str, Any] | None = None,
    media: Mapping[str, Any] | None = None,
    query: type[BaseModel] | None = None,
    query_pattern: str = "",
    refusals: Iterable[Refusal] = (),
    keyed: bool = False,
    ours: bool = False,
) -> dict[str, Any]:
    """What a router is told of an operation.

    `scope` is what its key needs, and `without_scope` what other keys are told. `example` is
    what it answers, `examples` are bodies that it takes. `media` is a body that is not JSON, by
    its media types, and `query_pattern` how parameters look whose names are the tenant's.
    `refusals` are its own errors; `keyed` takes an `Idempotency-Key`, `ours` is not in the
    contract.
    """
    needed = Refusal(f"the key needs the scope `{scope}`.", PermissionRefused(without_scope))
    known = (OF_LIST if query else (), OF_BODY if body else (), OF_KEY if keyed else ())
    replayed = ("Idempotent-Replayed",) if keyed else ()
    described: dict[str, Any] = {
        "parameters": [TENANT_ID, *([IDEMPOTENCY_KEY] if keyed else []), *_asked(query or Nothing)],
        "responses": {
            status: {
                "headers": _with_headers(*replayed),
                "content": {JSON: {"schema": schema_of(response), "example": example}},
            },
            **_errors([*ALWAYS, needed, *(each for more in known for each in more), *refusals]),
        },
        "x-scope": scope,
    }
    if body:
        named = {name: {"value": value} for name, value in (examples or {}).items()}
        content = {JSON: {"schema": schema_of(body), "examples": named}}
        described["requestBody"] = {"required": body_required, "content": content}
    if media:
        described["requestBody"] = {"required": True, "content": dict(media)}
    if query_pattern:
        described["x-query-pattern"] = query_pattern
    if ours:
        described["x-additive"] = True
    return {
        "operation_id": operation_id,
        "summary": summary,
        "response": {status: None},
        "openapi_extra": described,
    }


class Nothing(BaseModel):
    """A query string in which nothing is asked."""
