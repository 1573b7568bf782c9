import django.contrib.postgres.fields
import django.core.validators
from django.db import migrations, models

FORWARD = "UPDATE catalog_product SET images = ARRAY[image_url] WHERE image_url <> ''"
BACKWARD = "UPDATE catalog_product SET image_url = images[1] WHERE images <> '{}'"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_initials"),
        ("portal", "0009_order_mails"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="price",
            name="price_discount_complete",
        ),
        migrations.AddField(
            model_name="price",
            name="calculated_at",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="price",
            name="discount_description",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="price",
            name="preset_used",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="product",
            name="images",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=500,
                    validators=[
                        django.core.validators.URLValidator(
                            message="Enter an address of http or https.", schemes=["http", "https"]
                        )
                    ],
                ),
                blank=True,
                default=list,
                size=20,
            ),
        ),
        migrations.AddField(
            model_name="variant",
            name="images",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=500,
                    validators=[
                        django.core.validators.URLValidator(
                            message="Enter an address of http or https.", schemes=["http", "https"]
                        )
                    ],
                ),
                blank=True,
                default=list,
                size=20,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(
            model_name="product",
            name="image_url",
        ),
        migrations.AlterField(
            model_name="product",
            name="description",
            field=models.TextField(blank=True, max_length=5000),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="product_newest"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                fields=["tenant", "status", "-created_at", "-id"], name="product_by_status"
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                fields=["tenant", "category", "-created_at", "-id"], name="product_by_category"
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                fields=["tenant", "brand", "-created_at", "-id"], name="product_by_brand"
            ),
        ),
        migrations.AddIndex(
            model_name="variant",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="variant_newest"),
        ),
        migrations.AddIndex(
            model_name="variant",
            index=models.Index(
                fields=["tenant", "status", "-created_at", "-id"], name="variant_by_status"
            ),
        ),
        migrations.AddIndex(
            model_name="variant",
            index=models.Index(
                fields=["tenant", "grade", "-created_at", "-id"], name="variant_by_grade"
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("discount_description", ""),
                        ("discount_type", ""),
                        ("discount_value__isnull", True),
                    ),
                    models.Q(
                        ("discount_type__in", ["percentage", "fixed"]),
                        ("discount_value__gte", 0),
                        ("discount_value__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="price_discount_complete",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("images__len__lte", 20)), name="product_images_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.CheckConstraint(
                condition=models.Q(("images__len__lte", 20)), name="variant_images_number"
            ),
        ),
    ]
