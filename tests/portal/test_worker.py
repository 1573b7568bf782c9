"""`manage.py worker`."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from portal.models import ApiKey, IdempotentResponse


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
