import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

INDEXES_ON_THE_TENANT_ALONE = """
    SELECT DISTINCT target.relname
    FROM pg_constraint reference
    JOIN pg_class target ON target.oid = reference.confrelid
    JOIN pg_index index ON index.indrelid = target.oid AND index.indnatts = 1
    JOIN pg_attribute indexed ON indexed.attrelid = target.oid AND indexed.attnum = index.indkey[0]
    WHERE reference.contype = 'f' AND cardinality(reference.conkey) = 2
      AND indexed.attname = 'tenant_id'
"""


def test_checked_tables_have_no_index_on_the_tenant_alone() -> None:
    """With one, in a young database, each reference would be checked by reading the tenant."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXES_ON_THE_TENANT_ALONE)
        assert cursor.fetchall() == []
