"""The search for variants as somebody asks it who types one thing."""

from catalog.search import Found, find_alike, find_by_words
from portal.models import Tenant


def search_variants(*, tenant: Tenant, text: str, limit: int = 10) -> list[Found]:
    """The variants that match best: by their words or, if none has them, by something like it."""
    texts = {text: limit}
    return (
        find_by_words(tenant=tenant, texts=texts)[text]
        or find_alike(tenant=tenant, texts=texts)[text]
    )
