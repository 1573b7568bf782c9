"""Reads the OpenAPI document as lines that can be held against the contract's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

JSON = "application/json"
FACTS = (
    *("enum", "default", "format", "minLength", "maxLength", "minimum", "maximum"),
    *("exclusiveMinimum", "minItems", "additionalProperties"),
)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """An operation as the contract has it: a line per parameter, per field and per error."""

    operation_id: str
    parameters: str
    request: str = ""
    media: str = JSON
    status: int = 200
    response: str
    refusals: str = ""


def Operation(operation_id: str, **facts: Any) -> Contract:  # noqa: N802 (reads as a row)
    return Contract(operation_id=operation_id, **facts)


def lines(table: str) -> set[str]:
    return {line.strip() for line in table.strip().splitlines() if line.strip()}


def in_place(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, response or header, or the one that it refers to."""
    if "$ref" not in schema:
        return schema
    kind, name = schema["$ref"].removeprefix("#/components/").split("/")
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {**document["components"][kind][name], **rest}


def facts(
    document: dict[str, Any], schema: dict[str, Any], path: str, *, required: bool
) -> Iterator[str]:
    """A line for each field: its path (`*`: required), its type, and what else is promised.

    What is marked as additive is ours, and left out: a whole field, or a tighter limit.
    """
    schema = in_place(document, schema)
    ours = schema.get("x-additive", [])
    if ours is True:
        assert not required, f"{path} is ours, and the contract's clients do not send it"
        return
    # Where the contract leaves a type open, ours is a tighter limit.
    kind = "any" if "type" in ours else schema.get("type", "any")
    words = [path + "*" * required, "|".join(kind) if isinstance(kind, list) else kind]
    for fact in FACTS:
        if fact in schema and fact not in ours:
            value = schema[fact]
            shown = "|".join(map(str, value)) if fact == "enum" else str(value)
            words.append(f"{fact}={shown}")
    yield " ".join(words)
    for name, inner in schema.get("properties", {}).items():
        needed = name in schema.get("required", [])
        yield from facts(document, inner, f"{path}.{name}", required=needed)
    if "items" in schema:
        yield from facts(document, schema["items"], f"{path}[]", required=False)


def parameters(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """A line for each parameter of the operation that the contract has too."""
    return {
        line
        for given in operation["parameters"]
        if not given.get("x-additive")
        for line in facts(
            document, given["schema"], f"{given['in']}.{given['name']}", required=given["required"]
        )
    }


def request(document: dict[str, Any], operation: dict[str, Any], media: str) -> set[str]:
    if "requestBody" not in operation:
        return set()
    schema = operation["requestBody"]["content"][media]["schema"]
    return set(facts(document, schema, "body", required=True))


def response(document: dict[str, Any], operation: dict[str, Any], status: int) -> set[str]:
    schema = operation["responses"][str(status)]["content"][JSON]["schema"]
    return set(facts(document, schema, "body", required=True))


def refusals(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """A line for each error: its status and code, the header that it has, a field of its body."""
    found = set()
    for status, answer in operation["responses"].items():
        if status[0] == "2":
            continue
        answer = in_place(document, answer)
        content = answer["content"][JSON]
        for example in content["examples"].values():
            error = example["value"]["error"]
            found |= {f"{status} {code}" for code in (error["code"], *_codes(error))}
        for name, header in answer["headers"].items():
            schema = in_place(document, header)["schema"]
            found |= set(facts(document, schema, f"{status}.{name}", required=False))
        found |= set(facts(document, content["schema"], f"{status}.body", required=True))
    return found


def _codes(error: dict[str, Any]) -> list[str]:
    return [detail["code"] for detail in error.get("details", [])]
