"""Public ids in addresses."""

import unicodedata

from django.urls.converters import StringConverter

from portal import ids


class PublicIdConverter(StringConverter):
    """Any id that a row can have; imported ones are free text, but no column holds a NUL.

    Stored ids are in Unicode NFC, in which as many as four characters that were sent are one.
    """

    regex = rf"[^/\x00]{{1,{4 * ids.MAX_LENGTH}}}"

    def to_python(self, value: str) -> str:
        return unicodedata.normalize("NFC", value)
