"""Finding the customer who is calling."""

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import F, Value
from django.db.models.lookups import Contains

from customers.models import Customer
from portal.text import Fold

MAX_TEXT = 100
MAX_WORDS = 8
SIMILAR = 0.5
"""How alike (0 to 1) a mistyped text and some part of what is known must be."""


def find_customers(text: str, limit: int) -> list[Customer]:
    """The customers that match best: any part of name, company, e-mail, phone or id.

    Every word must occur; if nothing matches, what looks alike does. Two queries at most.
    """
    text = text[:MAX_TEXT].replace("\0", "").strip()
    words = text.split()[:MAX_WORDS]
    if not words:
        return []
    customers = Customer.objects.order_by("status", "last_name", "first_name", "id")
    containing = customers.all()
    for word in words:
        containing = containing.filter(Contains(F("search_text"), Fold(Value(word))))
    likeness = TrigramWordSimilarity(Fold(Value(text)), "search_text")  # type: ignore[arg-type]
    alike = customers.annotate(likeness=likeness).filter(likeness__gte=SIMILAR)
    return list(containing[:limit]) or list(alike.order_by("-likeness", "id")[:limit])
