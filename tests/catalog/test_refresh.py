"""What is renewed at night: popularity, tiers, and how frequent words are."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from catalog import refresh as refreshing
from catalog.models import Product, SearchEntry, SearchRefresh, SearchWord, Variant
from catalog.refresh import last_night, refresh_due, refresh_search
from orders.models import Order
from portal.models import Tenant
from tests.catalog.search import search_variants
from tests.catalog.test_search_entries import tokens
from tests.factories import VariantFactory, make_order
from tests.locks import uncommitted


@pytest.fixture
def small_tiers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "MOST_ORDERED", 2)
    monkeypatch.setattr(refreshing, "OFTEN_ORDERED", 1)


def refresh(tenant: Tenant) -> None:
    refresh_search(tenant=tenant, now=timezone.now())


def order(variant: Variant, times: int) -> None:
    for _ in range(times):
        make_order(variant.sku)


def entry(variant: Variant) -> SearchEntry:
    return SearchEntry.objects.get(variant=variant)


def counts() -> dict[str, int]:
    return dict(SearchWord.objects.values_list("word", "rows"))


@pytest.mark.usefixtures("small_tiers")
def test_often_ordered_variants_are_in_the_first_tiers(tenant: Tenant) -> None:
    variants = VariantFactory.create_batch(5)
    for variant, times in zip(variants, (0, 3, 1, 0, 2), strict=True):
        order(variant, times)
    refresh(tenant)
    told = [(entry(each).tier, entry(each).place, entry(each).popularity) for each in variants]
    assert told[1:3] + told[4:] == [(0, 1, 3), (1, None, 1), (0, 2, 2)]
    assert (told[0], told[3]) == ((2, None, 0), (2, None, 0))
    assert {token.partition("/")[0] for token in tokens(variants[1])} == {f"{tenant.pk}.0"}


def test_entries_move_a_few_at_a_time(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "ROWS_AT_ONCE", 2)
    VariantFactory.create_batch(5)
    refresh(tenant)
    assert set(SearchEntry.objects.values_list("place", flat=True)) == {1, 2, 3, 4, 5}


@pytest.mark.usefixtures("small_tiers")
def test_variant_leaves_its_tier_for_a_more_popular_one(tenant: Tenant) -> None:
    variants = VariantFactory.create_batch(3)
    for variant, times in zip(variants, (2, 2, 0), strict=True):
        order(variant, times)
    refresh(tenant)
    order(variants[2], 3)
    refresh(tenant)
    assert (entry(variants[2]).tier, entry(variants[2]).place) == (0, 1)
    assert sorted(entry(each).tier for each in variants) == [0, 0, 1]


def test_order_of_long_ago_does_not_count(tenant: Tenant) -> None:
    variant = VariantFactory()
    order(variant, 2)
    long_ago = timezone.now() - refreshing.COUNTED - timedelta(days=1)
    Order.objects.filter(pk=Order.objects.earliest("pk").pk).update(created_at=long_ago)
    refresh(tenant)
    assert entry(variant).popularity == 1


def test_inactive_variant_stays_in_the_last_tier(tenant: Tenant) -> None:
    variant = VariantFactory()
    order(variant, 1)
    Variant.objects.update(status=Variant.Status.INACTIVE)
    refresh(tenant)
    assert (entry(variant).tier, entry(variant).place, entry(variant).popularity) == (9, None, 1)


def test_often_ordered_variants_are_found_first(tenant: Tenant) -> None:
    variants = [VariantFactory(sku=f"X-{n}", product__name="Fairphone") for n in range(3)]
    order(variants[2], 2)
    order(variants[1], 1)
    assert found(tenant, "fairphone") == ["X-0", "X-1", "X-2"]
    refresh(tenant)
    assert found(tenant, "fairphone") == ["X-2", "X-1", "X-0"]
    assert found(tenant, "x") == ["X-2", "X-1", "X-0"]


@pytest.mark.usefixtures("small_tiers")
def test_every_tier_is_searched(tenant: Tenant) -> None:
    variants = [VariantFactory(sku=f"X-{n}", product__name="FairPhone") for n in range(6)]
    for times, variant in enumerate(variants):
        order(variant, times)
    Variant.objects.filter(sku="X-5").update(status=Variant.Status.INACTIVE)
    refresh(tenant)
    for text in ("fairphone", "x", "airph", "fiarphone", "fp", "a"):
        assert found(tenant, text) == ["X-4", "X-3", "X-2", "X-1", "X-0", "X-5"]


def found(tenant: Tenant, text: str) -> list[str]:
    return [each.sku for each in search_variants(tenant=tenant, text=text)]


def test_words_are_counted(tenant: Tenant) -> None:
    product = VariantFactory(product__name="Fairphone").product
    VariantFactory.create_batch(2, product=product)
    assert counts()["fairphone"] == 1
    refresh(tenant)
    assert counts()["fairphone"] == counts()["grade"] == 3


def test_word_that_is_gone_is_forgotten_after_a_night(tenant: Tenant) -> None:
    VariantFactory(product__name="Fairphone")
    Product.objects.update(name="Pixel")
    rows = []
    for _ in range(2):
        refresh(tenant)
        rows.append(counts().get("fairphone"))
    assert rows == [0, None]
    assert counts()["pixel"] == 1


def test_word_that_came_in_twice_is_there_once(tenant: Tenant) -> None:
    VariantFactory(product__name="Fairphone")
    SearchWord.objects.create(tenant=tenant, word="fairphone", rows=1)
    refresh(tenant)
    assert SearchWord.objects.filter(word="fairphone").count() == 1


def test_refresh_leaves_other_tenants_alone(tenant: Tenant, other_tenant: Tenant) -> None:
    VariantFactory(product__name="Fairphone")
    refresh(other_tenant)
    assert SearchEntry.objects.get().tier == SearchEntry.Tier.ACTIVE
    refresh(tenant)
    assert SearchEntry.objects.get().tier == SearchEntry.Tier.MOST_ORDERED
    with scope(tenant=other_tenant):
        assert SearchWord.objects.count() == 0


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-03-05T02:30:00+00:00", "2026-03-05T02:00:00+00:00"),
        ("2026-03-05T01:30:00+00:00", "2026-03-04T02:00:00+00:00"),
        ("2026-07-05T01:30:00+00:00", "2026-07-05T01:00:00+00:00"),
    ],
)
def test_last_night_is_at_three_where_the_tenant_is(now: str, night: str) -> None:
    tenant = Tenant(time_zone="Europe/Amsterdam")
    assert last_night(tenant, datetime.fromisoformat(now)).astimezone(UTC).isoformat() == night


def test_refresh_is_due_once_a_night(tenant: Tenant) -> None:
    now = datetime(2026, 3, 5, 12, tzinfo=UTC)
    VariantFactory()
    dues = [bool(list(refresh_due(now + timedelta(hours=hours)))) for hours in (0, 5, 13, 14, 15)]
    assert dues == [True, False, False, True, False]


def test_command_refreshes_one_tenant_or_all(tenant: Tenant, other_tenant: Tenant) -> None:
    call_command("refresh_search", tenant="demo")
    assert SearchRefresh.objects.count() == 1
    call_command("refresh_search")
    with scope(tenant=other_tenant):
        assert SearchRefresh.objects.count() == 1


def test_command_names_a_tenant_that_is_not_there(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="There is no tenant nobody"):
        call_command("refresh_search", tenant="nobody")


@pytest.mark.django_db(transaction=True)
def test_word_that_comes_back_while_words_are_counted_is_there_the_next_night(
    tenant: Tenant,
) -> None:
    variant = VariantFactory(sku="S1", name="zonk")
    Variant.objects.update(name="plain")
    refresh(tenant)

    def bring_back() -> None:
        with scope(tenant=tenant):
            Variant.objects.update(name="zonk")

    with uncommitted(bring_back):
        refresh(tenant)
    refresh(tenant)
    assert [each.sku for each in search_variants(tenant=tenant, text="zonk")] == [variant.sku]


@pytest.mark.django_db(transaction=True)
def test_refresh_that_failed_is_due_again(
    tenant: Tenant, other_tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    with scope(tenant=other_tenant):
        VariantFactory(tenant=other_tenant)
    now = timezone.now()
    first, second = sorted([tenant, other_tenant], key=lambda each: each.pk)

    def break_off(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """As if the database were restarted, and is back at once."""
        if sql.startswith("\nCREATE TEMP TABLE counted") and params == [str(first.pk)]:
            execute("SELECT pg_terminate_backend(pg_backend_pid())", None, False, context)
        return execute(sql, params, many, context)

    with scopes_disabled():
        with connection.execute_wrapper(break_off):
            assert list(refresh_due(now)) == [second]
        assert f"The search of {first.slug} could not be refreshed." in caplog.text
        assert list(refresh_due(now)) == [first]


@pytest.mark.django_db(transaction=True)
def test_refresh_that_another_worker_is_at_is_left_to_it(tenant: Tenant) -> None:
    other = connection.copy()
    lock = [refreshing._OURS, tenant.pk]
    with scopes_disabled(), closing(other):
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", lock)
        assert list(refresh_due(timezone.now())) == []
    with scopes_disabled(), connection.cursor() as cursor:
        assert list(refresh_due(timezone.now())) == [tenant]
        cursor.execute("SELECT count(*) FROM pg_locks WHERE (classid, objid) = (%s, %s)", lock)
        assert cursor.fetchone() == (0,)
