"""The queue in the admin: who is first, why to look twice, and how many wait."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from orders import waiting
from orders.models import Export, Order
from orders.reasons import Reason
from orders.services import create_order
from orders.waiting import Waiting, count_waiting
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import SYSTEM, VariantFactory, make_order, new_order
from tests.orders.test_admin import LIST, aged, listed
from tests.orders.test_api_list import clone


def with_reasons(order: Order, *reasons: Reason) -> Order:
    """The order as if it had these reasons and no others, each without evidence."""
    Order.objects.filter(pk=order.pk).update(
        reasons={str(reason): {} for reason in reasons},
        risk=sum(reason.weight for reason in reasons),
    )
    return order


def choices(client: Client, title: str, query: str = "") -> dict[str, str]:
    """The numbers that a filter shows, by choice."""
    [spec] = [s for s in client.get(LIST + query).context["cl"].filter_specs if s.title == title]
    changelist = client.get(LIST + query).context["cl"]
    return {choice["display"]: choice.get("number", "") for choice in spec.choices(changelist)}


def test_queue_is_by_risk_and_then_by_age(manager_client: Client) -> None:
    new, old, risky = make_order(), make_order(), make_order()
    with_reasons(aged(new, hours=1))
    with_reasons(aged(old, hours=3))
    with_reasons(risky, Reason.DIFFERS)
    assert listed(manager_client) == [risky.public_id, old.public_id, new.public_id]


def test_queue_is_read_from_its_index(tenant: Tenant) -> None:
    make_order()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    plan = Order.objects.awaiting_review().by_risk()[:100].explain()
    assert "order_queue" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["risky", "odd", "clean"]),
        ("?reason=clean", ["clean"]),
        ("?reason=first_order", ["risky", "odd"]),
        ("?reason=repeated", ["risky"]),
        ("?reason=forged", []),
        ("?age=1h", ["odd", "clean"]),
        ("?age=4h", ["clean"]),
        ("?age=1d", []),
        ("?age=forged", ["risky", "odd", "clean"]),
        ("?reason=first_order&age=1h", ["odd"]),
        ("?status=confirmed&reason=first_order", []),
    ],
)
def test_queue_is_filtered_by_reason_and_age(
    manager_client: Client, query: str, expected: list[str]
) -> None:
    orders = {name: make_order() for name in ("risky", "odd", "clean")}
    with_reasons(orders["risky"], Reason.FIRST_ORDER, Reason.REPEATED)
    with_reasons(aged(orders["odd"], hours=2), Reason.FIRST_ORDER)
    with_reasons(aged(orders["clean"], hours=5))
    names = {order.public_id: name for name, order in orders.items()}
    assert [names[order_id] for order_id in listed(manager_client, query)] == expected


def test_filters_say_how_many_wait(manager_client: Client, rep: User, rep_actor: Actor) -> None:
    with_reasons(aged(make_order(actor=rep_actor), hours=5), Reason.DIFFERS, Reason.REPEATED)
    with_reasons(aged(make_order(actor=rep_actor), hours=2), Reason.DIFFERS)
    with_reasons(make_order())
    make_order(status="confirmed", actor=rep_actor)
    reasons = choices(manager_client, "reason")
    assert (reasons["Clean"], reasons["Differs from the record"]) == ("1", "2")
    assert (reasons["Same items within a week"], reasons["First order"]) == ("1", "0")
    assert choices(manager_client, "age") == {
        "All": "", "Over 1 hour": "2", "Over 4 hours": "1", "Over 1 day": "0",
    }  # fmt: skip
    assert choices(manager_client, "rep") == {"All": "", rep.email: "2", "test": "1"}


def test_chosen_rep_stays_in_the_filter_when_nothing_of_theirs_waits(
    manager_client: Client, rep: User
) -> None:
    make_order()
    numbers = choices(manager_client, "rep", f"?rep={rep.actor_ref}")
    assert numbers == {"All": "", "test": "1", rep.email: "0"}


def test_nothing_is_counted_outside_the_queue(
    manager_client: Client, rep: User, manager: User
) -> None:
    make_order(status="confirmed")
    titles = [s.title for s in manager_client.get(f"{LIST}?status=all").context["cl"].filter_specs]
    assert titles[:2] == ["status", "rep"]
    numbers = choices(manager_client, "rep", "?status=all")
    assert numbers == {"All": "", manager.email: "", rep.email: ""}


@pytest.mark.parametrize(
    ("counted", "is_all", "text"),
    [(12, True, "12"), (1_000, True, "1,000"), (1_001, False, "1,000+"), (3, False, "3+")],
)
def test_numbers_are_capped(counted: int, is_all: bool, text: str) -> None:
    assert Waiting({}, {}, {}, {}, is_all).text(counted) == text


def test_only_the_first_orders_are_counted(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries
) -> None:
    sku = VariantFactory().sku
    for _ in range(5):
        make_order(sku)
    monkeypatch.setattr(waiting, "COUNTED", 3)
    with django_assert_num_queries(2):
        found = count_waiting()
    assert (found.by_rep, found.is_all) == ({"system:test": 4}, False)
    assert found.text(found.by_rep["system:test"]) == "3+"


def test_reason_shows_its_evidence_one_click_away(manager_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A", product__name="MacBook Pro 16")
    earlier = make_order("A")
    order = create_order(
        tenant=tenant,
        actor=SYSTEM,
        new_order=new_order("A").at([Decimal("24.50")]),
        source=Order.Source.PORTAL,
    )
    page = " ".join(manager_client.get(LIST).content.decode().split())
    row = page[page.index(f">{order.public_id}</a>") : page.index(f">{earlier.public_id}</a></th>")]
    assert "MacBook Pro 16 is at €24.50 a month each, said on the phone by test" in row
    assert f'href="/orders/{earlier.public_id}/"' in row
    assert f"/admin/orders/order/{order.pk}/change/#item-0" in row


def test_clean_order_is_called_clean(manager_client: Client) -> None:
    with_reasons(make_order())
    assert ">Clean</span>" in manager_client.get(LIST).content.decode()


def test_only_the_age_can_be_sorted_by(manager_client: Client) -> None:
    newest, oldest = make_order(), aged(make_order(), hours=3)
    changelist = manager_client.get(LIST).context["cl"]
    assert changelist.sortable_by == ("age",)
    column = changelist.list_display.index("age")
    assert listed(manager_client, f"?o={column}") == [newest.public_id, oldest.public_id]


def test_next_of_the_queue_goes_on_behind_an_order_and_begins_again(
    manager_client: Client,
) -> None:
    orders = [with_reasons(make_order(), Reason.REPEATED)]
    orders += [with_reasons(aged(make_order(), hours=hours)) for hours in (3, 2, 1)]
    at = timezone.now() - timedelta(hours=2)
    Order.objects.filter(pk__in=[order.pk for order in orders[2:]]).update(created_at=at)
    nexts = [
        manager_client.get(f"/admin/orders/order/{order.pk}/change/").context["next_order"]
        for order in orders
    ]
    assert nexts == [*orders[1:], orders[0]]


def test_list_says_when_there_are_more_than_it_counts(
    manager_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_order()
    for limit, shown in ((3, "3 orders"), (2, "2+ orders")):
        monkeypatch.setattr("portal.admin_site.CappedPaginator.limit", limit)
        assert shown in " ".join(manager_client.get(LIST).text.split())


def test_search_shows_one_page_and_its_export_all(
    manager_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = {"email": "a@x.example", "firstName": "Noor", "lastName": "Vermeer"}
    for _ in range(3):
        make_order(customer=who)
    monkeypatch.setattr("orders.admin.order.OrderAdmin.list_per_page", 2)
    page = manager_client.get(LIST, {"q": "vermeer"})
    assert len(page.context["cl"].result_list) == 2
    assert "2+ found" in page.text
    monkeypatch.setattr("orders.admin.order.OrderAdmin.list_per_page", 4)
    assert "3 found" in manager_client.get(LIST, {"q": "vermeer"}).text
    manager_client.post(f"{LIST}export/?q=vermeer")
    assert Export.objects.get().total == 3


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"order_type": "upgrade"}, "order_of_type"),
        ({"source": "import"}, "order_of_source"),
        ({"awaiting": "rep"}, "order_with_rep"),
    ],
)
def test_filter_that_matches_nothing_reads_its_index(
    tenant: Tenant, query: dict[str, str], index: str
) -> None:
    clone(make_order(), 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
    plan = Order.objects.filter(**query).order_by("-created_at", "-pk")[:51].explain()
    assert f" {index} " in plan
