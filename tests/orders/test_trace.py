"""How each number of a line came about, checked against numbers made by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from catalog.models import PriceChange
from catalog.services import set_price
from orders.models import Order, OrderEvent, OrderItem
from orders.trace import find_change, trace
from portal.models import Tenant
from tests.factories import SYSTEM, VariantFactory, make_order

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def _order(**changes: Any) -> Order:
    return Order(
        **{
            "public_id": "ord_TEST000000",
            "currency": "EUR",
            "source": Order.Source.PORTAL,
            "vat_rate": Decimal(21),
            "prices_include_vat": False,
            "subtotal": Decimal("81.99"),
            "tax_amount": Decimal("17.22"),
            "total": Decimal("99.21"),
        }
        | changes
    )


def _item(**changes: Any) -> OrderItem:
    return OrderItem(
        **{
            "position": 0,
            "sku": "PHONE-1",
            "quantity": 3,
            "contract_length": 24,
            "unit_price": Decimal("27.33"),
            "catalogue_price": Decimal("27.33"),
            "priced_at": AT,
        }
        | changes
    )


def _steps(order: Order, item: OrderItem, **others: Any) -> dict[str, tuple[str, str]]:
    given: dict[str, Any] = {"items": [item], "events": [], "change": None, "with_costs": False}
    steps = trace(order, item, **given | others)
    return {step.label: (step.amount, " ".join(step.why)) for step in steps}


def test_line_at_the_catalogue_price_is_explained_from_price_to_total() -> None:
    assert _steps(_order(), _item()) == {
        "Catalogue price": (
            "€27.33",
            "One PHONE-1 per month, for 24 months, on 4 May 2026, 09:30. "
            "It is unchanged since it was added to the catalogue.",
        ),
        "Rounded": ("€27.33", "To €0.01, half up; nothing had to be rounded."),
        "Per month": ("€81.99", "3 × €27.33"),
        "Contract value": ("€1,967.76", "€81.99 × 24 months"),
        "Subtotal of the order": ("€81.99", "This is the only line."),
        "VAT 21 %": (
            "€17.22",
            "It comes on top of the prices: €81.99 × 21 / 100, rounded once, on the subtotal.",
        ),
        "Total of the order per month": ("€99.21", "€81.99 + €17.22"),
    }


def test_vat_that_prices_include_is_taken_out_of_the_subtotal() -> None:
    order = _order(prices_include_vat=True, tax_amount=Decimal("14.23"), total=Decimal("81.99"))
    steps = _steps(order, _item())

    assert steps["VAT 21 %"] == (
        "€14.23",
        "The prices include it: €81.99 × 21 / 121, rounded once, on the subtotal.",
    )
    assert steps["Total of the order per month"][1] == "The subtotal, which has the VAT in it."


def test_currency_without_decimals_says_so() -> None:
    order = _order(currency="JPY", vat_rate=Decimal(0), tax_amount=Decimal(0))
    steps = _steps(order, _item(unit_price=Decimal("27.5"), catalogue_price=Decimal("27.5")))

    assert steps["Rounded"] == ("JP¥28", "To JP¥1, half up; from 27.5.")
    assert steps["VAT 0 %"] == ("JP¥0", "None is charged.")


@pytest.mark.parametrize(
    ("old", "words"),
    [
        (Decimal(30), "olga@portal.example changed it from €30.00 on 3 May 2026, 09:30."),
        (None, "olga@portal.example added it to the catalogue on 3 May 2026, 09:30."),
    ],
)
def test_change_of_the_catalogue_price_says_who_and_when(old: Decimal | None, words: str) -> None:
    change = PriceChange(
        old_price=old,
        new_price=Decimal("27.33"),
        actor="olga@portal.example",
        at=AT - timedelta(days=1),
    )
    assert _steps(_order(), _item(), change=change)["Catalogue price"][1].endswith(words)


def test_price_said_on_the_phone_names_who_submitted_it() -> None:
    line = {"position": 0, "sku": "PHONE-1", "said": Decimal(25), "catalogue": Decimal("27.33")}
    event = OrderEvent(
        kind="created", actor="rep@portal.example", at=AT, data={"agreedPrices": [line]}
    )
    steps = _steps(_order(), _item(unit_price=Decimal(25)), events=[event])

    assert steps["Price said on the phone"] == (
        "€25.00",
        "rep@portal.example submitted it on 4 May 2026, 09:30.",
    )


def test_price_said_of_another_line_or_at_another_price_is_not_this_one() -> None:
    said = [
        {"position": 0, "sku": "PHONE-1", "said": Decimal(24), "catalogue": Decimal(30)},
        {"position": 0, "sku": "PHONE-2", "said": Decimal(25), "catalogue": Decimal(30)},
        {"position": 1, "sku": "PHONE-1", "said": Decimal(25), "catalogue": Decimal(30)},
    ]
    event = OrderEvent(kind="created", actor="rep", at=AT, data={"agreedPrices": said})
    item = _item(unit_price=Decimal(25))

    assert "Price said on the phone" not in _steps(_order(), item, events=[event])
    assert _steps(_order(source="import"), item, events=[event])["Agreed price"] == (
        "€25.00",
        "The order was submitted or imported with it.",
    )


def test_override_says_who_decided_it_when_and_why() -> None:
    item = _item(
        unit_price=Decimal(20),
        list_price=Decimal(900),
        list_price_source="manual",
        acquisition_cost=Decimal(900),
        acquisition_cost_source="list_price",
        overridden_at=AT,
        overridden_by="olga@portal.example",
        override_reason="Framework contract",
    )
    steps = _steps(_order(), item, with_costs=True)
    decided = "olga@portal.example decided it on 4 May 2026, 09:30: “Framework contract”"

    assert steps["Decided price"] == ("€20.00", decided)
    assert steps["List price"] == ("€900.00", decided)
    assert steps["Cost"] == ("€900.00", "The catalogue had none; the list price stands in for it.")


def test_costs_that_nobody_knows_are_unknown() -> None:
    steps = _steps(_order(), _item(), with_costs=True)
    assert steps["List price"] == ("Unknown", "The catalogue had none.")
    assert steps["Cost"] == ("Unknown", "The catalogue had neither a cost nor a list price.")


def test_catalogue_price_of_an_import_may_be_unknown() -> None:
    steps = _steps(_order(), _item(catalogue_price=None))
    assert steps["Catalogue price"] == ("Unknown", "The order was imported without it.")


def test_lines_are_added_up_and_many_are_counted() -> None:
    lines = [_item(position=n, quantity=1) for n in range(6)]
    few = _steps(_order(), lines[0], items=lines[:2])
    many = _steps(_order(), lines[0], items=lines)

    assert few["Subtotal of the order"][1] == "€27.33 + €27.33"
    assert many["Subtotal of the order"][1] == "What all 6 lines are per month, added up."


def test_change_of_a_line_is_the_last_one_to_its_price_before_it_was_priced(
    tenant: Tenant,
) -> None:
    variant = VariantFactory(prices={})

    def set_to(price: str, months: int = 24) -> None:
        set_price(
            tenant=tenant,
            actor=SYSTEM,
            variant=variant,
            contract_length=months,
            monthly_price=Decimal(price),
        )

    for price in ("20", "25", "30", "25"):
        set_to(price)
    set_to("25", months=12)
    item = make_order(variant.sku).items.get()
    set_to("31")
    set_to("25")
    change = find_change(item)

    assert change is not None
    assert (change.old_price, change.new_price, change.contract_length) == (30, 25, 24)
    assert change.at < item.priced_at


def test_price_that_never_changed_and_a_retired_variant_have_no_change(tenant: Tenant) -> None:
    item = make_order().items.get()
    assert find_change(item) is None
    item.variant = None
    assert find_change(item) is None


def test_page_and_fragment_explain_the_line_to_a_rep_without_costs(
    rep_client: Client, manager_client: Client
) -> None:
    VariantFactory(sku="X1", acquisition_cost="811.11", list_price="999.99")
    order = make_order("X1")
    address = f"/orders/{order.public_id}/items/0/"
    page = rep_client.get(address).text
    fragment = rep_client.get(address, headers={"HX-Request": "true"}).text

    assert ("<h1>" in page, "<h1>" in fragment) == (True, False)
    for text in (page, fragment):
        assert "It is unchanged since it was added to the catalogue." in text
        assert ("811.11" in text, "999.99" in text) == (False, False)
    assert "€811.11" in manager_client.get(address).text


def test_line_that_is_not_there_is_404(rep_client: Client) -> None:
    order = make_order()
    assert rep_client.get(f"/orders/{order.public_id}/items/7/").status_code == 404
    assert rep_client.get(f"/orders/{order.public_id}/items/{2**70}/").status_code == 404


def test_explanation_costs_the_same_queries_for_one_and_for_ten_lines(
    rep_client: Client, django_assert_num_queries: Any
) -> None:
    skus = [VariantFactory().sku for _ in range(10)]
    for order in (make_order(skus[0]), make_order(*skus)):
        with django_assert_num_queries(7):
            rep_client.get(f"/orders/{order.public_id}/items/0/")


def test_reviewer_is_led_to_the_explanation(manager_client: Client) -> None:
    order = make_order()
    page = manager_client.get(f"/admin/orders/order/{order.pk}/change/").text
    assert f'href="/orders/{order.public_id}/items/0/"' in page


def test_costs_of_an_imported_line_say_that_it_was_imported_with_them() -> None:
    item = _item(
        catalogue_price=None,
        list_price=Decimal("900.00"),
        list_price_source=OrderItem.ListPriceSource.VARIANT,
        acquisition_cost=Decimal("650.00"),
        acquisition_cost_source=OrderItem.CostSource.MANUAL,
    )
    steps = _steps(_order(), item, with_costs=True)
    assert steps["Catalogue price"] == ("Unknown", "The order was imported without it.")
    assert steps["List price"] == ("€900.00", "The order was imported with it.")
    assert steps["Cost"] == ("€650.00", "The order was imported with it.")
