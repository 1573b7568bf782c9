"""Who logged in when, and from where, is kept no longer; what was kept of it goes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0010_api_keys_at_work"),
        ("axes", "0010_accessattemptexpiration"),
    ]
    operations = [
        migrations.RunSQL("DELETE FROM axes_accesslog", migrations.RunSQL.noop),
    ]
