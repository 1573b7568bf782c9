"""What the answers of searches that are worked out by hand have in common."""

import unicodedata


def fold(text: str) -> str:
    """Lower case without accents, as `portal_fold` has it for the letters of the tests."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ø", "o"))
    return "".join(char for char in plain if not unicodedata.combining(char))
