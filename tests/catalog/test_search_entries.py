"""What the search knows of variants: kept by the database, whoever writes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scope
from pytest_django import DjangoAssertNumQueries

from catalog.models import Price, Product, SearchEntry, SearchWord, Variant
from portal.models import Tenant
from tests.factories import PriceFactory, ProductFactory, VariantFactory

ROWS = 10_000


@pytest.fixture
def variant(tenant: Tenant) -> Variant:
    product = ProductFactory(
        sku="MBP",
        name="MacBook Pro 16",
        brand="Apple",
        category="Laptops",
        specification="Ünïcode M3",
    )
    return VariantFactory(product=product, sku="MBP-1", name="Silver", color="Zilver", grade="B")


def tokens(variant: Variant) -> list[str]:
    """The tokens of the variant's entry, as they are stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lexeme FROM catalog_searchentry, unnest(words) WHERE variant_id = %s",
            [variant.pk],
        )
        return [lexeme for (lexeme,) in cursor]


def words(variant: Variant) -> set[str]:
    return {token.partition("/")[2] for token in tokens(variant)}


def initials(variant: Variant) -> list[str]:
    return [word[1:] for word in words(variant) if word[0] == "="]


def known_words() -> set[str]:
    return set(SearchWord.objects.values_list("word", flat=True))


def test_entry_has_what_a_rep_may_remember(variant: Variant) -> None:
    told = "mbp 1 apple macbook pro 16 silver zilver grade b laptops unicode m3 =mbp16"
    assert words(variant) == set(told.split())
    assert SearchEntry.objects.get(variant=variant).sku_key == "mbp1"


def test_entry_is_kept_under_its_tenant_and_tier(variant: Variant) -> None:
    assert {token.partition("/")[0] for token in tokens(variant)} == {f"{variant.tenant_id}.2"}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("product", c) for c in ("sku", "name", "brand", "category", "specification", "aliases")),
        *(("variant", c) for c in ("sku", "name", "color", "grade")),
    ],
)
def test_entry_follows_product_and_variant(variant: Variant, table: str, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE catalog_{table} SET {column} = 'RÉNAMED'")  # noqa: S608
    assert "renamed" in words(variant)
    assert "renamed" in known_words()


def test_entry_has_its_sku_without_separators(variant: Variant) -> None:
    Variant.objects.update(sku="MBP/16 é_2")
    assert SearchEntry.objects.get(variant=variant).sku_key == "mbp16e2"


def test_entry_follows_the_product_it_moves_to(variant: Variant) -> None:
    variant.product = ProductFactory(name="Moved")
    variant.save()
    assert {"moved", "macbook"} & words(variant) == {"moved"}


def test_entries_of_all_variants_follow_a_product(variant: Variant) -> None:
    others = VariantFactory.create_batch(3, product=variant.product)
    Product.objects.update(name="Renamed", aliases="nick, name")
    for each in (variant, *others):
        assert {"renamed", "nick", "name", "macbook"} & words(each) == {"renamed", "nick", "name"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MacBook Pro 16″", ["mbp16"]),
        ("iPad Pro 12.9", ["ipp129"]),
        ("ThinkPad X1 Carbon", ["tpx1c"]),
        ("Galaxy Tab Active5", ["gta5"]),
        ("iPhone SE (3rd generation)", ["ipse3rdg"]),
        ("Élan Écran 5", ["ee5"]),
        ("XPS 13", ["xps13"]),
        ("″", []),
    ],
)
def test_initials_are_first_letters_of_words_and_humps_and_every_number(
    variant: Variant, name: str, expected: list[str]
) -> None:
    Product.objects.update(name=name)
    assert initials(variant) == expected


@pytest.mark.parametrize(
    ("status", "product_status", "tier"),
    [("active", "active", 2), ("inactive", "active", 9), ("active", "discontinued", 9)],
)
def test_entry_of_what_cannot_be_ordered_is_in_the_last_tier(
    tenant: Tenant, status: str, product_status: str, tier: int
) -> None:
    written = VariantFactory(status=status, product__status=product_status)
    changed = VariantFactory()
    Product.objects.filter(pk=changed.product_id).update(status=product_status)
    Variant.objects.filter(pk=changed.pk).update(status=status)
    for variant in (written, changed):
        assert SearchEntry.objects.get(variant=variant).tier == tier
        assert tokens(variant)[0].startswith(f"{tenant.pk}.{tier}/")


def test_entry_comes_back_with_what_can_be_ordered_again(variant: Variant) -> None:
    SearchEntry.objects.update(tier=0, place=1)
    for status in (Variant.Status.INACTIVE, Variant.Status.ACTIVE):
        Variant.objects.update(status=status)
    entry = SearchEntry.objects.get()
    assert (entry.tier, entry.place) == (SearchEntry.Tier.ACTIVE, None)


def test_entry_stays_among_the_most_ordered_when_it_is_renamed(variant: Variant) -> None:
    SearchEntry.objects.update(tier=0, place=7, popularity=5)
    Variant.objects.update(name="Renamed")
    entry = SearchEntry.objects.get()
    assert (entry.tier, entry.place, entry.popularity) == (0, 7, 5)
    assert f"{variant.tenant_id}.0/renamed" in tokens(variant)


def test_entry_goes_with_its_variant(variant: Variant) -> None:
    variant.prices.all().delete()
    variant.delete()
    assert SearchEntry.objects.count() == 0


