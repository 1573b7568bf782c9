"""Amounts of money. Always `Decimal`, in major units of a currency (EUR 12.34)."""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.numbers import get_currency_precision

MAX_DIGITS = 20
DECIMAL_PLACES = 3
MAX_UNIT_PRICE = Decimal("9999999.999")


@cache
def quantum(currency: str) -> Decimal:
    """The smallest amount of a currency: EUR 0.01, JPY 1, BHD 0.001."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """The amount at the currency's own exponent, rounded half-up: the only rounding there is."""
    return amount.quantize(quantum(currency), rounding=ROUND_HALF_UP)


def fits_currency(amount: Decimal, currency: str) -> bool:
    """Whether the amount has no more decimals than the currency has (EUR 1.005 does not)."""
    return amount == round_money(amount, currency)
