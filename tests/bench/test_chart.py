from xml.etree import ElementTree

from bench.bounds import AT_SMALL
from bench.chart import draw, points_of


def result(orders: int, **queue: float) -> dict:
    figures = {name: {"p50": ms} for name, ms in queue.items()}
    return {"orders": orders, "figures": figures}


def test_each_result_says_something_of_its_size_and_of_the_small_one() -> None:
    results = [
        result(1_000_000, **{"admin queue": 33, f"admin queue{AT_SMALL}": 30}),
        result(10_000_000, **{"admin queue": 34, f"admin queue{AT_SMALL}": 32}),
    ]
    points = points_of(results, "admin queue", "orders")
    assert points == [(10_000, 31), (1_000_000, 33), (10_000_000, 34)]


def test_chart_has_a_line_for_each_and_names_it() -> None:
    chart = draw({"hello": [(10_000, 7), (10_000_000, 7.5)], "admin queue": [(10_000, 31)]})
    texts = [text.text for text in ElementTree.fromstring(chart).iter() if text.text]  # noqa: S314
    assert {"hello", "admin queue", "10,000", "10,000,000", "0", "30"} <= set(texts)
