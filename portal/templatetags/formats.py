"""`{% load formats %}`: money, numbers and dates in the user's own format."""

from django import template

from portal import formats

register = template.Library()
register.filter("money", formats.money)
register.filter("change", formats.change)
register.filter("number", formats.number)
register.filter("counted", formats.counted)
register.filter("ago", formats.ago)
register.filter("duration", formats.duration)
register.filter("day", formats.day)
register.filter("moment", formats.moment)
