"""What a rep reads back to the customer, and what is kept of it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from catalog.models import Variant
from orders import drafts
from orders.models import Draft, Order, OrderEvent, OrderItem
from orders.readback import missing, read_back
from orders.typed import Typed
from portal.formats import use_formats
from portal.models import Tenant, User
from tests.factories import ProductFactory, VariantFactory
from tests.orders.test_drafts import typed as typed_form
from tests.orders.test_new_order import HTMX, page, typed
from tests.orders.test_prices_said import NEW, SAID, Call, decide, reprice, set_vat


def item(quantity: int = 3, months: int = 24, price: str = "89", variant: str = "Silver") -> Any:
    return OrderItem(
        product_name="MacBook Pro 16",
        variant_name=variant,
        quantity=quantity,
        contract_length=months,
        unit_price=Decimal(price),
    )


def totals(
    total: str = "267",
    *,
    currency: str = "EUR",
    rate: str = "0",
    included: bool = False,
    subtotal: str = "267",
    value: str = "6408",
) -> Any:
    return Order(
        currency=currency,
        vat_rate=Decimal(rate),
        prices_include_vat=included,
        subtotal=Decimal(subtotal),
        total=Decimal(total),
        contract_value=Decimal(value),
    )


def filled(**changes: str) -> Typed:
    return typed_form(**changes).onto(Typed.from_payload({}))


def test_order_is_read_in_whole_sentences() -> None:
    form = filled(customer__company="Acme", customer__phone="+31 20 555 0100")
    assert read_back(form, [item(), item(1, 12, "40", "")], totals("307", value="6888")) == [
        "This order is for Noor el Idrissi of Acme.",
        "We can reach you at noor@example.com or on +31 20 555 0100.",
        "Three MacBook Pro 16, Silver, for 24 months at €89.00 a month each.",
        "One MacBook Pro 16, for 12 months at €40.00 a month.",
        "In total that is €307.00 a month.",
        "Over all terms together it comes to €6,888.00.",
        "We ship it to Noor el Idrissi, Coolsingel 93, Rotterdam, Netherlands, "
        "and the bill goes there too.",
    ]


@pytest.mark.parametrize(
    ("quantity", "months", "sentence"),
    [
        (1, 1, "One MacBook Pro 16, Silver, for one month at €89.00 a month."),
        (2, 1, "Two MacBook Pro 16, Silver, for one month at €89.00 a month each."),
        (12, 36, "Twelve MacBook Pro 16, Silver, for 36 months at €89.00 a month each."),
        (13, 24, "13 MacBook Pro 16, Silver, for 24 months at €89.00 a month each."),
        (1200, 24, "1,200 MacBook Pro 16, Silver, for 24 months at €89.00 a month each."),
    ],
)
def test_devices_are_counted_as_one_speaks(quantity: int, months: int, sentence: str) -> None:
    assert sentence in read_back(filled(), [item(quantity, months)], totals())


@pytest.mark.parametrize(
    ("amounts", "monthly", "value"),
    [
        (
            totals("323.07", rate="21.000", subtotal="267"),
            "In total that is €323.07 a month with 21 % VAT, or €267.00 without.",
            "Over the 24 months it comes to €6,408.00, without VAT.",
        ),
        (
            totals("267", rate="20", included=True),
            "In total that is €267.00 a month, including 20 % VAT.",
            "Over the 24 months it comes to €6,408.00, including 20 % VAT.",
        ),
        (
            totals("267", included=True),
            "In total that is €267.00 a month.",
            "Over the 24 months it comes to €6,408.00.",
        ),
        (
            totals("26700", currency="JPY", value="640800"),
            "In total that is JP¥26,700 a month.",
            "Over the 24 months it comes to JP¥640,800.",
        ),
    ],
    ids=["VAT on top", "VAT included", "no VAT", "no decimals"],
)
def test_amounts_say_what_they_include(amounts: Any, monthly: str, value: str) -> None:
    assert read_back(filled(), [item()], amounts)[3:5] == [monthly, value]


def test_one_month_has_no_other_total() -> None:
    read = read_back(filled(), [item(1, 1)], totals())
    assert [sentence for sentence in read if sentence.startswith("Over")] == []


def test_shipping_and_billing_are_read_apart_when_they_differ() -> None:
    form = filled(
        ship_elsewhere="on",
        shipping__contact_name="Bo",
        shipping__street_address="Markt 1",
        shipping__postal_code="2801 AA",
        shipping__city="Gouda",
        shipping__country="Netherlands",
    )
    assert read_back(form, [], totals())[-2:] == [
        "We ship it to Bo, Markt 1, 2801 AA Gouda, Netherlands.",
        "The bill goes to Noor el Idrissi, Coolsingel 93, Rotterdam, Netherlands.",
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"order_type": "extension"}, "It extends an earlier rental."),
        (
            {
                "order_type": "extension",
                "extension__original_order_id": "ord_1",
                "extension__extension_months": "6",
                "extension__new_end_date": "2026-07-31",
            },
            "It extends order ord_1 by 6 months, until 31 Jul 2026.",
        ),
        ({"order_type": "upgrade"}, "It replaces an earlier device."),
        (
            {
                "order_type": "upgrade",
                "upgrade__previous_device": "MacBook Air",
                "upgrade__previous_serial_number": "C02",
                "upgrade__previous_monthly_amount": "19,5",
            },
            "It replaces MacBook Air, serial number C02, until now €19.50 a month.",
        ),
    ],
)
def test_extension_and_upgrade_say_so(changes: dict[str, str], sentence: str) -> None:
    assert read_back(filled(**changes), [], totals())[2] == sentence


@pytest.mark.parametrize("value", ["x" * 20_000, "1" * 900, "a\0b", "  ", "2026-99-99"])
def test_whatever_is_typed_can_be_read(value: str) -> None:
    form = filled(order_type="extension")
    odd = Typed(dict.fromkeys(form.fields, value) | {"order_type": "upgrade"}, [])
    for typed_in in (odd, Typed({**odd.fields, "order_type": "extension"}, [])):
        assert "\0" not in "".join(read_back(typed_in, [], totals())) + missing(typed_in, [])


def test_what_somebody_is_looked_for_by_is_no_email() -> None:
    typed_in = filled(customer__email="schr", customer__phone="")
    assert "schr" not in " ".join(read_back(typed_in, [], totals()))
    assert "the e-mail address" in missing(typed_in, [])


def test_what_is_missing_is_named_in_one_sentence() -> None:
    nothing = Typed.from_payload({})
    assert read_back(nothing, [], totals()) == []
    assert missing(nothing, []) == (
        "Still missing: the customer’s name, the e-mail address, the devices "
        "and the billing address."
    )
    form = filled(billing__city="", billing__country=" ", ship_elsewhere="on")
    assert missing(Typed(form.fields, typed_form("A").lines), ["the quantity of iPad"]) == (
        "Still missing: the quantity of iPad, the city and country of the billing address "
        "and the shipping address."
    )


# On the page, and in the order


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    return drafts.open_draft(tenant=tenant, owner=rep)


@pytest.fixture
def call(rep_client: Client, draft: Draft) -> Call:
    return Call(rep_client, draft)


@pytest.fixture
def data(tenant: Tenant) -> dict[str, Any]:
    macbook = ProductFactory(name="MacBook Pro 16")
    return typed(VariantFactory(product=macbook, sku="A").sku)


def tick(html: str) -> dict[str, str]:
    """The tick as the page that was answered would post it."""
    [value] = re.findall(r'name="read_back"\s+value="([0-9a-f]+)"', html)
    return {"read_back": value}


def box(html: str) -> tuple[bool, bool]:
    """Whether the box is ticked, and whether it says that the sentences have changed."""
    [box] = re.findall(r'<input[^>]*name="read_back"[^>]*>', html)
    return " checked" in box, "Changed since you read it" in html


def test_ticked_sentences_become_an_event(call: Call, data: dict[str, Any]) -> None:
    read = tick(call.save(data))
    assert call.submit(data, **read).status_code == 303
    event = OrderEvent.objects.get(kind="read_back")
    assert (event.version, event.actor) == (1, "rep@portal.example")
    assert event.data["sentences"] == [
        "This order is for Noor el Idrissi.",
        "We can reach you at noor@example.com.",
        "One MacBook Pro 16, Silver, for 24 months at €25.00 a month.",
        "In total that is €25.00 a month.",
        "Over the 24 months it comes to €600.00.",
        "We ship it to Noor el Idrissi, Coolsingel 93, Rotterdam, Netherlands, "
        "and the bill goes there too.",
    ]


def test_reading_back_is_not_required(call: Call, data: dict[str, Any]) -> None:
    call.save(data)
    assert call.submit(data).status_code == 303
    assert list(OrderEvent.objects.values_list("kind", flat=True)) == ["created"]


def test_sentences_are_answered_only_when_the_page_shows_others(
    call: Call, data: dict[str, Any]
) -> None:
    assert 'id="read-back"' in call.save(data)
    assert 'id="read-back"' not in call.save(data | {"notes": "x"})
    assert 'id="read-back"' in call.save(data | {"line-l0-quantity": "2"})


def test_tick_survives_until_the_sentences_change(
    call: Call, data: dict[str, Any], rep_client: Client, draft: Draft
) -> None:
    read = tick(call.save(data))
    assert 'id="read-back"' not in call.save(data | read)
    assert box(rep_client.get(page(draft)).text) == (True, False)
    changed = call.save(data | read | {"line-l0-quantity": "2"})
    assert box(changed) == (False, True)
    # The page shows it unticked from now on, and still says why.
    assert box(call.save(data | {"line-l0-quantity": "3"})) == (False, True)
    assert box(rep_client.get(page(draft)).text) == (False, True)
    again = call.save(data | tick(changed) | {"line-l0-quantity": "2"})
    assert box(again) == (True, False)


def test_tick_that_the_rep_takes_back_says_nothing(
    call: Call, data: dict[str, Any], rep_client: Client, draft: Draft
) -> None:
    read = tick(call.save(data))
    call.save(data | read)
    call.save(data)
    assert box(rep_client.get(page(draft)).text) == (False, False)
    assert box(call.save(data | {"line-l0-quantity": "2"})) == (False, False)


def test_order_that_lacks_something_cannot_be_ticked(
    call: Call, data: dict[str, Any], rep_client: Client, draft: Draft
) -> None:
    call.save(data | {"billing-city": ""})
    html = rep_client.get(page(draft)).text
    assert "Still missing: the city of the billing address." in html
    assert 'name="read_back"' not in html


@pytest.mark.parametrize(
    "change",
    [
        {"line-l0-quantity": "2"},
        {"line-l0-length": "36"},
        {"customer-last_name": "Vos"},
        {"billing-city": "Delft"},
        {"order_type": "extension"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_tick_for_what_does_not_stand_creates_nothing(
    call: Call, data: dict[str, Any], change: dict[str, str]
) -> None:
    read = tick(call.save(data))
    answer = call.submit(data | change, **read)
    assert answer.status_code == 422
    assert Order.objects.count() == 0
    [problem] = answer.context["form"].problems
    assert (problem.name, problem.anchor) == ("read_back", "id_read_back")
    assert box(answer.text) == (False, True)
    assert call.submit(data | change, **tick(answer.text)).status_code == 303
    assert OrderEvent.objects.filter(kind="read_back").count() == 1


@pytest.mark.parametrize("value", ["0" * 16, "on", "a\0b", "x" * 30_000])
def test_tick_of_another_page_is_none_or_refused(
    call: Call, data: dict[str, Any], value: str
) -> None:
    call.save(data)
    refused = value == "0" * 16
    assert call.submit(data, read_back=value).status_code == (422 if refused else 303)
    assert OrderEvent.objects.filter(kind="read_back").count() == 0


def test_price_that_was_read_is_the_one_sent_for_review(call: Call, data: dict[str, Any]) -> None:
    read = tick(call.save(data))
    reprice("27.50")
    assert 'id="read-back"' not in call.save(data | read)
    answer = call.submit(data, **read)
    assert box(answer.text) == (True, False)
    assert call.submit(data, **read, **decide(answer, SAID)).status_code == 303
    sentences = OrderEvent.objects.get(kind="read_back").data["sentences"]
    assert "One MacBook Pro 16, Silver, for 24 months at €25.00 a month." in sentences
    assert OrderItem.objects.get().unit_price == 25


def test_new_prices_are_read_again_before_they_count_as_read(
    call: Call, data: dict[str, Any]
) -> None:
    read = tick(call.save(data))
    reprice("27.50")
    seen = decide(call.submit(data, **read), NEW)
    answer = call.submit(data, **read, **seen)
    assert (answer.status_code, box(answer.text)) == (422, (False, True))
    assert "at €27.50 a month." in answer.text
    # What was decided about the prices stands: there is nothing left to decide.
    assert 'name="prices"' not in answer.text
    assert call.submit(data, **tick(answer.text)).status_code == 303
    assert OrderItem.objects.get().unit_price == Decimal("27.50")


def test_new_vat_is_read_again_before_it_counts_as_read(call: Call, data: dict[str, Any]) -> None:
    set_vat("21")
    read = tick(call.save(data))
    set_vat("19")
    answer = call.submit(data, **read, **decide(call.submit(data, **read), NEW))
    assert (answer.status_code, box(answer.text)) == (422, (False, True))
    assert "a month with 19 % VAT" in answer.text


def test_line_that_is_gone_is_named_as_missing(
    call: Call, data: dict[str, Any], rep_client: Client, draft: Draft
) -> None:
    call.save(data)
    Variant.objects.update(status=Variant.Status.INACTIVE)
    html = rep_client.get(page(draft)).text
    assert "Still missing: a replacement for MacBook Pro 16." in html
    call.save(data | {"line-l0-sku": "mbp"})
    assert "Still missing: what “mbp” stands for." in rep_client.get(page(draft)).text


def test_sentences_have_the_formats_of_who_reads(tenant: Tenant) -> None:
    with use_formats("nl_NL", tenant.zone):
        assert read_back(filled(), [item()], totals())[2] == (
            "Three MacBook Pro 16, Silver, for 24 months at €\xa089,00 a month each."
        )


@pytest.mark.parametrize("is_ticked", [False, True])
@pytest.mark.parametrize("lines", [1, 5])
def test_submit_takes_the_same_statements_with_and_without_a_tick(
    call: Call, tenant: Tenant, lines: int, is_ticked: bool, django_assert_num_queries: Any
) -> None:
    data = typed(*(VariantFactory().sku for _ in range(lines)))
    html = call.save(data)
    read = tick(html) if is_ticked else {}
    # Session, user, permissions; draft, its order, two of custom fields, customer, prices;
    # customer again and new, order, items, events, draft; and the savepoint that a test adds.
    with django_assert_num_queries(15 + 2):
        assert call.submit(data, **read).status_code == 303


def test_htmx_marks_the_sentences_to_be_swapped(call: Call, data: dict[str, Any]) -> None:
    html = call.post(data, "save/", **HTMX).text
    assert re.findall(r'<section id="read-back"[^>]*hx-swap-oob="true"', html)
