"""A CSV file of the catalogue: what it must be as a whole, and what its cells say.

A row is a variant and its product, under the contract's column names (Import Products CSV). What
is wrong with the file refuses all of it; what is wrong with a row is told of that row.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from catalog.building import length_problem, price_problem
from catalog.models import (
    BRAND_LENGTH,
    CATEGORY_LENGTH,
    COLOR_LENGTH,
    NAME_LENGTH,
    SKU_LENGTH,
    SPECIFICATION_LENGTH,
)
from portal.errors import Detail, ValidationFailed
from portal.models import MAX_CONTRACT_LENGTH
from portal.money import round_money
from portal.shapes import Text
from portal.spreadsheets import undefuse
from portal.text import hidden_character

FIELD = "csvFile"
"""What the contract calls the file."""
MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 10_000
MAX_COLUMNS = 500

PRODUCT_SKU, VARIANT_SKU = "Product SKU", "Variant SKU"
GRADE, COLOR = "Grade", "Color"
LIST_PRICE, ACQUISITION_COST = "List Price", "Acquisition Cost"
PRODUCT_COLUMNS = {
    "Product Name": "name",
    "Category": "category",
    "Brand": "brand",
    "Specification": "specification",
}
"""What a row says of its product, and the fields that hold it."""
GRADES = ("A", "B", "C", "D", "E")
DEFAULT_GRADE = "A"
USUAL_LENGTHS = (6, 12, 24, 36)


def price_column(months: int) -> str:
    """The column of the monthly prices for a contract of so many months."""
    return f"{months}mo_Price"


REQUIRED = (
    *("Product Name", PRODUCT_SKU, "Category", "Brand", "Specification"),
    *(VARIANT_SKU, LIST_PRICE, ACQUISITION_COST),
)
OPTIONAL = (GRADE, COLOR, *map(price_column, USUAL_LENGTHS))
TEXTS = {
    PRODUCT_SKU: SKU_LENGTH,
    VARIANT_SKU: SKU_LENGTH,
    "Product Name": NAME_LENGTH,
    "Category": CATEGORY_LENGTH,
    "Brand": BRAND_LENGTH,
    "Specification": SPECIFICATION_LENGTH,
    COLOR: COLOR_LENGTH,
}
"""How many characters a cell may have."""

_BY_NAME = {name.lower(): name for name in (*REQUIRED, *OPTIONAL)}
_PRICE = re.compile(r"0*([0-9]+)mo_price", re.ASCII)
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_AMOUNT = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[0-9]+,[0-9]{1,3}", re.ASCII)
_EMPTY = " \t\r\n,;"
_WRITTEN = re.compile(f"[^{_EMPTY}]")
_LINE_END = re.compile(r"[\r\n]")
_LINE_BREAKS = re.compile(r"[ \t]*[\r\n]+[ \t]*")

# The limit is one of the process: a cell that is too long is told of its row, as any other.
csv.field_size_limit(MAX_BYTES)


@dataclass(slots=True)
class Sheet:
    """The file as a table. `columns` has the place of each known one, `prices` by months."""

    separator: str
    header: list[str]
    columns: dict[str, int] = field(default_factory=dict)
    prices: dict[int, int] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    """Number, as a spreadsheet shows it, and cells of each row that is not empty."""


def read_sheet(content: bytes) -> Sheet:
    """The table in the file. Raises ValidationFailed at `csvFile` for what is none.

    UTF-8, a header with all required columns, 1 to 10,000 rows; separated by comma, or by the
    semicolon or tab that spreadsheets write in some countries.
    """
    text = _without_empty_rows(_decode(content))
    beginning = text[_beginning(text) :]
    separator = max(_SEPARATORS, key=lambda each: len(_known(_header(beginning, each))))
    sheet: Sheet | None = None
    for number, cells in _records(text, separator):
        if sheet is None:
            sheet = _sheet(separator, cells)
        elif len(sheet.rows) == MAX_ROWS:
            raise refusal(f"A file may have {MAX_ROWS:,} rows at most. Split it.")
        else:
            sheet.rows.append((number, cells))
    if sheet is None:
        raise refusal("The file is empty.")
    if not sheet.rows:
        raise refusal("There is no row below the header.")
    return sheet


def refusal(*messages: str) -> ValidationFailed:
    return ValidationFailed([Detail(FIELD, "VALIDATION_ERROR", message) for message in messages])


def _decode(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise refusal("This is a workbook. In Excel, save it as “CSV UTF-8”.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refusal(
            f"Line {line} is not in UTF-8. In Excel, save the file as “CSV UTF-8”."
        ) from error


def _without_empty_rows(text: str) -> str:
    """A sheet may end in a million rows in which nothing was ever written."""
    written = len(text.rstrip(_EMPTY))
    rest_of_row = _LINE_END.split(text[written:], maxsplit=1)[0]
    return text[:written] + rest_of_row


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with their numbers, as a spreadsheet counts: from 1.

    Strict: behind a quotation mark that is not closed, everything would be one cell.
    """
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise refusal(f"Row {number + 1}: its quotation marks do not match.") from error


def _beginning(text: str) -> int:
    """Where the first line begins in which something is written."""
    written = _WRITTEN.search(text)
    end = written.start() if written else 0
    return max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1


def _header(text: str, separator: str) -> list[str]:
    try:
        return next(_records(text, separator), (0, []))[1]
    except ValidationFailed:
        return []


