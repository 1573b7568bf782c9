"""Databases of the benchmark's own, filled to a size, beside the one that the settings name."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings

from bench.seed import Sizes, fill

BYTES_PER_ROW = {"variants": 1_900, "customers": 1_800, "orders": 2_900}
"""What a row takes with all that hangs on it (prices, search, lines, events) and all indexes."""

ROOM = 1.2
"""For the log of what is written, and for sorting while indexes are built."""

FILLED = "filled for bench"


@contextmanager
def filled(sizes: Sizes, *, keep: bool) -> Iterator[str]:
    """The name of a database with so many rows; dropped in the end, unless it is kept.

    One that was kept before is used again if it is to be kept now, and seeded anew if not.
    """
    own = connection.settings_dict["NAME"]
    name = f"{own}_bench_{sizes.variants}_{sizes.customers}_{sizes.orders}"
    if keep and _is_filled(name):
        use(name)
        bring_up(name)
    else:
        _fill(name, sizes)
    try:
        use(own)
        yield name
    finally:
        if not keep:
            use(name)
            connection.creation.destroy_test_db(own, verbosity=0)


def use(name: str) -> None:
    """What this process asks Django for is answered by that database from now on."""
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name


def _fill(name: str, sizes: Sizes) -> None:
    require_room(sizes)
    print(f"Seeding {name} …", file=sys.stderr)
    connection.settings_dict["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    with override_settings(DEBUG=True):
        call_command("seed_demo", verbosity=0)
    fill(sizes)
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON DATABASE {connection.ops.quote_name(name)} IS '{FILLED}'")


def _is_filled(name: str) -> bool:
    """Whether it exists, and its seeding came to its end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_database WHERE datname = %s AND shobj_description(oid, 'pg_database')"
            " = %s",
            [name, FILLED],
        )
        return cursor.fetchone() is not None


def bring_up(name: str) -> None:
    """Brings a database that was kept up to this checkout, which has to know where it stands."""
    loader = MigrationLoader(connection)
    unknown = sorted(set(loader.applied_migrations) - set(loader.disk_migrations or {}))
    if unknown:
        sys.exit(
            f"{name} was kept by another version: it has the migration {'.'.join(unknown[0])}, "
            f"which is not here. Drop it, or run without --keep."
        )
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # What migrations and the last run left behind.


def require_room(sizes: Sizes) -> None:
    """Ends the program if the disk has not enough; if it is elsewhere, nobody can look."""
    needed = ROOM * sum(each * getattr(sizes, what) for what, each in BYTES_PER_ROW.items())
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW data_directory")
            free = shutil.disk_usage(cursor.fetchone()[0]).free
    except (DatabaseError, OSError):
        print("The database's disk cannot be seen from here: its room is not checked.")
        return
    if free < needed:
        sys.exit(
            f"{sizes.variants:,} variants, {sizes.customers:,} customers and {sizes.orders:,} "
            f"orders need about {needed / 1e9:.1f} GB of disk, and {free / 1e9:.1f} GB are free. "
            "Ask for less: --variants, --customers, --orders."
        )
