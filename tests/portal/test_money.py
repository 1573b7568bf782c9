from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.money import fits_currency, round_money

CURRENCIES = ("EUR", "JPY", "BHD")


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "EUR", "1.01"),
        ("1.004999", "EUR", "1.00"),
        ("2.675", "EUR", "2.68"),
        ("0.005", "EUR", "0.01"),
        ("-1.005", "EUR", "-1.01"),
        ("0.5", "JPY", "1"),
        ("1.5", "JPY", "2"),
        ("2.5", "JPY", "3"),
        ("1234.4999", "JPY", "1234"),
        ("0.0005", "BHD", "0.001"),
        ("1.2344", "BHD", "1.234"),
        ("10", "BHD", "10.000"),
        ("9999999.999", "EUR", "10000000.00"),
    ],
)
def test_amount_is_rounded_half_up_at_the_currency(
    amount: str, currency: str, rounded: str
) -> None:
    assert str(round_money(Decimal(amount), currency)) == rounded


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [
        ("1.50", "EUR", True),
        ("1.500", "EUR", True),
        ("1.005", "EUR", False),
        ("1", "JPY", True),
        ("1.5", "JPY", False),
        ("1.005", "BHD", True),
        ("1.0005", "BHD", False),
    ],
)
def test_amount_fits_the_decimals_of_its_currency(amount: str, currency: str, fits: bool) -> None:
    assert fits_currency(Decimal(amount), currency) is fits


@given(
    st.decimals(min_value=0, max_value=10**16, places=6, allow_nan=False),
    st.sampled_from(CURRENCIES),
)
def test_rounding_twice_changes_nothing(amount: Decimal, currency: str) -> None:
    once = round_money(amount, currency)
    assert round_money(once, currency) == once
    assert fits_currency(once, currency)
