"""`manage.py worker`."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from portal import outbox
from portal.management.commands import worker
from portal.models import ApiKey, IdempotentResponse, OutboxMail, Tenant
from tests.factories import OutboxMailFactory
from tests.mail_server import MailServer, mail_server


@pytest.mark.parametrize(("hours", "left"), [(23, 1), (25, 0)])
def test_responses_are_forgotten_after_a_day(api_key: ApiKey, hours: int, left: int) -> None:
    IdempotentResponse.objects.create(
        tenant=api_key.tenant,
        api_key=api_key,
        key="k",
        fingerprint="f",
        created_at=timezone.now() - timedelta(hours=hours),
    )
    call_command("worker", once=True)
    assert IdempotentResponse.objects.count() == left


@pytest.mark.parametrize(("days", "left"), [(1, 1), (-1, 0)])
def test_expired_sessions_are_removed(db: None, days: int, left: int) -> None:
    Session.objects.create(
        session_key="s", session_data="", expire_date=timezone.now() + timedelta(days=days)
    )
    call_command("worker", once=True)
    assert Session.objects.count() == left


@pytest.mark.parametrize(("days", "left"), [(89, 1), (91, 0)])
def test_sent_mails_are_forgotten_after_ninety_days(tenant: Tenant, days: int, left: int) -> None:
    then = timezone.now() - timedelta(days=days)
    OutboxMailFactory(created_at=then, attempts=1, next_attempt_at=None, sent_at=then)
    call_command("worker", once=True)
    assert OutboxMail.objects.count() == left


def test_what_was_forgotten_is_logged(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    then = timezone.now() - timedelta(days=91)
    OutboxMailFactory(created_at=then, attempts=1, next_attempt_at=None, sent_at=then)
    with caplog.at_level(logging.INFO, logger=worker.__name__):
        worker.Command().chores()
    assert caplog.messages == ["portal.outbox.forget_old_mails: 1 rows."]


def test_due_mail_is_delivered(tenant: Tenant, mailoutbox: list[object]) -> None:
    OutboxMailFactory()
    call_command("worker", once=True)
    assert len(mailoutbox) == 1


@pytest.mark.parametrize(
    ("number", "pause"), [(0, worker.BETWEEN_LOOKS), (outbox.BATCH, timedelta())]
)
def test_worker_rests_when_nothing_more_is_due(
    tenant: Tenant, mailoutbox: list[object], number: int, pause: timedelta
) -> None:
    OutboxMailFactory.create_batch(number)
    assert worker.Command().work() == pause


def test_worker_leaves_a_server_alone_that_does_not_answer(tenant: Tenant, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.portal.test_outbox.Silent"
    OutboxMailFactory()
    assert worker.Command().work() == worker.AFTER_TROUBLE


def test_chores_are_done_every_five_minutes(tenant: Tenant, mailoutbox: list[object]) -> None:
    then = timezone.now() - timedelta(days=91)
    command = worker.Command()
    left = []
    for passed in (0, 4, 2):
        OutboxMailFactory(created_at=then, attempts=1, next_attempt_at=None, sent_at=then)
        command.chores_at -= 60 * passed
        command.work()
        left.append(OutboxMail.objects.count())
    assert left == [0, 1, 0]


# The process itself


@contextmanager
def running_worker(server: MailServer) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, at the test's database and mail server."""
    parts = ("USER", "PASSWORD", "HOST", "PORT", "NAME")
    database = "postgres://{}:{}@{}:{}/{}".format(
        *(quote(str(connection.settings_dict[part]), safe="") for part in parts)
    )
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        env=os.environ
        | {
            "DATABASE_URL": database,
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(server.port),
        },
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_worker_sends_within_seconds_and_survives_being_killed(tenant: Tenant) -> None:
    """Killed when the mail server has taken the mail, and before that was noted."""
    mail = OutboxMailFactory()
    with mail_server() as server:
        with running_worker(server) as first:
            server.before_answer = first.kill
            assert first.wait(timeout=20) == -signal.SIGKILL
        mail.refresh_from_db()
        assert (len(server.mails), mail.state) == (1, OutboxMail.State.WAITING)
        server.before_answer = lambda: None
        with running_worker(server):
            wait_until(lambda: not OutboxMail.objects.unsent().exists())
            OutboxMailFactory()
            began = time.monotonic()
            wait_until(lambda: not OutboxMail.objects.unsent().exists())
            assert time.monotonic() - began < 5
    names = [sent["Message-ID"] for sent in server.mails]
    assert names[0] == names[1] == outbox.message_id(mail) != names[2]


def test_worker_ends_when_it_is_terminated() -> None:
    """Even while it cannot reach its database, which is not this test's."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        env=os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = next(line for line in process.stderr if "trying again later" in line)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert (process.returncode, "portal.management.commands.worker" in line) == (0, True)


TOLD_AT_ANY_MOMENT = """
import django, os, random, signal, sys, threading, time
from datetime import timedelta
django.setup()
from portal.management.commands.worker import Command

def tell():
    time.sleep(random.random() / 5000)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)

def work():
    threading.Thread(target=tell).start()
    return timedelta(minutes=1)

sys.setswitchinterval(1e-5)
for _ in range(1000):
    command = Command()
    command.keep_refreshing = lambda: None
    command.work = work
    command.handle(once=False)
"""


def test_worker_ends_whenever_it_is_told() -> None:
    """By the terminal and by make at once, also just before it begins to wait."""
    subprocess.run([sys.executable, "-c", TOLD_AT_ANY_MOMENT], check=True, timeout=50)
