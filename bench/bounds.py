"""What the figures are held against."""

SMALL = 10_000
AT_SMALL = f", at {SMALL:,}"

# A figure, what it is divided by, if by anything, and the most that it may come to.
BOUNDS = [
    ("create order, 5 lines: p50", "five statements: p50", 5),
    ("create order, 1 line: statements", "", 12),
    ("create order, 5 lines: statements", "", 12),
    ("create order, 200 lines: statements", "", 12),
    ("five statements, 4 clients: per second", "create order, 4 clients: per second", 6),
    ("SKU search: p50", "hello: p50", 2),
    ("SKU search: p95", "hello: p50", 4),
    ("SKU search: p50", f"SKU search{AT_SMALL}: p50", 1.5),
    ("SKU search in SQL, the slowest input, ms: value", "", 10),
    ("random questions to the SKU search, % short or empty: value", "", 1),
    ("random questions to the SKU search, wrong answers: value", "", 0),
    ("customer search: p50", "hello: p50", 2),
    ("customer search: p95", "hello: p50", 4),
    ("customer search: p50", f"customer search{AT_SMALL}: p50", 1.5),
    ("live totals, 5 lines: p50", "hello: p50", 3),
    ("live totals, 50 lines: p50", "hello: p50", 6),
    ("5 lines shown anew: p50", "hello: p50", 3),
    ("50 lines shown anew: p50", "hello: p50", 6),
    ("order list: p50", f"order list{AT_SMALL}: p50", 1.2),
    ("order list: p50", "hello, JSON: p50", 2),
    ("API list: p50", f"API list{AT_SMALL}: p50", 1.2),
    ("API list: p50", "hello, JSON: p50", 2),
    ("admin queue: p50", f"admin queue{AT_SMALL}: p50", 1.3),
    ("queue by number: p50", "admin queue: p50", 2),
    ("queue by e-mail: p50", "admin queue: p50", 2),
    ("queue by company: p50", "admin queue: p50", 2),
    ("price change of 10,000 variants, rows written for the search: value", "", 0),
    ("price change of 10,000 variants, growth of the search, bytes: value", "", 0),
    ("worker after all requests, MB: value", "worker after 1,000 requests, MB: value", 1.1),
    ("call, two lines: p95", "", 6000),
    ("keystroke to total, beyond the pause: p95", "", 100),
    ("the pause: p95", "", 150),
]
# What begins the names of those that take a browser.
CALL = ("call,", "keystroke", "the pause")
# What is measured at the small size as well.
COMPARED = {f"hello{AT_SMALL}"} | {
    floor.removesuffix(": p50") for _, floor, _ in BOUNDS if AT_SMALL in floor
}
