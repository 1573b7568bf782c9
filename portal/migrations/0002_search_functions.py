from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

# `unaccent` is not immutable, because its dictionary could change; naming the dictionary and the
# schema makes the wrapper safe in indexes and generated columns.
FOLD = """
CREATE FUNCTION portal_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, value)) $$
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(FOLD, "DROP FUNCTION portal_fold(text)"),
    ]
