"""All that is measured over HTTP, and the time it takes."""

import random
import sys
import time
from typing import Any

import psycopg

from bench.lists import prepare_lists
from bench.people import prepare_people
from bench.work import Work, prepare, prepare_orders

BEGAN = time.monotonic()

Taken = dict[str, list[float]]
"""Milliseconds of every call, by what was called."""


def prepare_reads(port: int) -> Work:
    return prepare(port) | prepare_lists(port) | prepare_people(port)


def prepare_all(port: int, bare: psycopg.Connection[Any]) -> Work:
    return prepare_reads(port) | prepare_orders(port, bare)


def tell(what: str) -> None:
    """What comes next, and how long it has been, for whoever waits."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  {what} …", file=sys.stderr)


def measure(work: Work, rounds: int) -> Taken:
    """Each call `rounds` times, taken in turns so that all share the weather."""
    taken: Taken = {name: [] for name in work}
    calls = list(work.items())
    for number in range(-max(rounds // 10, 3), rounds):
        random.shuffle(calls)
        for name, call in calls:
            start = time.perf_counter()
            call()
            elapsed = (time.perf_counter() - start) * 1000
            if number >= 0:  # The first ones warm up.
                taken[name].append(elapsed)
    return taken
