"""Customers are listed by name, by when they changed, and inactive ones, without reading all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_lookalikes")]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("status", "inactive")),
                fields=["tenant", "-created_at", "-id"],
                name="customer_newest_inactive",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                fields=["tenant", "first_name", "id"], name="customer_by_first_name"
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["tenant", "last_name", "id"], name="customer_by_last_name"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["tenant", "updated_at", "id"], name="customer_updated"),
        ),
    ]
