"""The rules that hold the product together: who imports whom, who writes orders, how long."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What an app may import besides itself.
IMPORTS = {
    "portal": set(),
    "catalog": {"portal"},
    "customers": {"portal"},
    "orders": {"portal", "catalog", "customers"},
}
MODULES = sorted(path for app in IMPORTS for path in (ROOT / app).rglob("*.py"))
WRITTEN_BY_HAND = [path for path in MODULES if "migrations" not in path.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

WRITERS = {"orders/services.py", "orders/bulk.py"}
WRITES = {
    *("save", "delete", "create", "update", "bulk_create", "bulk_update"),
    *("get_or_create", "update_or_create", "add", "set", "remove", "clear"),
}
ROWS = {
    *("Order", "OrderItem", "OrderEvent", "order", "orders", "item", "items", "event", "events"),
}
# Lines of a function's body, its docstring apart.
LONGEST = {"views": 25, "api": 15}
LONGEST_ANYWHERE = 50


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text()))


def imported(path: Path) -> Iterator[str]:
    """The packages that a module imports, inside functions too."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            yield str(node.module).split(".")[0]


def names_in(node: ast.AST) -> Iterator[str]:
    """The names of a chain such as `self.order.items.filter(…)`, arguments apart."""
    while True:
        match node:
            case ast.Attribute(value=value, attr=attr):
                yield attr
                node = value
            case ast.Call(func=func):
                node = func
            case ast.Subscript(value=value):
                node = value
            case ast.Name(id=found):
                yield found
                return
            case _:
                return


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function with the number of lines of its body."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
            yield node.name, (node.end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize("app", IMPORTS)
def test_imports_run_one_way(app: str) -> None:
    forbidden = IMPORTS.keys() - IMPORTS[app] - {app}
    found = {
        (name(path), package)
        for path in MODULES
        for package in imported(path)
        if name(path).startswith(f"{app}/") and package in forbidden
    }
    assert found == set()


def test_only_services_and_bulk_write_orders() -> None:
    writes = {
        (name(path), node.func.attr)
        for path in WRITTEN_BY_HAND
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and ROWS & set(names_in(node.func.value))
    }
    assert {path for path, _ in writes} == WRITERS, writes


def test_functions_are_short() -> None:
    too_long = [
        (name(path), function, lines)
        for path in WRITTEN_BY_HAND
        for function, lines in functions(path)
        if lines > LONGEST.get(path.stem, LONGEST.get(path.parent.name, LONGEST_ANYWHERE))
    ]
    assert too_long == []


def test_money_meets_no_float_and_no_other_rounding() -> None:
    found = [
        (name(path), node.lineno)
        for path in WRITTEN_BY_HAND
        for node in nodes(path)
        if isinstance(node, ast.Call) and set(names_in(node.func)) & {"float", "round"}
    ]
    assert found == []


def test_transactions_belong_to_services() -> None:
    doors = [p for p in WRITTEN_BY_HAND if p.stem in LONGEST or p.parent.name in LONGEST]
    assert [name(path) for path in doors if "atomic" in path.read_text()] == []


def test_own_javascript_of_the_new_order_page_is_small() -> None:
    scripts = [ROOT / "static/js" / script for script in ("new-order.js", "portal.js")]
    assert sum(script.stat().st_size for script in scripts) <= 15_000
    page = (ROOT / "templates/base.html").read_text() + (
        ROOT / "templates/orders/new.html"
    ).read_text()
    assert re.findall(r"js/[\w-]+\.js", page) == ["js/portal.js", "js/new-order.js"]


@pytest.mark.parametrize(
    "pattern",
    [
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")",
        r"<style\b",
        r"\sstyle=",
        r"\son[a-z]+=",
        r"hx-on",
        r"javascript:",
        r"(?:src|srcset|action|hx-get|hx-post)=[\"']?(?:https?:)?//",
        r"<link[^>]*href=[\"']?(?:https?:)?//",
        r"\|safe\b",
    ],
)
def test_templates_hold_nothing_inline_and_load_nothing_from_elsewhere(pattern: str) -> None:
    found = [name(path) for path in TEMPLATES if re.search(pattern, path.read_text())]
    # A mail cannot link a style sheet, and is shown under no policy of ours.
    assert found == (["templates/email.html"] if pattern == r"<style\b" else [])