def _known(header: list[str]) -> list[str]:
    """The columns of the header that are known, as the contract writes them."""
    return [name for name in map(_column, header) if name]


def _column(typed: str) -> str:
    """How the contract writes a column, or nothing if it knows none."""
    name = undefuse(typed).strip().lower()
    if found := _PRICE.fullmatch(name):
        return price_column(int(found[1][:20]))
    return _BY_NAME.get(name, "")


def _sheet(separator: str, header: list[str]) -> Sheet:
    known = _known(header)
    problems = [
        f"The column “{name}” is missing." for name in REQUIRED if name not in known
    ] or _wrong_columns(header, known)
    if not known:
        read = _shown(separator.join(header))
        problems.insert(0, f"The first row is no header that is known: “{read}”.")
    if problems:
        raise refusal(*problems)
    sheet = Sheet(separator, header)
    for place, typed in enumerate(header):
        name = _column(typed)
        if found := _PRICE.fullmatch(name.lower()):
            sheet.prices[int(found[1])] = place
        elif name:
            sheet.columns[name] = place
        elif typed.strip():
            sheet.ignored.append(_shown(typed))
    return sheet


def _wrong_columns(header: list[str], known: list[str]) -> list[str]:
    if len(header) > MAX_COLUMNS:
        return [f"A file may have {MAX_COLUMNS} columns at most."]
    names = Counter(known)
    twice = [f"The column “{name}” is there twice." for name in names if names[name] > 1]
    lengths = {name: int(found[1]) for name in names if (found := _PRICE.fullmatch(name.lower()))}
    return twice + [
        f"The column “{name}” is for no contract length: 1 to {MAX_CONTRACT_LENGTH} months."
        for name, months in lengths.items()
        if length_problem(months)
    ]


def _shown(typed: str) -> str:
    """A name that we do not know, as it can be shown and stored."""
    seen = "".join("\ufffd" if hidden_character(char) else char for char in typed.strip()[:100])
    return seen.strip()


@dataclass(slots=True)
class Line:
    """A row as it was read: by column what is not wrong, and monthly `prices` by months.

    Amounts fit the tenant's currency. A blank price is left out; another blank cell is "".
    """

    number: int
    texts: dict[str, str] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[int, Decimal] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What is wrong, each sentence naming its column."""


def read_lines(sheet: Sheet, currency: str) -> Iterator[Line]:
    """What the rows say, each with all that is wrong with it."""
    for number, cells in sheet.rows:
        line = Line(number)
        surplus = cells[len(sheet.header) :]
        # Between commas a blank one too: a decimal comma has moved all the cells behind it.
        if surplus and (sheet.separator == "," or any(cell.strip() for cell in surplus)):
            line.problems.append(_too_many_cells(sheet))
        else:
            _read_cells(line, sheet, cells, currency)
        yield line


def _read_cells(line: Line, sheet: Sheet, cells: list[str], currency: str) -> None:
    def cell(place: int) -> str:
        return undefuse(cells[place]) if place < len(cells) else ""

    for column, place in sheet.columns.items():
        try:
            _read_cell(line, column, cell(place), currency)
        except ValueError as error:
            line.problems.append(f"{column}: {error}")
    for months, place in sheet.prices.items():
        try:
            if written := cell(place).strip():
                line.prices[months] = _amount(written, currency)
        except ValueError as error:
            line.problems.append(f"{price_column(months)}: {error}")


def _read_cell(line: Line, column: str, written: str, currency: str) -> None:
    """Raises ValueError, saying what is wrong with the cell."""
    if column in (LIST_PRICE, ACQUISITION_COST):
        is_list_price = column == LIST_PRICE
        line.amounts[column] = _amount(written.strip(), currency, may_be_zero=not is_list_price)
    elif column == GRADE:
        grade = written.strip().upper()
        if grade and grade not in GRADES:
            raise ValueError(f"Choose {', '.join(GRADES[:-1])} or {GRADES[-1]}.")
        line.texts[column] = grade
    else:
        # A line break in a cell is how it was laid out, not what it says.
        is_sku = column in (PRODUCT_SKU, VARIANT_SKU)
        one_line = written if is_sku else _LINE_BREAKS.sub(" ", written)
        line.texts[column] = Text(TEXTS[column], required=column in REQUIRED).check(one_line)


def _amount(written: str, currency: str, *, may_be_zero: bool = True) -> Decimal:
    """Raises ValueError for what is no amount that the catalogue can hold in this currency."""
    if not written:
        raise ValueError("This field is required.")
    if _DECIMAL_COMMA.fullmatch(written):
        point = written.replace(",", ".")
        raise ValueError(f"Write it with a decimal point: {point}.")
    if not _AMOUNT.fullmatch(written):
        raise ValueError("Enter an amount such as 1299.50, without currency or separators.")
    amount = Decimal(written)
    if amount <= 0 and not may_be_zero:
        raise ValueError("Enter an amount above 0.")
    if problem := price_problem(amount, currency):
        raise ValueError(problem)
    # Adding nothing takes the sign off a zero.
    return round_money(amount, currency) + 0


def _too_many_cells(sheet: Sheet) -> str:
    separator = _SEPARATORS[sheet.separator]
    return (
        "There are more cells than columns. A cell that contains a "
        f"{separator} needs quotation marks around it."
    )
