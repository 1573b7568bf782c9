"""Numbers, money and dates as the user reads and types them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import format_currency, format_decimal, get_decimal_symbol
from django.utils import timezone

_UTC = ZoneInfo("UTC")
_locale: ContextVar[str] = ContextVar("locale", default="en_GB")
_zone: ContextVar[ZoneInfo] = ContextVar("zone", default=_UTC)


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
    return format_currency(amount, currency, locale=_locale.get())


def number(value: Decimal | int) -> str:
    return format_decimal(value, locale=_locale.get())


def day(value: datetime | date) -> str:
    """A date; of a moment, the date in the tenant's time zone."""
    if isinstance(value, datetime):
        value = value.astimezone(_zone.get()).date()
    return format_date(value, format="medium", locale=_locale.get())


def moment(value: datetime) -> str:
    """Date and time of day in the tenant's time zone."""
    locale = _locale.get()
    parts = (
        format_time(value, format="short", tzinfo=_zone.get(), locale=locale),
        day(value),
    )
    return str(get_datetime_format("medium", locale)).format(*parts).replace("'", "")


def age(since: datetime) -> str:
    """How long ago, in its largest whole unit: 12 min, 3 h, 2 d."""
    minutes = int((timezone.now() - since).total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def parse_decimal(text: str) -> Decimal:
    """A number as typed, with comma or point: `1.234,50`, `1,234.50`, `1234,5`, `1 234.5`.

    The last comma or point is the decimal sign, unless it is the only kind, stands in front of
    exactly three digits, and groups digits in the user's locale. Raises ValueError.
    """
    compact = "".join(text.split()).replace("\u202f", "").replace("'", "").replace("’", "")
    decimal_sign = max(",.", key=compact.rfind)
    whole, found, fraction = compact.rpartition(decimal_sign)
    if found:
        other = "," if decimal_sign == "." else "."
        groups_only = (
            other not in compact
            and len(fraction) == 3
            and (decimal_sign in whole or decimal_sign != get_decimal_symbol(_locale.get()))
        )
        whole = whole.replace(other, "").replace(decimal_sign, "")
        compact = whole + fraction if groups_only else f"{whole}.{fraction}"
    try:
        value = Decimal(compact)
    except InvalidOperation as error:
        raise ValueError("Enter a number, such as 12.50 or 12,50.") from error
    if not value.is_finite() or "e" in compact.lower() or "_" in compact:
        raise ValueError("Enter a number, such as 12.50 or 12,50.")
    return value
