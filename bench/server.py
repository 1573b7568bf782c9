"""The portal as `make serve` runs it, with one worker, and a client that keeps its connection."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

GRANIAN = "granian --interface wsgi --workers 1 --blocking-threads 4 --log-level warning"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(port: int, database: str) -> Iterator[None]:
    """A server process on that port and database, for the length of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *GRANIAN.split(), "--port", str(port), "portal.wsgi:application"],
        env=os.environ | {"BENCH_DATABASE": database},
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


class Client:
    """Sends requests over one connection; an unexpected answer ends the benchmark."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = headers

    def get(self, path: str) -> bytes:
        return self._send("GET", path, None, "text/html", 200)

    def post_form(self, path: str, fields: list[tuple[str, str]]) -> bytes:
        form = "application/x-www-form-urlencoded"
        return self._send("POST", path, urlencode(fields), form, 200)

    def post_json(self, path: str, data: Any) -> bytes:
        return self._send("POST", path, json.dumps(data), "application/json", 201)

    def _send(self, method: str, path: str, body: str | None, kind: str, expected: int) -> bytes:
        headers = self.headers | {"Content-Type": kind}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != expected:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:500]!r}")
        return answer
