"""What a change of prices leaves behind in what the search keeps: nothing, it has to be."""

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import F
from django_scopes import scope

from catalog.models import Price, Variant
from portal.models import Tenant

VARIANTS = 10_000
KEPT = """
    SELECT sum(n_tup_ins + n_tup_upd + n_tup_del), sum(pg_total_relation_size(relid))
    FROM pg_stat_user_tables WHERE relname IN ('catalog_searchentry', 'catalog_searchword')
"""


def change_prices() -> dict[str, float]:
    """Every price of 10,000 variants; rows written to the search's tables, and their growth."""
    tenant = Tenant.objects.get(slug="demo")
    with scope(tenant=tenant), connection.cursor() as cursor:
        first = Variant.objects.order_by("pk").values_list("pk", flat=True)[:VARIANTS]
        chosen = list(first)
        before = _kept(cursor)
        Price.objects.filter(variant__in=chosen).update(monthly_price=F("monthly_price") + 1)
        Variant.objects.filter(pk__in=chosen).update(list_price=F("list_price") + 1)
        rows, size = (now - then for now, then in zip(_kept(cursor), before, strict=True))
    return {
        "price change of 10,000 variants, rows written for the search": rows,
        "price change of 10,000 variants, growth of the search, bytes": size,
    }


def _kept(cursor: CursorWrapper) -> tuple[int, int]:
    """Rows ever written to the tables of the search, and their size with all indexes."""
    cursor.execute("SELECT pg_stat_force_next_flush()")
    cursor.execute(KEPT)
    rows, size = map(int, cursor.fetchone())
    return rows, size
