"""How a rep asks for devices: "5 mbp16 24; 3 ipad 12", or rows pasted from a spreadsheet.

Nothing here knows the catalogue. A number may be a quantity, a contract length or part of a name
("ipad 12"), so a part has several readings; which of them holds, the catalogue says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from portal.models import MAX_CONTRACT_LENGTH
from portal.text import hidden_character

_DIGITS = r"[0-9]{1,6}|[0-9]{1,3}(?:[.,'][0-9]{3})+"
# A number in front of one of these is a size: 16 GB macbook, 27 inch.
_UNIT = r"(?:[gmt]b|inch(?:es)?|in|[gmk]?hz|w|mp|k|[\"″”'′])(?!\w)"
_MARK = r"(?:m|mo|mos|mth|mths|month|months)\.?"

_QUANTITY = re.compile(
    rf"(?P<quantity>{_DIGITS})(?:\s?×\s?|\s?[x*]\s|\s)(?!{_UNIT})(?P<rest>.+)", re.IGNORECASE
)
_TIMES = re.compile(
    rf"[x×]\s?(?P<first>{_DIGITS})\s(?P<after>.+)"
    rf"|(?P<before>.+)\s(?:[x×]\s?(?P<last>{_DIGITS})|(?P<counted>{_DIGITS})\s?[x×])",
    re.IGNORECASE,
)
_MARKED = re.compile(
    rf"(?P<rest>.+?)(?:\s?/\s?(?P<slash>[0-9]{{1,3}})"
    rf"|\s(?:for\s(?P<term>[0-9]{{1,3}})|(?:for\s)?(?P<months>[0-9]{{1,3}})\s?{_MARK}))",
    re.IGNORECASE,
)
_LAST_NUMBER = re.compile(r"(?P<rest>.+)\s(?P<months>[0-9]{1,3})")
_MONTHS = re.compile(rf"([0-9]{{1,3}})\s?{_MARK}", re.IGNORECASE)
# As spreadsheets write whole numbers: 1 000, 2.00.
_CELL_DIGITS = r"([0-9]{1,6}|[0-9]{1,3}(?:[.,' ][0-9]{3})+)([.,]0{1,2})?"
_WHOLE = re.compile(_CELL_DIGITS)
_COUNT = re.compile(
    rf"(?:[x×]\s?)?{_CELL_DIGITS}\s?(?:[x×]|pcs?\.?|pieces?|units?)?", re.IGNORECASE
)
_LIKE_SKU = re.compile(r"(?=.*[^\W\d])(?=.*[0-9])\S{4,}")

Columns = dict[str, list[int]]
"""By what they hold (sku, words, quantity, length): the numbers of the columns, best first."""

_HEADINGS = {
    "sku": {"sku", "skus", "article", "article number", "item number", "part number", "code"},
    "words": {"product", "item", "name", "description", "device", "model", "product name"},
    "quantity": {"quantity", "qty", "amount", "number", "count", "pcs", "pieces", "units", "#"},
    "length": {"months", "term", "length", "contract length", "duration", "contract", "period"},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a part: quantity and contract length (months) as typed, or ""."""

    words: str
    quantity: str = ""
    length: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked for in one go. `otherwise` counts only if nothing else finds anything."""

    text: str
    readings: tuple[Reading, ...]
    otherwise: tuple[Reading, ...] = ()

    @property
    def every_reading(self) -> tuple[Reading, ...]:
        return self.readings + self.otherwise


def read_parts(text: str) -> list[Part]:
    """The parts of what was typed or pasted, each on a line of its own or after a semicolon.

    Cells are separated by tabs. A comma separates nothing: it belongs to numbers and names.
    """
    rows = [_clean(row) for row in re.split(r"[\r\n]+", text)]
    if any("\t" in row for row in rows):
        return _read_rows([[_cell(cell) for cell in row.split("\t")] for row in rows])
    typed = [" ".join(part.split()) for row in rows for part in row.split(";")]
    typed = [part for part in typed if part]
    return [read_part(part, alone=len(typed) == 1) for part in typed]


def read_part(text: str, *, alone: bool = False) -> Part:
    """One part. `alone`: without a quantity it is a search, and every number in it a word."""
    quantity, rest = _split_quantity(text)
    named = Reading(rest, quantity)
    marked, last = _MARKED.fullmatch(rest), _LAST_NUMBER.fullmatch(rest)
    readings: tuple[Reading, ...] = (named,)
    others: tuple[Reading, ...] = (Reading(text),)
    if marked and (marked["term"] or marked["months"]):
        length = marked["term"] or marked["months"]
        readings, others = (Reading(marked["rest"], quantity, length),), (named, *others)
    elif marked and _is_length(marked["slash"]):
        readings = (Reading(marked["rest"], quantity, marked["slash"]), named)
    elif last and _is_length(last["months"]):
        timed = Reading(last["rest"], quantity, last["months"])
        if quantity or not alone:
            readings = (timed, named)
        else:
            others = (timed, *others)
    times = (_counted(each) for each in (*readings, *others))
    others = (*filter(None, times), *others)
    others = tuple(each for each in dict.fromkeys(others) if each not in readings)
    return Part(text, readings, others)


def read_line(words: str, quantity: str, length: str) -> Part:
    """A line of which it is still open what is meant."""
    named = Reading(words, quantity, length)
    last = None if length else _LAST_NUMBER.fullmatch(words)
    if last and _is_length(last["months"]):
        return Part(words, (Reading(last["rest"], quantity, last["months"]), named))
    return Part(words, (named,))


def _clean(text: str) -> str:
    return "".join(" " if hidden_character(char, multiline=True) else char for char in text)


def _cell(text: str) -> str:
    """Without the quotation marks that spreadsheets put around a cell which contains some."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('""', '"')
    return " ".join(text.split())


