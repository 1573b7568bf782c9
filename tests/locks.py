"""What somebody else holds, or has not yet committed, for the length of a block."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic, sleep

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


def until_somebody_waits() -> None:
    """Until another transaction waits for what this one has locked; ten seconds at most."""
    deadline = monotonic() + 10
    with connection.cursor() as cursor:
        while monotonic() < deadline:
            cursor.execute(
                "SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone() is not None:
                return
            sleep(0.01)
    raise AssertionError("Nobody waits.")
