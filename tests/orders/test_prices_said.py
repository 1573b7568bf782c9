"""The price that was said on the phone is the price that is stored, or somebody decides."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from catalog.models import Price, Variant
from customers.models import Customer
from orders import drafts
from orders.models import Draft, Order, OrderItem
from orders.said import UNDECIDED, Decision
from orders.sheet import SheetLine
from portal.models import Tenant, User
from tests.factories import VariantFactory
from tests.orders.test_new_order import HTMX, page, typed

Answer = HttpResponse


class Call:
    """A page of the draft that posts, with every number as its script counts it."""

    def __init__(self, client: Client, draft: Draft) -> None:
        self.client, self.draft, self.sequence = client, draft, 0

    def post(self, data: dict[str, Any], path: str = "", **htmx: str) -> Any:
        self.sequence += 1
        numbers = {"sequence": str(self.sequence), "base": str(self.sequence - 1)}
        return self.client.post(page(self.draft) + path, data | numbers, **htmx)

    def save(self, data: dict[str, Any]) -> str:
        return " ".join(self.post(data, "save/", **HTMX).content.decode().split())

    def submit(self, data: dict[str, Any], **button: str) -> Any:
        return self.post(data | button)


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    return drafts.open_draft(tenant=tenant, owner=rep)


@pytest.fixture
def call(rep_client: Client, draft: Draft) -> Call:
    return Call(rep_client, draft)


@pytest.fixture
def load(tenant: Tenant, rep: User, draft: Draft) -> Callable[[], list[SheetLine]]:
    def load_lines() -> list[SheetLine]:
        sheet = drafts.load(tenant=tenant, owner=rep, draft_id=draft.public_id)
        return list(sheet.lines)

    return load_lines


def reprice(price: str, months: int = 24, **which: Any) -> None:
    Price.objects.filter(contract_length=months, **which).update(monthly_price=price)


def set_vat(rate: str, *, included: bool = False) -> None:
    Tenant.objects.update(vat_rate=rate, prices_include_vat=included)


def buttons(answer: Any) -> dict[str, str]:
    """The decisions that the page offers: label and value."""
    html = answer.content.decode()
    found = re.findall(r'name="prices"\s+value="([^"]*)"[^>]*>([^<]*)<', html)
    return {label.strip(): value for value, label in found}


def decide(answer: Any, label: str) -> dict[str, str]:
    return {"prices": buttons(answer)[label]}


def table(answer: Any) -> list[list[str]]:
    """The rows of the notice, as they are read."""
    rows = re.findall(r"<tr>(.*?)</tr>", answer.content.decode(), re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in row] for row in cells][1:]


def nothing_is_created() -> bool:
    return Order.objects.count() == Customer.objects.count() == 0


NEW, SAID = "Use the new prices", "Send for review at the prices said"


def test_price_that_was_said_stays_said_however_often_it_is_shown(
    call: Call, load: Callable[[], list[SheetLine]]
) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    assert "said €25.00, now €27.50 each" in call.save(data)
    assert [line.was for line in load()] == [Decimal(25)]
    reprice("28.00")
    assert "said €25.00, now €28.00 each" in call.save(data)
    assert [line.was for line in load()] == [Decimal(25)]
    assert [line.was for line in load()] == [Decimal(25)]


def test_price_that_comes_back_has_not_moved(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    call.save(data)
    reprice("25.00")
    assert "€25.00 each per month" in call.save(data)
    assert call.submit(data).status_code == 303


def test_line_of_another_length_was_said_at_the_price_shown_for_that_length(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50", 24)
    reprice("19.00", 36)
    assert "said €20.00, now €19.00 each" in call.save(data | {"line-l0-length": "36"})
    # By now the page has shown €27.50 beside 24 months.
    assert "€27.50 each per month" in call.save(data)


def test_line_without_a_length_was_said_at_the_prices_shown_for_each(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data | {"line-l0-length": ""})
    call.save(data | {"line-l0-length": ""})
    reprice("19.00", 36)
    assert "said €20.00, now €19.00 each" in call.save(data | {"line-l0-length": "36"})


def test_line_of_another_sku_is_a_new_one(call: Call) -> None:
    call.save(typed(VariantFactory().sku))
    reprice("27.50")
    other = typed(VariantFactory(prices={24: "40.00"}).sku)
    assert "€40.00 each per month" in call.save(other)
    assert call.submit(other).status_code == 303


def test_line_that_was_never_shown_is_at_todays_price(call: Call) -> None:
    call.save(typed())
    sku = VariantFactory().sku
    reprice("27.50")
    assert call.submit(typed(sku)).status_code == 303
    assert Order.objects.get().total == Decimal("27.50")


def test_submit_after_a_price_moved_creates_nothing_and_shows_both(call: Call) -> None:
    data = typed(VariantFactory(sku="A").sku, VariantFactory(sku="B").sku)
    data["line-l0-quantity"] = "5"
    call.save(data)
    reprice("27.50", variant__sku="A")
    answer = call.submit(data)
    assert answer.status_code == 422
    assert nothing_is_created()
    name = Variant.objects.get(sku="A").product.name
    assert table(answer) == [
        [f"{name} A", "5", "24", "€25.00", "€27.50", "+€12.50"],
        ["Total per month", "€150.00", "€162.50", "+€12.50"],
    ]
    assert list(buttons(answer)) == [NEW, SAID]
    again = call.submit(data)
    assert (again.status_code, table(again)) == (422, table(answer))
    assert nothing_is_created()


def test_new_prices_are_stored_when_the_rep_takes_them(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    answer = call.submit(data)
    assert call.submit(data, **decide(answer, NEW)).status_code == 303
    item = OrderItem.objects.get()
    assert (item.unit_price, item.catalogue_price) == (Decimal("27.50"), Decimal("27.50"))
    assert "agreedPrices" not in Order.objects.get().events.get().data


def test_said_price_is_stored_for_the_manager_to_review(call: Call) -> None:
    data = typed(VariantFactory(sku="A").sku, VariantFactory(sku="B").sku)
    call.save(data)
    reprice("27.50", variant__sku="A")
    answer = call.submit(data)
    assert call.submit(data, **decide(answer, SAID)).status_code == 303
    order = Order.objects.get()
    prices = order.items.values_list("unit_price", "catalogue_price")
    assert list(prices) == [(Decimal(25), Decimal("27.50")), (Decimal(25), Decimal(25))]
    assert (order.status, order.awaiting, order.total) == ("pending", "manager", Decimal(50))
    assert order.events.get().data["agreedPrices"] == [
        {"position": 0, "sku": "A", "said": Decimal(25), "catalogue": Decimal("27.500")}
    ]


@pytest.mark.parametrize("label", [NEW, SAID])
def test_price_that_moves_between_notice_and_button_creates_nothing(call: Call, label: str) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    seen = decide(call.submit(data), label)
    reprice("29.00")
    answer = call.submit(data, **seen)
    assert answer.status_code == 422
    assert nothing_is_created()
    assert table(answer)[0][3:] == ["€25.00", "€29.00", "+€4.00"]
    assert call.submit(data, **decide(answer, label)).status_code == 303
    expected = {NEW: Decimal(29), SAID: Decimal(25)}[label]
    assert OrderItem.objects.get().unit_price == expected


@pytest.mark.parametrize("label", [NEW, SAID])
def test_decision_is_about_the_lines_that_were_seen(call: Call, label: str) -> None:
    """A line that moves after the notice was shown was not decided about."""
    data = typed(VariantFactory(sku="A").sku, VariantFactory(sku="B").sku)
    call.save(data)
    reprice("27.50", variant__sku="A")
    seen = decide(call.submit(data), label)
    reprice("10.00", variant__sku="B")
    assert call.submit(data, **seen).status_code == 422
    assert nothing_is_created()


def test_quantity_may_change_between_notice_and_button(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    seen = decide(call.submit(data), NEW)
    assert call.submit(data | {"line-l0-quantity": "3"}, **seen).status_code == 303
    assert Order.objects.get().total == Decimal("82.50")


def test_new_prices_that_were_taken_stay_taken_when_something_else_is_wrong(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    seen = decide(call.submit(data), NEW)
    answer = call.submit(data | {"billing-city": ""}, **seen)
    assert (answer.status_code, buttons(answer)) == (422, {})
    assert call.submit(data).status_code == 303
    assert OrderItem.objects.get().unit_price == Decimal("27.50")


def test_vat_that_moved_is_asked_about(call: Call) -> None:
    set_vat("21")
    data = typed(VariantFactory().sku)
    call.save(data)
    set_vat("19")
    assert "VAT: said 21 %, now 19 %" in call.save(data)
    assert "VAT: said 21 %, now 19 %" in call.save(data)
    answer = call.submit(data)
    assert answer.status_code == 422
    assert nothing_is_created()
    assert table(answer) == [
        ["VAT", "21 %", "19 %", ""],
        ["Total per month, with VAT", "€30.25", "€29.75", "-€0.50"],
    ]
    assert list(buttons(answer)) == [NEW]
    assert call.submit(data, **decide(answer, NEW)).status_code == 303
    assert Order.objects.get().total == Decimal("29.75")


def test_vat_that_is_included_from_now_on_has_moved(call: Call) -> None:
    set_vat("21")
    data = typed(VariantFactory().sku)
    call.save(data)
    set_vat("21", included=True)
    assert table(call.submit(data))[0] == ["VAT", "21 %", "21 %, included", ""]


def test_without_vat_it_makes_no_difference_whether_prices_include_it(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    set_vat("0", included=True)
    assert call.submit(data).status_code == 303


def test_vat_before_the_first_line_was_not_said(call: Call) -> None:
    set_vat("21")
    call.save(typed())
    set_vat("19")
    data = typed(VariantFactory().sku)
    call.save(data)
    assert call.submit(data).status_code == 303


def test_said_price_goes_with_todays_vat(call: Call) -> None:
    set_vat("21")
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    set_vat("19")
    assert call.submit(data, **decide(call.submit(data), SAID)).status_code == 303
    order = Order.objects.get()
    assert (order.subtotal, order.vat_rate, order.total) == (25, 19, Decimal("29.75"))


def test_vat_that_moves_between_notice_and_button_creates_nothing(call: Call) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    seen = decide(call.submit(data), SAID)
    set_vat("19")
    assert call.submit(data, **seen).status_code == 422
    assert nothing_is_created()


def test_item_that_is_no_longer_rented_out_stands_in_the_table(call: Call) -> None:
    data = typed(VariantFactory(sku="A").sku, VariantFactory(sku="GONE").sku)
    call.save(data)
    Variant.objects.filter(sku="GONE").update(status=Variant.Status.INACTIVE)
    call.save(data)
    answer = call.submit(data)
    assert answer.status_code == 422
    assert [problem.name for problem in answer.context["form"].problems] == ["line-l1-sku"]
    assert [row[1:] for row in table(answer)] == [
        ["1", "24", "€25.00", "No longer rented out"],
        ["€50.00", "€25.00", "-€25.00"],
    ]
    assert buttons(answer) == {}
    assert call.submit(data | {"line": ["l0"]}).status_code == 303


def test_length_that_is_no_longer_offered_stands_in_the_table(call: Call) -> None:
    data = typed(VariantFactory(sku="A").sku)
    call.save(data)
    Price.objects.filter(contract_length=24).delete()
    answer = call.submit(data)
    assert [problem.name for problem in answer.context["form"].problems] == ["line-l0-length"]
    assert table(answer)[0][1:] == ["1", "24", "€25.00", "No longer for 24 months"]


def test_decision_holds_when_an_item_that_is_gone_was_removed(call: Call) -> None:
    data = typed(VariantFactory(sku="A").sku, VariantFactory(sku="GONE").sku)
    call.save(data)
    Variant.objects.filter(sku="GONE").update(status=Variant.Status.INACTIVE)
    reprice("27.50", variant__sku="A")
    seen = decide(call.submit(data), SAID)
    assert call.submit(data | {"line": ["l0"]}, **seen).status_code == 303
    assert OrderItem.objects.get().unit_price == Decimal(25)


@pytest.mark.parametrize("value", ["new", "said", "new-", "said-", "said-x", "\0", "free-0a"])
def test_decision_about_nothing_that_was_seen_is_none(call: Call, value: str) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    assert call.submit(data, prices=value).status_code == 422
    assert nothing_is_created()


@pytest.mark.parametrize("name", ["agreed_price", "agreedPrice", "unit_price"])
def test_price_in_a_form_is_not_read(call: Call, name: str) -> None:
    data = typed(VariantFactory().sku) | {f"line-l0-{name}": "1", name: "1"}
    assert call.submit(data).status_code == 303
    assert OrderItem.objects.get().unit_price == Decimal(25)


def test_decision_reads_what_a_button_says() -> None:
    assert Decision.read({"prices": "said-0a"}) == Decision(keeps=True, seen="0a")
    assert Decision.read({"prices": "new-0a"}) == Decision(keeps=False, seen="0a")
    assert Decision.read({"prices": "gift-0a"}) == Decision.read({}) == UNDECIDED


def test_buttons_submit_the_form_with_and_without_script(call: Call) -> None:
    """Enter in a field must not press one of them: the first button of the form is disabled."""
    data = typed(VariantFactory().sku)
    call.save(data)
    reprice("27.50")
    html = call.submit(data).content.decode()
    form = html[
        html.index('id="order-form"') : html.index("</form>", html.index('id="order-form"'))
    ]
    found = re.findall(r'<button type="submit"[^>]*>', form)
    assert found[0] == '<button type="submit" hidden disabled>'
    attributes = f'hx-post="{page(call.draft)}" hx-trigger="click" hx-target="#new-order"'
    assert [attributes in button for button in found] == [False, True, True, True]


def test_draft_that_was_kept_before_lengths_were_is_still_said(call: Call, draft: Draft) -> None:
    data = typed(VariantFactory().sku)
    call.save(data)
    draft.refresh_from_db()
    for line in draft.quote["lines"].values():
        del line["prices"]
    for name in ("readBack", "missing", "read"):
        del draft.quote[name]
    draft.save()
    reprice("27.50")
    assert "said €25.00, now €27.50 each" in call.save(data)
