from pathlib import Path
from typing import Any

import pytest

from bench.bounds import AT_SMALL, BOUNDS, COMPARED
from bench.report import RESULTS, Results, bounds_of, report, summary, unit_of

TAKEN = {"hello": [2.0] * 20, "SKU search": [3.0] * 19 + [9.0]}


def rows(**singles: float) -> dict[str, float | None]:
    results = Results(taken=TAKEN, singles=singles)
    return {row["what"]: row["figure"] for row in bounds_of(results.figures())}


def test_figures_of_a_call() -> None:
    figures = Results(taken=TAKEN, statements={"SKU search": 6}).figures()["SKU search"]
    assert figures.pop("p95") == pytest.approx(8.7)
    assert figures == {"p50": 3, "per second": pytest.approx(1000 / 3.3), "statements": 6}


def test_figures_of_a_single_call() -> None:
    figures = Results(taken={"call, two lines": [1200.0]}).figures()["call, two lines"]
    assert (figures["p50"], figures["p95"]) == (1200, 1200)


def test_ratio_is_of_what_was_measured_in_the_same_run() -> None:
    assert rows()["SKU search: p50 / hello: p50"] == 1.5


def test_rate_of_many_clients_is_held_against_the_floor() -> None:
    found = rows(**{
        "create order, 4 clients: per second": 50,
        "five statements, 4 clients: per second": 400,
    })  # fmt: skip
    what = "five statements, 4 clients: per second / create order, 4 clients: per second"
    assert found[what] == 8


def test_slowest_input_is_held_against_its_bound() -> None:
    results = Results(inputs={"m": [1, 2, 9], "mac": [4, 4, 5]})
    [found] = [row for row in bounds_of(results.figures()) if "slowest input" in row["what"]]
    assert (found["figure"], found["bound"]) == (4, 10)


def test_what_was_not_measured_has_no_figure() -> None:
    found = rows()
    assert len(found) == len(BOUNDS)
    assert found[f"SKU search: p50 / SKU search{AT_SMALL}: p50"] is None
    assert found["call, two lines: p95"] is None


def test_what_is_compared_with_the_small_size_is_measured_there() -> None:
    assert f"SKU search{AT_SMALL}" in COMPARED
    assert "hello" not in COMPARED


def bound(what: str, figure: float | None = None, most: float = 2) -> dict[str, Any]:
    return {"what": what, "figure": figure, "bound": most}


def test_bounds_are_in_units() -> None:
    units = {row["what"]: unit_of(row) for row in bounds_of(Results().figures())}
    assert units["SKU search: p50 / hello: p50"] == "×"
    assert units["call, two lines: p95"] == "ms"
    assert units["create order, 1 line: statements"] == ""
    assert units["SKU search in SQL, the slowest input, ms"] == ""


def test_summary_says_what_holds_and_what_does_not() -> None:
    bounds = [bound("a", 1), bound("b", 2), bound("c", 3)]
    kept = summary(bounds[:2], is_small=False, in_browser=True)
    assert kept == ["Bounds: 2 hold, 0 exceeded.", f"All figures: {RESULTS}"]
    first, _ = summary(bounds, is_small=False, in_browser=True)
    assert first.startswith("Bounds: 2 hold, 1 exceeded (docs/benchmarks.md says why")


def test_summary_says_why_something_was_not_measured() -> None:
    bounds = [
        bound(f"SKU search: p50 / SKU search{AT_SMALL}: p50"),
        bound("call, two lines: p95"),
        bound("order list: p50 / hello, JSON: p50"),
    ]
    assert summary(bounds, is_small=True, in_browser=False)[1] == (
        "Not measured: 1 that compare with 10,000 rows, when there are no more; "
        "1 that take a browser, left out by --calls 0; 1 that the run did not get to."
    )
    told = summary(bounds, is_small=False, in_browser=True)[1]
    assert told == "Not measured: 3 that the run did not get to."


def test_report_ends_with_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    results = Results(taken={"hello": [2.0] * 20, "order list": [3.0] * 20})
    assert report({"orders": 1}, results, in_browser=False)
    assert capsys.readouterr().out.splitlines()[-1] == f"All figures: {RESULTS}"
    assert RESULTS.exists()
