# Others refer to keys with their tenant now: see TenantForeignKey.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0004_key_of_tenant"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="api_keys",
                to="portal.tenant",
            ),
        ),
    ]