def versions() -> list[tuple[int, str]]:
    """Another one for each entry that is written, if only with the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT variant_id, ctid::text FROM catalog_searchentry ORDER BY 1")
        return cursor.fetchall()


def set_prices() -> None:
    Price.objects.update(monthly_price="19.95")


def set_costs() -> None:
    Variant.objects.update(list_price="1000", acquisition_cost="700", condition="Good")


def describe() -> None:
    Product.objects.update(name="MacBook Pro 16", description="Another", images=["https://x.y/z"])


@pytest.mark.parametrize("change", [set_prices, set_costs, describe])
def test_entry_is_left_alone_by_what_it_does_not_have(
    variant: Variant, change: Callable[[], None]
) -> None:
    before = versions()
    change()
    assert versions() == before


def test_price_change_of_ten_thousand_variants_touches_no_entry(tenant: Tenant) -> None:
    Variant.objects.bulk_create(new_variants(ProductFactory(), ROWS))
    Price.objects.bulk_create(
        [
            Price(tenant=tenant, variant=variant, contract_length=24, monthly_price="25")
            for variant in Variant.objects.all()
        ]
    )
    before = versions()
    assert Price.objects.update(monthly_price="19.95") == len(before) == ROWS
    assert versions() == before


def new_variants(product: Product, number: int) -> list[Variant]:
    return [
        Variant(tenant=product.tenant, product=product, sku=f"NEW-{n}", name="Silver")
        for n in range(number)
    ]


def test_ten_thousand_variants_at_once_are_known_at_once(
    tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    product = ProductFactory(name="Fairphone 5")
    with django_assert_num_queries(1):
        Variant.objects.bulk_create(new_variants(product, ROWS))
    assert SearchEntry.objects.filter(tier=2).count() == ROWS
    assert {"fairphone", "new", "9999"} <= known_words()
    with django_assert_num_queries(1):
        Variant.objects.filter(sku__endswith="7").update(status=Variant.Status.INACTIVE, name="Red")
    assert SearchEntry.objects.filter(tier=9).count() == ROWS // 10
    assert "red" in words(Variant.objects.get(sku="NEW-7"))


def test_words_belong_to_their_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    PriceFactory(tenant=other_tenant, variant__product__name="Theirs")
    assert "theirs" not in known_words()


def test_word_longer_than_any_is_cut(tenant: Tenant) -> None:
    variant = VariantFactory(name="ß" * 200)
    assert max(map(len, words(variant))) == 100


@pytest.mark.parametrize("name", ["'", "\\", ":*", "a'b\\c:1A", "&|!()<->", "''''"])
def test_any_text_becomes_words(tenant: Tenant, name: str) -> None:
    product = ProductFactory(sku="P", name=name, brand=name, category=name, aliases=name)
    variant = VariantFactory(product=product, sku="V", name=name, color=name, grade="B")
    known = {word for word in words(variant) if word[0] != "="}
    assert known - {"a", "b", "c", "1a"} == {"p", "v", "grade"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_renamed_first", [True, False])
@pytest.mark.parametrize("act", ["new", "moved away"])
def test_entry_is_right_whoever_commits_last(
    tenant: Tenant, is_renamed_first: bool, act: str
) -> None:
    product = ProductFactory(sku="A", name="Before")
    if act == "new":
        expected = "after"
        acts = [lambda: Variant.objects.bulk_create(new_variants(product, 1))]
    else:
        expected, other = "other", ProductFactory(sku="B", name="Other")
        Variant.objects.bulk_create(new_variants(product, 1))
        acts = [lambda: Variant.objects.update(product=other)]
    acts.insert(
        0 if is_renamed_first else 1, lambda: Product.objects.filter(sku="A").update(name="After")
    )
    done, over = Event(), Event()

    def begin() -> bool:
        with transaction.atomic():
            acts[0]()
            done.set()
            return over.wait(timeout=0.5)

    def follow() -> None:
        done.wait(timeout=20)
        acts[1]()
        over.set()

    was_over, _ = in_threads(tenant, begin, follow)
    assert not was_over, "the second did not wait for the first"
    assert {"before", "after", "other"} & words(Variant.objects.get()) == {expected}


@pytest.mark.django_db(transaction=True)
def test_variant_moves_while_both_its_products_are_renamed(tenant: Tenant) -> None:
    first, second = (ProductFactory(sku=sku, name=f"Before {sku}") for sku in "AB")
    Variant.objects.bulk_create(new_variants(second, 1))
    begun = Event()

    def rename() -> None:
        with transaction.atomic():
            Product.objects.filter(pk=first.pk).update(name="After A")
            begun.set()
            time.sleep(0.3)  # Until the other one waits.
            Product.objects.filter(pk=second.pk).update(name="After B")

    def move() -> None:
        begun.wait(timeout=20)
        Variant.objects.update(product=first)

    in_threads(tenant, rename, move)
    assert {"after", "before", "a", "b"} & words(Variant.objects.get()) == {"after", "a"}


def in_threads(tenant: Tenant, *tasks: Callable[[], Any]) -> list[Any]:
    """What the tasks return, each on a connection of its own."""

    def run(task: Callable[[], Any]) -> Any:
        try:
            with scope(tenant=tenant):
                return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(timeout=20) for future in [pool.submit(run, task) for task in tasks]]


def test_sign_that_folding_brings_in_is_no_part_of_the_initials(tenant: Tenant) -> None:
    variant = VariantFactory(product__name="Q\u02d0 5", sku="LONG")
    assert "=q5" in {token.split("/")[1] for token in tokens(variant)}
