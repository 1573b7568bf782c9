"""Reading what a rep types or pastes to order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.asking import Reading, read_line, read_parts

Readings = list[tuple[str, str, str]]


def readings(text: str) -> list[Readings]:
    return [[_plain(each) for each in part.readings] for part in read_parts(text)]


def _plain(reading: Reading) -> tuple[str, str, str]:
    return (reading.quantity, reading.words, reading.length)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A search as ever: every number is a word.
        ("macbok", [("", "macbok", "")]),
        ("mbp16", [("", "mbp16", "")]),
        ("ipad 12", [("", "ipad 12", "")]),
        ("macbook pro 16", [("", "macbook pro 16", "")]),
        ("x1 carbon", [("", "x1 carbon", "")]),
        ("studio x50", [("", "studio x50", "")]),
        ("16 gb macbook", [("", "16 gb macbook", "")]),
        ("27 inch dell", [("", "27 inch dell", "")]),
        ('27" dell', [("", '27" dell', "")]),
        ("2 in 1 laptop", [("", "2 in 1 laptop", "")]),
        ("12.9 ipad", [("", "12.9 ipad", "")]),
        ("mbp16/512", [("", "mbp16/512", "")]),
        ("256 GB + 5G", [("", "256 GB + 5G", "")]),
        ("36 GB / 1 TB, Space Black", [("", "36 GB / 1 TB, Space Black", "")]),
        ("5", [("", "5", "")]),
        ("4006381333931", [("", "4006381333931", "")]),
        ("4006381333931 24", [("", "4006381333931 24", "")]),
        # How many.
        ("5 mbp16", [("5", "mbp16", "")]),
        ("5x mbp16", [("5", "mbp16", "")]),
        ("5 x mbp16", [("5", "mbp16", "")]),
        ("5 X mbp16", [("5", "mbp16", "")]),
        ("5×mbp16", [("5", "mbp16", "")]),
        ("5 × mbp16", [("5", "mbp16", "")]),
        ("mbp16 ×5", [("5", "mbp16", "")]),
        ("5 x1 carbon", [("5", "x1 carbon", "")]),
        ("1,000 mbp16", [("1,000", "mbp16", "")]),
        ("0 mbp16", [("0", "mbp16", "")]),
        ("20000 mbp16", [("20000", "mbp16", "")]),
        ("5 24", [("5", "24", "")]),
        # For how long, without a doubt.
        ("mbp16 24 months", [("", "mbp16", "24")]),
        ("mbp16 24mo", [("", "mbp16", "24")]),
        ("mbp16 24 mo.", [("", "mbp16", "24")]),
        ("mbp16 24m", [("", "mbp16", "24")]),
        ("mbp16 for 24 months", [("", "mbp16", "24")]),
        ("mbp16 for 24", [("", "mbp16", "24")]),
        ("thinkpad x1 24 months", [("", "thinkpad x1", "24")]),
        ("5 mbp16 for 24 months", [("5", "mbp16", "24")]),
        ("5 mbp16 999 months", [("5", "mbp16", "999")]),
        # The last number may be either.
        ("5 mbp16 24", [("5", "mbp16", "24"), ("5", "mbp16 24", "")]),
        ("3 ipad 12", [("3", "ipad", "12"), ("3", "ipad 12", "")]),
        ("3 ipad 12 24", [("3", "ipad 12", "24"), ("3", "ipad 12 24", "")]),
        ("mbp16/24", [("", "mbp16", "24"), ("", "mbp16/24", "")]),
        ("mbp16 / 24", [("", "mbp16", "24"), ("", "mbp16 / 24", "")]),
        ("5 latitude 999", [("5", "latitude 999", "")]),
        ("5 latitude 0", [("5", "latitude 0", "")]),
        # What cannot be seen separates words.
        ("  5\u00a0 mbp16\u200b24 ", [("5", "mbp16", "24"), ("5", "mbp16 24", "")]),
        ("5\0mbp16", [("5", "mbp16", "")]),
    ],
)
def test_part_alone_is_read(text: str, expected: Readings) -> None:
    assert readings(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mbp16 x5", [("5", "mbp16", "")]),
        ("mbp16 5x", [("5", "mbp16", "")]),
        ("x5 mbp16", [("5", "mbp16", "")]),
        ("mbp16 24", [("", "mbp16", "24")]),
        ("mbp16 x5 24 months", [("5", "mbp16", "24"), ("", "mbp16 x5 24 months", "")]),
        ("24 p2423d", [("", "24 p2423d", "")]),
        ("macbok", []),
    ],
)
def test_part_is_read_otherwise_if_that_finds_nothing(text: str, expected: Readings) -> None:
    [part] = read_parts(text)
    assert [_plain(each) for each in part.otherwise] == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("5 mbp16 24; 3 ipad 12", ["5 mbp16 24", "3 ipad 12"]),
        ("mbp16;ipad;", ["mbp16", "ipad"]),
        ("mbp16\r\n\r\nipad\n", ["mbp16", "ipad"]),
        ("36 GB, Space Black", ["36 GB, Space Black"]),
        (" ; \n", []),
        ("", []),
    ],
)
def test_parts_stand_on_lines_or_after_semicolons(text: str, parts: list[str]) -> None:
    assert [part.text for part in read_parts(text)] == parts


def test_last_number_of_one_of_several_parts_may_be_months() -> None:
    assert readings("mbp16 24; ipad")[0] == [("", "mbp16", "24"), ("", "mbp16 24", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MBP-1\t5\t24\nIPAD-2\t3\t12", [("5", "MBP-1", "24"), ("3", "IPAD-2", "12")]),
        ("MBP-1\t5\t24\t€49.95\t€249.75", [("5", "MBP-1", "24")]),
        ("MBP-1\t5\t24\t250", [("5", "MBP-1", "24")]),
        ("5\tMBP-1\t24", [("5", "MBP-1", "24")]),
        ("24\t5\tMBP-1", [("5", "MBP-1", "24")]),
        ("24\tMBP-1\t12", [("24", "MBP-1", "12")]),
        ("MBP-1\t24 months\t5x", [("5", "MBP-1", "24")]),
        ("MBP-1\t5 pcs\t24m", [("5", "MBP-1", "24")]),
        ("MBP-1\t5", [("5", "MBP-1", "")]),
        ("MBP-1\t5\t1199", [("5", "MBP-1", "")]),
        ("Laptops\tMBP-1\t5", [("5", "MBP-1", "")]),
        ("MacBook Pro 16\t5\t24", [("5", "MacBook Pro 16", "24")]),
        ('"MacBook Pro 16"" M3"\t5', [("5", 'MacBook Pro 16" M3', "")]),
        ("Qty\tSKU\tMonths\n5\tMBP-1\t24", [("5", "MBP-1", "24")]),
        ("Product\tPrice\tQty.\nMacBook 16\t12\t5", [("5", "MacBook 16", "")]),
        ("Product\tSKU\tQuantity\nMacBook\tMBP-1\t5", [("5", "MBP-1", "")]),
        ("SKU\tTerm (months)\tQuantity\nMBP-1\t13\tmany", [("many", "MBP-1", "13")]),
        ("MBP-1\t\t24\nMBP-2\t5\t36", [("", "MBP-1", "24"), ("5", "MBP-2", "36")]),
        ("MBP-1\t1 000\t24", [("1000", "MBP-1", "24")]),
        ("MBP-1\t2.00\t24", [("2", "MBP-1", "24")]),
        ("MBP-1\t2,0\t24.0", [("2", "MBP-1", "24")]),
        ("SKU\tQty\tMonths\nMBP-1\t1 000\t24.0", [("1000", "MBP-1", "24")]),
        ("MBP-1\t250.00\t5", [("5", "MBP-1", "")]),
        ("MBP-1\t250.00\t5\t24", [("5", "MBP-1", "24")]),
        ("MBP-1\t5\t24\t250.00", [("5", "MBP-1", "24")]),
        ("5\t24", [("", "5 24", "")]),
        ("SKU\tQty\n", []),
        ("\t\t\n \t", []),
    ],
)
def test_rows_of_a_spreadsheet_are_read_column_by_column(text: str, expected: Readings) -> None:
    assert [row[0] for row in readings(text)] == expected


@pytest.mark.parametrize(
    ("odd", "expected"),
    [("tbc", "tbc"), ("2.5", "2.5"), ("-3", "-3"), ("2.00", "2"), ("1 000", "1000"), ("5.0", "5")],
)
def test_odd_cell_is_that_of_its_row_alone(odd: str, expected: str) -> None:
    rows = read_parts(f"MBP-1\t5\t24\nMBP-2\t{odd}\t12\nMBP-3\t7\t36")
    assert [_plain(row.readings[0]) for row in rows] == [
        ("5", "MBP-1", "24"),
        (expected, "MBP-2", "12"),
        ("7", "MBP-3", "36"),
    ]


def test_odd_cell_among_the_months_leaves_the_quantities() -> None:
    assert [row[0] for row in readings("MBP-1\t5\t24\nMBP-2\t3\topen")] == [
        ("5", "MBP-1", "24"),
        ("3", "MBP-2", "open"),
    ]


def test_skus_that_are_digits_at_times_are_no_quantities() -> None:
    rows = "100234\tMacBook\t5\n100235\tMacBook\t3\nMBP-1\tMacBook\t7"
    assert [row[0] for row in readings(rows)] == [
        ("5", "100234", ""),
        ("3", "100235", ""),
        ("7", "MBP-1", ""),
    ]


def test_row_is_found_by_its_words_if_its_sku_is_unknown() -> None:
    [part] = read_parts("Product\tSKU\tQuantity\nMacBook\tMBP-1\t5")
    assert part.otherwise == (Reading("MacBook", "5"),)


@pytest.mark.parametrize(
    ("words", "length", "expected"),
    [
        ("ipad 12", "", [("3", "ipad", "12"), ("3", "ipad 12", "")]),
        ("ipad 12", "24", [("3", "ipad 12", "24")]),
        ("ipad", "", [("3", "ipad", "")]),
    ],
)
def test_open_line_is_read_as_it_was_typed(words: str, length: str, expected: Readings) -> None:
    assert [_plain(each) for each in read_line(words, "3", length).readings] == expected


_PIECES = st.sampled_from(
    [
        "5",
        "24",
        "x",
        "×",
        "x5",
        " ",
        "\t",
        "\n",
        ";",
        "/",
        "for",
        "months",
        "m",
        "mbp16",
        "SKU",
        '"',
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(_PIECES, max_size=25).map("".join)))
def test_any_text_is_read(text: str) -> None:
    for part in read_parts(text):
        assert part.readings
        assert part.text
        assert all(each.words for each in (*part.readings, *part.otherwise))
