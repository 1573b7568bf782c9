"""The functions of the search anew, for a database that has those of an earlier 0008.

A new database has them already: it makes them twice.
"""

from importlib import import_module

from django.db import migrations

before = import_module("catalog.migrations.0008_search_in_tiers")

EARLIER = """
DROP FUNCTION IF EXISTS catalog_search(bigint, text[], int, boolean);
DROP FUNCTION IF EXISTS catalog_meaning(bigint, text, boolean, boolean, boolean);
"""
KEEPING = before.KEEPING.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(
    "CREATE TRIGGER", "CREATE OR REPLACE TRIGGER"
)
AWAY = before.ASKING_BACKWARD.replace("DROP FUNCTION", "DROP FUNCTION IF EXISTS")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_search_in_tiers")]

    operations = [
        migrations.RunSQL(KEEPING + EARLIER + AWAY + before.ASKING, migrations.RunSQL.noop),
    ]
