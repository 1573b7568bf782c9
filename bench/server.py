"""The portal as `make serve` runs it, and a client that keeps its connection."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

GRANIAN = "granian --interface wsgi --blocking-threads 4 --log-level warning"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def set_environment(port: int) -> None:
    """An installed server's, in this process too; to be called before the settings are read."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOW_EMBEDDED": "1",
    }


@contextmanager
def serving(port: int, database: str, workers: int = 1, **more: str) -> Iterator["Server"]:
    """A server on that port and database, for the length of the block; `more`: its environment."""
    sizes = ("--workers", str(workers), "--port", str(port))
    process = subprocess.Popen(
        [sys.executable, "-m", *GRANIAN.split(), *sizes, "portal.wsgi:application"],
        env=os.environ | {"BENCH_DATABASE": database} | more,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield Server(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


class Server:
    """The process that starts the workers."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def memory(self) -> int:
        """Kilobytes that its workers hold in memory (RSS)."""
        found = subprocess.run(
            ["ps", "-A", "-o", "ppid=,rss="], capture_output=True, text=True, check=True
        )
        processes = (line.split() for line in found.stdout.splitlines())
        return sum(int(rss) for parent, rss in processes if int(parent) == self.pid)


class Client:
    """Sends requests over one connection; an unexpected answer ends the benchmark."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = headers

    def get(self, path: str) -> bytes:
        return self._send("GET", path, None, {"Content-Type": "text/html"}, 200)

    def post_form(self, path: str, fields: dict[str, Any]) -> bytes:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", path, urlencode(fields, doseq=True), kind, 200)

    def post_json(self, path: str, data: Any, headers: dict[str, str]) -> bytes:
        kind = {"Content-Type": "application/json"}
        return self._send("POST", path, json.dumps(data), kind | headers, 201)

    def _send(
        self, method: str, path: str, body: str | None, headers: dict[str, str], expected: int
    ) -> bytes:
        self.connection.request(method, path, body, self.headers | headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != expected:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:500]!r}")
        return answer
