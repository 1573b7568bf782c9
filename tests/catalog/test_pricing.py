"""Prices and totals: the cases of the design, and what holds for any lines."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Product
from catalog.pricing import LineRequest, PricedLine, Quote, implied_vat_rate, quote
from portal.models import Tenant
from tests.factories import VariantFactory

HUGE = Decimal("1e999999")


def priced(tenant: Tenant, *lines: Any) -> Quote:
    """A quote for (SKU, quantity, contract length) lines; SKUs alone mean one for 24 months."""
    asked = [(line, 1, 24) if isinstance(line, str) else line for line in lines]
    return quote(tenant=tenant, lines=[LineRequest(*line) for line in asked])


def length_for(tenant: Tenant, wanted: Any) -> Any:
    """The contract length that a line gets, or the code of its problem."""
    answer = priced(tenant, ("A", 1, wanted))
    return answer.lines[0].contract_length if answer.lines else answer.problems[0].code


@pytest.mark.parametrize(
    ("wanted", "length"),
    [
        (24, 24),
        (Decimal("24.0"), 24),
        (Decimal("2.4e1"), 24),
        (12, 12),
        (Decimal("24.5"), "INVALID_CONTRACT_LENGTH"),
        (18, "INVALID_CONTRACT_LENGTH"),
        (0, "INVALID_CONTRACT_LENGTH"),
        (-1, "INVALID_CONTRACT_LENGTH"),
        (-24, "INVALID_CONTRACT_LENGTH"),
        (10**30, "INVALID_CONTRACT_LENGTH"),
        (HUGE, "INVALID_CONTRACT_LENGTH"),
        (None, "INVALID_CONTRACT_LENGTH"),
    ],
)
def test_contract_length_is_one_that_is_priced(tenant: Tenant, wanted: Any, length: Any) -> None:
    VariantFactory(sku="A", prices={12: 30, 24: 25})
    assert length_for(tenant, wanted) == length


@pytest.mark.parametrize(
    ("prices", "default", "length"),
    [
        ([12, 24], 24, 24),
        ([12, 24], 36, "INVALID_CONTRACT_LENGTH"),
        ([12], 36, 12),
        ([12], None, 12),
        ([], 24, "INVALID_CONTRACT_LENGTH"),
        ([], None, "INVALID_CONTRACT_LENGTH"),
    ],
)
def test_omitted_length_is_the_default_or_the_only_one(
    tenant: Tenant, prices: list[int], default: int | None, length: Any
) -> None:
    tenant.default_contract_length = default
    VariantFactory(sku="A", prices=dict.fromkeys(prices, 10))
    assert length_for(tenant, None) == length


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (18, "“A” is not offered for 18 months, but for 12, 24."),
        (None, "Choose a contract length for “A”: 12, 24 months."),
    ],
)
def test_refused_length_names_those_there_are(tenant: Tenant, wanted: Any, message: str) -> None:
    VariantFactory(sku="A", prices={24: 25, 12: 30})
    assert priced(tenant, ("A", 1, wanted)).problems[0].message == message


def test_each_line_that_cannot_be_ordered_says_why(tenant: Tenant, other_tenant: Tenant) -> None:
    VariantFactory(sku="GOOD")
    VariantFactory(sku="OFF", status="inactive")
    VariantFactory(sku="OLD", product__status=Product.Status.DISCONTINUED)
    VariantFactory(sku="BARE", prices={})
    VariantFactory(sku="THEIRS", tenant=other_tenant)
    answer = priced(tenant, "OFF", "GOOD", "OLD", "BARE", "NONE", "THEIRS", "good", "GOOD ")
    assert [(p.path, p.code) for p in answer.problems] == [
        ("items.0.sku", "VARIANT_INACTIVE"),
        ("items.2.sku", "VARIANT_INACTIVE"),
        ("items.3.contractLength", "INVALID_CONTRACT_LENGTH"),
        ("items.4.sku", "VARIANT_NOT_FOUND"),
        ("items.5.sku", "VARIANT_NOT_FOUND"),
        ("items.6.sku", "VARIANT_NOT_FOUND"),
        ("items.7.sku", "VARIANT_NOT_FOUND"),
    ]
    assert [line.position for line in answer.lines] == [1]
    assert answer.totals.total == 25
    assert sorted(answer.offers) == [0, 1, 2, 3]


def test_same_sku_twice_stays_two_lines(tenant: Tenant) -> None:
    VariantFactory(sku="A")
    answer = priced(tenant, ("A", 2, 24), ("A", 1, 12))
    assert [(line.position, line.quantity, line.unit_price) for line in answer.lines] == [
        (0, 2, 25),
        (1, 1, 30),
    ]
    assert (answer.totals.subtotal, answer.totals.total_devices) == (80, 3)


def test_line_has_what_the_catalogue_says(tenant: Tenant) -> None:
    variant = VariantFactory(sku="A", list_price=900, acquisition_cost=700)
    [line] = priced(tenant, ("A", 3, 12)).lines
    assert line == PricedLine(
        position=0,
        variant_pk=variant.pk,
        variant_public_id=variant.public_id,
        product_public_id=variant.product.public_id,
        sku="A",
        product_name=variant.product.name,
        variant_name="Silver",
        image_url="",
        quantity=3,
        contract_length=12,
        unit_price=Decimal(30),
        catalogue_price=Decimal(30),
        prices={12: Decimal(30), 24: Decimal(25), 36: Decimal(20)},
        list_price=Decimal(900),
        acquisition_cost=Decimal(700),
    )
    assert (line.monthly_total, line.contract_value) == (90, 1080)


@pytest.mark.parametrize(
    ("currency", "price", "rate", "included", "amounts"),
    [
        ("EUR", "99.99", "21", False, ("99.99", "21.00", "120.99")),
        ("EUR", "99.99", "21", True, ("99.99", "17.35", "99.99")),
        ("EUR", "0.10", "5", False, ("0.10", "0.01", "0.11")),
        ("EUR", "0.09", "5", False, ("0.09", "0.00", "0.09")),
        ("EUR", "10", "0", False, ("10.00", "0.00", "10.00")),
        ("EUR", "10", "0", True, ("10.00", "0.00", "10.00")),
        ("EUR", "10", "100", True, ("10.00", "5.00", "10.00")),
        ("EUR", "33.33", "7.7", False, ("33.33", "2.57", "35.90")),
        ("JPY", "105", "10", False, ("105", "11", "116")),
        ("JPY", "104", "10", False, ("104", "10", "114")),
        ("JPY", "1100", "10", True, ("1100", "100", "1100")),
        ("BHD", "1.005", "10", False, ("1.005", "0.101", "1.106")),
        ("BHD", "1.005", "10", True, ("1.005", "0.091", "1.005")),
        ("EUR", "9999999.99", "21", False, ("9999999.99", "2100000.00", "12099999.99")),
    ],
)
def test_tax_is_rounded_once_on_the_subtotal(
    tenant: Tenant, currency: str, price: str, rate: str, included: bool, amounts: Any
) -> None:
    tenant.currency, tenant.vat_rate, tenant.prices_include_vat = currency, Decimal(rate), included
    VariantFactory(sku="A", prices={24: price})
    totals = priced(tenant, "A").totals
    assert (str(totals.subtotal), str(totals.tax_amount), str(totals.total)) == amounts
    assert (totals.currency, totals.vat_rate) == (currency, Decimal(rate))


@pytest.mark.parametrize(
    ("currency", "subtotal", "tax", "included", "rate"),
    [
        ("EUR", "99.99", "21.00", False, "21"),
        ("EUR", "99.99", "17.35", True, "21"),
        # The tenant's own rate, where it comes to the amount as well as 19.
        ("EUR", "0.05", "0.01", False, "21"),
        ("EUR", "99.99", "19.00", False, "19"),
        ("EUR", "33.33", "2.57", False, "7.7"),
        ("EUR", "10.00", "0.00", False, "0"),
        ("EUR", "10.00", "5.00", True, "100"),
        ("EUR", "0.00", "0.00", False, "21"),
        ("JPY", "105", "11", False, "10"),
        ("JPY", "1100", "100", True, "10"),
        ("BHD", "1.005", "0.101", False, "10"),
        # Rounded line by line: not 21 % of the subtotal, but what was charged.
        ("EUR", "33.33", "7.02", False, "21.06"),
        # Nothing with three decimals comes to this amount; the nearest is kept.
        ("EUR", "9999999.99", "1234567.89", False, "12.346"),
        # No rate up to 100.
        ("EUR", "10.00", "10.01", False, None),
        ("EUR", "10.00", "5.01", True, None),
        ("EUR", "10.00", "10.00", True, None),
        ("EUR", "0.00", "0.01", False, None),
    ],
)
def test_rate_that_an_amount_of_tax_implies(
    currency: str, subtotal: str, tax: str, included: bool, rate: str | None
) -> None:
    found = implied_vat_rate(
        subtotal=Decimal(subtotal),
        tax_amount=Decimal(tax),
        prices_include_vat=included,
        currency=currency,
        usual=Decimal("21.000"),
    )
    assert found == (rate and Decimal(rate))


def test_tax_of_many_lines_is_not_the_sum_of_their_taxes(tenant: Tenant) -> None:
    tenant.vat_rate = Decimal(21)
    VariantFactory(sku="A", prices={24: "0.02"})
    assert priced(tenant, *["A"] * 3).totals.tax_amount == Decimal("0.01")


def test_largest_order_has_exact_totals(tenant: Tenant) -> None:
    tenant.currency = "BHD"
    VariantFactory(sku="A", prices={120: "9999999.999"})
    totals = priced(tenant, *[("A", 10_000, 120)] * 200).totals
    assert totals.subtotal == Decimal("19999999998000.000")
    assert totals.contract_value == Decimal("2399999999760000.000")


def test_no_lines_cost_nothing(tenant: Tenant) -> None:
    totals = priced(tenant).totals
    assert (totals.total, totals.contract_value, totals.total_devices) == (0, 0, 0)


@pytest.mark.parametrize("lines", [1, 5, 50])
def test_any_number_of_lines_takes_one_query(tenant: Tenant, lines: int) -> None:
    skus = [VariantFactory().sku for _ in range(lines)]
    with CaptureQueriesContext(connection) as queries:
        assert priced(tenant, *skus).totals.total == 25 * lines
    assert len(queries) == 1


@pytest.mark.parametrize("agreed", [Decimal("24.50"), Decimal(0)])
def test_agreed_price_is_the_price_beside_the_catalogues(tenant: Tenant, agreed: Decimal) -> None:
    sku = VariantFactory().sku
    answer = quote(tenant=tenant, lines=[LineRequest(sku, 2, 24, agreed), LineRequest(sku, 1, 24)])
    assert [(line.unit_price, line.catalogue_price) for line in answer.lines] == [
        (agreed, Decimal(25)),
        (Decimal(25), Decimal(25)),
    ]
    assert answer.totals.subtotal == agreed * 2 + 25


MONEY = st.decimals(min_value=0, max_value=Decimal("9999999.999"), places=3)
LINES = st.lists(st.tuples(MONEY, st.integers(1, 10_000), st.integers(1, 120)), max_size=20)
RATES = st.decimals(min_value=0, max_value=100, places=3)


def totals_of(
    lines: Sequence[tuple[Decimal, int, int]], currency: str, rate: Decimal, included: bool
) -> Any:
    tenant = Tenant(currency=currency, vat_rate=rate, prices_include_vat=included)
    items = [
        PricedLine(i, 0, "", "", "", "", "", "", quantity, months, price, price, {}, None, None)
        for i, (price, quantity, months) in enumerate(lines)
    ]
    return Quote(tenant=tenant, lines=items).totals


@given(LINES, st.sampled_from(["EUR", "JPY", "BHD"]), RATES)
def test_totals_equal_the_sum_of_lines(lines: Any, currency: str, rate: Decimal) -> None:
    places = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "BHD": Decimal("0.001")}[currency]
    subtotal = sum((p * q for p, q, _ in lines), Decimal(0)).quantize(places, ROUND_HALF_UP)
    value = sum((p * q * m for p, q, m in lines), Decimal(0)).quantize(places, ROUND_HALF_UP)
    for included in (False, True):
        totals = totals_of(lines, currency, rate, included)
        assert (totals.subtotal, totals.contract_value) == (subtotal, value)
        assert totals.total_devices == sum(q for _, q, _ in lines)


@given(LINES, st.sampled_from(["EUR", "JPY", "BHD"]), RATES)
def test_tax_is_on_top_or_inside(lines: Any, currency: str, rate: Decimal) -> None:
    on_top = totals_of(lines, currency, rate, included=False)
    inside = totals_of(lines, currency, rate, included=True)
    half = Decimal("0.5").scaleb(on_top.subtotal.as_tuple().exponent)
    assert on_top.total == on_top.subtotal + on_top.tax_amount
    assert inside.total == inside.subtotal == on_top.subtotal
    assert abs(on_top.tax_amount - on_top.subtotal * rate / 100) <= half
    net = inside.subtotal - inside.tax_amount
    assert abs(inside.tax_amount - net * rate / 100) <= half * (1 + rate / 100)
    assert 0 <= inside.tax_amount <= on_top.tax_amount
