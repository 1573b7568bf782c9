from django.db import migrations

# No TRUNCATE trigger: tests flush the tables between transactions.
FORWARD = """
CREATE FUNCTION orders_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order events cannot be changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'event_append_only';
END $$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON orders_orderevent
FOR EACH ROW EXECUTE FUNCTION orders_event_append_only();
"""
BACKWARD = """
DROP TRIGGER event_append_only ON orders_orderevent;
DROP FUNCTION orders_event_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
