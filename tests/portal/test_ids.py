import re

import pytest

from portal import ids


@pytest.mark.parametrize(
    ("make", "prefix"),
    [
        (ids.new_order_id, "ord"),
        (ids.new_customer_id, "cust"),
        (ids.new_product_id, "prod"),
        (ids.new_variant_id, "var"),
        (ids.new_draft_id, "drf"),
        (ids.new_key_id, "key"),
        (ids.new_export_id, "exp"),
    ],
)
def test_id_is_a_prefix_and_ten_speakable_characters(make, prefix) -> None:
    assert re.fullmatch(prefix + r"_[0-9A-HJKMNP-TV-Z]{10}", make())


def test_ids_do_not_repeat() -> None:
    assert len({ids.new_order_id() for _ in range(10_000)}) == 10_000
