from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from catalog.models import PriceChange, Product, Variant
from portal.models import Tenant
from tests.factories import PriceFactory, VariantFactory, make_order


@pytest.mark.parametrize(
    ("status", "product_status", "orderable"),
    [
        ("active", "active", True),
        ("inactive", "active", False),
        ("active", "discontinued", False),
    ],
)
def test_variant_is_orderable_while_it_and_its_product_are_offered(
    tenant: Tenant, status: str, product_status: str, orderable: bool
) -> None:
    variant = VariantFactory(status=status, product__status=product_status)
    assert variant.is_orderable is orderable


@pytest.mark.parametrize("value", ["-0.01", "10000000", "1.0001"])
@pytest.mark.parametrize("field", ["monthly_price", "setup_fee", "discount_value"])
def test_price_out_of_range_is_refused(tenant: Tenant, field: str, value: str) -> None:
    price = PriceFactory()
    setattr(price, field, Decimal(value))
    with pytest.raises(ValidationError) as refused:
        price.clean_fields()
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize("months", [0, 121])
def test_contract_length_out_of_range_is_refused(tenant: Tenant, months: int) -> None:
    with pytest.raises(ValidationError) as refused:
        PriceFactory.build(tenant=tenant, variant=None, contract_length=months).clean_fields(
            exclude=["variant"]
        )
    assert list(refused.value.message_dict) == ["contract_length"]


def test_what_was_ordered_cannot_be_deleted(tenant: Tenant) -> None:
    variant = VariantFactory(prices={24: 25})
    make_order(variant.sku)
    variant.prices.all().delete()
    with pytest.raises(ProtectedError):
        variant.delete()


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (Product(name="MacBook Pro"), "MacBook Pro"),
        (Variant(sku="MBP-1"), "MBP-1"),
        (PriceFactory.build(tenant=None, variant=None), "24 months"),
        (PriceChange(contract_length=24, old_price=1, new_price=2), "24 months: 1 → 2"),
    ],
)
def test_row_has_a_name(row: Any, text: str) -> None:
    assert str(row) == text
