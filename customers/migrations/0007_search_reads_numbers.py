"""The functions of the search anew, for a database that has those of an earlier 0006.

A new database has them already: it makes them twice.
"""

from importlib import import_module

from django.db import migrations

before = import_module("customers.migrations.0006_search_at_size")


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_search_at_size")]

    operations = [
        migrations.RunSQL(before.ASKING_BACKWARD + before.ASKING, migrations.RunSQL.noop),
    ]
