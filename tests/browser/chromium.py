"""Finds a Chromium for the browser tests, or installs one: `python -m tests.browser.chromium`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
CACHES = [".cache/ms-playwright", "Library/Caches/ms-playwright", "AppData/Local/ms-playwright"]
PROGRAMS = ["chrome", "headless_shell", "chrome-headless-shell", "Chromium", "chrome.exe"]


def find() -> str | None:
    """The program: `$CHROMIUM`, on the PATH, or in Playwright's cache."""
    if chosen := os.environ.get("CHROMIUM"):
        return shutil.which(chosen)
    on_path = (shutil.which(name) for name in NAMES)
    return next(filter(None, on_path), None) or next(_in_caches(), None)


def _in_caches() -> Iterator[str]:
    folders = [Path.home() / cache for cache in CACHES]
    if chosen := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        folders.insert(0, Path(chosen))
    for folder in folders:
        for program in PROGRAMS:
            for path in sorted(folder.glob(f"chromium*/**/{program}"), reverse=True):
                if path.is_file() and os.access(path, os.X_OK):
                    yield str(path)


def _install() -> None:
    """Tries Playwright's own download, then Debian's package; says each attempt."""
    print("No Chromium found. Trying `playwright install chromium` …", flush=True)
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        capture_output=True,
        check=False,
    )
    if find() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print("That did not work. Trying `apt-get install chromium` …", flush=True)
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "chromium"]):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, capture_output=True, check=False, env=quiet)


def main() -> int:
    if find() is None:
        _install()
    if (program := find()) is None:
        print(
            "The browser tests need Chromium. Install it (Debian: apt-get install chromium; "
            "elsewhere: .venv/bin/playwright install chromium), or set CHROMIUM to its path.",
            file=sys.stderr,
        )
        return 1
    print(f"Browser tests use {program}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
