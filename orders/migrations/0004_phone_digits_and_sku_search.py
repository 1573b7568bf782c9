"""Phone numbers are found however they were spaced; SKUs of items by any part.

A generated column cannot be altered on every supported server: it is made anew.
"""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models
from django.db.models import F, Value

import portal.text


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_drop_repeated_indexes")]

    operations = [
        migrations.RemoveIndex(model_name="order", name="order_search"),
        migrations.RemoveField(model_name="order", name="search_text"),
        migrations.AddField(
            model_name="order",
            name="search_text",
            field=models.GeneratedField(
                db_persist=True,
                expression=portal.text.Fold(
                    django.db.models.functions.text.Concat(
                        F("customer_first_name"),
                        Value(" "),
                        F("customer_last_name"),
                        Value(" "),
                        F("customer_company"),
                        Value(" "),
                        F("customer_email"),
                        Value(" "),
                        F("customer_phone"),
                        Value(" "),
                        portal.text.Digits("customer_phone"),
                        Value(" "),
                        F("public_id"),
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search_text"], name="order_search", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="orderitem",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("sku"), name="gin_trgm_ops"
                ),
                name="item_sku_search",
            ),
        ),
    ]
