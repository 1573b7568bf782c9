"""An import of the size that a migration has: how fast, in how much memory, and killed half-way."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings
from django.db import connection

from bench.server import Client, free_port, serving
from customers.models import Customer
from orders.models import Order, OrderEvent, OrderItem
from portal.models import MAX_RATE_LIMIT, ApiKey, Tenant
from tests.orders.past import ORDERS_PER_CUSTOMER, VAT, create_catalogue, many_orders, write_lines

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

ORDERS = int(os.environ.get("SOAK_ORDERS", "100000"))
POSTED = 500
"""Orders that are posted before the import, and as many after it."""

DEATHS = 10
MEGABYTES = 300
"""What the process takes at most, however long the file is."""

STEPS = {"pending": 1, "confirmed": 2, "cancelled": 2, "partial": 3, "fulfilled": 3}


class Import:
    """The command as a process."""

    def __init__(self, file: Path) -> None:
        command = [sys.executable, "manage.py", "import_orders", "--tenant", "demo", str(file)]
        refused = str(file.with_suffix(f".{random.randrange(10**9)}"))
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, "--refused", refused], cwd=settings.BASE_DIR, stdout=subprocess.PIPE
        )

    def kill(self) -> None:
        with self.process:
            self.process.kill()

    def finish(self) -> "Finished":
        assert self.process.stdout
        megabytes = 0.0
        while self.process.poll() is None:
            megabytes = max(megabytes, self._megabytes())
            time.sleep(0.05)
        with self.process.stdout as stdout:
            summary = stdout.read().decode().splitlines()[-1]
        seconds = time.perf_counter() - self.begun
        counts = re.findall(r"([0-9,]+) (?:read|written|already there|refused)", summary)
        assert self.process.returncode == 0, summary
        return Finished(*(int(c.replace(",", "")) for c in counts), seconds, megabytes)

    def _megabytes(self) -> float:
        """The most that it has held so far. What is told at its end may be that of this process."""
        told = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+([0-9]+) kB", told)
        return int(peak[1]) / 1024 if peak else 0.0


class Finished(NamedTuple):
    read: int
    written: int
    already_there: int
    refused: int
    seconds: float
    megabytes: float


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Of a server as `make serve` runs it; the processes of the test have its settings."""
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "no secret, but as long as one has to be: fifty characters",
        "ALLOW_EMBEDDED": "1",
        "BENCH_DATABASE": str(connection.settings_dict["NAME"]),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return port


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    Tenant.objects.update(vat_rate=VAT)
    create_catalogue()


def assert_each_once(file: Path) -> None:
    """Every order of the file is there once, whole, with its events; each customer once."""
    orders = [json.loads(line, parse_float=Decimal) for line in file.read_bytes().splitlines()]
    told = {order["orderId"]: order for order in orders}
    imported = Order.objects.filter(source=Order.Source.IMPORT)
    columns = imported.values_list("public_id", "status", "total_devices", "total", "version")
    shown = {public_id: tuple(rest) for public_id, *rest in columns.iterator()}
    assert shown == {
        order_id: (
            order["status"],
            order["totals"]["totalDevices"],
            order["totals"]["total"],
            STEPS[order["status"]],
        )
        for order_id, order in told.items()
    }
    assert imported.count() == len(told)
    items = OrderItem.objects.filter(order__source=Order.Source.IMPORT)
    assert items.count() == sum(len(order["items"]) for order in told.values())
    events = OrderEvent.objects.filter(order__source=Order.Source.IMPORT)
    assert events.filter(kind="created").count() == len(told)
    assert events.count() == sum(STEPS[order["status"]] for order in told.values())
    assert Customer.objects.count() == -(-len(told) // ORDERS_PER_CUSTOMER)


def post(client: Client, lines: Iterable[bytes]) -> float:
    """Posts the orders one after another; returns how many a second."""
    # What an order that exists says besides is ignored where it is new.
    orders = [json.loads(line) for line in lines]
    begun = time.perf_counter()
    for order in orders:
        client.post_json("/v1/orders", order, {})
    seconds = time.perf_counter() - begun
    client.connection.close()
    return len(orders) / seconds


def say(capsys: pytest.CaptureFixture[str], figures: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")


def test_import_is_five_times_as_fast_as_posting(
    api_key: ApiKey, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_lines(tmp_path / "orders.jsonl", many_orders(ORDERS))
    ApiKey.objects.update(rate_limit=MAX_RATE_LIMIT)
    with file.open("rb") as lines:
        first = [next(lines) for _ in range(2 * POSTED)]
    headers = {"Authorization": f"Bearer {api_key.token}", "Tenant-ID": "demo"}
    with serving(port, os.environ["BENCH_DATABASE"]):
        post(Client(port, headers), first[:50])  # These warm up.
        before = post(Client(port, headers), first[:POSTED])
        done = Import(file).finish()
        after = post(Client(port, headers), first[POSTED:])
    imported, posted = ORDERS / done.seconds, 2 / (1 / before + 1 / after)
    say(
        capsys,
        f"{ORDERS:,} orders imported, {imported:,.0f} a second; posted, {posted:,.0f} a second: "
        f"ratio {imported / posted:.1f}; {done.megabytes:,.0f} MB at most.",
    )
    assert done[:4] == (ORDERS, ORDERS, 0, 0)
    assert_each_once(file)
    assert imported / posted >= 5
    assert done.megabytes < MEGABYTES


@pytest.mark.usefixtures("port")
def test_two_imports_that_are_killed_again_and_again_write_each_order_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them pending: for each the history before it is looked up."""
    pending = ({**order, "status": "pending"} for order in many_orders(ORDERS))
    nothing = {"rentedDevices": 0}
    file = write_lines(
        tmp_path / "orders.jsonl",
        ({**order, "rentalProgress": {**order["rentalProgress"], **nothing}} for order in pending),
    )
    begun = time.perf_counter()
    for death in range(DEATHS):
        both = [Import(file), Import(file)]
        while Order.objects.count() < ORDERS * (death + 1) // (DEATHS + 1):
            assert None in [each.process.poll() for each in both]
            time.sleep(0.05)
        for each in both:
            time.sleep(random.random())
            each.kill()
    there = Order.objects.count()
    finished = [each.finish() for each in [Import(file), Import(file)]]
    seconds = time.perf_counter() - begun
    say(
        capsys,
        f"{ORDERS:,} pending orders imported by two at once, killed {DEATHS} times: "
        f"{ORDERS / seconds:,.0f} a second.",
    )
    assert there + sum(each.written for each in finished) == ORDERS
    assert {(each.read, each.refused) for each in finished} == {(ORDERS, 0)}
    assert_each_once(file)
