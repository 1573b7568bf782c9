"""Reads from the OpenAPI document what an operation takes, makes up a body of it, and sends it."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import simplejson
from django.test import Client

from tests.contract import JSON, in_place

Path = tuple[str | int, ...]

TEXTS = {"email": "noor@example.com", "date-time": "2026-01-31T12:00:00Z", "date": "2026-01-31"}


@dataclass(frozen=True)
class Field:
    """A place in a body, with what the document says of it."""

    path: Path
    schema: dict[str, Any]

    @property
    def name(self) -> str:
        """As an error names it."""
        return ".".join(map(str, self.path))

    @property
    def kinds(self) -> set[str]:
        """The JSON types that it may have; all of them where nothing is said."""
        options = self.schema.get("anyOf", [self.schema])
        told = [option.get("type", []) for option in options]
        found = {kind for each in told for kind in ([each] if isinstance(each, str) else each)}
        return found or {"string", "integer", "number", "boolean", "array", "object", "null"}


class Operation:
    """One operation of the document."""

    def __init__(self, document: dict[str, Any], method: str, path: str) -> None:
        self.document, self.method, self.path = document, method.upper(), path
        self.told: dict[str, Any] = document["paths"][path][method]
        self.content: dict[str, Any] = self.told.get("requestBody", {}).get("content", {})
        self.name: str = self.told["operationId"]

    @property
    def takes_json(self) -> bool:
        return JSON in self.content

    @property
    def needs_body(self) -> bool:
        return bool(self.content) and self.told["requestBody"]["required"] is True

    @property
    def answers(self) -> dict[int, dict[str, Any]]:
        """What it may answer, by status."""
        told = self.told["responses"].items()
        return {int(status): in_place(self.document, answer) for status, answer in told}

    @property
    def success(self) -> int:
        return min(self.answers)

    def errors(self) -> dict[str, tuple[int, Any]]:
        """The examples of its errors by name: status and body."""
        return {
            name: (status, example["value"])
            for status, answer in self.answers.items()
            for name, example in answer["content"][JSON].get("examples", {}).items()
        }

    def headers(self, status: int) -> dict[str, Any]:
        """The headers of an answer, each with its schema."""
        told = self.answers[status].get("headers", {}).items()
        return {name: in_place(self.document, header) for name, header in told}

    def parameters(self, where: str) -> list[str]:
        return [given["name"] for given in self.told["parameters"] if given["in"] == where]

    def body(self) -> Any:
        """The smallest body of the right shape: the document's first example, or made up."""
        examples = list(self.content[JSON].get("examples", {}).values())
        if examples:
            return copy.deepcopy(
                min((each["value"] for each in examples), key=lambda b: len(str(b)))
            )
        return self.fill(self.content[JSON]["schema"])

    def fields(self) -> list[Field]:
        """Every place that the schema of the body names, itself left out."""
        return list(self._fields((), self.content[JSON]["schema"]))[1:]

    def _fields(self, path: Path, schema: dict[str, Any]) -> Iterator[Field]:
        schema = self._object(schema)
        yield Field(path, schema)
        for name, inner in schema.get("properties", {}).items():
            yield from self._fields((*path, name), inner)
        if "items" in schema:
            yield from self._fields((*path, 0), schema["items"])

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema in its place; of several that it may be, with what an object of it has."""
        schema = in_place(self.document, schema)
        inner = [in_place(self.document, option) for option in schema.get("anyOf", [])]
        for option in inner:
            if "properties" in option or "items" in option:
                return {**option, "anyOf": inner}
        return {**schema, "anyOf": inner} if inner else schema

    def fill(self, schema: dict[str, Any]) -> Any:
        """Any value of the schema, with no more than it requires."""
        schema = self._object(schema)
        for known in ("const", "default"):
            if known in schema:
                return schema[known]
        if "enum" in schema:
            return schema["enum"][0]
        kinds = Field((), schema).kinds
        if "object" in kinds:
            told = schema.get("properties", {})
            return {name: self.fill(told[name]) for name in schema.get("required", [])}
        if "array" in kinds:
            return [self.fill(schema["items"]) for _ in range(schema.get("minItems", 0))]
        if "string" in kinds:
            return TEXTS.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 0)))
        if kinds & {"integer", "number"}:
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return True

    def body_with(self, field: Field, value: Any) -> Any:
        """The smallest body with this value in that place, and in all around it what is needed."""
        whole = self.body()
        at, schema = whole, self._object(self.content[JSON]["schema"])
        for step, following in zip(field.path, (*field.path[1:], None), strict=True):
            inner = schema["items"] if isinstance(step, int) else schema["properties"][step]
            schema = self._object(inner)
            put = value if following is None else self.fill(inner)
            if isinstance(at, list):
                if not at or following is None:
                    at[:1] = [put]
            elif following is None or not at.get(step):
                at[step] = put
            at = at[step]
        return whole


def operations(document: dict[str, Any]) -> dict[str, Operation]:
    """All of them, by `operationId`."""
    found = [
        Operation(document, method, path)
        for path, methods in document["paths"].items()
        for method in methods
    ]
    return {operation.name: operation for operation in found}


class Sender:
    """Sends requests of an operation about rows that are there."""

    def __init__(self, client: Client, ids: dict[str, str]) -> None:
        self.client, self.ids = client, ids

    def address(self, operation: Operation, **ids: str) -> str:
        path = operation.path
        for name in operation.parameters("path"):
            path = path.replace(f"{{{name}}}", ids.get(name) or self.ids[name])
        return path

    def send(
        self,
        operation: Operation,
        body: Any = None,
        *,
        query: str = "",
        media: str | None = None,
        ids: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The answer to the request, the smallest of the right shape where nothing is told.

        The query string is handed over as a server does, byte by byte.
        """
        sent = body
        if body is None and operation.takes_json:
            sent = operation.body()
        if not isinstance(sent, bytes):
            sent = b"" if sent is None else simplejson.dumps(sent).encode()
        return self.client.generic(
            operation.method,
            self.address(operation, **(ids or {})),
            sent,
            content_type=media if media is not None else next(iter(operation.content), ""),
            headers=headers or {},
            QUERY_STRING=query,
        )
