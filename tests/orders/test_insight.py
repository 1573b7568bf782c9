"""What managers see of their orders: numbers against orders made by hand, weeks at their edges."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from orders import insight
from orders.insight import Pace, Period, Share, Week
from orders.models import Order, OrderItem
from portal.models import Tenant
from portal.permissions import Actor
from portal.tenancy import SESSION_KEY
from tests.factories import (
    ApiKeyFactory,
    CustomerFactory,
    ProductFactory,
    VariantFactory,
    make_order,
)
from tests.permissions import grant

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
"""A Wednesday in week 14; on Sunday Amsterdam went from UTC+1 to UTC+2."""

MAY_ORDER = frozenset({"orders.add_order"})


def made(at: datetime, *skus: str, **changes: Any) -> Order:
    order = make_order(*skus, **changes)
    Order.objects.filter(pk=order.pk).update(created_at=at)
    return order


def week(weeks: list[Week], number: int) -> Week:
    return next(week for week in weeks if week.number == number)


def test_what_waits_is_counted_by_age(tenant: Tenant) -> None:
    for age in (
        timedelta(minutes=59),
        timedelta(hours=1),
        timedelta(hours=3),
        timedelta(hours=23),
        timedelta(days=1),
        timedelta(days=5),
    ):
        made(NOW - age)
    for status in ("confirmed", "cancelled"):
        made(NOW - timedelta(days=9), status=status)
    back = made(NOW - timedelta(days=8))
    Order.objects.filter(pk=back.pk).update(awaiting=Order.Awaiting.REP)

    waiting = insight.waiting(NOW)
    assert (waiting.orders, waiting.with_rep) == (6, 1)
    assert waiting.oldest == timedelta(days=5)
    assert waiting.median == timedelta(hours=13)
    assert [(bucket.name, bucket.orders) for bucket in waiting.buckets] == [
        ("under 1 h", 1),
        ("1–4 h", 2),
        ("4–24 h", 1),
        ("1–3 d", 1),
        ("older", 1),
    ]


def test_nothing_waits_in_an_empty_tenant(tenant: Tenant) -> None:
    waiting = insight.waiting(NOW)
    assert (waiting.orders, waiting.median, waiting.oldest) == (0, None, None)
    assert [bucket.orders for bucket in waiting.buckets] == [0] * 5


def test_weeks_begin_on_monday_in_the_time_zone_of_the_tenant(tenant: Tenant) -> None:
    """22:00 UTC on Sunday 29 March is midnight in Amsterdam, by then in summer time."""
    assert tenant.time_zone == "Europe/Amsterdam"
    variant = VariantFactory()
    made(datetime(2026, 3, 29, 21, 59, tzinfo=UTC), variant.sku)
    made(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), variant.sku)
    made(datetime(2026, 3, 30, 8, 0, tzinfo=UTC), variant.sku)
    # The first week begins at midnight in winter time, 23:00 UTC the day before.
    made(datetime(2026, 1, 4, 22, 59, tzinfo=UTC), variant.sku)
    made(datetime(2026, 1, 4, 23, 0, tzinfo=UTC), variant.sku)

    weeks = insight.weeks(Period(tenant, NOW, 13))
    assert [week.number for week in weeks] == list(range(2, 15))
    assert [week.orders for week in weeks] == [1, *[0] * 10, 1, 2]
    assert (weeks[0].monday, weeks[-1].sunday) == (date(2026, 1, 5), date(2026, 4, 5))


def test_same_moments_are_of_other_weeks_in_another_time_zone(tenant: Tenant) -> None:
    tenant.time_zone = "America/New_York"
    made(datetime(2026, 3, 30, 3, 59, tzinfo=UTC))
    made(datetime(2026, 3, 30, 4, 0, tzinfo=UTC))

    weeks = insight.weeks(Period(tenant, NOW, 13))
    assert (week(weeks, 13).orders, week(weeks, 14).orders) == (1, 1)


def test_weeks_of_two_years_are_told_apart(tenant: Tenant) -> None:
    """Week 53 of 2026 lies between 52 and 1."""
    weeks = insight.weeks(Period(tenant, datetime(2027, 1, 6, tzinfo=UTC), 4))
    assert [week.number for week in weeks] == [51, 52, 53, 1]


def test_value_of_a_week_is_per_month_and_without_the_cancelled(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(vat_rate=21)
    tenant.refresh_from_db()
    sku = VariantFactory(prices={24: "10.05"}).sku
    made(NOW, sku)
    made(NOW, sku, sku)
    made(NOW, sku, status="cancelled")

    found = insight.weeks(Period(tenant, NOW, 4))[-1]
    assert found == Week(date(2026, 3, 30), 2, Decimal("36.480"), 1)


def test_pace_compares_with_the_same_time_of_last_week(tenant: Tenant) -> None:
    """14:00 in Amsterdam is 12:00 UTC this week, and was 13:00 UTC before summer time."""
    sku = VariantFactory().sku
    made(datetime(2026, 3, 25, 13, 0, tzinfo=UTC), sku)
    made(datetime(2026, 3, 25, 13, 1, tzinfo=UTC), sku)
    made(datetime(2026, 3, 22, 22, 59, tzinfo=UTC), sku)
    made(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), sku)
    made(NOW, sku)
    made(NOW, sku, status="cancelled")

    assert insight.pace(tenant, NOW) == Pace(2, Decimal(50), 1, Decimal(25))


def test_statuses_are_all_listed(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    made(NOW, sku)
    made(NOW, sku, sku)
    made(NOW, sku, status="cancelled")
    made(NOW - timedelta(weeks=5), sku)

    assert insight.by_status(Period(tenant, NOW, 4)) == [
        Share("Pending", 2, Decimal(75)),
        Share("Confirmed", 0, Decimal(0)),
        Share("Partial", 0, Decimal(0)),
        Share("Fulfilled", 0, Decimal(0)),
        Share("Cancelled", 1, Decimal(25)),
    ]


def test_reps_and_keys_are_listed_by_value(tenant: Tenant, rep_actor: Actor) -> None:
    sku, shop = VariantFactory().sku, Actor.from_key(ApiKeyFactory())
    made(NOW, sku, actor=rep_actor)
    made(NOW, sku, sku, actor=shop)
    made(NOW, sku, actor=shop)
    made(NOW, sku, actor=shop, status="cancelled")

    assert insight.by_rep(Period(tenant, NOW, 4)) == [
        Share(shop.label, 2, Decimal(75)),
        Share(rep_actor.label, 1, Decimal(25)),
    ]


def test_rep_who_was_renamed_is_one_and_two_of_the_same_name_are_two(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    names = [("user:1", "zoe@x.example"), ("user:1", "ann@x.example"), ("user:2", "ann@x.example")]
    for days, (ref, name) in zip((2, 1, 0), names, strict=True):
        made(NOW - timedelta(days=days), sku, actor=Actor(ref, name, MAY_ORDER))

    assert insight.by_rep(Period(tenant, NOW, 4)) == [
        Share("ann@x.example", 2, Decimal(50)),
        Share("ann@x.example", 1, Decimal(25)),
    ]


def test_category_counts_its_lines_and_each_order_once(tenant: Tenant) -> None:
    laptop = VariantFactory(product=ProductFactory(category="Laptops")).sku
    phone = VariantFactory(product=ProductFactory(category="Phones")).sku
    retired = made(NOW, laptop)
    OrderItem.objects.filter(order=retired).update(variant=None)
    made(NOW, laptop, laptop, phone)
    made(NOW, phone, status="cancelled")

    assert insight.by_category(Period(tenant, NOW, 4)) == [
        Share("Laptops", 1, Decimal(50)),
        Share("Phones", 1, Decimal(25)),
        Share("Unknown", 1, Decimal(25)),
    ]


def test_product_without_a_category_is_of_an_unknown_one(tenant: Tenant) -> None:
    made(NOW, VariantFactory(product=ProductFactory(category="")).sku)
    assert [share.name for share in insight.by_category(Period(tenant, NOW, 4))] == ["Unknown"]


def test_many_names_are_summed_up(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    for number in range(insight.NAMES_SHOWN + 2):
        skus = [sku] * (1 if number < 2 else 2)
        made(NOW, *skus, actor=Actor(f"user:{number}", f"r{number}@x.example", MAY_ORDER))

    shares = insight.by_rep(Period(tenant, NOW, 4))
    assert len(shares) == insight.NAMES_SHOWN + 1
    assert shares[-1] == Share("2 others", 2, Decimal(50))


def test_one_name_more_is_shown_rather_than_summed_up(tenant: Tenant) -> None:
    sku = VariantFactory().sku
    for number in range(insight.NAMES_SHOWN + 1):
        made(NOW, sku, actor=Actor(f"user:{number}", f"r{number:02}@x.example", MAY_ORDER))
    assert insight.by_rep(Period(tenant, NOW, 4))[-1].name == "r12@x.example"


# The page


def test_page_of_an_empty_tenant_says_so(manager_client: Client) -> None:
    text = manager_client.get("/insight/").text

    assert "Nothing waits for a manager" in text
    assert "No orders in this period" in text


def test_page_shows_figures_as_the_user_reads_them(manager_client: Client) -> None:
    sku = VariantFactory(prices={24: "1234.50"}).sku
    make_order(sku)
    response = manager_client.get("/insight/")

    assert "€1,234.50" in response.text
    assert response.context["waiting"].orders == 1
    assert response.context["weeks"][-1].orders == 1


@pytest.mark.parametrize(
    ("asked", "weeks"), [("4", 4), ("13", 13), ("52", 52), ("", 13), ("53", 13), ("\0", 13)]
)
def test_period_is_one_of_three(manager_client: Client, asked: str, weeks: int) -> None:
    response = manager_client.get("/insight/", {"weeks": asked})

    assert response.context["period"].weeks == weeks
    assert f"The last {weeks} weeks" in response.text


def test_period_bounds_what_is_shared_out(manager_client: Client) -> None:
    made(timezone.now() - timedelta(weeks=20))

    for weeks, orders in (("13", []), ("52", [1])):
        shown = manager_client.get("/insight/", {"weeks": weeks}).context["by_rep"]
        assert [bar.orders for bar in shown] == orders


def test_orders_of_another_tenant_are_not_counted(
    manager_client: Client, superuser_client: Client, other_tenant: Tenant
) -> None:
    make_order(tenant=other_tenant)
    assert manager_client.get("/insight/").context["waiting"].orders == 0

    session = superuser_client.session
    session[SESSION_KEY] = other_tenant.pk
    session.save()
    response = superuser_client.get("/insight/")
    assert response.context["waiting"].orders == 1
    assert "US$" in response.text


def test_page_and_its_link_are_for_those_permitted(rep_client: Client, rep: Any) -> None:
    assert rep_client.get("/insight/").status_code == 403
    assert "/insight/" not in rep_client.get("/").text

    grant(rep, "orders.view_insight")
    assert rep_client.get("/insight/").status_code == 200
    assert "/insight/" in rep_client.get("/").text


def test_page_costs_the_same_queries_for_one_order_and_for_many(
    manager_client: Client, django_assert_num_queries: Any
) -> None:
    who = {"email": CustomerFactory().email, "firstName": "Noor", "lastName": "el Idrissi"}
    for more in (1, 30):
        for number in range(more):
            product = ProductFactory(category=f"Category {number}")
            actor = Actor(f"user:{number}", f"r{number}@x.example", MAY_ORDER)
            make_order(VariantFactory(product=product).sku, actor=actor, customer=who)
        # Two limits of time are set and taken back.
        with django_assert_num_queries(13):
            manager_client.get("/insight/")


@pytest.mark.django_db(transaction=True)
def test_what_takes_too_long_to_count_is_left_out(
    manager_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.views.insight.PATIENCE", timedelta(milliseconds=50))
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE orders_orderitem")
        response = manager_client.get("/insight/")
    other.close()
    assert response.text.count("than can be counted while you wait") == 1
    assert (response.context["by_status"], len(response.context["weeks"])) == (None, 13)
