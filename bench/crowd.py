"""Four clients at once: orders a second, and the floor's."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench.server import serving
from bench.work import Call, bare_connection, prepare_crowd

CLIENTS = 4
ROUNDS = 5


def measure_crowd(port: int, database: str, orders: int) -> dict[str, float]:
    """By turns, each client `orders` times a round; the median of the rounds.

    With two workers, as `make serve` has them: one would leave a core to the database alone.
    """
    rates: dict[str, list[float]] = {"create order": [], "five statements": []}
    with serving(port, database, workers=2), ExitStack() as stack:
        connections = [stack.enter_context(bare_connection()) for _ in range(CLIENTS)]
        for clients in (crowds := prepare_crowd(port, connections)):
            _per_second(clients, orders)
        for _ in range(ROUNDS):
            for rate, clients in zip(rates.values(), crowds, strict=True):
                rate.append(_per_second(clients, orders))
    return {
        f"{name}, {CLIENTS} clients: per second": statistics.median(found)
        for name, found in rates.items()
    }


def _per_second(clients: Sequence[Call], times: int) -> float:
    def work(call: Call) -> None:
        for _ in range(times):
            call()

    with ThreadPoolExecutor(len(clients)) as pool:
        start = time.perf_counter()
        list(pool.map(work, clients))
        return len(clients) * times / (time.perf_counter() - start)
