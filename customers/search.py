"""Finding a customer before they have spelt their name."""

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from customers.models import Customer
from portal.text import Fold, search_words, searched_phone

FEWEST_CHARACTERS = 2
SIMILAR_ENOUGH = 0.45
"""The share of what was typed, in trigrams; one wrong letter in a short name is just in."""


def matching_customers(text: str) -> QuerySet[Customer]:
    """Customers of the tenant with every word in name, company, e-mail, phone or id.

    Words stand in any order, in any case, with or without accents; a phone number is found
    however it is spaced. Without words, all customers.
    """
    found = Q()
    for word in search_words(text):
        found &= Q(search_text__contains=Fold(Value(word)))
    if digits := searched_phone(text):
        found |= Q(search_text__contains=digits)
    return Customer.objects.filter(found)


def find_customers(text: str, limit: int = 8) -> list[Customer]:
    """The customers most likely meant by what was typed so far, the exact e-mail first.

    Active ones come before inactive ones. When nothing matches, similar words are looked for,
    so that `jansn` finds Jansen. Nothing is found for a single character.
    """
    typed = " ".join(search_words(text))
    if len(typed) < FEWEST_CHARACTERS:
        return []
    exact = Case(
        When(email_key=typed.lower(), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    names = ("status", "last_name", "first_name", "pk")
    found = list(matching_customers(text).order_by(exact.desc(), *names)[:limit])
    if found:
        return found
    folded = Fold(Value(typed))
    similar = Customer.objects.filter(search_text__trigram_word_similar=folded)
    # The stubs know text only, where Django takes any expression.
    nearest = TrigramWordSimilarity(folded, "search_text").desc()  # type: ignore[arg-type]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL pg_trgm.word_similarity_threshold = %s", [SIMILAR_ENOUGH])
        return list(similar.order_by(nearest, *names)[:limit])
