"""What a worker holds in memory after many requests, beside what it held after the first ones."""

from itertools import cycle, islice

from bench.measure import prepare_all
from bench.server import serving
from bench.work import bare_connection

FIRST = 1_000


def measure_memory(port: int, database: str, requests: int) -> dict[str, float]:
    """Megabytes (RSS) of the only worker of a new server, after 1,000 requests and after all.

    Everything that is measured over HTTP, by turns.
    """
    with serving(port, database) as server, bare_connection() as bare:
        work = prepare_all(port, bare)
        del work["five statements"]
        calls = cycle(work.values())
        for call in islice(calls, FIRST):
            call()
        first = server.memory() / 1024
        for call in islice(calls, max(requests - FIRST, 0)):
            call()
        held = server.memory() / 1024
    return {f"worker after {FIRST:,} requests, MB": first, "worker after all requests, MB": held}
