"""The search for customers, as a rep sees it while typing and as the statement behind it.

`python -m bench.people` prints each input, in a database filled and left by `python -m bench
--keep`: the statement alone, and over HTTP, beside "hello". Beside the time that passed stands what
the processor did for it in the database: on a busy machine that says more.
"""

import statistics
import time
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from bench.server import Client, free_port, serving, set_environment

if TYPE_CHECKING:
    import psycopg

    from bench.work import Call, Work
    from portal.models import User

INPUTS = [
    *("ba", "zo", "bak", "bakker", "zorggroep", "sanne bakker", "bakker sann", "müller"),
    *("schroder", "visser zorggroep", "mulder 12", "sanne.bakker", "@mail.example", "novak elif"),
    *("bakkr", "jansn", "lindqvsit", "zorgroep yilmaz", "sannebakker", "sanne daan", "xyzzy"),
    *("noor peeters energie 2", "020", "06 12"),
]
PATH = "/orders/new/customers/?customer-email="
MATCHES = 6
ROUNDS = 30


def prepare_people(port: int) -> "Work":
    """Each call is the next keystroke of the inputs."""
    rep, page = _visitor(port)
    strokes = cycle([text[:end] for text in _inputs(rep) for end in range(1, len(text) + 1)])
    return {"customer search": lambda: page.get(PATH + quote_plus(next(strokes)))}


def prepare_people_inputs(bare: "psycopg.Connection[Any]") -> "Work":
    """Each input by the very statement that the portal sends for it."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django_scopes import scope

    from customers.search import find_customers
    from portal.models import User

    bare.autocommit = True
    rep = User.objects.get(username="rep")
    statements = {}
    for text in _inputs(rep):
        with scope(tenant=rep.tenant), CaptureQueriesContext(connection) as asked:
            find_customers(tenant=rep.tenant, text=text, limit=MATCHES)
        statements[text] = asked.captured_queries[0]["sql"]
    return {text: partial(bare.execute, sql) for text, sql in statements.items()}


def _visitor(port: int) -> "tuple[User, Client]":
    from bench.work import login
    from portal.models import User

    rep = User.objects.get(username="rep")
    return rep, Client(port, login(rep) | {"HX-Request": "true"})


def _inputs(rep: "User") -> list[str]:
    """Those, and what is known of one customer: e-mail, half of it, and the phone in four ways."""
    from django_scopes import scope

    from customers.models import Customer

    with scope(tenant=rep.tenant):
        known = Customer.objects.exclude(phone="").order_by("-pk")[100]
    digits = "".join(filter(str.isdecimal, known.phone))
    half = known.email[: known.email.index("@") + 3]
    return [*INPUTS, known.email, half, known.phone, f"0{digits[2:]}", digits[4:], digits[-4:]]


def _measure(call: "Call", pid: int) -> tuple[float, float]:
    """Medians: milliseconds that passed, and that the server process had of the processor."""
    taken, spent = [], []
    for number in range(-2, ROUNDS):
        before, start = _processor(pid), time.perf_counter()
        call()
        if number >= 0:  # The first ones warm up.
            taken.append((time.perf_counter() - start) * 1000)
            spent.append(_processor(pid) - before)
    return statistics.median(taken), statistics.median(spent)


def _processor(pid: int) -> float:
    """Milliseconds; nothing where the system does not say."""
    schedule = Path(f"/proc/{pid}/schedstat")
    return int(schedule.read_text().split()[0]) / 1_000_000 if schedule.exists() else 0.0


def main() -> None:
    port = free_port()
    set_environment(port)
    import django

    django.setup()
    from bench.work import bare_connection

    with bare_connection() as bare, serving(port, bare.info.dbname):
        pid = bare.info.backend_pid
        work = prepare_people_inputs(bare)
        _, page = _visitor(port)
        print(f"{'':40}{'SQL ms':>9}{'proc.':>8}{'HTTP ms':>9}")
        rows = []
        for text, ask in work.items():
            fetched = partial(page.get, PATH + quote_plus(text))
            rows.append((*_measure(ask, pid), _measure(fetched, pid)[0]))
            print(f"{text[:39]:40}{rows[-1][0]:9.2f}{rows[-1][1]:8.2f}{rows[-1][2]:9.2f}")
        hello = _measure(partial(page.get, "/hello/"), pid)[0]
    sql, processor, http = zip(*rows, strict=True)
    print(
        f"{'median':40}{statistics.median(sql):9.2f}{statistics.median(processor):8.2f}"
        f"{statistics.median(http):9.2f}"
    )
    print(f"worst: {max(sql):.2f} ms, processor {max(processor):.2f} ms; hello {hello:.2f} ms")


if __name__ == "__main__":
    main()
