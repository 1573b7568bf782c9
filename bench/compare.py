"""`python -m bench.compare OLD.json NEW.json`: what changed between two results."""

import json
import sys
from pathlib import Path


def main(old: str, new: str) -> None:
    before, after = (json.loads(Path(path).read_text()) for path in (old, new))
    print(f"{'':68}{'before':>10}{'after':>10}{'ratio':>8}")
    for name, units in after["figures"].items():
        for unit, now in units.items():
            then = before["figures"].get(name, {}).get(unit)
            if then is not None:
                ratio = f"{now / then:8.2f}" if then else ""
                print(f"{f'{name}: {unit}':68}{then:10,.2f}{now:10,.2f}{ratio}")


if __name__ == "__main__":
    main(*sys.argv[1:])
