"""What was measured as a table, held against its bounds, and as JSON."""

import json
import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.bounds import AT_SMALL, BOUNDS, CALL, SMALL
from bench.measure import Taken

RESULTS = Path("var/bench.json")

Figures = dict[str, dict[str, float]]
"""What was measured, and of that `p50`, `p95` (milliseconds), `per second`, `statements`; or the
one `value` that it has."""


@dataclass(slots=True)
class Results:
    """What a run has come to, as far as it got."""

    taken: Taken = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)
    singles: dict[str, float] = field(default_factory=dict)
    inputs: Taken = field(default_factory=dict)
    """Of the search as a statement of its own."""

    def figures(self) -> Figures:
        figures = {name: _times(times) for name, times in self.taken.items()}
        for name, number in self.statements.items():
            figures[name]["statements"] = number
        for name, single in self.singles.items():
            what, _, unit = name.partition(": ")
            figures[what] = {unit or "value": single}
        if self.inputs:
            slowest = max(map(statistics.median, self.inputs.values()))
            figures["SKU search in SQL, the slowest input, ms"] = {"value": slowest}
        return figures


def _times(times: list[float]) -> dict[str, float]:
    return {
        "p50": statistics.median(times),
        "p95": statistics.quantiles(times, n=20)[-1] if times[1:] else times[0],
        "per second": 1000 / statistics.mean(times),
    }


def bounds_of(figures: Figures) -> list[dict[str, Any]]:
    """Every bound with its figure, which is None where this run did not measure it."""
    flat = {f"{name}: {unit}": value for name, of in figures.items() for unit, value in of.items()}
    rows = []
    for what, floor, bound in BOUNDS:
        found = flat.get(what)
        if floor:
            found = found / flat[floor] if found is not None and floor in flat else None
        named = f"{what} / {floor}" if floor else what
        rows.append({"what": named.replace(": value", ""), "figure": found, "bound": bound})
    return rows


def unit_of(bound: dict[str, Any]) -> str:
    """What the figure of a bound is in: a ratio, milliseconds, or what its name says."""
    if " / " in bound["what"]:
        return "×"
    return "ms" if bound["what"].endswith((": p50", ": p95")) else ""


def summary(bounds: list[dict[str, Any]], *, is_small: bool, in_browser: bool) -> list[str]:
    """What the table of bounds comes to, in plain words."""
    missing = [row["what"] for row in bounds if row["figure"] is None]
    over = sum(map(_is_over, bounds))
    first = f"Bounds: {len(bounds) - len(missing) - over} hold, {over} exceeded"
    lines = [first + (" (docs/benchmarks.md says why, where it is known)." if over else ".")]
    if missing:
        of_size = sum(AT_SMALL in what for what in missing) if is_small else 0
        of_call = 0 if in_browser else sum(what.startswith(CALL) for what in missing)
        reasons = [
            (of_size, f"that compare with {SMALL:,} rows, when there are no more"),
            (of_call, "that take a browser, left out by --calls 0"),
            (len(missing) - of_size - of_call, "that the run did not get to"),
        ]
        told = "; ".join(f"{number} {reason}" for number, reason in reasons if number)
        lines.append(f"Not measured: {told}.")
    return [*lines, f"All figures: {RESULTS}"]


def report(sizes: dict[str, int], results: Results, *, in_browser: bool) -> bool:
    """Prints the tables, writes var/bench.json, says whether every bound is kept."""
    figures = results.figures()
    columns = ("p50", "p95", "per second", "statements")
    print(f"\n{'':68}{'p50 ms':>9}{'p95 ms':>9}{'per s':>9}{'statements':>12}")
    for name, of in figures.items():
        if "value" in of:
            print(f"{name:68}{of['value']:9,.2f}")
        else:
            cells = [f"{of[each]:9,.1f}" if each in of else f"{'':9}" for each in columns[:3]]
            print(f"{name:68}" + "".join(cells) + f"{of.get('statements', ''):>12}")
    bounds = bounds_of(figures)
    print(f"\n{'':88}{'is':>9}{'at most':>9}  (×: times what is behind the /)")
    for row in bounds:
        if row["figure"] is None:
            told = f"{'–':>9}{row['bound']:9,} {unit_of(row):2}  not measured"
        else:
            told = f"{row['figure']:9,.2f}{row['bound']:9,} {unit_of(row):2}"
            told += "  over" * _is_over(row)
        print(f"{row['what']:88}{told.rstrip()}")
    is_small = max(sizes.values()) <= SMALL
    print("", *summary(bounds, is_small=is_small, in_browser=in_browser), sep="\n")
    RESULTS.parent.mkdir(exist_ok=True)
    measured: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="minutes"), **sizes}
    inputs = {name: _times(times) for name, times in results.inputs.items()}
    measured |= {"figures": figures, "inputs": inputs, "bounds": bounds}
    RESULTS.write_text(json.dumps(measured, indent=1))
    return not any(map(_is_over, bounds))


def _is_over(row: dict[str, Any]) -> bool:
    return row["figure"] is not None and row["figure"] > row["bound"]
