"""Customers are looked up by phone, company and domain of their e-mail, before a second record."""

import django.db.models.functions.text
from django.db import migrations, models

import portal.text


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_phone_digits_and_newest")]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                models.F("tenant"),
                portal.text.EmailDomain("email_key"),
                name="customer_email_domain",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                models.F("tenant"),
                django.db.models.functions.text.Right(portal.text.Digits("phone"), 8),
                name="customer_phone_digits",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                models.F("tenant"), portal.text.Bare("company"), name="customer_company_bare"
            ),
        ),
    ]
