"""Showing why a customer was found."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from customers.search import marked as pieces_of

register = template.Library()


@register.filter
def marked(value: str, typed: str) -> SafeString:
    """The value, with what was typed marked in it."""
    pieces = pieces_of(value, typed)
    written = "".join("<mark>{}</mark>" if is_hit else "{}" for _, is_hit in pieces)
    return format_html(written, *(piece for piece, _ in pieces)) if pieces else SafeString()
