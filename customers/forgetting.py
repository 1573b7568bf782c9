"""Words that customers had, forgotten a day after nobody has them any more."""

import random
from datetime import timedelta
from itertools import cycle

from django.db import connection
from django.utils import timezone

from customers.models import SearchWord

BETWEEN_LOSS_AND_DELETION = timedelta(days=1)

PARTS = 288
"""Parts of the words; one is checked at each round of chores (every five minutes), so each word
once a day."""

# From anywhere, so that a worker that is started for one round does not always look at the same.
_part = cycle(random.sample(range(PARTS), PARTS))

_BACK_IN_USE = """
    UPDATE customers_searchword SET unused_since = NULL
    WHERE id IN (
        SELECT id FROM customers_searchword AS known
        WHERE unused_since IS NOT NULL AND EXISTS (
            SELECT FROM customers_searchentry
            WHERE words @@ customers_having(known.tenant_id, known.word)
        ) AND NOT EXISTS (
            SELECT FROM customers_searchword AS other
            WHERE other.tenant_id = known.tenant_id AND other.word = known.word
                AND (other.unused_since IS NULL OR other.id < known.id)
        )
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
"""
# Its last two customers lost it at the same moment, each while the other still had it.
_LEFT = """
    UPDATE customers_searchword SET unused_since = now()
    WHERE id IN (
        SELECT id FROM customers_searchword AS known
        WHERE unused_since IS NULL AND id %% %s = %s AND NOT EXISTS (
            SELECT FROM customers_searchentry
            WHERE words @@ customers_having(known.tenant_id, known.word)
        )
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
"""


def forget_words() -> int:
    """Deletes words that no customer has had for a day, of all tenants; returns how many.

    One that somebody brought back at the very moment is in use again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BACK_IN_USE)
        cursor.execute(_LEFT, [PARTS, next(_part)])
    unused = SearchWord.objects.filter(unused_since__lt=timezone.now() - BETWEEN_LOSS_AND_DELETION)
    return unused.delete()[0]
