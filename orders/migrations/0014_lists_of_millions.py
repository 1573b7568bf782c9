import django.contrib.postgres.indexes
from django.db import migrations, models
from django.db.models import F, Func, Q

# The words of an order as the index knows them: letters and digits in a row, each with its tenant
# in front, and the last digits of the phone number however it was written.
WORDS = r"""
CREATE FUNCTION orders_words(tenant bigint, told text, phone text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT string_to_array(
        tenant::text || '.' || replace(
            btrim(regexp_replace(
                told || ' ' || right(regexp_replace(phone, '\D', '', 'g'), 7),
                '[^[:alnum:]]+', ' ', 'g'
            )),
            ' ', ' ' || tenant::text || '.'
        ),
        ' '
    )
$$;
"""

SUBMITTED = """
UPDATE orders_draft SET submitted_at = placed.created_at
FROM orders_order AS placed WHERE placed.draft_id = orders_draft.id
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_list_indexes")]

    operations = [
        migrations.RunSQL(WORDS, "DROP FUNCTION orders_words(bigint, text, text)"),
        # What is searched for in the list and the admin, where it is rare.
        migrations.AddIndex(
            model_name="order",
            index=django.contrib.postgres.indexes.GinIndex(
                Func(F("tenant"), F("search_text"), F("customer_phone"), function="orders_words"),
                name="order_words",
                fastupdate=False,
            ),
        ),
        # The API by status, sorted by change, from a moment on.
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["tenant", "status", "updated_at", "id"], name="order_status_changed"
            ),
        ),
        # The list and the admin by type.
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["tenant", "order_type", "created_at", "id"], name="order_of_type"
            ),
        ),
        # The admin by source.
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["tenant", "source", "created_at", "id"], name="order_of_source"
            ),
        ),
        # What is back with its rep: on their home page, and in the admin.
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["tenant", "rep_ref", "created_at", "id"],
                condition=Q(awaiting="rep"),
                name="order_with_rep",
            ),
        ),
        # Open drafts, on each home page and before each new order.
        migrations.AddField(
            model_name="draft",
            name="submitted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(SUBMITTED, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="draft",
            index=models.Index(
                fields=["tenant", "owner", "-updated_at", "-id"],
                condition=Q(
                    submitted_at__isnull=True, applied_at__isnull=True, discarded_at__isnull=True
                ),
                name="draft_open",
            ),
        ),
    ]
