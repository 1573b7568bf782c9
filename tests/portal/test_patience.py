"""Ending statements that nobody waits for any more."""

from datetime import timedelta

import pytest
from django.db import OperationalError, ProgrammingError, connection

from portal.patience import TookTooLong, no_longer_than

pytestmark = pytest.mark.django_db(transaction=True)

SOON = timedelta(milliseconds=50)


def ask(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def test_statement_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TookTooLong), no_longer_than(SOON):
        ask("SELECT pg_sleep(10)")
    assert ask("SHOW statement_timeout") == "0"


def test_statement_in_time_is_answered() -> None:
    with no_longer_than(timedelta(seconds=30)):
        assert ask("SHOW statement_timeout") == "30s"
    assert ask("SHOW statement_timeout") == "0"


def test_other_trouble_is_not_called_slow() -> None:
    with pytest.raises(ProgrammingError), no_longer_than(SOON):
        ask("SELECT nothing")


def test_connection_that_is_lost_is_not_called_slow() -> None:
    with pytest.raises(OperationalError), no_longer_than(timedelta(seconds=5)):
        ask("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