def _split_quantity(text: str) -> tuple[str, str]:
    if found := _QUANTITY.fullmatch(text):
        return found["quantity"], found["rest"]
    # An x may belong to a name (ThinkPad X1), a multiplication sign does not.
    counted = _counted(Reading(text)) if "×" in text else None
    return (counted.quantity, counted.words) if counted else ("", text)


def _counted(reading: Reading) -> Reading | None:
    """The reading with a quantity that stands elsewhere in it ("mbp16 x5")."""
    found = None if reading.quantity else _TIMES.fullmatch(reading.words)
    if not found:
        return None
    words = found["after"] or found["before"]
    quantity = found["first"] or found["last"] or found["counted"]
    return replace(reading, words=words, quantity=quantity)


def _is_length(digits: str | None) -> bool:
    return bool(digits) and 0 < int(digits or 0) <= MAX_CONTRACT_LENGTH


def _read_rows(rows: list[list[str]]) -> list[Part]:
    rows = [row for row in rows if any(row)]
    width = max(map(len, rows), default=0)
    rows = [row + [""] * (width - len(row)) for row in rows]
    if rows and (columns := _headings(rows[0])):
        return [_read_row(row, columns) for row in rows[1:]]
    columns = _guess_columns(list(zip(*rows, strict=True)))
    return [_read_row(row, columns) for row in rows]


def _headings(row: Sequence[str]) -> Columns:
    """Which columns are what, by their headings; nothing if this is no row of headings."""
    headings = [re.sub(r"\(.*\)|[.:]", "", cell.lower()).strip() for cell in row]
    columns = {
        kind: [i for i, heading in enumerate(headings) if heading in names]
        for kind, names in _HEADINGS.items()
    }
    return columns if columns["sku"] or columns["words"] else {}


