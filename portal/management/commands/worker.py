"""`manage.py worker`: what no request should wait for."""

import logging
import select
import signal
import socket
import threading
import time
from argparse import ArgumentParser
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connection
from django.utils.module_loading import import_string
from django_scopes import scopes_disabled

from portal import outbox

BETWEEN_LOOKS = timedelta(seconds=2)
"""How soon a mail is sent after its transaction."""

BETWEEN_CHORES = timedelta(minutes=5)
AFTER_TROUBLE = timedelta(seconds=30)
"""How long to leave a database or mail server alone that does not answer."""

# What the apps have to do, named as strings: `portal` imports none of them.
JOBS = ("catalog.imports.runs.run_waiting",)
"""Functions that do what waits, of all tenants."""
CHORES = (
    "portal.idempotency.forget_old_responses",
    "portal.outbox.forget_old_mails",
    "catalog.imports.runs.forget_old_imports",
    "customers.forgetting.forget_words",
    "orders.forgetting.forget_drafts",
)
"""Functions that delete what is old, of all tenants, and return how many rows."""

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Sends the mail of the outbox and imports catalogue files within seconds, every five "
        "minutes forgets old mails, files and API responses, discarded drafts, expired sessions "
        "and words that no customer has any more, and every night refreshes the search, until it "
        "is interrupted or terminated. A second worker does no harm."
    )
    chores_at = 0.0
    """When the chores are next due, on the monotonic clock."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Do it once and stop.")

    def handle(self, *, once: bool, **options: Any) -> None:
        if once:
            self.chores()
            self.refresh()
            outbox.deliver_due()
            self.jobs()
            return
        stopped, stop = socket.socketpair()
        stop.setblocking(False)
        # Not an event set by a handler: one that runs just before the wait begins cannot end it.
        signal.set_wakeup_fd(stop.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self.keep_refreshing, daemon=True).start()
        pause = timedelta()
        while not select.select([stopped], [], [], pause.total_seconds())[0]:
            pause = self.work()
            close_old_connections()
        signal.set_wakeup_fd(-1)

    def work(self) -> timedelta:
        """Does what is due, and says how long to wait before looking again."""
        try:
            if time.monotonic() >= self.chores_at:
                self.chores_at = time.monotonic() + BETWEEN_CHORES.total_seconds()
                self.chores()
            outcomes = outbox.deliver_due()
            self.jobs()
        except Error:
            logger.exception("The database does not answer; trying again later.")
            return AFTER_TROUBLE
        if outbox.Outcome.UNREACHABLE in outcomes:
            return AFTER_TROUBLE
        return timedelta() if len(outcomes) == outbox.BATCH else BETWEEN_LOOKS

    def jobs(self) -> None:
        for job in JOBS:
            import_string(job)()

    def chores(self) -> None:
        with scopes_disabled():
            for chore in CHORES:
                if rows := import_string(chore)():
                    logger.info("%s: %s rows.", chore, rows)
        import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()

    def refresh(self) -> None:
        call_command("refresh_search", due=True)

    def keep_refreshing(self) -> None:
        """Beside the rest: in a large catalogue it takes a minute, which no mail should wait."""
        while True:
            try:
                self.refresh()
            except Exception:  # Whatever it is, the worker would go on without this for good.
                logger.exception("The search could not be refreshed.")
            connection.close()
            time.sleep(BETWEEN_CHORES.total_seconds())
