"""A browser at the portal, logged in, that fails the test for anything on its console."""

import os
from collections.abc import Callable, Iterator
from threading import Condition, get_ident

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

    traffic.watch()
    yield open_page
    refused = list(complaints)
    page.context.set_offline(True)
    traffic.stop()
    assert refused == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    try:
        return (yield)
    finally:
        traffic.forget()


class Traffic:
    """What the live server answers, which ends before the database is emptied.

    A page that is left still sends what was typed, and what it sent just before may still be on
    its way: the two would wait for each other, or the database be another test's by then.
    """

    def __init__(self) -> None:
        self.moved = Condition()
        self.answering: set[int] = set()
        self.is_over = False

    def watch(self) -> None:
        request_started.connect(self.start)
        request_finished.connect(self.finish)

    def start(self, **kwargs: object) -> None:
        with self.moved:
            if self.is_over:
                raise ConnectionAbortedError
            self.answering.add(get_ident())

    def finish(self, **kwargs: object) -> None:
        with self.moved:
            self.answering.discard(get_ident())
            self.moved.notify()

    def stop(self) -> None:
        """Waits for what is being answered, and refuses what arrives from now on."""
        with self.moved:
            self.moved.wait_for(lambda: not self.answering, timeout=60)
            self.is_over = True

    def forget(self) -> None:
        """The database is empty: whatever arrives finds nothing."""
        request_started.disconnect(self.start)
        request_finished.disconnect(self.finish)
        self.is_over = False


traffic = Traffic()


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
