"""A browser at the portal, logged in, that fails the test for anything on its console."""

import os
import time
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Self

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from portal.models import User

# Playwright runs an event loop in this thread; Django's own guard does not know it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# On a busy machine a page may take its time; what never comes still fails.
expect.set_options(timeout=30_000)

Visit = Callable[..., Page]
Forgive = Callable[[str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def complaints() -> list[str]:
    """What a test expects on the console: it removes it, or the test fails."""
    return []


@pytest.fixture
def forgive(complaints: list[str]) -> Forgive:
    """Takes the one complaint off the list that says this."""

    def remove(text: str) -> None:
        [expected] = [each for each in complaints if text in each]
        complaints.remove(expected)

    return remove


@pytest.fixture
def visit(live_server: LiveServer, page: Page, complaints: list[str]) -> Iterator[Visit]:
    """Opens a path as a user. Scripts that fail and violations of the CSP fail the test."""

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} {message.location.get('url')}")

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def open_page(path: str, user: User | None = None) -> Page:
        if user is not None:
            _log_in(page, live_server.url, user)
        page.goto(live_server.url + path)
        return page

    with Traffic() as traffic:
        yield open_page
        # A page that is left still sends what was typed; the database is another test's by then.
        refused = list(complaints)
        page.context.set_offline(True)
        traffic.wait_for_silence()
    assert refused == []


class Traffic:
    """Counts the requests that the live server is answering."""

    def __enter__(self) -> Self:
        self.answering = 0
        self.lock = Lock()
        request_started.connect(self.start)
        request_finished.connect(self.finish)
        return self

    def __exit__(self, *exception: object) -> None:
        request_started.disconnect(self.start)
        request_finished.disconnect(self.finish)

    def start(self, **kwargs: object) -> None:
        with self.lock:
            self.answering += 1

    def finish(self, **kwargs: object) -> None:
        with self.lock:
            self.answering -= 1

    def wait_for_silence(self) -> None:
        deadline, silent = time.monotonic() + 10, 0
        while silent < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
            silent = 0 if self.answering > 0 else silent + 1


def _log_in(page: Page, url: str, user: User) -> None:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])


def accessibility_problems(page: Page) -> list[str]:
    """What axe finds on the page as it is now, readable."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} ({node.get('failureSummary', '')})"
        for rule in found
        for node in rule["nodes"]
    ]
