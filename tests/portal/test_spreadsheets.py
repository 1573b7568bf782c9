"""CSV files for spreadsheets."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.spreadsheets import as_csv, defuse, undefuse

DANGEROUS = set("=+-@\t\r\n＝＋－＠")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("+49 30 1234567", "'+49 30 1234567"),
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("Kroon;=1", "Kroon;'=1"),
        ("Kroon\n@x", "Kroon\n'@x"),
        ("noor+demo@example.com", "noor+demo@example.com"),
        ("Jean-Luc", "Jean-Luc"),
        ("", ""),
    ],
)
def test_text_that_begins_like_a_formula_is_defused(text: str, written: str) -> None:
    assert defuse(text) == written
    assert undefuse(written) == text


@given(st.text(st.characters(exclude_characters="'")) | st.text("=+-@\t\r\n;, a1＝＋－＠"))
def test_what_was_defused_is_read_as_it_was(text: str) -> None:
    assert undefuse(defuse(text)) == text


cells = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
    st.text("=+-@\t\r\n;,\"' a1＝＋－＠"),
    st.integers(-(10**6), 10**6),
    st.decimals(-(10**6), 10**6, places=2),
)


@given(st.lists(st.lists(cells, min_size=2, max_size=6), min_size=1, max_size=5))
def test_no_cell_begins_like_a_formula_unless_it_is_our_number(rows: list[list[Any]]) -> None:
    """Whoever splits the file by semicolons, as Excel does in half of Europe, is safe as well."""
    text = as_csv(rows)
    for given_row, row in zip(rows, csv.reader(io.StringIO(text, newline="")), strict=True):
        for value, cell in zip(given_row, row, strict=True):
            if isinstance(value, str):
                assert not DANGEROUS & set(cell.lstrip(" ")[:1])
                assert cell.replace("'", "") == value.replace("'", "")
            else:
                assert cell == f"{value}"
    texts = as_csv([[cell for cell in row if isinstance(cell, str)] for row in rows])
    for row in csv.reader(io.StringIO(texts, newline=""), delimiter=";", quoting=csv.QUOTE_NONE):
        for cell in row:
            assert not DANGEROUS & set(cell.strip()[:1])


def test_numbers_are_plain() -> None:
    assert as_csv([[Decimal("1234567.50"), Decimal("0E-2"), 12]]) == "1234567.50,0.00,12\r\n"
