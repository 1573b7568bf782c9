"""Numbers, money and dates as the user reads and types them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    get_decimal_symbol,
)
from django.utils import timezone

from portal.exact_json import MAX_NUMBER_LENGTH
from portal.money import round_money
from portal.paging import COUNTED

_UTC = ZoneInfo("UTC")
_locale: ContextVar[str] = ContextVar("locale", default="en_GB")
_zone: ContextVar[ZoneInfo] = ContextVar("zone", default=_UTC)

# What is typed is read back before it is checked, however many digits it has.
_WIDE = Context(prec=2 * MAX_NUMBER_LENGTH)


# A page shows the same amounts again at every change, and Babel takes 15 µs for each.
@lru_cache(maxsize=4_096)
def _money(amount: Decimal, currency: str, locale: str) -> str:
    with localcontext(_WIDE):
        # A negative zero is written as zero.
        rounded = round_money(Decimal(amount), currency) or Decimal(0)
        return format_currency(rounded, currency, locale=locale)


@lru_cache(maxsize=1_024)
def _number(value: Decimal | int, locale: str) -> str:
    with localcontext(_WIDE):
        return format_decimal(value, locale=locale)


# Handed a locale's name, Babel reads it anew for every part of a date.
_known = lru_cache(maxsize=256)(Locale.parse)

_GROUPING_SPACE = re.compile(r"(?<=[0-9])[\s'’](?=[0-9]{3}(?![0-9]))")
_PLAIN = re.compile(r"[-+]?(?=.*[0-9])[0-9]*(?:[.,][0-9]*)?")
_GROUPED = re.compile(
    r"[-+]?[0-9]{1,3}(?P<mark>[.,])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?:(?!(?P=mark))[.,][0-9]*)?"
)


@contextmanager
def use_formats(locale: str, zone: ZoneInfo) -> Iterator[None]:
    """Formats in this locale and time zone inside the block; tenants and users name theirs."""
    locale_token, zone_token = _locale.set(locale), _zone.set(zone)
    try:
        yield
    finally:
        _locale.reset(locale_token)
        _zone.reset(zone_token)


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, at the currency's own decimals: €1,234.50."""
    return _money(amount, currency, _locale.get())


def short_money(amount: Decimal, currency: str) -> str:
    """An amount as a chart's axis has room for: €20K."""
    return format_compact_currency(amount, currency, locale=_locale.get(), fraction_digits=1)


def change(amount: Decimal, currency: str) -> str:
    """A difference between amounts, with its sign: +€5.00."""
    return f"{'+' if amount > 0 else ''}{money(amount, currency)}"


def number(value: Decimal | int) -> str:
    return _number(value or 0, _locale.get())


def counted(value: int) -> str:
    """What `count_some` found: 12, or 1,000+."""
    return number(value) if value <= COUNTED else f"{number(COUNTED)}+"


def typable(value: Decimal | int) -> str:
    """A number to be typed on from: all its digits, ungrouped, as `parse_decimal` reads them."""
    sign = get_decimal_symbol(_locale.get())
    return f"{value:f}".replace(".", sign) if isinstance(value, Decimal) else str(value)


def day(value: datetime | date) -> str:
    """A date; of a moment, the date in the tenant's time zone."""
    if isinstance(value, datetime):
        value = value.astimezone(_zone.get()).date()
    return format_date(value, format="medium", locale=_known(_locale.get()))


def moment(value: datetime) -> str:
    """Date and time of day in the tenant's time zone."""
    locale = _known(_locale.get())
    parts = (
        format_time(value, format="short", tzinfo=_zone.get(), locale=locale),
        day(value),
    )
    return str(get_datetime_format("medium", locale)).format(*parts).replace("'", "")


def age(since: datetime) -> str:
    """How long ago, in its largest whole unit: 12 min, 3 h, 2 d."""
    return duration(timezone.now() - since)


def duration(length: timedelta) -> str:
    """A length of time in its largest whole unit: 12 min, 3 h, 2 d."""
    minutes = length // timedelta(minutes=1)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def ago(since: datetime) -> str:
    """The age in a sentence: just now, 12 min ago, 2 d ago."""
    is_now = timezone.now() - since < timedelta(minutes=1)
    return "just now" if is_now else f"{age(since)} ago"


def parse_decimal(text: str) -> Decimal:
    """A number as typed, with comma or point: `1.234,50`, `1,234.50`, `1234,5`, `1 234.5`.

    With both, the last one is the decimal sign. A single one in front of three digits (`1.234`)
    is what it is in the user's locale. Raises ValueError, also for digits grouped otherwise than
    by threes, and for more characters than the API takes for a number.
    """
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError("Enter a number that is not so long.")
    compact = _GROUPING_SPACE.sub("", text.strip())
    plain, grouped = _PLAIN.fullmatch(compact), _GROUPED.fullmatch(compact)
    if plain and grouped:
        is_decimal_sign = grouped["mark"] == get_decimal_symbol(_locale.get())
        grouped = None if is_decimal_sign or compact.lstrip("+-").startswith("0") else grouped
    if grouped:
        compact = compact.replace(grouped["mark"], "")
    elif not plain:
        raise ValueError("Enter a number, such as 12.50 or 12,50.")
    return Decimal(compact.replace(",", "."))
