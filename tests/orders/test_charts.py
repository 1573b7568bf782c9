"""Where the marks of a chart stand."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from orders import charts
from orders.insight import Bucket, Share, Week


@pytest.mark.parametrize(
    ("value", "top"),
    [
        (0, 2),
        (1, 2),
        (3, 4),
        (9, 10),
        (11, 12),
        (22, 24),
        (80, 80),
        (81, 100),
        (Decimal("80.01"), 100),
        (Decimal("1234567.89"), 1_600_000),
    ],
)
def test_axis_ends_at_a_round_number(value: Decimal | int, top: int) -> None:
    assert charts.ceiling(value) == top


def weeks(*orders: int) -> list[Week]:
    monday = date(2026, 3, 30)
    return [
        Week(monday + timedelta(weeks=n), number, Decimal(number) / 3, cancelled=1)
        for n, number in enumerate(orders)
    ]


def test_columns_stand_on_the_base_line_with_the_cancelled_on_top() -> None:
    chart = charts.of_orders(weeks(0, 3))
    empty, full = chart.columns

    assert (empty.main.height, empty.cancelled.height) == ("0.00%", "19.00%")
    assert (full.main.y, full.main.height) == ("28.00%", "57.00%")
    assert (full.cancelled.y, full.cancelled.height) == ("9.00%", "19.00%")
    assert [line.label for line in chart.lines] == ["0", "2", "4"]
    assert [column.is_running for column in chart.columns] == [False, True]


def test_columns_of_value_leave_the_cancelled_out() -> None:
    chart = charts.of_value(weeks(3, 6), "EUR")

    assert [column.cancelled.height for column in chart.columns] == ["0.00%", "0.00%"]
    assert [line.label for line in chart.lines] == ["€0", "€1", "€2"]


def test_longest_bar_fills_its_cell_and_shares_are_of_the_whole() -> None:
    bars = charts.by_value([Share("a", 1, Decimal("20.00")), Share("b", 9, Decimal("10.00"))])

    assert [(bar.width, bar.share) for bar in bars] == [("100.00%", "67 %"), ("50.00%", "33 %")]


def test_bars_of_nothing_are_empty() -> None:
    assert [bar.width for bar in charts.by_orders([Bucket("under 1 h", 0)])] == ["0.00%"]
    assert [bar.share for bar in charts.by_value([Share("a", 1, Decimal(0))])] == ["0 %"]
