# Each repeats the start of another index, and misleads the planner: see TenantForeignKey.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
        ("portal", "0003_drop_repeated_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="customer",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portal.tenant",
            ),
        ),
    ]
