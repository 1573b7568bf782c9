"""What somebody else holds, or has not yet committed, for the length of a block."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from django.db import connection, transaction


@contextmanager
def uncommitted(work: Callable[[], object]) -> Iterator[None]:
    """Another transaction has done the work; it is committed when the block is over."""
    done, over = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                work()
                done.set()
                over.wait(timeout=20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        try:
            assert done.wait(timeout=20)
            yield
        finally:
            over.set()
            holder.result(timeout=20)


@contextmanager
def locked_table(name: str) -> Iterator[None]:
    """Another transaction has locked the table: even who reads it waits."""

    def lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {name}")

    with uncommitted(lock):
        yield
