import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from bench import database
from bench.seed import Sizes


@pytest.mark.django_db
def test_seeding_more_than_the_disk_holds_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"1,000,000,000,000 orders need about .* GB are free"):
        database.require_room(Sizes(orders=10**12))


@pytest.mark.django_db
def test_seeding_what_the_disk_holds_is_not_refused() -> None:
    database.require_room(Sizes(variants=100))


@pytest.mark.django_db
def test_database_that_a_newer_version_kept_is_refused() -> None:
    MigrationRecorder(connection).record_applied("orders", "9999_later")
    with pytest.raises(SystemExit, match=r"kept was kept by another version.*orders\.9999_later"):
        database.bring_up("kept")
