"""How many statements a request sends: counted in the server, BEGIN and COMMIT included.

By a server of its own, so that counting takes no time from what is measured.
"""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test.utils import CaptureQueriesContext

from bench.server import serving

if TYPE_CHECKING:
    from bench.work import Work

TIMES = 10
"""How often each call is counted: what is typed, or who orders, is another each time."""


def counted(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware around all others that writes down what every request came to."""
    path = Path(os.environ["BENCH_STATEMENTS"])

    def answer(request: HttpRequest) -> HttpResponse:
        with CaptureQueriesContext(connection) as queries:
            response = get_response(request)
        with path.open("a") as out:
            out.write(f"{len(queries)}\n")
        return response

    return answer


def count_statements(port: int, database: str, prepare: Callable[[int], "Work"]) -> dict[str, int]:
    """The most that a call of each work sends."""
    with (
        NamedTemporaryFile("r", prefix="bench") as notes,
        serving(port, database, BENCH_STATEMENTS=notes.name),
    ):
        work, most = prepare(port), {}
        for name, call in work.items():
            call()  # What only the first one has to do is not what it costs.
            notes.read()
            for _ in range(TIMES):
                call()
            most[name] = max(map(int, notes.read().split()), default=0)
    return most
