"""What a reviewer is told about an order."""

from decimal import Decimal

import pytest
from django.test import Client

from customers.models import Customer
from orders.editing import Edit, EditedLine, Override
from orders.models import Order
from orders.review import (
    can_cancel,
    compare_addresses,
    compare_customer,
    explain_reasons,
    remarks,
    reviewed_items,
    why_not_confirm,
)
from orders.services import cancel_order, confirm_order, create_order, edit_order
from portal.errors import DomainError
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import VariantFactory, address, make_order, new_order, order_body


def test_customer_who_became_inactive_is_remarked(tenant: Tenant) -> None:
    order = make_order()
    Customer.objects.update(status="inactive")
    order.customer.refresh_from_db()
    assert list(remarks(order)) == ["The customer has become inactive since."]


@pytest.mark.parametrize("status", Order.Status.values)
@pytest.mark.parametrize("who", ["rep", "manager", "superuser"])
@pytest.mark.parametrize("own", [False, True], ids=["other's", "own"])
@pytest.mark.parametrize("awaiting", ["manager", "rep"])
def test_buttons_are_offered_when_the_services_would_do_it(
    request: pytest.FixtureRequest, tenant: Tenant, status: str, who: str, own: bool, awaiting: str
) -> None:
    user: User = request.getfixturevalue(who)
    actor = Actor.from_user(user)
    order = make_order(status=status, **({"actor": actor} if own else {}))
    if status == Order.Status.PENDING:
        Order.objects.update(awaiting=awaiting)
        order.refresh_from_db()
    offered = [why_not_confirm(order, actor, tenant) is None, can_cancel(order, actor)]
    done = []
    for change in (confirm_order, cancel_order):
        try:
            change(tenant=tenant, actor=actor, order_id=order.public_id)
            done.append(True)
        except DomainError:
            done.append(False)
    assert offered == done


def test_what_differs_from_the_record_is_marked(tenant: Tenant) -> None:
    make_order()
    customer = order_body()["customer"] | {"email": "NOOR@example.com", "company": "Acme"}
    rows = {row.label: row for row in compare_customer(make_order(customer=customer))}
    assert [label for label, row in rows.items() if row.differs] == ["Company"]
    assert (rows["Company"].left, rows["Company"].right) == ("Acme", "")


def test_addresses_are_compared_line_by_line(tenant: Tenant) -> None:
    order = make_order(shippingAddress=address(city="Delft", postalCode=None, locality="West"))
    differing = [(r.label, r.left, r.right) for r in compare_addresses(order) if r.differs]
    assert differing == [("Locality", "", "West"), ("City", "Rotterdam", "Delft")]


@pytest.mark.parametrize(
    ("list_price", "cost", "margin", "level", "breakeven", "never_pays"),
    [
        (1000, 500, 50, "good", 20, False),
        (1000, 900, 10, "low", 36, True),
        (1000, 1100, -10, "bad", 44, True),
        (1000, 1003, Decimal("-0.3"), "bad", 41, True),
        (1000, 854, Decimal("14.6"), "low", 35, True),
        (1000, None, None, "", 40, True),
        (None, 590, None, "", 24, False),
        (None, None, None, "", None, False),
    ],
)
def test_line_says_what_it_earns(
    tenant: Tenant,
    list_price: int | None,
    cost: int | None,
    margin: Decimal | int | None,
    level: str,
    breakeven: int | None,
    never_pays: bool,
) -> None:
    VariantFactory(sku="A", list_price=list_price, acquisition_cost=cost)
    [line] = reviewed_items(make_order("A"))
    assert (line.margin, line.margin_level) == (margin, level)
    assert (line.breakeven, line.never_pays) == (breakeven, never_pays)


@pytest.mark.parametrize(("cost", "shown"), [(855, "15 %"), (856, "14 %"), (1003, "0 %")])
def test_margin_is_shown_in_whole_percents(
    manager_client: Client, tenant: Tenant, cost: int, shown: str
) -> None:
    VariantFactory(sku="A", list_price=1000, acquisition_cost=cost)
    order = make_order("A")
    assert f">{shown}</span>" in manager_client.get(f"/admin/orders/order/{order.pk}/change/").text


def agreed_order(actor: Actor, tenant: Tenant, *, source: Order.Source) -> Order:
    """A MacBook at €24.50 instead of €25.00, and another device at the catalogue's price."""
    VariantFactory(sku="A", product__name="MacBook Pro 16")
    VariantFactory(sku="B")
    order = create_order(
        tenant=tenant,
        actor=actor,
        new_order=new_order("A", "B").at([Decimal("24.50"), None]),
        source=source,
    )
    return Order.objects.get(pk=order.pk)


@pytest.mark.parametrize(
    ("source", "who"),
    [
        (Order.Source.PORTAL, ", said on the phone by rep@portal.example"),
        (Order.Source.IMPORT, ""),
    ],
)
def test_agreed_price_stands_beside_the_catalogues(
    tenant: Tenant, rep_actor: Actor, source: Order.Source, who: str
) -> None:
    order = agreed_order(rep_actor, tenant, source=source)
    assert explain_reasons(order, with_costs=False)[0].texts == [
        f"MacBook Pro 16 is at €24.50 a month each{who}; the catalogue had €25.00."
    ]


def test_decision_about_a_cost_is_not_told_as_one_about_the_price(
    tenant: Tenant, rep_actor: Actor, manager_actor: Actor
) -> None:
    order = agreed_order(rep_actor, tenant, source=Order.Source.PORTAL)
    decided = Override(acquisition_cost=Decimal(650), reason="Bought at 650")
    edit = Edit(new_order("A", "B"), [EditedLine(0, decided), EditedLine(1)])
    edit_order(tenant=tenant, actor=manager_actor, order_id=order.public_id, edit=edit)
    [reason] = explain_reasons(Order.objects.get(), with_costs=False)[:1]
    assert reason.texts == [
        "MacBook Pro 16 is at €24.50 a month each, said on the phone by rep@portal.example; "
        "the catalogue had €25.00."
    ]


def test_agreed_price_and_what_was_read_are_on_both_pages(
    tenant: Tenant, rep_actor: Actor, manager_client: Client
) -> None:
    VariantFactory(sku="A", product__name="MacBook Pro 16")
    order = create_order(
        tenant=tenant,
        actor=rep_actor,
        new_order=new_order("A").at([Decimal("24.50")]),
        source=Order.Source.PORTAL,
        read_back=["One <MacBook> for 24 months."],
    )
    for address_of in (f"/orders/{order.public_id}/", f"/admin/orders/order/{order.pk}/change/"):
        html = " ".join(manager_client.get(address_of).text.split())
        assert "€24.50 a month each, said on the phone by rep@portal.example" in html
        assert "catalogue €25.00" in html
        assert "Read back to the customer" in html
        assert "<p>One &lt;MacBook&gt; for 24 months.</p>" in html
        assert html.count("catalogue €") == 1


def test_order_at_a_said_price_is_confirmed_as_any_other(
    tenant: Tenant, rep_actor: Actor, manager_actor: Actor
) -> None:
    order = agreed_order(rep_actor, tenant, source=Order.Source.PORTAL)
    confirm_order(tenant=tenant, actor=manager_actor, order_id=order.public_id)
    item = order.items.get(position=0)
    assert (item.unit_price, item.catalogue_price) == (Decimal("24.50"), Decimal(25))
