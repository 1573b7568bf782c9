# Each repeats the start of another index, and misleads the planner: see TenantForeignKey.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_search_text"),
        ("portal", "0003_drop_repeated_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="price",
            name="variant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prices",
                to="catalog.variant",
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portal.tenant",
            ),
        ),
        migrations.AlterField(
            model_name="variant",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portal.tenant",
            ),
        ),
    ]
