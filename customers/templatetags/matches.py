"""Showing why a customer was found."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from customers.search import marked as pieces_of

register = template.Library()


@register.filter
def marked(value: str, typed: str) -> SafeString:
    """The value, with what was typed marked in it."""
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<mark>{}</mark>", piece) if is_hit else piece,)
            for piece, is_hit in pieces_of(value, typed)
        ),
    )
