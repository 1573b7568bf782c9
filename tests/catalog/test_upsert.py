"""A product that is sent, with its variants and prices: what becomes of it, and what refuses it."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Price, PriceChange, Product, Variant
from catalog.schemas import ProductInput, ProductUpdate
from catalog.services import Upserted, set_price, update_product, upsert_product
from portal.errors import Conflict, DomainError, NotFound, PermissionRefused
from portal.models import Tenant
from portal.permissions import SCOPES, Actor
from portal.shapes import read
from tests.catalog.search import search_variants
from tests.factories import (
    SYSTEM,
    PriceFactory,
    ProductFactory,
    TenantFactory,
    VariantFactory,
    make_order,
    open_tenant,
    product_body,
    variant_body,
)


def upsert(body: dict[str, Any]) -> Upserted:
    """Sends a whole product."""
    product = read(ProductInput, body)
    return upsert_product(tenant=open_tenant(), actor=SYSTEM, product=product)


def update(product: Product, **changes: Any) -> Upserted:
    """Sends what changes of a product."""
    sent = read(ProductUpdate, changes)
    return update_product(
        tenant=open_tenant(), actor=SYSTEM, product_id=product.public_id, product=sent
    )


def listed(upserted: Upserted) -> list[tuple[str, bool]]:
    return [(variant.sku, is_new) for variant, is_new in upserted.variants]


def prices(sku: str) -> dict[int, Decimal]:
    rows = Price.objects.filter(variant__sku=sku)
    return dict(rows.values_list("contract_length", "monthly_price"))


def changes() -> list[tuple[str, int, Decimal | None, Decimal | None]]:
    rows = PriceChange.objects.order_by("variant__sku", "id")
    return list(rows.values_list("variant__sku", "contract_length", "old_price", "new_price"))


def refusal(work: Any) -> list[tuple[str, str]]:
    """The paths and codes of what the work raises."""
    with pytest.raises(DomainError) as refused:
        work()
    return [(detail.path, detail.code) for detail in refused.value.details]


def tiers(*sent: dict[str, Any]) -> dict[str, Any]:
    return variant_body("MAC-1", pricing=list(sent))


def test_unknown_product_is_added_with_its_variants_and_prices(tenant: Tenant) -> None:
    made = upsert(product_body("MAC", variant_body("MAC-1", {12: 30, 24: 25})))
    assert (made.created, listed(made)) == (True, [("MAC-1", True)])
    product = Product.objects.get()
    assert (product.sku, product.name, product.status) == ("MAC", "MacBook Pro 16", "active")
    variant = Variant.objects.get()
    assert (variant.sku, variant.name, variant.product) == ("MAC-1", "Silver", product)
    assert variant.is_orderable
    assert prices("MAC-1") == {12: 30, 24: 25}
    assert changes() == [("MAC-1", 12, None, 30), ("MAC-1", 24, None, 25)]


def test_known_product_is_changed_and_what_is_not_listed_stays(tenant: Tenant) -> None:
    upsert(product_body("MAC", variant_body("MAC-1", {24: 25}), variant_body("MAC-2", {24: 26})))
    variants = [
        variant_body("MAC-2", {12: 31, 24: 26}, variantName="Black"),
        variant_body("MAC-3", {24: 9}),
    ]
    again = upsert(product_body("MAC", *variants, name="MacBook"))
    assert (again.created, listed(again)) == (False, [("MAC-2", False), ("MAC-3", True)])
    assert [product.name for product in Product.objects.all()] == ["MacBook"]
    assert [(v.sku, v.name) for v in Variant.objects.order_by("sku")] == [
        ("MAC-1", "Silver"),
        ("MAC-2", "Black"),
        ("MAC-3", "Silver"),
    ]
    assert prices("MAC-1") == {24: 25}
    assert changes() == [
        ("MAC-1", 24, None, 25),
        ("MAC-2", 24, None, 26),
        ("MAC-2", 12, None, 31),
        ("MAC-3", 24, None, 9),
    ]


def found(tenant: Tenant, text: str) -> list[str]:
    return [each.sku for each in search_variants(tenant=tenant, text=text)]


def test_search_follows_product_and_variants(tenant: Tenant) -> None:
    upsert(product_body("MAC", variant_body("MAC-1"), variant_body("MAC-2")))
    upsert(product_body("MAC", variant_body("MAC-2", colorName="Black", grade="B"), name="Mac Air"))
    assert found(tenant, "macbook") == []
    assert sorted(found(tenant, "ma")) == sorted(found(tenant, "mac air")) == ["MAC-1", "MAC-2"]
    assert found(tenant, "apple air silver black b") == ["MAC-2"]


def test_prices_sent_are_all_there_are(tenant: Tenant) -> None:
    upsert(product_body("MAC", variant_body("MAC-1", {12: 30, 24: 25, 36: 20})))
    upsert(product_body("MAC", variant_body("MAC-1", {24: 24, 36: 20})))
    assert prices("MAC-1") == {24: 24, 36: 20}
    assert changes()[3:] == [("MAC-1", 24, 25, 24), ("MAC-1", 12, 30, None)]


def test_order_keeps_the_price_that_is_no_longer_offered(tenant: Tenant) -> None:
    upsert(product_body("MAC", variant_body("MAC-1", {24: 25})))
    order = make_order("MAC-1")
    upsert(product_body("MAC", variant_body("MAC-1", {12: 30})))
    order.refresh_from_db()
    assert (order.subtotal, order.items.get().unit_price) == (25, 25)


def test_same_again_writes_nothing(tenant: Tenant) -> None:
    discount = {"type": "fixed", "value": 5, "description": "Autumn"}
    tier = {"contractLength": 24, "monthlyPrice": 25, "setupFee": 10, "discount": discount}
    body = product_body("MAC", tiers(tier), images=["https://example.com/1.png"])
    upsert(body)

    def state() -> list[Any]:
        rows = (Product, Variant, Price, PriceChange)
        return [list(row.objects.order_by("pk").values()) for row in rows]

    before = state()
    assert not upsert(body).created
    assert state() == before


def test_tier_is_replaced_as_a_whole(tenant: Tenant) -> None:
    discount = {"type": "percentage", "value": Decimal("12.5"), "description": "Autumn"}
    told = {"source": "suggested", "calculatedAt": "2026-01-31", "presetUsed": "electronics"}
    tier = {"contractLength": 24, "monthlyPrice": 25, "setupFee": 10, "discount": discount, **told}
    upsert(product_body("MAC", tiers(tier)))
    price = Price.objects.get()
    assert (price.setup_fee, price.source, price.calculated_at, price.preset_used) == (
        10,
        "suggested",
        "2026-01-31",
        "electronics",
    )
    assert (price.discount_type, price.discount_value, price.discount_description) == (
        "percentage",
        Decimal("12.5"),
        "Autumn",
    )
    upsert(product_body("MAC", variant_body("MAC-1", {24: 25})))
    price.refresh_from_db()
    assert (price.setup_fee, price.source, price.calculated_at, price.preset_used) == (
        None,
        "manual",
        "",
        "",
    )
    assert (price.discount_type, price.discount_value, price.discount_description) == ("", None, "")
    assert len(changes()) == 1


def test_what_is_not_sent_stays_and_what_is_sent_blank_goes(tenant: Tenant) -> None:
    picture = ["https://example.com/1.png"]
    told = {"condition": "New", "colorName": "Black", "images": picture, "listPrice": 900}
    variant = variant_body("MAC-1", acquisitionCost=700, **told)
    upsert(product_body("MAC", variant, description="Fast", images=picture))
    upsert(product_body("MAC", variant_body("MAC-1")))
    product, kept = Product.objects.get(), Variant.objects.get()
    assert (product.description, product.images) == ("Fast", picture)
    assert (kept.condition, kept.color, kept.images) == ("New", "Black", picture)
    assert (kept.list_price, kept.acquisition_cost) == (900, 700)
    blank = variant_body("MAC-1", condition="", colorName=" ", images=[])
    upsert(product_body("MAC", blank, description="", images=[]))
    product, kept = Product.objects.get(), Variant.objects.get()
    assert (product.description, product.images) == ("", [])
    assert (kept.condition, kept.color, kept.images) == ("", "", [])


def test_order_shows_the_first_picture_of_the_variant_or_else_of_the_product(
    tenant: Tenant,
) -> None:
    urls = [f"https://example.com/{name}.png" for name in "abc"]
    variants = variant_body("OWN", images=urls[1:]), variant_body("NONE")
    upsert(product_body("MAC", *variants, images=urls[:1]))
    upsert(product_body("DELL", variant_body("BARE")))
    order = make_order("OWN", "NONE", "BARE")
    assert [item.image_url for item in order.items.all()] == [urls[1], urls[0], ""]


def test_updated_at_tells_of_new_prices(tenant: Tenant) -> None:
    upsert(product_body("MAC", variant_body("MAC-1"), variant_body("MAC-2")))
    before = dict(Variant.objects.values_list("sku", "updated_at"))
    upsert(product_body("MAC", variant_body("MAC-1", {24: 1}), variant_body("MAC-2")))
    after = dict(Variant.objects.values_list("sku", "updated_at"))
    assert {sku for sku in after if after[sku] > before[sku]} == {"MAC-1"}


def test_update_needs_nothing_but_what_changes(tenant: Tenant) -> None:
    product = upsert(product_body("MAC", variant_body("MAC-1", {24: 25}))).product
    changed = update(product, name="MacBook", variants=[{"variantSku": "MAC-1", "listPrice": 900}])
    assert (changed.created, listed(changed)) == (False, [("MAC-1", False)])
    variant = Variant.objects.select_related("product").get()
    assert (variant.product.name, variant.product.brand) == ("MacBook", "Apple")
    assert (variant.name, variant.list_price, prices("MAC-1")) == ("Silver", 900, {24: 25})


def test_update_without_anything_changes_nothing(tenant: Tenant) -> None:
    product = ProductFactory()
    before = list(Product.objects.values())
    assert listed(update(product)) == []
    assert list(Product.objects.values()) == before


def test_sku_is_changed_of_a_product_and_of_a_variant_found_by_its_id(tenant: Tenant) -> None:
    made = upsert(product_body("MAC", variant_body("MAC-1")))
    variant = made.variants[0][0]
    changed = update(
        made.product,
        productSku="MACBOOK",
        variants=[{"variantId": variant.public_id, "variantSku": "MACBOOK-1", "grade": "B"}],
    )
    assert (changed.product.sku, listed(changed)) == ("MACBOOK", [("MACBOOK-1", False)])
    stored = Variant.objects.select_related("product").get()
    assert (stored.product.sku, stored.sku, stored.grade) == ("MACBOOK", "MACBOOK-1", "B")
    assert found(tenant, "macbook-1 grade b macbook") == ["MACBOOK-1"]
    assert stored.updated_at > variant.created_at


def test_status_comes_last_and_takes_new_variants_along(tenant: Tenant) -> None:
    product = upsert(product_body("MAC")).product
    update(product, status="discontinued", variants=[variant_body("MAC-2")])
    update(product, variants=[variant_body("MAC-3")])
    statuses = Variant.objects.order_by("sku").values_list("status", flat=True)
    assert list(statuses) == ["inactive"] * 3
    update(product, status="active", variants=[variant_body("MAC-4")])
    assert list(statuses.all()) == ["inactive"] * 3 + ["active"]
    assert Product.objects.get().status == "active"


def test_refused_status_takes_back_everything_else(tenant: Tenant) -> None:
    product = upsert(product_body("MAC")).product
    order = make_order("MAC-1")
    with pytest.raises(Conflict) as refused:
        update(product, name="Gone", status="discontinued")
    assert refused.value.code == "PRODUCT_HAS_ACTIVE_ORDERS"
    # Nor does the message know it by the name that it did not get.
    named = f"MacBook Pro 16 is needed by open orders: {order.public_id}."
    assert refused.value.message == named
    assert Product.objects.get().name == "MacBook Pro 16"


def test_sku_of_somebody_else_is_refused_at_its_place(tenant: Tenant) -> None:
    upsert(product_body("DELL", variant_body("DELL-1")))
    product = upsert(product_body("MAC", variant_body("MAC-1"), variant_body("MAC-2"))).product
    ids = {variant.sku: variant.public_id for variant in Variant.objects.all()}
    variants = [
        variant_body("MAC-3"),
        variant_body("DELL-1"),
        variant_body("MAC-3"),
        variant_body("MAC-1", variantId=ids["MAC-2"]),
        variant_body("MAC-4", variantId=ids["DELL-1"]),
        variant_body("MAC-5", variantId="var_UNKNOWN"),
        variant_body("MAC-2"),
        variant_body("MAC-6", variantId=ids["MAC-2"]),
    ]
    before = list(Variant.objects.order_by("pk").values())
    assert refusal(lambda: update(product, productSku="DELL", variants=variants)) == [
        ("productSku", "DUPLICATE_SKU"),
        ("variants.1.variantSku", "DUPLICATE_SKU"),
        ("variants.2.variantSku", "DUPLICATE_SKU"),
        ("variants.3.variantSku", "DUPLICATE_SKU"),
        ("variants.4.variantId", "VALIDATION_ERROR"),
        ("variants.5.variantId", "VALIDATION_ERROR"),
        ("variants.7.variantSku", "DUPLICATE_SKU"),
    ]
    assert list(Variant.objects.order_by("pk").values()) == before


def test_new_product_cannot_take_a_variant_over(tenant: Tenant) -> None:
    upsert(product_body("DELL", variant_body("DELL-1")))
    taken = product_body("MAC", variant_body("DELL-1"))
    assert refusal(lambda: upsert(taken)) == [("variants.0.variantSku", "DUPLICATE_SKU")]
    assert Product.objects.count() == 1


def test_skus_of_another_tenant_are_free(tenant: Tenant) -> None:
    VariantFactory(sku="MAC-1", tenant=TenantFactory(), product__sku="MAC")
    made = upsert(product_body("MAC"))
    assert (made.created, listed(made)) == (True, [("MAC-1", True)])


@pytest.mark.parametrize(
    ("currency", "sent", "paths"),
    [
        ("EUR", {"monthlyPrice": Decimal("1.005")}, ["monthlyPrice"]),
        ("EUR", {"monthlyPrice": 10_000_000}, ["monthlyPrice"]),
        ("EUR", {"monthlyPrice": Decimal("1e300")}, ["monthlyPrice"]),
        ("EUR", {"monthlyPrice": Decimal("1e-300")}, ["monthlyPrice"]),
        ("JPY", {"monthlyPrice": Decimal("1.5"), "setupFee": Decimal("0.5")},
         ["monthlyPrice", "setupFee"]),
        ("EUR", {"contractLength": 121}, ["contractLength"]),
        ("EUR", {"discount": {"type": "fixed", "value": Decimal("0.001")}}, ["discount.value"]),
        ("EUR", {"discount": {"type": "percentage", "value": 101}}, ["discount.value"]),
        ("EUR", {"discount": {"type": "percentage", "value": Decimal("1e300")}},
         ["discount.value"]),
        ("EUR", {"discount": {"type": "percentage", "value": Decimal("0.0001")}},
         ["discount.value"]),
    ],
)  # fmt: skip
def test_what_is_no_price_is_refused_at_its_place(
    tenant: Tenant, currency: str, sent: dict[str, Any], paths: list[str]
) -> None:
    tenant.currency = currency
    tenant.save()
    tier = {"contractLength": 24, "monthlyPrice": 25, **sent}
    body = product_body("MAC", variant_body("MAC-0"), tiers({**tier, "contractLength": 1}, tier))
    if "contractLength" not in sent:
        body["variants"][1]["pricing"][0] = {"contractLength": 12, "monthlyPrice": 30}
    else:
        body["variants"][1]["pricing"][0] = {"contractLength": 120, "monthlyPrice": 30}
    expected = [(f"variants.1.pricing.1.{path}", "INVALID_PRICING") for path in paths]
    assert refusal(lambda: upsert(body)) == expected
    assert Product.objects.count() == Price.objects.count() == 0


def test_doubled_length_and_bad_costs_are_refused_together(tenant: Tenant) -> None:
    tier = {"contractLength": 24, "monthlyPrice": 25}
    costs = {"listPrice": Decimal("0.001"), "acquisitionCost": 10**9}
    body = product_body("MAC", {**tiers(tier, tier), **costs})
    assert refusal(lambda: upsert(body)) == [
        ("variants.0.listPrice", "INVALID_PRICING"),
        ("variants.0.acquisitionCost", "INVALID_PRICING"),
        ("variants.0.pricing.1.contractLength", "INVALID_PRICING"),
    ]


def test_new_variant_needs_its_name(tenant: Tenant) -> None:
    product = ProductFactory()
    sent = {"variants": [{"variantSku": "NEW"}]}
    missing = [("variants.0.variantName", "VALIDATION_ERROR")]
    assert refusal(lambda: update(product, **sent)) == missing


def statements(work: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        work()
    return len(queries)


@pytest.mark.parametrize("number", [1, 40])
def test_statements_are_the_same_for_any_number_of_variants_and_prices(
    tenant: Tenant, number: int
) -> None:
    lengths = range(1, number + 1)
    skus = [f"MAC-{n}" for n in range(number)]

    def body(price: int, name: str) -> dict[str, Any]:
        prices = {length: price + length for length in lengths}
        variants = [variant_body(sku, prices, variantName=name) for sku in skus]
        return product_body("MAC", *variants, name=name)

    added = statements(lambda: upsert(body(1, "First")))
    changed = statements(lambda: upsert(body(2, "Second")))
    removed = statements(
        lambda: upsert(product_body("MAC", *(variant_body(sku, {120: 1}) for sku in skus)))
    )
    assert (added, changed, removed) == (10, 10, 11)


@pytest.mark.parametrize("scope", ["catalog:read", "orders:write", "costs:read"])
def test_nobody_sends_products_without_the_permission(tenant: Tenant, scope: str) -> None:
    actor = Actor("key:1", "key", frozenset(SCOPES[scope]))
    product = read(ProductInput, product_body("MAC"))
    changed = read(ProductUpdate, {"name": "Mac"})
    known = ProductFactory()
    for forbidden in (
        lambda: upsert_product(tenant=tenant, actor=actor, product=product),
        lambda: update_product(
            tenant=tenant, actor=actor, product_id=known.public_id, product=changed
        ),
    ):
        with pytest.raises(PermissionRefused):
            forbidden()
    assert Product.objects.get().name == known.name


def test_product_of_another_tenant_is_not_found(tenant: Tenant) -> None:
    foreign = ProductFactory(tenant=TenantFactory())
    for product_id in (foreign.public_id, "prod_UNKNOWN"):
        with pytest.raises(NotFound):
            update(Product(public_id=product_id), name="Mine")


def test_price_set_alone_keeps_the_others(tenant: Tenant) -> None:
    variant = PriceFactory(contract_length=12).variant
    set_price(
        tenant=tenant,
        actor=SYSTEM,
        variant=variant,
        contract_length=24,
        monthly_price=Decimal(9),
        discount_type="fixed",
        discount_value=Decimal(1),
        discount_description="Autumn",
    )
    assert prices(variant.sku) == {12: 25, 24: 9}
    assert changes() == [(variant.sku, 24, None, 9)]
