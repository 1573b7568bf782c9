import unicodedata

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from portal.text import clean, hidden_character, normalize_email

HIDDEN = [
    "\x00", "\x08", "\x1b", "\x1c", "\x1f", "\x7f", "\x85", "\xad", "\u034f", "\u061c", "\u115f",
    "\u17b4", "\u180b", "\u180e", "\u200b", "\u200d", "\u200e", "\u2028", "\u2029", "\u202e",
    "\u2060", "\u2065", "\u2066", "\u2800", "\u3164", "\ud800", "\udfff", "\ufdd0", "\ufe0f",
    "\ufeff", "\uffa0", "\ufff0", "\uffff", "\U0001bca0", "\U0001d173", "\U0001fffe",
    "\U000e0001", "\U000e0020", "\U000e0100",
]  # fmt: skip


def code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


@pytest.mark.parametrize("hidden", HIDDEN, ids=code_point)
@pytest.mark.parametrize("text", ["{}Noor", "No{}or", "Noor{}"])
def test_hidden_character_is_refused_wherever_it_stands(text: str, hidden: str) -> None:
    with pytest.raises(ValueError, match=rf"\({code_point(hidden).replace('+', '[+]')}\)"):
        clean(text.format(hidden))


@pytest.mark.parametrize("text", ["Noor", "Đặng", "Ægir Þór", "名前", "محمد", "O’Neill", "a\xa0b"])
def test_visible_text_is_kept(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", ["🎉 done", "I ❤️ it", "✔︎ checked"])
def test_emoji_is_kept_in_running_text(text: str) -> None:
    assert clean(text, multiline=True) == text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Noor \t", "Noor"),
        ("\u3000Noor\xa0", "Noor"),
        ("Noor\r\n", "Noor"),
        ("e\u0301", "é"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_text_is_trimmed_and_composed(typed: str, kept: str) -> None:
    assert clean(typed) == kept


def test_line_break_is_refused_in_one_line_and_kept_in_many() -> None:
    assert hidden_character("a\nb") == "U+000A"
    assert clean("a\r\nb\rc\td", multiline=True) == "a\nb\nc\td"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Noor@Example.COM", "noor@example.com"),
        (" noor@example.com\n", "noor@example.com"),
        ("JOSE\u0301@example.com", "josé@example.com"),
        ("Über@Müller.example", "über@müller.example"),
        ("a+b.c_d'e@sub.example.co.uk", "a+b.c_d'e@sub.example.co.uk"),
        ("a@xn--p1ai.xn--p1ai", "a@xn--p1ai.xn--p1ai"),
        ("ΟΔΟΣ@example.com", "οδος@example.com"),
    ],
)
def test_email_has_one_normal_form(typed: str, key: str) -> None:
    assert normalize_email(typed) == key


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "noor",
        "@example.com",
        "noor@",
        "noor@localhost",
        "noor@example..com",
        "no..or@example.com",
        "noor@-example.com",
        "noor@example.com-",
        "noor@exa mple.com",
        "no or@example.com",
        "noor@@example.com",
        "<noor@example.com>",
        "noor@example.c",
        "noor@example.123",
        "noor\u200b@example.com",
        "noor@exam\ufe0fple.com",
        "a" * 243 + "@example.com",
        "İ" * 100 + "a" * 100 + "@example.com",
        "\ua7dc@example.com",
    ],
)
def test_text_that_is_no_email_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"e-mail|cannot be seen"):
        normalize_email(typed)


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    try:
        once = clean(text)
    except ValueError:
        return
    assert clean(once) == once == unicodedata.normalize("NFC", once.strip())
    assert hidden_character(once) is None


@given(st.from_regex(r"[^\s@]{1,8}@[a-zäÀ-Ž]{1,6}\.[a-z]{2,3}", fullmatch=True))
def test_normal_form_of_an_email_is_its_own_normal_form(text: str) -> None:
    try:
        key = normalize_email(text)
    except ValueError:
        return
    assert normalize_email(key) == key.lower() == key


@pytest.mark.django_db
def test_database_agrees_on_what_is_lower_case() -> None:
    characters = map(chr, range(0x80, 0x110000))
    lower = [c.lower() for c in characters if unicodedata.category(c) not in ("Cn", "Cs")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT c FROM unnest(%s::text[]) AS c WHERE lower(c) <> c", [lower])
        assert cursor.fetchall() == []


@pytest.mark.parametrize(("marks", "fine"), [(30, True), (31, False), (500_000, False)])
def test_letter_under_endless_marks_is_refused_at_once(marks: int, fine: bool) -> None:
    """Python puts marks in order in a time that grows with the square of their number."""
    text = "a" + ("\u0300\u0316" * marks)[:marks]
    if fine:
        assert clean(text) == unicodedata.normalize("NFC", text)
    else:
        with pytest.raises(ValueError, match="more marks on it than can be read"):
            clean(text)
