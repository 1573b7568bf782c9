"""One run: everything that is measured, one after the other."""

import argparse
import os
from contextlib import ExitStack

from bench.bounds import AT_SMALL, COMPARED
from bench.call import measure_calls
from bench.crowd import measure_crowd
from bench.database import use
from bench.floor import STATEMENTS
from bench.measure import Taken, measure, prepare_all, prepare_reads, tell
from bench.memory import measure_memory
from bench.prices import change_prices
from bench.report import Results
from bench.search import prepare_inputs
from bench.search_check import check
from bench.server import free_port, serving
from bench.statements import count_statements
from bench.work import bare_connection, prepare_orders


def measure_everything(
    results: Results, asked: argparse.Namespace, port: int, large: str, small: str | None
) -> None:
    """Fills the results as it goes, so that what fails takes nothing with it."""
    use(large)
    results.taken |= measure_requests(port, large, small, asked.rounds)
    with bare_connection() as bare:
        tell("statements")
        results.statements |= count_statements(port, large, lambda port: prepare_all(port, bare))
        results.statements["five statements"] = STATEMENTS
        tell("inputs of the search")
        results.inputs |= measure(prepare_inputs(bare), max(asked.rounds // 10, 5))
    tell("four clients")
    results.singles |= measure_crowd(port, large, asked.rounds)
    tell("prices")
    results.singles |= change_prices()
    tell("memory")
    results.singles |= measure_memory(port, large, asked.requests)
    tell("answers of the search")
    results.singles |= check(asked.questions)
    if asked.calls:
        tell("calls in a browser")
        with serving(port, large):
            results.taken |= measure_calls(os.environ["PUBLIC_URL"], asked.calls)


def measure_requests(port: int, large: str, small: str | None, rounds: int) -> Taken:
    """All that goes over HTTP, in turns, at both sizes; then orders, which lists would show."""
    with ExitStack() as stack:
        stack.enter_context(serving(port, large))
        work = prepare_reads(port)
        if small:
            use(small)
            beside = free_port()
            stack.enter_context(serving(beside, small))
            named = {f"{name}{AT_SMALL}": call for name, call in prepare_reads(beside).items()}
            work |= {name: named[name] for name in named if name in COMPARED}
            use(large)
        tell("requests")
        taken = measure(work, rounds)
        tell("orders")
        bare = stack.enter_context(bare_connection())
        return taken | measure(prepare_orders(port, bare), rounds)
