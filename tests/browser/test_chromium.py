"""How the browser tests find their browser."""

from pathlib import Path

import pytest

from tests.browser import chromium


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a browser, whose home is a temporary folder."""
    found = chromium.find
    monkeypatch.setattr(chromium, "find", chromium.cache(found.__wrapped__))
    for name in ("CHROMIUM", "PLAYWRIGHT_BROWSERS_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def program(path: Path, exits: int = 0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {exits}\n")
    path.chmod(0o755)
    return str(path)


def cached(home: Path, version: str) -> Path:
    return home / ".cache/ms-playwright" / version / "chrome-linux" / "chrome"


def test_nothing_is_found_where_nothing_is() -> None:
    assert chromium.find() is None


def test_environment_names_the_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin" / "chromium")
    monkeypatch.setenv("CHROMIUM", program(tmp_path / "my browser"))
    assert chromium.find() == str(tmp_path / "my browser")


def test_browser_on_the_path_comes_before_the_cache(tmp_path: Path) -> None:
    program(cached(tmp_path, "chromium-1200"))
    assert chromium.find() == str(cached(tmp_path, "chromium-1200"))
    chromium.find.cache_clear()
    on_path = program(tmp_path / "bin" / "google-chrome")
    assert chromium.find() == on_path


def test_newest_of_the_cache_is_taken(tmp_path: Path) -> None:
    program(cached(tmp_path, "chromium-1100"))
    newest = program(cached(tmp_path, "chromium-1200"))
    assert chromium.find() == newest


def test_stub_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "chromium-browser", exits=1)
    real = program(cached(tmp_path, "chromium-1200"))
    assert chromium.find() == real


def test_wrong_path_in_the_environment_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    assert chromium.main() == 1
    assert capsys.readouterr().err == "$CHROMIUM is /no/such/browser, which is not a program.\n"
