"""Products and variants over the API: what a program sends, and what it gets."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import PriceChange, Product, Variant
from portal.models import ApiKey, Tenant
from tests.api import exact, problems, send
from tests.factories import (
    ProductFactory,
    VariantFactory,
    make_order,
    product_body,
    variant_body,
)

PICTURE = "https://example.com/mac.png"
TIERS: list[dict[str, Any]] = [
    {"contractLength": 12, "monthlyPrice": Decimal("30.00"), "source": "manual"},
    {
        "contractLength": 24,
        "monthlyPrice": Decimal("25.50"),
        "setupFee": Decimal("10.00"),
        "discount": {"type": "fixed", "value": Decimal("2.50"), "description": "Autumn"},
        "source": "suggested",
        "calculatedAt": "2026-01-31T12:00:00Z",
        "presetUsed": "electronics",
    },
    {
        "contractLength": 36,
        "monthlyPrice": Decimal("20.00"),
        "discount": {"type": "percentage", "value": Decimal("12.500")},
        "source": "manual",
    },
]
FULL = product_body(
    "MAC",
    variant_body(
        "MAC-1",
        condition="Like New",
        colorName="Space Black",
        images=[PICTURE],
        listPrice=Decimal("900.00"),
        acquisitionCost=Decimal("700.00"),
        pricing=TIERS,
    ),
    description="Fast.\nAnd light.",
    images=[PICTURE, PICTURE],
)


def only(api_key: ApiKey, *scopes: str) -> None:
    api_key.scopes = list(scopes)
    api_key.save()


def written(at: datetime) -> str:
    shown = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return shown.replace("+00:00", "Z")


def stored() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Product, Variant)]


def skus(response: Any, name: str) -> list[str]:
    assert response.status_code == 200
    return [row[f"{name}Sku"] for row in response.json()[f"{name}s"]]


def aged(model: type[Product | Variant], *names: str) -> None:
    """Lets these rows be made one second after the other, whatever order they came in."""
    for number, name in enumerate(names):
        at = timezone.now() - timedelta(days=1) + timedelta(seconds=number)
        model.objects.filter(sku=name).update(created_at=at)


def test_product_is_created_then_updated_and_both_are_201(api_client: Client) -> None:
    response = send(api_client, "POST", "/products", FULL)
    product = Product.objects.get()
    answer = {
        "success": True,
        "message": "Product created.",
        "productId": product.public_id,
        "productSku": "MAC",
        "operation": "created",
        "variantResults": [{"variantSku": "MAC-1", "operation": "create"}],
    }
    assert (response.status_code, response.json()) == (201, answer)
    again = product_body("MAC", variant_body("MAC-2"), variant_body("MAC-1"))
    response = send(api_client, "POST", "/products", again)
    assert (response.status_code, response.json()) == (
        201,
        answer
        | {
            "message": "Product updated.",
            "operation": "updated",
            "variantResults": [
                {"variantSku": "MAC-2", "operation": "create"},
                {"variantSku": "MAC-1", "operation": "update"},
            ],
        },
    )


def test_product_is_shown_with_everything_that_was_sent(api_client: Client) -> None:
    send(api_client, "POST", "/products", FULL)
    product, variant = Product.objects.get(), Variant.objects.get()
    response = send(api_client, "GET", f"/products/{product.public_id}")
    assert response.status_code == 200
    assert exact(response) == {
        "productId": product.public_id,
        "tenantId": "demo",
        "productSku": "MAC",
        "name": "MacBook Pro 16",
        "specification": "M3 Pro",
        "category": "Laptops",
        "brand": "Apple",
        "description": "Fast.\nAnd light.",
        "images": [PICTURE, PICTURE],
        "status": "active",
        "variants": [
            {
                "variantId": variant.public_id,
                "tenantId": "demo",
                "productId": product.public_id,
                "productSku": "MAC",
                "variantSku": "MAC-1",
                "variantName": "Silver",
                "grade": "A",
                "condition": "Like New",
                "colorName": "Space Black",
                "images": [PICTURE],
                "listPrice": Decimal("900.00"),
                "acquisitionCost": Decimal("700.00"),
                "pricing": TIERS,
                "status": "active",
                "createdAt": written(variant.created_at),
                "updatedAt": written(variant.updated_at),
            }
        ],
        "createdAt": written(product.created_at),
        "updatedAt": written(product.updated_at),
    }


def test_what_there_is_not_is_left_out(api_client: Client, tenant: Tenant) -> None:
    variant = VariantFactory(prices={})
    shown = send(api_client, "GET", f"/products/{variant.product.public_id}").json()
    absent = {"description", "images", "_sync", "variantCount"}
    assert absent & shown.keys() == set()
    absent = {"condition", "colorName", "images", "listPrice", "acquisitionCost"}
    assert absent & shown["variants"][0].keys() == set()
    assert shown["variants"][0]["pricing"] == []


@pytest.mark.parametrize(("currency", "shown"), [("JPY", b":25,"), ("BHD", b":25.000,")])
def test_amounts_have_the_decimals_of_the_currency(
    api_client: Client, tenant: Tenant, currency: str, shown: bytes
) -> None:
    tenant.currency = currency
    tenant.save()
    send(api_client, "POST", "/products", product_body("MAC"))
    assert b'"monthlyPrice"' + shown in send(api_client, "GET", "/products/variants").content


@pytest.mark.parametrize("path", ["/products/variants", "/products/{}"])
def test_costs_are_shown_to_keys_that_may_see_them(
    api_client: Client, api_key: ApiKey, path: str
) -> None:
    send(api_client, "POST", "/products", FULL)
    only(api_key, "catalog:read")
    response = send(api_client, "GET", path.format(Product.objects.get().public_id))
    assert response.json()["variants"][0]["variantSku"] == "MAC-1"
    assert b"listPrice" not in response.content
    assert b"acquisitionCost" not in response.content


def test_costs_are_written_by_keys_that_do_not_see_them(
    api_client: Client, api_key: ApiKey
) -> None:
    only(api_key, "catalog:write")
    assert send(api_client, "POST", "/products", FULL).status_code == 201
    again = product_body("MAC", variant_body("MAC-1", acquisitionCost=650))
    assert send(api_client, "POST", "/products", again).status_code == 201
    variant = Variant.objects.get()
    assert (variant.list_price, variant.acquisition_cost) == (900, 650)


def test_product_changes_in_what_is_sent(api_client: Client) -> None:
    send(api_client, "POST", "/products", FULL)
    product = Product.objects.get()
    path = f"/products/{product.public_id}"
    before = exact(send(api_client, "GET", path))
    response = send(api_client, "PUT", path, {"name": "MacBook"})
    assert (response.status_code, response.json()) == (
        200,
        {
            "success": True,
            "message": "Product updated.",
            "productId": product.public_id,
            "productSku": "MAC",
            "operation": "updated",
            "variantResults": [],
        },
    )
    after = exact(send(api_client, "GET", path))
    product.refresh_from_db()
    assert after == before | {"name": "MacBook", "updatedAt": written(product.updated_at)}


def test_what_is_read_can_be_sent_back(api_client: Client) -> None:
    send(api_client, "POST", "/products", FULL)
    path = f"/products/{Product.objects.get().public_id}"
    before = stored()
    assert send(api_client, "PUT", path, exact(send(api_client, "GET", path))).status_code == 200
    assert stored() == before
    assert PriceChange.objects.count() == len(TIERS)


def test_price_changes_are_the_keys(api_client: Client, api_key: ApiKey) -> None:
    send(api_client, "POST", "/products", product_body("MAC"))
    changes = PriceChange.objects.values_list("actor_ref", "actor")
    assert list(changes) == [(f"key:{api_key.public_id}", api_key.public_id)]


def test_product_is_discontinued_again_and_again(api_client: Client, tenant: Tenant) -> None:
    variant = VariantFactory()
    product = variant.product
    for _ in range(2):
        response = send(api_client, "DELETE", f"/products/{product.public_id}")
        assert (response.status_code, response.json()) == (
            200,
            {
                "success": True,
                "message": "Product discontinued.",
                "productId": product.public_id,
                "productSku": product.sku,
            },
        )
    variant.refresh_from_db()
    assert (variant.product.status, variant.status) == ("discontinued", "inactive")


def test_product_of_an_open_order_is_not_discontinued(api_client: Client, tenant: Tenant) -> None:
    variant = VariantFactory()
    make_order(variant.sku)
    path = f"/products/{variant.product.public_id}"
    for response in (
        send(api_client, "DELETE", path),
        send(api_client, "PUT", path, {"status": "discontinued"}),
    ):
        assert problems(response) == (409, "PRODUCT_HAS_ACTIVE_ORDERS", ["status"])
    assert Variant.objects.get().is_orderable


def test_variant_is_switched_off_and_on(api_client: Client, tenant: Tenant) -> None:
    variant = VariantFactory()
    path = f"/products/variants/{variant.public_id}/status"
    for status in ("inactive", "inactive", "active"):
        response = send(api_client, "PATCH", path, {"status": status})
        answer = {"success": True, "message": f"Variant {status}."}
        assert (response.status_code, response.json()) == (200, answer)
        variant.refresh_from_db()
        assert variant.status == status


def test_variant_of_an_open_order_stays_active(api_client: Client, tenant: Tenant) -> None:
    variant = VariantFactory()
    make_order(variant.sku)
    path = f"/products/variants/{variant.public_id}/status"
    response = send(api_client, "PATCH", path, {"status": "inactive"})
    assert problems(response) == (409, "VARIANT_IN_USE", ["status"])
    assert Variant.objects.get().status == "active"


def test_variant_of_a_discontinued_product_stays_inactive(api_client: Client) -> None:
    variant = VariantFactory(status="inactive", product__status="discontinued")
    path = f"/products/variants/{variant.public_id}/status"
    response = send(api_client, "PATCH", path, {"status": "active"})
    assert problems(response) == (409, "STATE_CONFLICT", ["status"])
    assert Variant.objects.get().status == "inactive"


def test_product_sent_twice_with_a_key_is_answered_by_the_same_bytes(api_client: Client) -> None:
    first = send(api_client, "POST", "/products", FULL, Idempotency_Key="k")
    assert first.json()["operation"] == "created"
    second = send(api_client, "POST", "/products", FULL, Idempotency_Key="k")
    assert (second.status_code, second.content) == (201, first.content)
    assert second["Idempotent-Replayed"] == "true"
    other = send(api_client, "POST", "/products", product_body("MAC"), Idempotency_Key="k")
    assert problems(other) == (422, "IDEMPOTENCY_KEY_REUSED", [])


PRODUCT_FILTERS = {
    "": ["D", "C", "B", "A"],
    "status=active": ["D", "B", "A"],
    "status=discontinued": ["C"],
    "category=Laptops": ["C", "B", "A"],
    "category=laptops": [],
    "brand=Dell": ["C", "B"],
    "brand=Dell&status=active&category=Laptops": ["B"],
    "brand=&status=": ["D", "C", "B", "A"],
    "colour=red": ["D", "C", "B", "A"],
    "brand=Nobody": [],
}


@pytest.mark.parametrize("query", PRODUCT_FILTERS)
def test_products_are_filtered_exactly_newest_first(
    api_client: Client, tenant: Tenant, other_tenant: Tenant, query: str
) -> None:
    ProductFactory(sku="A", brand="Apple")
    ProductFactory(sku="B", brand="Dell")
    ProductFactory(sku="C", brand="Dell", status="discontinued")
    ProductFactory(sku="D", brand="Apple", category="Tablets")
    ProductFactory(sku="FOREIGN", brand="Dell", tenant=other_tenant)
    aged(Product, "A", "B", "C", "D")
    assert skus(send(api_client, "GET", f"/products?{query}"), "product") == PRODUCT_FILTERS[query]


VARIANT_FILTERS = {
    "": ["D", "C", "B", "A"],
    "status=active": ["D", "B", "A"],
    "status=inactive": ["C"],
    "productSku=MAC": ["B", "A"],
    "productSku=mac": [],
    "grade=B": ["D", "B"],
    "sku=C": ["C"],
    "sku=c": [],
    "category=Laptops": ["D", "C"],
    "brand=Dell&grade=B": ["D"],
    "brand=Apple": ["B", "A"],
    "brand=Apple&sku=C": [],
}


@pytest.mark.parametrize("query", VARIANT_FILTERS)
def test_variants_are_filtered_exactly_newest_first(
    api_client: Client, tenant: Tenant, other_tenant: Tenant, query: str
) -> None:
    mac = ProductFactory(sku="MAC", brand="Apple", category="Tablets")
    dell = ProductFactory(sku="DELL", brand="Dell")
    VariantFactory(sku="A", product=mac)
    VariantFactory(sku="B", product=mac, grade="B")
    VariantFactory(sku="C", product=dell, status="inactive")
    VariantFactory(sku="D", product=dell, grade="B")
    VariantFactory(sku="FOREIGN", tenant=other_tenant)
    aged(Variant, "A", "B", "C", "D")
    response = send(api_client, "GET", f"/products/variants?{query}")
    assert skus(response, "variant") == VARIANT_FILTERS[query]


def test_listed_product_says_how_many_variants_it_has(api_client: Client, tenant: Tenant) -> None:
    none, two = ProductFactory(), ProductFactory()
    VariantFactory.create_batch(2, product=two)
    listed = send(api_client, "GET", "/products").json()["products"]
    assert {row["productId"]: row["variantCount"] for row in listed} == {
        none.public_id: 0,
        two.public_id: 2,
    }
    assert ["variants" in row for row in listed] == [False, False]


@pytest.mark.parametrize("name", ["product", "variant"])
def test_pages_show_everything_once(api_client: Client, tenant: Tenant, name: str) -> None:
    VariantFactory.create_batch(7)
    Variant.objects.update(created_at=timezone.now())
    path, seen, cursor = "/products/variants" if name == "variant" else "/products", [], ""
    sizes = []
    while cursor is not None:
        response = send(api_client, "GET", f"{path}?limit=3&startAfter={cursor}")
        page = response.json()
        assert (page["count"], page["limit"]) == (len(page[f"{name}s"]), 3)
        assert page["hasMore"] == (page["nextCursor"] is not None)
        seen += skus(response, name)
        sizes.append(page["count"])
        cursor = page["nextCursor"]
    assert sizes == [3, 3, 1]
    model = Variant if name == "variant" else Product
    newest_first = model.objects.order_by("-created_at", "-pk").values_list("sku", flat=True)
    assert seen == list(newest_first)


@pytest.mark.parametrize(("path", "most"), [("/products", 100), ("/products/variants", 5000)])
@pytest.mark.parametrize("limit", ["", "99999", "5000000000000000000000000"])
def test_page_has_a_largest_size(
    api_client: Client, tenant: Tenant, path: str, most: int, limit: str
) -> None:
    shown = send(api_client, "GET", f"{path}?limit={limit}").json()["limit"]
    assert shown == (50 if path == "/products" and not limit else most)


@pytest.mark.parametrize(
    ("path", "queries"),
    [("/products", 2), ("/products/variants", 3), ("/products/{}", 4)],
)
@pytest.mark.parametrize("number", [1, 100])
def test_queries_are_the_same_for_any_number(
    api_client: Client, tenant: Tenant, path: str, queries: int, number: int
) -> None:
    product = ProductFactory()
    VariantFactory.create_batch(number, product=product)
    ProductFactory.create_batch(number - 1)
    address = path.format(product.public_id)
    with CaptureQueriesContext(connection) as captured:
        assert send(api_client, "GET", address).status_code == 200
    assert len(captured) == queries


def plan_of_list(client: Client, path: str) -> str:
    """How PostgreSQL finds the rows of a page."""
    with CaptureQueriesContext(connection) as captured:
        assert send(client, "GET", path).status_code == 200
    # The first one looks for the key.
    found = captured[1]["sql"]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {found}")
        return "\n".join(line for (line,) in cursor.fetchall())


PLANS = {
    "/products?": "product_newest",
    "/products?status=discontinued&": "product_by_status",
    "/products?category=Tablets&": "product_by_category",
    "/products?brand=Dell&": "product_by_brand",
    "/products/variants?": "variant_newest",
    "/products/variants?status=inactive&": "variant_by_status",
    "/products/variants?grade=E&": "variant_by_grade",
}


def test_pages_come_from_an_index_in_its_order(api_client: Client, tenant: Tenant) -> None:
    now, rare = timezone.now(), {0: ("discontinued", "Tablets", "Dell")}
    products, variants = [], []
    for number in range(3_000):
        status, category, brand = rare.get(number % 20, ("active", "Laptops", "Apple"))
        sku, at = f"P-{number}", now - timedelta(seconds=number)
        common: dict[str, Any] = {"tenant": tenant, "sku": sku, "created_at": at}
        named = Product(name=sku, category=category, brand=brand, status=status, **common)
        products.append(named)
        state, grade = ("active", "A") if number % 20 else ("inactive", "E")
        variants.append(Variant(product=named, name=sku, status=state, grade=grade, **common))
    Product.objects.bulk_create(products)
    Variant.objects.bulk_create(variants)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_product, catalog_variant")
    for path, index in PLANS.items():
        second = send(api_client, "GET", f"{path}limit=5").json()["nextCursor"]
        for start in ("", second):
            plan = plan_of_list(api_client, f"{path}limit=5&startAfter={start}")
            assert f"Index Scan using {index} " in plan, plan
            assert "Sort" not in plan, plan


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/products/{product}", None),
        ("PUT", "/products/{product}", {"name": "Mine"}),
        ("DELETE", "/products/{product}", None),
        ("PATCH", "/products/variants/{variant}/status", {"status": "inactive"}),
    ],
)
def test_what_is_another_tenants_looks_as_if_there_were_none(
    api_client: Client, other_tenant: Tenant, method: str, path: str, body: Any
) -> None:
    foreign = VariantFactory(tenant=other_tenant)
    ids = {"product": foreign.product.public_id, "variant": foreign.public_id}
    answers = [
        send(api_client, method, path.format(**ids), body),
        send(api_client, method, path.format(product="prod_NONE", variant="var_NONE"), body),
    ]
    assert [problems(answer) for answer in answers] == [(404, "NOT_FOUND", [])] * 2
    assert answers[0].content == answers[1].content
    foreign.refresh_from_db()
    assert foreign.is_orderable
    assert foreign.product.name != "Mine"


READS = [("GET", "/products"), ("GET", "/products/variants"), ("GET", "/products/prod_1")]
WRITES = [
    ("POST", "/products"),
    ("PUT", "/products/prod_1"),
    ("DELETE", "/products/prod_1"),
    ("PATCH", "/products/variants/var_1/status"),
]


@pytest.mark.parametrize(("method", "path"), READS + WRITES)
def test_key_needs_the_scope(api_client: Client, api_key: ApiKey, method: str, path: str) -> None:
    is_read = (method, path) in READS
    only(api_key, "catalog:write" if is_read else "catalog:read", "orders:write", "costs:read")
    body = (
        product_body("MAC") | {"status": "active"} if method in ("POST", "PUT", "PATCH") else None
    )
    response = send(api_client, method, path, body)
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])
    assert Product.objects.count() == 0
