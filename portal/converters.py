"""Public ids in addresses."""

from django.urls.converters import StringConverter

from portal import ids


class PublicIdConverter(StringConverter):
    """Any id that a row can have; imported ones are free text, but no column holds a NUL."""

    regex = rf"[^/\x00]{{1,{ids.MAX_LENGTH}}}"
