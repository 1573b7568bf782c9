"""What the search finds, against what it has to find.

Takes the words of variants drawn at random, shuffles them, cuts some short and makes a slip in
some; asks the search; and works the answer out by hand (tests/catalog/by_hand.py). Prints every
answer that is wrong, short or empty.
"""

import random
from collections import Counter

from django.db import connection

from portal.models import Tenant
from tests.catalog.by_hand import Catalogue, questions
from tests.catalog.search import search_variants

LIMIT = 10
DRAWN = """
    SELECT concat_ws(' ', variant.sku, product.name, variant.name, color, 'grade ' || grade, brand,
        category, specification, aliases, product.sku)
    FROM catalog_variant AS variant JOIN catalog_product AS product ON product.id = product_id
    WHERE variant.tenant_id = %s AND variant.status = 'active'
    ORDER BY md5(variant.sku) LIMIT 5000
"""


def check(number: int, seed: int = 1) -> dict[str, float]:
    """How many in a hundred of so many answers are short or empty, and how many are wrong."""
    tenant = Tenant.objects.get(slug="demo")
    catalogue = Catalogue(tenant)
    with connection.cursor() as cursor:
        cursor.execute(DRAWN, [tenant.pk])
        texts = [text for (text,) in cursor]
    outcomes: Counter[str] = Counter()
    for text in questions(texts, number, random.Random(seed)):
        found = search_variants(tenant=tenant, text=text, limit=LIMIT)
        problem = catalogue.problem(text, found, LIMIT)
        outcomes[problem or "right"] += 1
        if problem:
            print(f"{problem}: {text!r}: {len(found)}", flush=True)
    short = outcomes["short"] + outcomes["empty"]
    return {
        "random questions to the SKU search, % short or empty": short * 100 / number,
        "random questions to the SKU search, wrong answers": number - outcomes["right"] - short,
    }
