"""Text as people and shops send it: cleaned once, here, and refused when it hides something."""

import re
import unicodedata

from django.db.models import CharField, Func, TextField, Value

EMAIL_LENGTH = 254

# What draws nothing and is in none of the categories below: blank letters, selectors of glyphs,
# and places that Unicode keeps for more of the kind.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufdd0-\ufdef\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# Control, format (zero width, bidirectional), surrogate, separators.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_PHONE = re.compile(r"[+(]{0,2}[0-9][0-9 ()./-]{5,30}")
# Of running text: line ends, and the selectors that make an emoji of a symbol.
_MULTILINE_CHARACTERS = frozenset("\n\t\ufe0e\ufe0f")
_SURROUNDING = " \t\r\n"
# As in Unicode's stream-safe text. Putting endless marks in order takes endless time.
_MOST_MARKS = 30
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\\\"]+@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]"
)


def hidden_character(value: str, *, multiline: bool = False) -> str | None:
    """The first control or invisible character as `U+200B`, or None if all can be seen."""
    if value.isascii() and value.isprintable():
        return None
    # Each once: a text may have a million characters.
    hidden = {char for char in set(value) if _is_hidden(char)}
    if multiline:
        hidden -= _MULTILINE_CHARACTERS
    if not hidden:
        return None
    return f"U+{ord(value[min(map(value.index, hidden))]):04X}"


def _is_hidden(char: str) -> bool:
    return bool(
        unicodedata.category(char) in _HIDDEN_CATEGORIES
        or _BLANK.match(char)
        or ord(char) & 0xFFFE == 0xFFFE
    )


def _has_endless_marks(value: str) -> bool:
    """Whether more accents are stacked on a letter than any script does."""
    if value.isascii():
        return False
    run = 0
    for char in value:
        run = run + 1 if unicodedata.combining(char) else 0
        if run > _MOST_MARKS:
            return True
    return False


def clean(value: str, *, multiline: bool = False) -> str:
    """Trimmed and in Unicode NFC.

    Raises ValueError for a hidden character, naming it, and for a letter under endless marks.
    """
    if multiline:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    # Not `strip()` at once: it takes control characters away that have to be refused.
    value = value.strip(_SURROUNDING)
    if found := hidden_character(value, multiline=multiline):
        raise ValueError(f"It contains a character that cannot be seen ({found}).")
    if _has_endless_marks(value):
        raise ValueError("It contains a letter with more marks on it than can be read.")
    return unicodedata.normalize("NFC", value.strip())


def normalize_email(value: str) -> str:
    """The form in which an e-mail is unique in a tenant: trimmed, NFC, lower case.

    Raises ValueError for a hidden character or when it does not look like an address.
    """
    value = clean(value)
    key = unicodedata.normalize("NFC", value.lower())
    if (
        max(len(value), len(key)) > EMAIL_LENGTH
        or ".." in value
        or not _EMAIL.fullmatch(key)
        # The database may know a lower case of what is unassigned here.
        or any(unicodedata.category(char) == "Cn" for char in key)
    ):
        raise ValueError("Enter an e-mail address such as name@example.com.")
    return key


class Fold(Func):
    """Lower case without accents, for searching: the same function for column and question."""

    function = "portal_fold"
    arity = 1
    output_field = TextField()


class Digits(Func):
    """Only the digits of a column: a phone number however it was spaced."""

    function = "regexp_replace"
    output_field = CharField()

    def __init__(self, expression: str) -> None:
        super().__init__(expression, Value(r"\D"), Value(""), Value("g"))


class Bare(Func):
    """Only the letters and digits, in lower case without accents: B.V. De Kroon, bv de kroon."""

    function = "regexp_replace"
    output_field = TextField()

    def __init__(self, expression: str | Value) -> None:
        super().__init__(Fold(expression), Value("[^[:alnum:]]+"), Value(""), Value("g"))


class EmailDomain(Func):
    """What stands behind the @ of a normalised e-mail."""

    function = "split_part"
    output_field = TextField()

    def __init__(self, expression: str) -> None:
        super().__init__(expression, Value("@"), Value(2))


def search_words(value: str) -> list[str]:
    """The words of a search as typed, ten at most, without what no column can hold."""
    return "".join(" " if hidden_character(char) else char for char in value).split()[:10]


def searched_phone(value: str) -> str:
    """The digits of what looks like a phone number, or nothing.

    Without leading zeros, which stand for a country code: 020 123456 finds +31 20 123456.
    """
    value = " ".join(search_words(value))
    if not _PHONE.fullmatch(value):
        return ""
    return "".join(filter(str.isdecimal, value)).lstrip("0")