def _guess_columns(columns: Sequence[Sequence[str]]) -> Columns:
    """Without headings: what looks like SKUs, words, whole numbers. The rest is ignored."""
    kinds = [_kind(column) for column in columns]
    if not {"sku", "words"} & set(kinds):  # Names that look like numbers, more often than not.
        kinds = [_kind(column, may_differ=False) for column in columns]
    guessed: Columns = {
        name: [i for i, kind in enumerate(kinds) if kind == name] for name in _HEADINGS
    }
    counts = guessed["quantity"] = _counting(guessed["quantity"], columns)
    if len(counts) > 1 and not guessed["length"]:
        # Months come in half years, and after the quantity unless only the first column does.
        first, second = counts[:2]
        months = [i for i in (second, first) if all(map(_is_usual, columns[i]))] or [second]
        guessed["length"] = [i for i in months[:1] if all(map(_may_be_length, columns[i]))]
        guessed["quantity"] = [i for i in (first, second) if i not in guessed["length"]]
    return guessed


def _kind(column: Sequence[str], *, may_differ: bool = True) -> str:
    """What the cells of a column are, "" if they are nothing that is asked for.

    Half of those in a column of numbers may be something else ("tbc"), if they are no SKUs.
    """
    cells = [cell for cell in column if cell]
    for kind, pattern in (("length", _MONTHS), ("quantity", _COUNT)):
        others = [cell for cell in cells if not pattern.fullmatch(cell)]
        is_mostly = may_differ and not any(map(_LIKE_SKU.fullmatch, others))
        if cells and len(others) <= (len(cells) // 2 if is_mostly else 0):
            return kind
    if not any(char.isalpha() for cell in cells for char in cell):
        return ""
    return "sku" if all(re.fullmatch(r"\S*[0-9-]\S*", cell) for cell in cells) else "words"


def _counting(numbers: list[int], columns: Sequence[Sequence[str]]) -> list[int]:
    """The columns of numbers that count something.

    Amounts (49.00) do not beside counts, unless they stand where a quantity does: before months.
    """
    plain = [i for i in numbers if not all(map(_is_amount, columns[i]))]
    if len(plain) == 1 and numbers[0] < plain[0] and all(map(_is_usual, columns[plain[0]])):
        return [numbers[0], plain[0]]
    return plain or numbers


def _is_amount(cell: str) -> bool:
    found = _COUNT.fullmatch(cell)
    return not found or bool(found[2])


def _may_be_length(cell: str) -> bool:
    """Whether the cell does not say that its column is no contract length."""
    if not _COUNT.fullmatch(cell):
        return True
    found = _WHOLE.fullmatch(cell)
    return bool(found) and _is_length(_ungrouped(cell))


def _is_usual(cell: str) -> bool:
    is_number = bool(_WHOLE.fullmatch(cell))
    return _may_be_length(cell) and not (is_number and int(_ungrouped(cell)) % 6)


def _ungrouped(cell: str) -> str:
    """The digits of a whole number; what is none stays."""
    found = _COUNT.fullmatch(cell)
    return re.sub(r"\D", "", found[1]) if found else cell


def _read_row(row: Sequence[str], columns: Columns) -> Part:
    """A row: by its SKU, or else by its words. A cell that is no number stays as it was typed."""

    def first(kind: str) -> str:
        return next((row[i] for i in columns[kind] if row[i]), "")

    quantity, length = _ungrouped(first("quantity")), first("length")
    if found := _MONTHS.fullmatch(length):
        length = found[1]
    elif _WHOLE.fullmatch(length):
        length = _ungrouped(length)
    names = [row[i] for kind in ("sku", "words") for i in columns[kind] if row[i]]
    readings = [Reading(name, quantity, length) for name in names]
    if not readings:
        readings = [Reading(" ".join(filter(None, row)))]
    return Part(_typed(readings[0]), (readings[0],), tuple(readings[1:]))


def _typed(reading: Reading) -> str:
    """The reading as one would type it."""
    months = f"{reading.length} months" if reading.length else ""
    return " ".join(filter(None, (reading.quantity, reading.words, months)))
