"""What the search knows that changes slowly, renewed at night.

How often things are ordered, which tier they are in for that, and how many variants have a word.
What a variant is called and whether it can be ordered is right at once, by the database's doing.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, time, timedelta

from django.db import Error, close_old_connections, connection, transaction
from django.db.models import Count

from catalog.models import SearchRefresh, Variant
from portal.models import Tenant

MOST_ORDERED = 4_000
"""How many variants of a tenant are in the first tier, those that are asked for most."""

OFTEN_ORDERED = 40_000
"""How many are in the second tier. Variants never ordered fill it at random, so a common word finds
enough there and only rare ones reach the third."""

COUNTED = timedelta(days=365)
"""How far back an order counts."""

NIGHT = time(3)
"""When a refresh is due, in the tenant's time zone."""

ROWS_AT_ONCE = 5_000
"""How many entries are locked together while they move; a change of one waits for the others."""

_OURS = 0x736561
"""The first half of our advisory locks; the second is the tenant's number."""

logger = logging.getLogger(__name__)

_WANTED = """
CREATE TEMP TABLE wanted AS
WITH ordered (variant_id, lines) AS ({ordered}),
placed AS (
    SELECT variant_id, tier, coalesce(lines, 0) AS popularity, row_number() OVER (
        PARTITION BY tier = 9 ORDER BY coalesce(lines, 0) DESC, hashint8(variant_id)
    ) AS place
    FROM catalog_searchentry LEFT JOIN ordered USING (variant_id) WHERE tenant_id = %s
),
aim AS (
    SELECT variant_id, popularity,
        CASE WHEN tier <> 9 AND place <= %s THEN place END AS place,
        CASE
            WHEN tier = 9 THEN 9
            WHEN place <= %s THEN 0
            WHEN place <= %s THEN 1
            ELSE 2
        END AS tier
    FROM placed
)
SELECT row_number() OVER () AS number, aim.*
FROM aim JOIN catalog_searchentry AS entry USING (variant_id)
WHERE (entry.popularity, entry.place, entry.tier)
    IS DISTINCT FROM (aim.popularity, aim.place, aim.tier)
"""
# What was deactivated or revived meanwhile stays where that put it.
_MOVE = """
UPDATE catalog_searchentry AS entry
SET popularity = wanted.popularity, place = wanted.place, tier = wanted.tier,
    words = CASE
        WHEN entry.tier = wanted.tier THEN entry.words
        ELSE replace(
            entry.words::text,
            '''' || tenant_id || '.' || entry.tier || '/',
            '''' || tenant_id || '.' || wanted.tier || '/'
        )::tsvector
    END
FROM (
    -- In one order, as those who write variants do.
    SELECT wanted.* FROM wanted JOIN catalog_searchentry AS locked USING (variant_id)
    WHERE number > %s AND number <= %s ORDER BY variant_id FOR UPDATE OF locked
) AS wanted
WHERE entry.variant_id = wanted.variant_id AND (entry.tier = 9) = (wanted.tier = 9)
"""
_COUNT_WORDS = """
CREATE TEMP TABLE counted AS
SELECT substr(word, strpos(word, '/') + 1) COLLATE "C" AS word, sum(ndoc)::int AS rows
FROM ts_stat('SELECT words FROM catalog_searchentry WHERE tenant_id = ' || %s)
GROUP BY 1
"""
# Unused since last night, not just now: a transaction that still saw the word, and so did not
# insert it, may be about to commit. Or a duplicate.
_FORGET = """
DELETE FROM catalog_searchword AS known
WHERE tenant_id = %s AND (
    rows = 0 AND NOT EXISTS (SELECT FROM counted WHERE counted.word = known.word)
    OR EXISTS (
        SELECT FROM catalog_searchword AS other
        WHERE other.tenant_id = known.tenant_id AND other.word = known.word AND other.id < known.id
    )
)
"""
# Brought back by somebody who still saw it, and deleted before that was committed.
_BRING_BACK = """
INSERT INTO catalog_searchword (tenant_id, word, rows)
SELECT %s, word, rows FROM counted
WHERE NOT EXISTS (
    SELECT FROM catalog_searchword AS known
    WHERE known.tenant_id = %s AND known.word = counted.word
)
"""
# The counts decide on nothing but the way to the answer: they need not be exact.
_RECOUNT = """
UPDATE catalog_searchword AS known SET rows = now.rows
FROM (
    SELECT id, coalesce(counted.rows, 0) AS rows
    FROM catalog_searchword LEFT JOIN counted USING (word) WHERE tenant_id = %s
) AS now
WHERE now.id = known.id AND (
    abs(now.rows - known.rows) > known.rows / 10 OR (now.rows = 0) <> (known.rows = 0)
)
"""


def refresh_search(*, tenant: Tenant, now: datetime) -> None:
    """Renews popularity and tiers of a tenant's search entries, and how frequent its words are.

    A catalogue of a million variants takes a minute or so. Searches and changes of the catalogue
    go on meanwhile.
    """
    _move_between_tiers(tenant, now - COUNTED)
    _count_words(tenant)
    SearchRefresh.objects.update_or_create(tenant=tenant, defaults={"began_at": now})


def refresh_due(now: datetime) -> Iterator[Tenant]:
    """Refreshes every tenant whose night has begun since its last refresh, or that had none; yields
    each when it is done. Of several callers at once, one does it. What fails is logged, and still
    due; the other tenants have their turn.
    """
    for tenant in Tenant.objects.order_by("pk"):
        try:
            with _alone(tenant) as alone:
                due = alone and _is_due(tenant, now)
                if due:
                    refresh_search(tenant=tenant, now=now)
        except Error:
            logger.exception("The search of %s could not be refreshed.", tenant.slug)
            close_old_connections()
            continue
        if due:
            yield tenant


def last_night(tenant: Tenant, now: datetime) -> datetime:
    local = now.astimezone(tenant.zone)
    night = datetime.combine(local.date(), NIGHT, tenant.zone)
    return night if night <= local else night - timedelta(days=1)


def _is_due(tenant: Tenant, now: datetime) -> bool:
    renewed = SearchRefresh.objects.filter(tenant=tenant, began_at__gte=last_night(tenant, now))
    return not renewed.exists()


@contextmanager
def _alone(tenant: Tenant) -> Iterator[bool]:
    """Whether nobody else is at this tenant's. It ends with the connection, whatever ends that."""
    lock = [_OURS, tenant.pk % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", lock)
        alone: bool = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone:
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", lock)


def _move_between_tiers(tenant: Tenant, since: datetime) -> None:
    """In many small transactions, if the caller has none."""
    lines = Variant.objects.filter(tenant=tenant, order_items__order__created_at__gte=since)
    ordered = lines.order_by().values_list("pk").annotate(lines=Count("order_items"))
    statement, asked = ordered.query.sql_with_params()
    sizes = [tenant.pk, MOST_ORDERED, MOST_ORDERED, MOST_ORDERED + OFTEN_ORDERED]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS wanted")
        cursor.execute(_WANTED.format(ordered=statement), [*asked, *sizes])
        for number in range(0, cursor.rowcount, ROWS_AT_ONCE):
            cursor.execute(_MOVE, [number, number + ROWS_AT_ONCE])
        cursor.execute("DROP TABLE wanted")


def _count_words(tenant: Tenant) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_COUNT_WORDS, [str(tenant.pk)])
        cursor.execute(_FORGET, [tenant.pk])
        cursor.execute(_BRING_BACK, [tenant.pk, tenant.pk])
        cursor.execute(_RECOUNT, [tenant.pk])
        cursor.execute("DROP TABLE counted")
