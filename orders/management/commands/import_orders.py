"""`manage.py import_orders --tenant SLUG FILE`: orders of the past, from another platform."""

import gzip
import os
import sys
import time
import zlib
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import InterfaceError, OperationalError, reset_queries
from django_scopes import scope

from orders.importing import Line, Outcome, import_orders
from portal.errors import DomainError, error_body
from portal.exact_json import dumps
from portal.models import Tenant

STDIN = "-"
BAR = 30
BETWEEN_REPORTS = 5.0
"""Seconds between lines of progress where there is no terminal to count along on."""


class Command(BaseCommand):
    help = (
        "Imports orders of the past: JSON Lines, each an order as GET /v1/orders/{orderId} answers "
        "it. Running it again is safe: what is there is skipped. Ends with 1 if any was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="With .gz it is unpacked; - is standard input.")
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument(
            "--refused",
            metavar="PATH",
            help="Where refused lines go, each with its errors; FILE.refused.jsonl unless told.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Check everything, and write no order."
        )

    def handle(
        self, *, file: str, tenant: str, refused: str | None, dry_run: bool, **options: Any
    ) -> None:
        owner = Tenant.objects.filter(slug=tenant).first()
        if owner is None:
            known = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no tenant “{tenant}”. There are: {known}.")
        path = Path(refused or f"{'stdin' if file == STDIN else file}.refused.jsonl")
        with _opened(file) as (lines, share), _refusals(path, file) as out, scope(tenant=owner):
            progress = Progress(self.stdout, share)
            with _said(progress):
                for batch in import_orders(tenant=owner, file=lines, dry_run=dry_run):
                    out.writelines(_refusal(line, line.error) for line in batch if line.error)
                    out.flush()
                    progress.add(batch)
                    reset_queries()
        progress.finish("would be written" if dry_run else "written")
        if count := progress.counts[Outcome.REFUSED]:
            raise CommandError(f"{count:,} refused: see {path}.")


class Progress:
    """Counts along: in place on a terminal, else a line every few seconds.

    `share` tells how much of the file was read, from 0 to 1, or None if nobody knows.
    """

    def __init__(self, out: OutputWrapper, share: Callable[[], float | None]) -> None:
        self.out, self.share = out, share
        self.counts: Counter[Outcome | None] = Counter()
        self.start = self.shown_at = time.monotonic()

    def add(self, batch: Sequence[Line]) -> None:
        self.counts.update(line.outcome for line in batch)
        now = time.monotonic()
        if self.out.isatty():
            self.out.write(f"\r{self.bar()}{self}", ending="")
        elif now - self.shown_at >= BETWEEN_REPORTS:
            self.shown_at = now
            self.out.write(str(self))

    def finish(self, written: str) -> None:
        if self.out.isatty():
            self.out.write("")
        seconds = time.monotonic() - self.start
        counts = {
            "read": self.counts.total(),
            written: self.counts[Outcome.WRITTEN],
            "already there": self.counts[Outcome.ALREADY_THERE],
            "refused": self.counts[Outcome.REFUSED],
        }
        listed = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        self.out.write(f"{listed}, in {seconds:,.1f} s: {self.speed():,.0f} orders a second.")

    def bar(self) -> str:
        share = self.share()
        return "" if share is None else f"[{'#' * int(share * BAR):<{BAR}}] "

    def speed(self) -> float:
        return self.counts.total() / max(time.monotonic() - self.start, 0.001)

    def __str__(self) -> str:
        share = self.share()
        done = f"{self.counts.total():,} orders" + ("" if share is None else f", {share:.0%}")
        return f"{done}, {self.speed():,.0f} a second"


@contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], Callable[[], float | None]]]:
    """The file to read from, and how much of it was."""
    if file == STDIN:
        yield sys.stdin.buffer, lambda: None
        return
    try:
        raw = open(file, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    with raw:
        size = os.fstat(raw.fileno()).st_size
        lines = gzip.GzipFile(fileobj=raw) if file.endswith(".gz") else raw
        yield cast("IO[bytes]", lines), lambda: raw.tell() / size if size else None


@contextmanager
def _refusals(path: Path, file: str) -> Iterator[IO[bytes]]:
    """The file for what this run refuses; gone in the end if that is nothing."""
    _require_not_read_from(path, file)
    try:
        out = path.open("wb")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with out:
            yield out
    finally:
        if path.stat().st_size == 0:
            path.unlink()


def _require_not_read_from(path: Path, file: str) -> None:
    """Nothing has been read yet: what the refused lines would overwrite may hold orders to import.

    Nobody can tell what feeds a pipe, so behind one, refused lines of before stay as they are.
    """
    if not path.exists():
        return
    if file != STDIN and Path(file).is_file():
        if path.samefile(file):
            raise CommandError("The refused lines would overwrite what is to be read.")
    elif path.is_file() and path.stat().st_size:
        raise CommandError(
            f"{path} is there, and may be what is to be read: nothing was imported. Move it away "
            "or rename it, or name another file with --refused."
        )


def _refusal(line: Line, error: DomainError) -> bytes:
    """A line of the file of refusals: what was refused, as it stood, and why."""
    told = {"line": line.number, "orderId": line.order_id or None, "error": error_body(error)}
    # A message may quote what UTF-8 cannot hold; the escape is as good in JSON.
    start = dumps(told)[:-1].encode(errors="backslashreplace")
    if line.digest:
        return start + b',"order":' + line.text + b"}\n"
    text = dumps(line.text.decode(errors="replace"))
    return start + b',"text":' + text.encode() + b"}\n"


@contextmanager
def _said(progress: Progress) -> Iterator[None]:
    """Says why the import ends early, and that nothing is lost by it."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        why, code = f"Reading or writing failed: {error}", 1
    except (OperationalError, InterfaceError) as error:
        why, code = f"The database does not answer: {error}", 1
    except KeyboardInterrupt:
        why, code = "Stopped", 130
    else:
        return
    done = progress.counts.total()
    message = f"{why.strip()}. {done:,} lines are done; run it again to go on."
    raise CommandError(message, returncode=code)
