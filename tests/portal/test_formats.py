"""Numbers, money and dates as users of several countries write them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from portal import formats
from portal.exact_json import MAX_NUMBER_LENGTH

UTC_ZONE = ZoneInfo("UTC")
LOCALES = ["nl_NL", "en_GB", "de_DE", "en_US", "fr_FR"]


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("nl_NL", "€ 1.234,50"),
        ("en_GB", "€1,234.50"),
        ("de_DE", "1.234,50 €"),
        ("en_US", "€1,234.50"),
        ("fr_FR", "1 234,50 €"),
    ],
)
def test_money_is_written_as_the_locale_has_it(locale: str, written: str) -> None:
    with formats.use_formats(locale, UTC_ZONE):
        shown = formats.money(Decimal("1234.5"), "EUR")

    assert " ".join(shown.split()) == written


@pytest.mark.parametrize(
    ("currency", "written"), [("JPY", "JP¥1,235"), ("BHD", "BHD1,234.500"), ("USD", "US$1,234.50")]
)
def test_money_has_the_decimals_of_its_currency(currency: str, written: str) -> None:
    amount = Decimal("1235") if currency == "JPY" else Decimal("1234.500")
    with formats.use_formats("en_GB", UTC_ZONE):
        shown = formats.money(amount, currency)

    assert " ".join(shown.split()) == written


def test_negative_zero_is_zero() -> None:
    assert formats.money(Decimal("-0"), "EUR") == formats.money(Decimal(0), "EUR") == "€0.00"
    assert formats.number(Decimal("-0")) == formats.number(Decimal(0)) == "0"


@pytest.mark.parametrize(
    ("amount", "written"), [("12.345", "€12.35"), ("-2.505", "-€2.51"), ("-0.001", "€0.00")]
)
def test_amount_that_is_too_fine_is_rounded_as_everywhere(amount: str, written: str) -> None:
    assert formats.money(Decimal(amount), "EUR") == written


def test_number_may_have_as_many_digits_as_can_be_typed() -> None:
    typed = Decimal("9" * MAX_NUMBER_LENGTH)
    assert formats.number(typed).replace(",", "") == str(typed)
    assert formats.money(typed, "EUR").replace(",", "") == f"€{typed}.00"


def test_same_amount_is_written_in_each_locale_and_currency() -> None:
    written = []
    for locale in ("en_GB", "nl_NL", "en_GB"):
        with formats.use_formats(locale, UTC_ZONE):
            shown = formats.money(Decimal("1.5"), "EUR"), formats.money(Decimal("1.50"), "BHD")
            written.append(" ".join(" ".join(shown).split()))
    assert written == ["€1.50 BHD1.500", "€ 1,50 BHD 1,500", "€1.50 BHD1.500"]


@pytest.mark.parametrize(
    ("amount", "written"), [(0, "€0"), (500, "€500"), (2_400, "€2.4K"), (20_000, "€20K")]
)
def test_short_money_fits_an_axis(amount: int, written: str) -> None:
    assert formats.short_money(Decimal(amount), "EUR") == written


@pytest.mark.parametrize(
    ("locale", "written"), [("nl_NL", "12.345"), ("en_GB", "12,345"), ("fr_FR", "12 345")]
)
def test_number_is_grouped_as_the_locale_has_it(locale: str, written: str) -> None:
    with formats.use_formats(locale, UTC_ZONE):
        assert " ".join(formats.number(12345).split()) == written


@pytest.mark.parametrize(("found", "written"), [(1_000, "1,000"), (1_001, "1,000+")])
def test_count_has_an_end_and_says_so(found: int, written: str) -> None:
    assert formats.counted(found) == written


def test_day_of_a_moment_is_the_day_in_the_time_zone() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    with formats.use_formats("en_GB", ZoneInfo("Europe/Amsterdam")):
        assert formats.day(late) == "1 Apr 2026"
        assert formats.day(date(2026, 3, 31)) == "31 Mar 2026"
        assert formats.moment(late) == "1 Apr 2026, 01:30"


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("nl_NL", "5 jan 2026, 14:05"),
        ("en_GB", "5 Jan 2026, 14:05"),
        ("de_DE", "05.01.2026, 14:05"),
        ("en_US", "Jan 5, 2026, 2:05 PM"),
        ("fr_FR", "5 janv. 2026, 14:05"),
    ],
)
def test_moment_is_written_as_the_locale_has_it(locale: str, written: str) -> None:
    with formats.use_formats(locale, UTC_ZONE):
        shown = formats.moment(datetime(2026, 1, 5, 14, 5, tzinfo=UTC))

    assert " ".join(shown.split()) == written


@pytest.mark.parametrize(
    ("ago", "written"),
    [
        (timedelta(minutes=-1), "0 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=3, minutes=30), "3 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2, hours=1), "2 d"),
    ],
)
def test_age_is_in_its_largest_whole_unit(ago: timedelta, written: str) -> None:
    assert formats.age(timezone.now() - ago) == written


@pytest.mark.parametrize(
    ("past", "written"),
    [
        (timedelta(minutes=-1), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=61), "1 min ago"),
        (timedelta(days=2, hours=1), "2 d ago"),
    ],
)
def test_ago_is_just_now_within_the_minute(past: timedelta, written: str) -> None:
    assert formats.ago(timezone.now() - past) == written


def test_formats_end_with_their_block() -> None:
    with formats.use_formats("de_DE", UTC_ZONE), formats.use_formats("en_US", UTC_ZONE):
        pass

    assert formats.number(1234) == "1,234"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("1 234,5", "1234.5"),
        ("1\u00a0234,5", "1234.5"),
        ("1\u202f234.5", "1234.5"),
        ("1'234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("1.234.567,8", "1234567.8"),
        ("0,125", "0.125"),
        ("0.125", "0.125"),
        (" 12 ", "12"),
        (",5", "0.5"),
        ("-3,50", "-3.50"),
        ("1234,567", "1234.567"),
    ],
)
def test_decimal_is_read_with_comma_or_point(locale: str, typed: str, value: str) -> None:
    with formats.use_formats(locale, UTC_ZONE):
        assert formats.parse_decimal(typed) == Decimal(value)


@pytest.mark.parametrize(
    ("locale", "typed", "value"),
    [
        ("nl_NL", "1.234", "1234"),
        ("de_DE", "1.234", "1234"),
        ("en_GB", "1.234", "1.234"),
        ("en_US", "1.234", "1.234"),
        ("fr_FR", "1.234", "1234"),
        ("nl_NL", "1,234", "1.234"),
        ("de_DE", "1,234", "1.234"),
        ("fr_FR", "1,234", "1.234"),
        ("en_GB", "1,234", "1234"),
        ("en_US", "1,234", "1234"),
    ],
)
def test_ambiguous_decimal_is_read_as_the_locale_has_it(
    locale: str, typed: str, value: str
) -> None:
    with formats.use_formats(locale, UTC_ZONE):
        assert formats.parse_decimal(typed) == Decimal(value)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        ",",
        "1,2,3",
        "1.2.3",
        "1,23,456.7",
        "1.234,5.6",
        "abc",
        "1e3",
        "1_000",
        "NaN",
        "Infinity",
        "12 €",
        "--1",
        "١٢x",
    ],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"Enter a number, such as 12\.50 or 12,50\."):
        formats.parse_decimal(typed)
