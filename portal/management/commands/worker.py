"""`manage.py worker`: what no request should wait for."""

import logging
import signal
import threading
from argparse import ArgumentParser
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections
from django_scopes import scopes_disabled

from portal.idempotency import forget_old_responses

PAUSE = timedelta(minutes=5)

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Forgets old API responses and expired sessions, every five minutes, until it is "
        "interrupted or terminated. A second worker does no harm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Do it once and stop.")

    def handle(self, *, once: bool, **options: Any) -> None:
        if once:
            self.work()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            try:
                self.work()
            except Error:
                logger.exception("The database does not answer; trying again later.")
            close_old_connections()
            stop.wait(PAUSE.total_seconds())

    def work(self) -> None:
        with scopes_disabled():
            forgotten = forget_old_responses()
        import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
        if forgotten:
            logger.info("Forgot %s API responses.", forgotten)
