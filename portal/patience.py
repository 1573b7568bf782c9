"""Waiting no longer for the database than somebody who is typing would."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import Error, OperationalError, connection
from psycopg.errors import QueryCanceled

KEYSTROKE = timedelta(milliseconds=250)
"""Limit of each search-as-you-type statement: another keystroke soon asks again, more narrowly."""


class TookTooLong(Exception):
    """A statement was ended because nobody waits for it any more."""


@contextmanager
def no_longer_than(limit: timedelta) -> Iterator[None]:
    """Ends every statement inside the block that takes longer. Raises TookTooLong.

    Not inside a transaction, which would be lost with the statement.
    """
    with connection.cursor() as cursor:
        milliseconds = str(limit // timedelta(milliseconds=1))
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [milliseconds])
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
    finally:
        # If the connection is gone, so is the limit; what broke it is being raised already.
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
