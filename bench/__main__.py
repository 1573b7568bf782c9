"""`python -m bench`: measures the portal against its floor and its bounds, and prints a table."""

import argparse
import sys
from contextlib import ExitStack

from bench.bounds import SMALL
from bench.server import free_port, set_environment


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=300, help="of every call, in turns")
    parser.add_argument("--calls", type=int, default=20, help="in a browser; 0: none")
    parser.add_argument("--questions", type=int, default=1000, help="to the search, at random")
    parser.add_argument("--requests", type=int, default=10_000, help="before memory is measured")
    parser.add_argument(
        "--keep", action="store_true", help="leave the databases, and use them if they are there"
    )
    return parser.parse_args()


def main() -> None:
    asked, port = options(), free_port()
    set_environment(port)
    import django

    django.setup()
    from bench.database import filled
    from bench.report import Results, report
    from bench.run import measure_everything
    from bench.seed import Sizes

    sizes = {name: getattr(asked, name) for name in ("variants", "customers", "orders")}
    least = {name: min(size, SMALL) for name, size in sizes.items()}
    results = Results()
    with ExitStack() as stack:
        names = [
            stack.enter_context(filled(Sizes(**each, others=3), keep=asked.keep))
            for each in ([sizes] if sizes == least else [sizes, least])
        ]
        try:
            measure_everything(results, asked, port, names[0], names[1] if names[1:] else None)
        finally:
            is_kept = report(sizes, results, in_browser=asked.calls > 0)
    sys.exit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
