"""The searches for customers, in the tenant whose scope is open."""

from django.db.models import QuerySet

from customers.models import Customer
from customers.search import Match, find_customers, matching_customers
from tests.factories import open_tenant


def find(text: str, limit: int = 8) -> list[Match]:
    return find_customers(tenant=open_tenant(), text=text, limit=limit)


def matching(text: str) -> QuerySet[Customer]:
    return matching_customers(tenant=open_tenant(), text=text)
