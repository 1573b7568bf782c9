"""CSV files for spreadsheets: text in them is text, whatever a spreadsheet would take it for."""

import csv
import io
import re
from collections.abc import Iterable
from decimal import Decimal

BOM = "\ufeff"
"""Tells Excel that the file is UTF-8."""

Cell = str | int | Decimal

# Spreadsheets take these for the beginning of a formula; of the wide ones, those of East Asia do.
# A cell also begins behind a semicolon or line break where the sheet splits there: in countries
# that write a decimal comma Excel does, quoted or not.
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@＝＋－＠])|^(?=[\t\r\n])")
_DEFUSED = re.compile(r"(^|[;\t\r\n])'(?=['\s]*[=+\-@＝＋－＠])|^'(?=[\t\r\n])")


def defuse(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would run: '+49 30 1234567."""
    return _FORMULA.sub(r"\1'", text)


def undefuse(text: str) -> str:
    """The text as it was before `defuse`, so that a file of ours can be read again."""
    return _DEFUSED.sub(r"\1", text)


def as_csv(rows: Iterable[Iterable[Cell]], separator: str = ",") -> str:
    """The rows as lines of the file: texts defused, numbers bare, with a decimal point."""
    lines = io.StringIO(newline="")
    csv.writer(lines, delimiter=separator).writerows(
        [
            defuse(cell)
            if isinstance(cell, str)
            else f"{cell:f}"
            if isinstance(cell, Decimal)
            else cell
            for cell in row
        ]
        for row in rows
    )
    return lines.getvalue()
