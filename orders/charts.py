"""Small charts, drawn by the server as SVG: where its marks stand, in percent of its size.

Texts keep the size that the style sheet gives them, however wide the chart is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from orders.insight import Bucket, Share, Week
from portal import formats

LEFT, RIGHT = 1_100, 10_000
TOP, BOTTOM = 900, 8_500
"""Of the area with the columns, in hundredths of a percent; beside it there is room for labels."""

WIDTH_OF_SLOT = 64
"""Percent of its slot that a column fills."""

Amount = Decimal | int

_FEW = (2, 4, 6, 8)
_MANY = (10, 12, 16, 20, 24, 30, 40, 50, 60, 80)


def percent(hundredths: int) -> str:
    """An attribute of SVG: 1250 is 12.50%."""
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def ceiling(value: Amount) -> int:
    """A round number at or above the value to end an axis with; its half is round as well."""
    unit = 1
    while value > _MANY[-1] * unit:
        unit *= 10
    steps = (*_FEW, *_MANY) if unit == 1 else _MANY
    return next(step * unit for step in steps if value <= step * unit)


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle, as its attributes."""

    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """A week: its column, the one of the cancelled on top, and what both say."""

    week: Week
    middle: str
    main: Mark
    cancelled: Mark
    is_running: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the chart, and the amount it stands for; `above` is where that is written."""

    y: str
    above: str
    label: str


@dataclass(frozen=True, slots=True)
class Columns:
    columns: list[Column]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a table with its bar: the longest one fills its cell. `share` is of the whole."""

    name: str
    orders: int
    value: Decimal
    width: str
    share: str


def of_orders(weeks: Sequence[Week]) -> Columns:
    """Orders of each week, and on top of them those that were cancelled since."""
    return _columns(weeks, [(week.orders, week.cancelled) for week in weeks], formats.number)


def of_value(weeks: Sequence[Week], currency: str) -> Columns:
    """The monthly value of each week's orders."""
    return _columns(
        weeks,
        [(week.value, 0) for week in weeks],
        lambda amount: formats.short_money(Decimal(amount), currency),
    )


def _columns(
    weeks: Sequence[Week],
    amounts: Sequence[tuple[Amount, Amount]],
    label: Callable[[int], str],
) -> Columns:
    top = ceiling(max((sum(pair) for pair in amounts), default=0))
    slot = (RIGHT - LEFT) // len(weeks)
    width = slot * WIDTH_OF_SLOT // 100
    columns = []
    for number, (week, (main, cancelled)) in enumerate(zip(weeks, amounts, strict=True)):
        left = LEFT + slot * number + (slot - width) // 2
        foot, head = _y(main, top), _y(main + cancelled, top)
        columns.append(
            Column(
                week=week,
                middle=percent(left + width // 2),
                main=_mark(left, foot, width, BOTTOM),
                cancelled=_mark(left, head, width, foot),
                is_running=number == len(weeks) - 1,
            )
        )
    lines = [
        Line(percent(_y(amount, top)), percent(_y(amount, top) - 150), label(amount))
        for amount in (0, top // 2, top)
    ]
    return Columns(columns, lines)


def _y(amount: Amount, top: int) -> int:
    return BOTTOM - int(amount * (BOTTOM - TOP) // top)


def _mark(left: int, upper: int, width: int, lower: int) -> Mark:
    return Mark(percent(left), percent(upper), percent(width), percent(lower - upper))


def by_orders(shares: Iterable[Share | Bucket]) -> list[Bar]:
    return _bars([(s.name, s.orders, getattr(s, "value", Decimal(0)), s.orders) for s in shares])


def by_value(shares: Iterable[Share]) -> list[Bar]:
    return _bars([(s.name, s.orders, s.value, s.value) for s in shares])


def _bars(rows: list[tuple[str, int, Decimal, Amount]]) -> list[Bar]:
    whole = sum(size for *_, size in rows) or 1
    longest = max((size for *_, size in rows), default=0) or 1
    return [
        Bar(
            name,
            orders,
            value,
            width=percent(int(size * 10_000 // longest)),
            share=f"{formats.number((int(size * 200 // whole) + 1) // 2)} %",
        )
        for name, orders, value, size in rows
    ]
