import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.exact_json import ExactDecoder, ExactEncoder, dumps
from portal.models import Tenant
from tests.factories import DraftFactory

SENT = [
    "12345678901234567890.123456789",
    "0.1",
    "1.10",
    "30.00",
    "5",
    "12345678901234567890123",
    '{"a":[1.0,{"b":null,"c":true}],"é":"“ü”"}',
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize("text", SENT)
def test_numbers_keep_every_digit(text: str) -> None:
    assert dumps(json.loads(text, cls=ExactDecoder)) == text


@pytest.mark.parametrize("text", SENT)
def test_numbers_keep_every_digit_in_the_database(tenant: Tenant, text: str) -> None:
    draft = DraftFactory(payload={"sent": json.loads(text, cls=ExactDecoder)})
    draft.refresh_from_db()
    assert dumps(draft.payload["sent"]) == text


@given(VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    assert json.loads(json.dumps(value, cls=ExactEncoder), cls=ExactDecoder) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_no_number_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(value)
