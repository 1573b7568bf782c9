"""`python -m bench`: measures the portal against its floor and its budgets."""

import argparse
import json
import os
import random
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.server import free_port, serving

if TYPE_CHECKING:
    from bench.work import Work

PORT = free_port()
# An installed server, in this process too. Set before the settings are read, so imports follow.
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "bench.settings",
    "PUBLIC_URL": f"http://127.0.0.1:{PORT}",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOW_EMBEDDED": "1",
}

RESULTS = Path("var/bench.json")
Row = tuple[str, float, float]
"""What was measured, the figure, and the most that it may be."""
# What is compared with what, at which percentiles, and the most that the ratio may be.
BUDGETS = [
    ("create order, 5 lines", "p50", "five statements", "p50", 5),
    ("live totals, 5 lines", "p50", "hello", "p50", 3),
    ("live totals, 50 lines", "p50", "hello", "p50", 6),
    ("5 lines shown anew", "p50", "hello", "p50", 3),
    ("50 lines shown anew", "p50", "hello", "p50", 6),
    ("SKU search", "p50", "hello", "p50", 2),
    ("SKU search", "p95", "hello", "p50", 4),
]
# Of single figures: the first divided by the second.
QUOTIENTS = [
    ("five statements, 4 clients, per second", "create order, 4 clients, per second", 6),
    ("worker after all requests, MB", "worker after 1,000 requests, MB", 1.1),
]
# In a browser, the most milliseconds.
LIMITS = [
    ("call, two lines", "p95", 6000),
    ("keystroke to total, beyond the pause", "p95", 100),
    ("the pause", "p95", 150),
]


@contextmanager
def seeded_database(variants: int, orders: int) -> Iterator[str]:
    """The name of a database of its own with so many rows; dropped in the end."""
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.test import override_settings

    django.setup()
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with override_settings(DEBUG=True):
            call_command("seed_demo", variants=variants, orders=orders)
        connection.cursor().execute("VACUUM ANALYZE")
        yield name
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def measure(work: "Work", rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each call, `rounds` times, taken in turns so that all share the weather."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    calls = list(work.items())
    for number in range(-(rounds // 10), rounds):
        random.shuffle(calls)
        for name, call in calls:
            start = time.perf_counter()
            call()
            elapsed = (time.perf_counter() - start) * 1000
            if number >= 0:  # The first ones warm up.
                taken[name].append(elapsed)
    return taken


def report(taken: dict[str, list[float]], singles: dict[str, float], sizes: dict[str, int]) -> bool:
    """Prints the tables, writes var/bench.json, says whether every budget is kept."""
    figures = {
        name: {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}
        for name, times in taken.items()
    }
    print(f"\n{'':50}{'p50 ms':>9}{'p95 ms':>9}")
    for name, figure in figures.items():
        print(f"{name:50}{figure['p50']:9.2f}{figure['p95']:9.2f}")
    for name, single in singles.items():
        print(f"{name:50}{single:9.1f}")
    ratios: list[Row] = [
        (f"{name} {at} / {floor} {floor_at}", figures[name][at] / figures[floor][floor_at], bound)
        for name, at, floor, floor_at, bound in BUDGETS
    ]
    ratios += [(f"{a} / {b}", singles[a] / singles[b], bound) for a, b, bound in QUOTIENTS]
    limits: list[Row] = [(f"{name} {at}", figures[name][at], bound) for name, at, bound in LIMITS]
    for unit, rows in (("ratio", ratios), ("ms", limits)):
        print(f"\n{'':78}{unit:>9}{'bound':>9}")
        for what, figure, bound in rows:
            print(f"{what:78}{figure:9.2f}{bound:9}" + ("" if figure <= bound else "  over"))
    RESULTS.parent.mkdir(exist_ok=True)
    results = {**sizes, "figures": figures, "singles": singles}
    results |= {"ratios": _named(ratios), "limits": _named(limits)}
    RESULTS.write_text(json.dumps(results, indent=2))
    return all(figure <= bound for _, figure, bound in ratios + limits)


def _named(rows: list[Row]) -> list[dict[str, Any]]:
    return [{"what": what, "figure": figure, "bound": bound} for what, figure, bound in rows]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--variants", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--calls", type=int, default=20, help="rounds in a browser")
    parser.add_argument("--requests", type=int, default=10_000, help="before memory is measured")
    sizes = vars(parser.parse_args())
    with seeded_database(sizes["variants"], sizes["orders"]) as name:
        from bench.call import measure_calls
        from bench.crowd import measure_crowd
        from bench.memory import measure_memory
        from bench.work import bare_connection, prepare

        with serving(PORT, name), bare_connection() as bare:
            taken = measure(prepare(PORT, bare), sizes["rounds"])
            taken |= measure_calls(os.environ["PUBLIC_URL"], sizes["calls"])
        singles = measure_crowd(PORT, name, sizes["rounds"])
        singles |= measure_memory(PORT, name, sizes["requests"])
    sys.exit(0 if report(taken, singles, sizes) else 1)


if __name__ == "__main__":
    main()
