"""A server of its own, on the test's database, that can be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import Self
from urllib.parse import quote

from django.conf import settings
from django.db import connection


class MortalServer:
    """`runserver` as a process. Killed as by the kernel: nothing is finished, nothing answered."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, "manage.py", "runserver", "--noreload", "--skip-checks"]
        self.process = subprocess.Popen(
            [*command, f"127.0.0.1:{self.port}"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": address_of_database()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with closing(HTTPConnection("127.0.0.1", self.port)) as connection:
                    connection.request("GET", "/healthz")
                    connection.getresponse()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("The server does not start.")

    def restart(self) -> None:
        self.kill()
        self.start()

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def address_of_database() -> str:
    database = connection.settings_dict
    host = quote(database["HOST"] or "localhost", safe="")
    login = quote(database["USER"], safe="")
    if database["PASSWORD"]:
        login += ":" + quote(database["PASSWORD"], safe="")
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{login}@{host}{port}/{database['NAME']}"
