"""The search as a statement of its own, for inputs that a rep types."""

from functools import partial
from typing import Any

import psycopg

from bench.work import Work
from portal.models import Tenant

INPUTS = [
    *("m", "5", "gr", "ma", "mac", "macb", "macbook", "macbook pro", "macbook pro 16", "thinkpad"),
    *("MBP", "mbp16", "macbok", "thinkpd x1", "M3-512", "16 m3 silver", "grade a", "book pro"),
    *("512 silver", "iphone blue", "ipad 12.9", "dell 27", "jabra", "galaxy s24 cobalt"),
    *("macbookpro16m3", "iphone thinkpad", "silver ultrasharp 512 jabra"),
]
A_SKU = """
    SELECT sku FROM catalog_variant WHERE tenant_id = %s AND status = 'active' AND sku ~ %s
    ORDER BY md5(sku) LIMIT 1
"""
SKUS = ("^MACBOOK", "^[0-9HKMNRT]{10}$")
SEARCH = "SELECT * FROM catalog_search(%s, %s, '{10}', %s)"


def prepare_inputs(bare: psycopg.Connection[Any]) -> Work:
    """Each as it would be asked when typed: again, forgiving slips, if nothing was found."""
    bare.autocommit = True
    tenant = Tenant.objects.get(slug="demo").pk
    skus = [bare.execute(A_SKU, [tenant, pattern]).fetchone() for pattern in SKUS]
    inputs = [*INPUTS, *(sku for [sku] in filter(None, skus))]

    def search(text: str) -> None:
        for forgiving in (False, True):
            if bare.execute(SEARCH, [tenant, [text], forgiving]).fetchall():
                return

    return {text: partial(search, text) for text in inputs}
