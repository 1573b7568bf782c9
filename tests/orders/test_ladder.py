"""What a line would cost at every contract length of its variant."""

from decimal import Decimal

import pytest

from orders import drafts
from orders.drafts import Revision
from orders.sheet import Rung, SheetLine
from orders.typed import Typed, TypedLine
from portal.models import Tenant, User
from tests.factories import DraftFactory, VariantFactory


@pytest.fixture(autouse=True)
def variant(tenant: Tenant) -> None:
    VariantFactory(sku="MBP", prices={12: "30.00", 24: "25.00", 36: "20.00"})


def saved(rep: User, quantity: str, length: str) -> SheetLine:
    draft = DraftFactory(owner=rep)
    sheet = drafts.save(
        tenant=rep.tenant,
        owner=rep,
        draft_id=draft.public_id,
        typed=Typed({}, [TypedLine("a", "MBP", quantity, length)]),
        revision=Revision("tab", 0, 1),
    )
    assert sheet is not None
    return sheet.lines[0]


def test_ladder_compares_every_length_with_the_chosen_one(rep: User) -> None:
    assert saved(rep, "3", "24").ladder == [
        Rung(12, Decimal("30.00"), Decimal("1080.00"), Decimal("5.00"), False),
        Rung(24, Decimal("25.00"), Decimal("1800.00"), Decimal("0.00"), True),
        Rung(36, Decimal("20.00"), Decimal("2160.00"), Decimal("-5.00"), False),
    ]


@pytest.mark.parametrize(("quantity", "length"), [("3", "18"), ("3", "")])
def test_ladder_without_a_chosen_length_compares_nothing(
    rep: User, quantity: str, length: str
) -> None:
    ladder = saved(rep, quantity, length).ladder
    assert [rung.difference for rung in ladder] == [0, 0, 0]
    assert not any(rung.is_chosen for rung in ladder)


def test_ladder_of_an_unreadable_quantity_has_prices_but_no_totals(rep: User) -> None:
    ladder = saved(rep, "many", "24").ladder
    assert [rung.unit_price for rung in ladder] == [30, 25, 20]
    assert [rung.term_total for rung in ladder] == [0, 0, 0]
