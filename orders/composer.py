"""What a rep types or pastes into the search, and the lines that it becomes."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from catalog.asking import Reading, read_line
from catalog.matching import Match, ask, match_parts
from orders.models import MAX_LINES
from orders.sheet import Sheet, SheetLine, new_lines
from orders.typed import TypedLine, typed_number
from portal.formats import typable
from portal.models import Tenant

MAX_TEXT = 20_000
"""Characters that are read in one go."""

CHOICES = 6
"""How many of the things that a part can mean are offered."""

_NAMED = 5
_MAX_RETURNED = 2_000
"""Bytes of a response's header, far below what servers in between let through."""


@dataclass(frozen=True, slots=True)
class Composed:
    """New lines, a sentence about them, and the text that matched nothing."""

    lines: Sequence[SheetLine]
    status: str
    unfound: str = ""


def add_sku(*, tenant: Tenant, sku: str, quantity: str = "", length: str = "") -> Composed:
    """The line of a variant that was chosen; none if it has no price or is not known."""
    [line] = new_lines(tenant, [_typed(Reading(sku, quantity, length))])
    if not line.lengths:
        return Composed([], _unknown([sku]))
    return Composed([line], _added([line]))


def compose(*, tenant: Tenant, text: str) -> Composed:
    """Lines of what was typed or pasted, priced.

    One part becomes the first thing that it can mean, as the search shows it. Of several, each
    becomes a line if it can mean one thing only, and else a line that offers the choice; what
    matches nothing that can be ordered comes back as text.
    """
    parts = ask(tenant=tenant, text=text[: MAX_TEXT + 1])
    if len(text) > MAX_TEXT or len(parts) > MAX_LINES:
        return Composed([], f"At most {MAX_LINES} lines can be added in one go. None was added.")
    matches = match_parts(tenant=tenant, parts=parts, limit=CHOICES)
    unknown = [match.part.text for match in matches if not match.orderable]
    returned = _returned(unknown)
    kept = [match for match in matches if match.part.text not in returned]
    lines = new_lines(tenant, [_typed(_meaning(match, len(matches))) for match in kept])
    lines = [
        line if line.offer else replace(line, choices=match.orderable)
        for line, match in zip(lines, kept, strict=True)
    ]
    status = " ".join(filter(None, (_added(lines), _open(lines), _unknown(unknown))))
    return Composed(lines, status or _unknown([text]), "; ".join(returned))


def with_choices(*, tenant: Tenant, sheet: Sheet) -> Sheet:
    """The sheet, each line of an unknown SKU with what it can mean; no query if there is none."""
    unknown = [line for line in sheet.lines if not line.is_known]
    typed = [line.typed for line in unknown]
    parts = [read_line(each.sku, each.quantity, each.contract_length) for each in typed]
    matches = match_parts(tenant=tenant, parts=parts, limit=CHOICES) if parts else []
    choices = {line.typed.id: match.orderable for line, match in zip(unknown, matches, strict=True)}
    lines = [replace(line, choices=choices.get(line.typed.id, ())) for line in sheet.lines]
    return replace(sheet, lines=lines)


def _typed(reading: Reading) -> TypedLine:
    return TypedLine(secrets.token_hex(4), reading.words, _plain(reading.quantity), reading.length)


def _plain(quantity: str) -> str:
    """Ungrouped, so that a colleague with another locale reads the same: 1,000 is 1000."""
    number = typed_number(quantity or "1")
    return typable(number) if isinstance(number, Decimal) else number


def _meaning(match: Match, parts: int) -> Reading:
    """The SKU that is meant, or as long as that is open, the words."""
    option = match.certain if parts > 1 else next(iter(match.orderable), None)
    return replace(option.reading, words=option.found.sku) if option else match.reading


def _returned(texts: Sequence[str]) -> list[str]:
    """The texts that go back to the search, as many as a header of the response can hold."""
    returned: list[str] = []
    for text in texts:
        if len(json.dumps("; ".join([*returned, text]))) <= _MAX_RETURNED:
            returned.append(text)
    return returned


def _added(lines: Sequence[SheetLine]) -> str:
    if len(lines) == 1 and lines[0].offer:
        return f"{lines[0].offer.product_name} is added."
    return f"{len(lines)} lines are added." if len(lines) > 1 else ""


def _open(lines: Sequence[SheetLine]) -> str:
    names = [line.typed.sku for line in lines if not line.offer and line.choices]
    verb = "means" if len(names) == 1 else "mean"
    return f"Choose what {_list(names)} {verb}." if names else ""


def _unknown(texts: Sequence[str]) -> str:
    return f"Nothing that can be rented matches {_list(texts, 'or')}." if texts else ""


def _list(texts: Sequence[str], word: str = "and") -> str:
    """The first few: “a”, “b” and 3 more."""
    named = [f"“{text}”" for text in texts[:_NAMED]]
    if len(texts) > _NAMED:
        named.append(f"{len(texts) - _NAMED} more")
    return f"{', '.join(named[:-1])} {word} {named[-1]}" if len(named) > 1 else named[0]
