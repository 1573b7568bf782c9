"""New orders that start from one that exists: again, extended, upgraded."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from catalog.models import Price, Variant
from orders import draft_life, drafts
from orders.editing import Edit, EditedLine
from orders.models import Draft, Order
from orders.services import edit_order
from orders.starting import Start, contract_end, start
from portal.errors import Conflict, DomainError, NotFound
from portal.formats import parse_decimal, typable, use_formats
from portal.models import Tenant, User
from tests.factories import (
    SYSTEM,
    CustomFieldFactory,
    VariantFactory,
    address,
    make_order,
    new_order,
)
from tests.meanwhile import meanwhile

CONFIRMED = Order.Status.CONFIRMED


def begin(order: Order, kind: Start, item: str = "", **changes: Any) -> Any:
    zone = Tenant(time_zone=changes.pop("zone", "Europe/Amsterdam")).zone
    return start(order, kind, item=item, configured=changes.pop("configured", []), zone=zone)


def post(client: Client, order: Order, kind: str, **data: str) -> Any:
    return client.post(f"/orders/{order.public_id}/{kind}/", data)


@pytest.mark.parametrize(
    ("begun", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), 2, date(2026, 3, 31)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 11, 30), 120, date(2036, 11, 30)),
    ],
)
def test_contract_end_clamps_to_the_last_day_of_the_month(
    begun: date, months: int, end: date
) -> None:
    assert contract_end(begun, months) == end


def test_again_has_everything_but_the_notes(tenant: Tenant) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="B")
    order = make_order(
        items=[
            {"sku": "A", "quantity": 3, "contractLength": 24},
            {"sku": "B", "quantity": 1000, "contractLength": 12},
        ],
        orderType="extension",
        billingAddress=address(postalCode=None, company="Stadsmakers"),
        shippingAddress=address(city="Delft"),
        customFields={"po": "PO-1", "seats": Decimal("12.50"), "gone": "x", "odd": [1]},
        notes="Once only.",
    )
    configured = [CustomFieldFactory(key=key) for key in ("po", "seats", "odd", "missing")]
    typed, focus = begin(order, Start.AGAIN, configured=configured)
    assert [(line.sku, line.quantity, line.contract_length) for line in typed.lines] == [
        ("A", "3", "24"),
        ("B", "1000", "12"),
    ]
    assert focus == "id_line-i0-quantity"
    filled = {name: text for name, text in typed.fields.items() if text}
    assert filled == {
        "order_type": "standard",
        "customer_id": order.customer.public_id,
        "customer-email": "noor@example.com",
        "customer-first_name": "Noor",
        "customer-last_name": "el Idrissi",
        "customer-customer_type": "individual",
        "billing-contact_name": "Noor el Idrissi",
        "billing-company": "Stadsmakers",
        "billing-street_address": "Coolsingel 93",
        "billing-city": "Rotterdam",
        "billing-country": "Netherlands",
        "ship_elsewhere": "on",
        "shipping-contact_name": "Noor el Idrissi",
        "shipping-street_address": "Coolsingel 93",
        "shipping-city": "Delft",
        "shipping-country": "Netherlands",
        "custom-po": "PO-1",
        "custom-seats": "12.50",
    }


def test_extension_runs_on_from_the_contract_that_ends_first(tenant: Tenant) -> None:
    VariantFactory(sku="A")
    order = make_order(
        items=[
            {"sku": "A", "quantity": 1, "contractLength": 24},
            {"sku": "A", "quantity": 2, "contractLength": 12},
        ],
        status=CONFIRMED,
    )
    # Half an hour before midnight in Greenwich is the next day in Amsterdam.
    order.confirmed_at = datetime(2024, 2, 28, 23, 30, tzinfo=UTC)
    typed, focus = begin(order, Start.EXTEND)
    assert {
        name: text
        for name, text in typed.fields.items()
        if name.startswith("extension") or name == "order_type"
    } == {
        "order_type": "extension",
        "extension-original_order_id": order.public_id,
        "extension-extension_months": "12",
        "extension-previous_end_date": "2025-02-28",
        "extension-new_end_date": "2026-02-28",
    }
    assert (len(typed.lines), focus) == (2, "id_extension-extension_months")
    in_london, _ = begin(order, Start.EXTEND, zone="Europe/London")
    assert in_london.fields["extension-previous_end_date"] == "2025-02-28"
    order.confirmed_at = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)
    typed, _ = begin(order, Start.EXTEND)
    assert typed.fields["extension-previous_end_date"] == "2027-01-31"


@pytest.mark.parametrize("status", [Order.Status.PARTIAL, Order.Status.FULFILLED])
def test_rented_order_can_be_extended_and_upgraded(tenant: Tenant, status: Order.Status) -> None:
    order = make_order(status=status)
    assert begin(order, Start.EXTEND)[0].fields["order_type"] == "extension"
    assert begin(order, Start.UPGRADE)[0].fields["order_type"] == "upgrade"


@pytest.mark.parametrize("status", [Order.Status.PENDING, Order.Status.CANCELLED])
def test_order_off_contract_can_only_be_ordered_again(tenant: Tenant, status: Order.Status) -> None:
    order = make_order(status=status)
    for kind in (Start.EXTEND, Start.UPGRADE):
        with pytest.raises(Conflict):
            begin(order, kind)
    assert len(begin(order, Start.AGAIN)[0].lines) == 1


def test_upgrade_names_the_device_that_goes_and_leaves_the_new_one_open(tenant: Tenant) -> None:
    VariantFactory(sku="A", product__name="MacBook", prices={24: "25.50"})
    VariantFactory(sku="B")
    order = make_order("A", "B", status=CONFIRMED)
    typed, focus = begin(order, Start.UPGRADE, "0")
    assert (typed.lines, focus) == ([], "id_search")
    assert {name: text for name, text in typed.fields.items() if name.startswith("upgrade")} == {
        "upgrade-previous_device": "MacBook Silver",
        "upgrade-previous_monthly_amount": "25.50",
    }


@pytest.mark.parametrize("item", ["", "2", "-1", "x", "0\0", "0.0"])
def test_upgrade_of_no_item_is_refused(tenant: Tenant, item: str) -> None:
    order = make_order(VariantFactory().sku, VariantFactory().sku, status=CONFIRMED)
    with pytest.raises(DomainError) as refused:
        begin(order, Start.UPGRADE, item)
    assert [detail.path for detail in refused.value.details] == ["item"]


@pytest.mark.parametrize("locale", ["en_GB", "nl_NL"])
@pytest.mark.parametrize("value", ["12.500", "1234.5", "0.050", "25", "999999.999"])
def test_amount_is_read_as_it_was_written(locale: str, value: str) -> None:
    with use_formats(locale, Tenant(time_zone="UTC").zone):
        assert parse_decimal(typable(Decimal(value))) == Decimal(value)


def test_extension_can_be_submitted_as_it_is(tenant: Tenant, rep: User, rep_client: Client) -> None:
    order = make_order(status=CONFIRMED)
    draft_url = post(rep_client, order, "extend")["Location"]
    draft = Draft.objects.get()
    sheet = drafts.load(tenant=tenant, owner=rep, draft_id=draft.public_id)
    form = {"tab": sheet.tab, "base": "1", "sequence": "2", "line": ["i0"], **sheet.typed.fields}
    form |= {"line-i0-sku": sheet.typed.lines[0].sku}
    form |= {"line-i0-quantity": "2", "line-i0-length": "24"}
    assert rep_client.post(draft_url, form).status_code == 303
    extension = Order.objects.get(order_type="extension")
    assert extension.extension_details is not None
    assert extension.extension_details["originalOrderId"] == order.public_id
    assert (extension.customer, extension.subtotal) == (order.customer, order.subtotal)


def test_order_again_shows_todays_prices_and_what_is_gone(
    rep_client: Client, tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="B")
    order = make_order("A", "B")
    Price.objects.filter(variant__sku="A", contract_length=24).update(monthly_price="27.50")
    Variant.objects.filter(sku="B").update(status=Variant.Status.INACTIVE)
    response = rep_client.get(post(rep_client, order, "again")["Location"])
    sheet = response.context["sheet"]
    assert [line.problem for line in sheet.lines] == ["", "“B” is no longer rented out."]
    assert sheet.totals.total == Decimal("27.50")
    assert response.context["form"].focus == "id_line-i0-quantity"
    assert f"Filled in from order {order.public_id}." in response.text


def test_starting_twice_makes_one_draft_until_it_is_typed_into(
    rep_client: Client, tenant: Tenant, rep: User
) -> None:
    order = make_order(status=CONFIRMED)
    first = post(rep_client, order, "again")["Location"]
    assert post(rep_client, order, "again")["Location"] == first
    assert post(rep_client, order, "extend")["Location"] != first
    assert [summary.customer for summary in draft_life.summaries(owner=rep)] == [
        "Noor el Idrissi"
    ] * 2
    rep_client.post(f"{first}save/", {"tab": "a", "base": "1", "sequence": "2"})
    assert post(rep_client, order, "again")["Location"] != first
    assert rep_client.get("/orders/new/")["Location"] != first


def test_starting_again_after_the_order_was_changed_fills_in_what_it_says_now(
    rep_client: Client, tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="B")
    order = make_order("A", "B")
    first = post(rep_client, order, "again")["Location"]
    stale = rep_client.get(first).context["sheet"].draft.sequence
    changed = new_order("A", billingAddress=address(city="Utrecht"))
    edit_order(
        tenant=tenant,
        actor=SYSTEM,
        order_id=order.public_id,
        edit=Edit(changed, [EditedLine(kept=0)]),
    )
    assert post(rep_client, order, "again")["Location"] == first
    sheet = rep_client.get(first).context["sheet"]
    assert sheet.typed.fields["billing-city"] == "Utrecht"
    assert [line.typed.sku for line in sheet.lines] == ["A"]
    assert sheet.draft.sequence > stale


def test_draft_that_is_typed_into_just_then_is_not_filled_in_anew(
    rep_client: Client, tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    order = make_order("A", "A")
    first = post(rep_client, order, "again")["Location"]
    edit = Edit(new_order("A"), [EditedLine(kept=0)])
    edit_order(tenant=tenant, actor=SYSTEM, order_id=order.public_id, edit=edit)

    def type_into_it() -> None:
        sent = {"tab": "a", "base": "1", "sequence": "2", "notes": "Typed"}
        assert rep_client.post(f"{first}save/", sent).status_code == 200

    with meanwhile('UPDATE "orders_draft"', type_into_it):
        second = post(rep_client, order, "again")["Location"]
    assert second != first
    assert rep_client.get(first).context["sheet"].typed.fields["notes"] == "Typed"


def test_order_of_another_tenant_starts_nothing(
    tenant: Tenant, other_tenant: Tenant, rep: User
) -> None:
    foreign = make_order(tenant=other_tenant)
    with pytest.raises(NotFound):
        drafts.start_from(tenant=tenant, owner=rep, order_id=foreign.public_id, kind=Start.AGAIN)


def test_refused_start_says_why_on_the_order(rep_client: Client, tenant: Tenant) -> None:
    response = post(rep_client, make_order(), "extend")
    assert response.status_code == 409
    assert response.context["problem"] == (
        "Only an order that is confirmed and not cancelled can be extended."
    )
    two = make_order(VariantFactory().sku, VariantFactory().sku, status=CONFIRMED)
    response = post(rep_client, two, "upgrade")
    assert (response.status_code, response.context["problem"]) == (
        400,
        "Choose the device to replace.",
    )


@pytest.mark.parametrize(
    ("status", "offered"),
    [(Order.Status.PENDING, ["again"]), (CONFIRMED, ["again", "extend", "upgrade"])],
)
def test_order_page_offers_what_is_possible(
    rep_client: Client, tenant: Tenant, status: Order.Status, offered: list[str]
) -> None:
    order = make_order(status=status)
    text = rep_client.get(f"/orders/{order.public_id}/").text
    actions = [kind for kind in Start if f'action="/orders/{order.public_id}/{kind}/"' in text]
    assert actions == offered


def test_customer_page_offers_to_order_again(rep_client: Client, tenant: Tenant) -> None:
    order = make_order(status=CONFIRMED)
    text = rep_client.get(f"/customers/{order.customer.public_id}/").text
    assert f'action="/orders/{order.public_id}/again/"' in text
    assert f'action="/orders/{order.public_id}/extend/"' in text
