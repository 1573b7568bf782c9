"""`python -m bench.chart`: draws docs/latency.svg from the results in docs/benchmarks/*.json.

Each of those is a `var/bench.json` that was kept. The answer's median against the number of rows
in what is searched or listed.
"""

import json
import math
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.bounds import AT_SMALL, SMALL

RESULTS = Path("docs/benchmarks")
CHART = Path("docs/latency.svg")
# What is drawn, whose number it is drawn over, and its colours in light and dark.
LINES = [
    ("admin queue", "orders", "#b3261e", "#ff8a80"),
    ("order list", "orders", "#8a5a00", "#ffc04d"),
    ("SKU search", "variants", "#0b57d0", "#8ab4f8"),
    ("customer search", "customers", "#7b1fa2", "#d7a6f5"),
    ("hello", "orders", "#56606b", "#a9b4c0"),
]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 400, 56, 160, 48, 48
LABEL = 18

Points = list[tuple[int, float]]


def points_of(results: list[dict[str, Any]], name: str, rows: str) -> Points:
    """Rows and milliseconds; the median where several results are of the same size."""
    found: dict[int, list[float]] = defaultdict(list)
    for result in results:
        figures = result["figures"]
        for key, size in ((name, result[rows]), (name + AT_SMALL, SMALL)):
            if key in figures:
                found[size].append(figures[key]["p50"])
    return sorted((size, statistics.median(each)) for size, each in found.items())


def draw(series: dict[str, Points]) -> str:
    sizes = [size for points in series.values() for size, _ in points]
    first, last = math.floor(math.log10(min(sizes))), math.ceil(math.log10(max(sizes)))
    most = max(ms for points in series.values() for _, ms in points)
    step = next(each for each in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1e9) if each * 6 >= most)
    top = math.ceil(most / step) * step

    def x(size: float) -> float:
        share = (math.log10(size) - first) / max(last - first, 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(ms: float) -> float:
        return HEIGHT - BOTTOM - ms / top * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="{LEFT}" y="26" class="title">Median of an answer, milliseconds</text>']
    for number in range(round(top / step) + 1):
        at, ms = y(number * step), number * step
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{ms:g}</text>')
    for power in range(first, last + 1):
        tick = f'x="{x(10**power):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle"'
        parts.append(f"<text {tick}>{10**power:,}</text>")
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">rows</text>')
    label = float(HEIGHT)
    for name, points in sorted(series.items(), key=lambda each: each[1][-1][1]):
        place = [f"{x(size):.1f} {y(ms):.1f}" for size, ms in points]
        label = min(label - LABEL, y(points[-1][1]) + 4)
        kind = f"of-{[line[0] for line in LINES].index(name)}"
        parts.append(f'<path class="line {kind}" d="M{" L".join(place)}"/>')
        dots = (each.split() for each in place)
        parts += [f'<circle class="{kind}" cx="{a}" cy="{b}" r="3.5"/>' for a, b in dots]
        parts.append(f'<text class="{kind}" x="{WIDTH - RIGHT + 14}" y="{label:.1f}">{name}</text>')
    return "\n".join([HEAD, *parts, "</svg>\n"])


def colours(which: int) -> str:
    return "\n".join(
        f".line.of-{n}{{stroke:{line[which]}}}circle.of-{n},text.of-{n}{{fill:{line[which]}}}"
        for n, line in enumerate(LINES)
    )


HEAD = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>Latency against size</title>
<style>
.paper{{fill:#fff}}text{{font:14px system-ui,sans-serif;fill:#333}}.title{{font-weight:600}}
.grid{{stroke:#ddd}}.line{{fill:none;stroke-width:2.5}}
{colours(2)}
@media(prefers-color-scheme:dark){{.paper{{fill:#14181d}}text{{fill:#d5dbe1}}.grid{{stroke:#39424c}}
{colours(3)}}}
</style>
<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="6"/>"""


def main() -> None:
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    series = {name: points_of(results, name, rows) for name, rows, *_ in LINES}
    CHART.write_text(draw({name: points for name, points in series.items() if points}))


if __name__ == "__main__":
    main()
