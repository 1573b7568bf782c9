"""What somebody else does between two statements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def meanwhile(text: str, work: Callable[[], Any]) -> Iterator[None]:
    """Does the work just before the first statement inside the block with that text."""
    done: list[str] = []

    def interrupt(execute: Any, sql: str, *args: Any) -> Any:
        if text in sql and not done:
            done.append(sql)
            work()
        return execute(sql, *args)

    with connection.execute_wrapper(interrupt):
        yield
    assert done, f"There was no statement with {text}."
