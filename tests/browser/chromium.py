"""Finds a Chromium for the browser tests, or installs one: `python -m tests.browser.chromium`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
CACHES = [".cache/ms-playwright", "Library/Caches/ms-playwright", "AppData/Local/ms-playwright"]
PROGRAMS = ["chrome", "headless_shell", "chrome-headless-shell", "Chromium", "chrome.exe"]
MINUTES = 60


@cache
def find() -> str | None:
    """The program: `$CHROMIUM` if set, else on the PATH, else in Playwright's cache."""
    if chosen := os.environ.get("CHROMIUM"):
        return shutil.which(chosen)
    return next(filter(_runs, _candidates()), None)


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    folders = [Path.home() / cached for cached in CACHES]
    if chosen := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        folders.insert(0, Path(chosen))
    for folder in folders:
        for program in PROGRAMS:
            yield from map(str, sorted(folder.glob(f"chromium*/**/{program}"), reverse=True))


def _runs(program: str) -> bool:
    """False for the stubs that some systems put in a browser's place."""
    try:
        return _quietly([program, "--version"], 30)
    except OSError:
        return False


def _install() -> None:
    """Tries Playwright's own download, then Debian's package; says each attempt."""
    _say("No Chromium on the PATH or in Playwright's cache. Trying `playwright install chromium` …")
    _quietly([sys.executable, "-m", "playwright", "install", "chromium"], 10 * MINUTES)
    find.cache_clear()
    if find() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    _say("That did not work. Trying `apt-get install chromium` …")
    _quietly(["apt-get", "update"], 5 * MINUTES)
    _quietly(["apt-get", "install", "--yes", "chromium"], 10 * MINUTES)
    find.cache_clear()


def _quietly(command: list[str], seconds: int) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, env=environment, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    if chosen := os.environ.get("CHROMIUM"):
        if find() is None:
            print(f"$CHROMIUM is {chosen}, which is not a program.", file=sys.stderr)
            return 1
    elif find() is None:
        _install()
    if (program := find()) is None:
        print(
            "The browser tests need Chromium. Install it (Debian: apt-get install chromium; "
            "elsewhere: .venv/bin/playwright install chromium), or set CHROMIUM to its path.",
            file=sys.stderr,
        )
        return 1
    _say(f"Browser tests use {program}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
