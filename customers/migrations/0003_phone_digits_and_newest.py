"""Phone numbers are found however they were spaced; customers are listed newest first.

A generated column cannot be altered on every supported server: it is made anew.
"""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models
from django.db.models import F, Value

import portal.text


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_drop_repeated_indexes")]

    operations = [
        migrations.RemoveIndex(model_name="customer", name="customer_search"),
        migrations.RemoveField(model_name="customer", name="search_text"),
        migrations.AddField(
            model_name="customer",
            name="search_text",
            field=models.GeneratedField(
                db_persist=True,
                expression=portal.text.Fold(
                    django.db.models.functions.text.Concat(
                        F("first_name"),
                        Value(" "),
                        F("last_name"),
                        Value(" "),
                        F("company"),
                        Value(" "),
                        F("email_key"),
                        Value(" "),
                        F("phone"),
                        Value(" "),
                        portal.text.Digits("phone"),
                        Value(" "),
                        F("public_id"),
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search_text"], name="customer_search", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="customer_newest"),
        ),
    ]
