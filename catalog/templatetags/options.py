"""`{% load options %}`: what many options have many of, written without the template engine."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import chain

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import formats

register = template.Library()


@register.filter
def each_length(prices: Mapping[int, Decimal], currency: str) -> SafeString:
    """The monthly price at every contract length, for whoever has not said which."""
    if not prices:
        return format_html('<span class="muted">{}</span>', "No price yet")
    each = '<span class="option-price"><span class="muted">{} mo</span> {}</span>\n'
    told = ((months, formats.money(price, currency)) for months, price in prices.items())
    return format_html(each * len(prices), *chain.from_iterable(told))
