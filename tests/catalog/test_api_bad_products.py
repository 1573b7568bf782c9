"""Refused products: each names what is wrong and leaves every table as it was."""

from contextlib import suppress
from decimal import Decimal
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Variant
from portal.models import Tenant
from tests.api import problems, send
from tests.factories import ProductFactory, VariantFactory, product_body, variant_body

REQUIRED = ("productSku", "name", "specification", "category", "brand", "variants")
URL = "https://example.com/1.png"


def counts() -> dict[str, int]:
    with scopes_disabled():
        return {model.__name__: model._default_manager.count() for model in apps.get_models()}


def variant(**changes: Any) -> dict[str, Any]:
    return {"variants": [variant_body("MAC-1", **changes)]}


def tier(**changes: Any) -> dict[str, Any]:
    return variant(pricing=[{"contractLength": 24, "monthlyPrice": 25, **changes}])


def at(path: str, *names: str) -> list[str]:
    return sorted(f"{path}.{name}" for name in names)


V, T = "variants.0", "variants.0.pricing.0"
BAD_SHAPES: list[tuple[dict[str, Any], list[str]]] = [
    *(({name: None}, [name]) for name in (*REQUIRED, "description", "images")),
    *(
        ({name: value}, [name])
        for name in ("productSku", "name", "specification", "category", "brand")
        for value in (1, True, "", " \t", "a\x00b", "a\u200bb", "a\nb", "\ud800", "x" * 501, [])
    ),
    ({"description": "x" * 5001}, ["description"]),
    ({"description": "a\u202eb"}, ["description"]),
    ({"images": URL}, ["images"]),
    ({"images": [URL] * 21}, ["images"]),
    *(
        ({"images": [URL, url]}, ["images.1"])
        for url in (
            None, 1, "", "example.com/1.png", "ftp://example.com/1.png", "javascript:alert(1)",
            "https://", "https://example.com/\u200b.png", "https://example.com/a b.png",
            "https://example.com/\x00", f"{URL}{'x' * 500}",
        )
    ),
    ({"variants": {}}, ["variants"]),
    ({"variants": []}, ["variants"]),
    ({"variants": [variant_body(f"MAC-{n}") for n in range(501)]}, ["variants"]),
    ({"variants": ["MAC-1"]}, ["variants.0"]),
    ({"variants": [{}]}, at(V, "variantSku", "variantName", "grade", "pricing")),
    *(
        (variant(**{name: value}), [f"{V}.{name}"])
        for name in ("variantSku", "variantName", "grade")
        for value in (None, 1, "", " ", "a\x00", "x" * 201)
    ),
    *(
        (variant(**{name: value}), [f"{V}.{name}"])
        for name in ("condition", "colorName", "variantId")
        for value in (None, 1, "a\u200b", "x" * 65)
    ),
    (variant(images=[URL, 5]), [f"{V}.images.1"]),
    *(
        (variant(**{name: value}), [f"{V}.{name}"])
        for name in ("listPrice", "acquisitionCost")
        for value in (None, "5", True, -1, Decimal("-0.01"), [5])
    ),
    (variant(pricing=None), [f"{V}.pricing"]),
    (variant(pricing=[]), [f"{V}.pricing"]),
    (variant(pricing={"24": 25}), [f"{V}.pricing"]),
    (
        variant(pricing=[{"contractLength": 24, "monthlyPrice": 25}] * 121),
        [f"{V}.pricing"],
    ),
    (variant(pricing=[{}]), at(T, "contractLength", "monthlyPrice")),
    *(
        (tier(contractLength=length), [f"{T}.contractLength"])
        for length in (None, "24", True, 0, -1, Decimal("1.5"), 10**300, Decimal("1e-300"), [24])
    ),
    *(
        (tier(monthlyPrice=amount), [f"{T}.monthlyPrice"])
        for amount in (None, "25", True, -1, Decimal("-1e300"), {})
    ),
    *((tier(setupFee=amount), [f"{T}.setupFee"]) for amount in (None, "25", False, -1)),
    *((tier(discount=value), [f"{T}.discount"]) for value in (None, 5, "5%", [])),
    (tier(discount={}), at(f"{T}.discount", "type", "value")),
    (tier(discount={"type": "gift", "value": 5}), [f"{T}.discount.type"]),
    (tier(discount={"type": "fixed", "value": -1}), [f"{T}.discount.value"]),
    (
        tier(discount={"type": "fixed", "value": 1, "description": "x" * 201}),
        [f"{T}.discount.description"],
    ),
    *((tier(source=source), [f"{T}.source"]) for source in (None, "guessed", 1, ["manual"])),
    *((tier(presetUsed=name), [f"{T}.presetUsed"]) for name in (None, 1, "x" * 101, "\x00")),
    *((tier(calculatedAt=at), [f"{T}.calculatedAt"]) for at in ("x" * 101, "\x00", "\ud800")),
    (
        {"name": 1, "variants": [variant_body("A"), variant_body("B", grade=5)]},
        ["name", "variants.1.grade"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "paths"), BAD_SHAPES)
def test_bad_shape_is_refused_by_name(
    api_client: Client, changes: dict[str, Any], paths: list[str]
) -> None:
    before = counts()
    body = product_body("MAC") | changes
    response = send(api_client, "POST", "/products", body, Idempotency_Key="k")
    assert problems(response) == (400, "VALIDATION_ERROR", paths)
    assert counts() == before


@pytest.mark.parametrize("missing", REQUIRED)
def test_what_is_missing_is_named(api_client: Client, missing: str) -> None:
    body = {name: value for name, value in product_body("MAC").items() if name != missing}
    response = send(api_client, "POST", "/products", body)
    assert problems(response) == (400, "VALIDATION_ERROR", [missing])


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"status": "gone"}, ["status"]),
        ({"status": None}, ["status"]),
        ({"productSku": ""}, ["productSku"]),
        ({"name": None}, ["name"]),
        ({"variants": []}, ["variants"]),
        ({"variants": [{"variantName": "Silver"}]}, ["variants.0.variantSku"]),
        ({"variants": [{"variantSku": "NEW"}]}, ["variants.0.variantName"]),
        ({"variants": [{"variantSku": "A", "pricing": []}]}, ["variants.0.pricing"]),
    ],
)
def test_bad_change_is_refused_by_name(
    api_client: Client, tenant: Tenant, changes: dict[str, Any], paths: list[str]
) -> None:
    before = VariantFactory(sku="A").product
    response = send(api_client, "PUT", f"/products/{before.public_id}", changes)
    assert problems(response) == (400, "VALIDATION_ERROR", paths)
    assert list(type(before).objects.values("name", "sku", "status")) == [
        {"name": before.name, "sku": before.sku, "status": "active"}
    ]


@pytest.mark.parametrize("calculated_at", [None, 5, True, {"_seconds": 1, "a": ["b"]}, ["a"]])
def test_moment_that_is_no_text_is_not_kept(api_client: Client, calculated_at: Any) -> None:
    body = product_body("MAC") | tier(calculatedAt=calculated_at)
    assert send(api_client, "POST", "/products", body).status_code == 201
    assert Variant.objects.get().prices.get().calculated_at == ""


BAD_PRODUCTS: list[tuple[dict[str, Any], str, list[str]]] = [
    (variant(variantSku="TAKEN"), "DUPLICATE_SKU", ["variants.0.variantSku"]),
    (
        {"variants": [variant_body("MAC-1"), variant_body("MAC-1")]},
        "DUPLICATE_SKU",
        ["variants.1.variantSku"],
    ),
    (variant(variantId="var_NONE"), "VALIDATION_ERROR", ["variants.0.variantId"]),
    (tier(monthlyPrice=Decimal("1.005")), "INVALID_PRICING", [f"{T}.monthlyPrice"]),
    (tier(monthlyPrice=10**300), "INVALID_PRICING", [f"{T}.monthlyPrice"]),
    (tier(contractLength=121), "INVALID_PRICING", [f"{T}.contractLength"]),
    (
        variant(pricing=[{"contractLength": 24, "monthlyPrice": 25}] * 2),
        "INVALID_PRICING",
        ["variants.0.pricing.1.contractLength"],
    ),
    (variant(listPrice=Decimal("0.001")), "INVALID_PRICING", ["variants.0.listPrice"]),
    (
        {"variants": [variant_body("TAKEN"), *tier(setupFee=Decimal("0.001"))["variants"]]},
        "DUPLICATE_SKU",
        ["variants.0.variantSku", "variants.1.pricing.0.setupFee"],
    ),
]


@pytest.mark.parametrize(("changes", "code", "paths"), BAD_PRODUCTS)
def test_what_cannot_be_in_the_catalogue_is_refused_by_name(
    api_client: Client, tenant: Tenant, changes: dict[str, Any], code: str, paths: list[str]
) -> None:
    VariantFactory(sku="TAKEN")
    before = counts()
    body = product_body("MAC") | changes
    response = send(api_client, "POST", "/products", body, Idempotency_Key="k")
    assert problems(response) == (400, code, paths)
    assert counts() == before


def test_taken_product_sku_is_refused(api_client: Client, tenant: Tenant) -> None:
    ProductFactory(sku="TAKEN")
    path = f"/products/{ProductFactory(sku='MAC').public_id}"
    response = send(api_client, "PUT", path, {"productSku": "TAKEN"})
    assert problems(response) == (400, "DUPLICATE_SKU", ["productSku"])


@pytest.mark.parametrize("status", [None, "", "discontinued", 1, ["active"]])
def test_variant_takes_no_other_status(api_client: Client, tenant: Tenant, status: Any) -> None:
    path = f"/products/variants/{VariantFactory().public_id}/status"
    response = send(api_client, "PATCH", path, {"status": status})
    assert problems(response) == (400, "VALIDATION_ERROR", ["status"])


@pytest.mark.parametrize("path", ["/products", "/products/variants"])
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=gone", "status"),
        ("status=active%00", "status"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("startAfter=nonsense", "startAfter"),
        ("brand=%E2%80%8B", "brand"),
        ("category=a%00", "category"),
    ],
)
def test_bad_question_is_refused_by_name(
    api_client: Client, path: str, query: str, named: str
) -> None:
    response = send(api_client, "GET", f"{path}?{query}")
    assert problems(response) == (400, "VALIDATION_ERROR", [named])


@pytest.mark.parametrize("name", ["sku", "productSku", "grade", "category", "brand", "unknown"])
@pytest.mark.parametrize("value", ["%F0%9F%98%80", "'", "%25", "x" * 3000, "%5B%5D"])
def test_any_text_can_be_asked_for(
    api_client: Client, tenant: Tenant, name: str, value: str
) -> None:
    response = send(api_client, "GET", f"/products/variants?{name}={value}")
    assert (response.status_code, response.json()["count"]) == (200, 0)


@pytest.mark.parametrize("product_id", ["%00", "%ED%A0%80", "x" * 64, "x" * 65, "%20", "csv"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_id_is_our_failure(api_client: Client, method: str, product_id: str) -> None:
    body = {"name": "Mac"} if method == "PUT" else None
    response = send(api_client, method, f"/products/{product_id}", body)
    assert response.status_code in (404, 405)
    assert response.json()["error"]["code"] in ("NOT_FOUND", "METHOD_NOT_ALLOWED")


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["MAC-1", "TAKEN", "active", "fixed", URL, "\ud800", "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = [
    ("productSku",), ("name",), ("description",), ("images",), ("images", 0), ("variants",),
    ("status",), ("variants", 0), ("variants", 0, "variantSku"), ("variants", 0, "variantId"),
    ("variants", 0, "grade"), ("variants", 0, "images"), ("variants", 0, "listPrice"),
    ("variants", 0, "pricing"), ("variants", 0, "pricing", 0),
    ("variants", 0, "pricing", 0, "contractLength"), ("variants", 0, "pricing", 0, "monthlyPrice"),
    ("variants", 0, "pricing", 0, "setupFee"), ("variants", 0, "pricing", 0, "discount"),
    ("variants", 0, "pricing", 0, "discount", "value"),
    ("variants", 0, "pricing", 0, "calculatedAt"), ("variants", 0, "pricing", 0, "source"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tier", "most", "wrong"),
    [({}, 800, 71_400), ({"contractLength": 999, "monthlyPrice": 1}, 1000, 71_100)],
    ids=["shape", "business"],
)
def test_of_very_much_that_is_wrong_the_first_is_told(
    api_client: Client, tier: dict[str, Any], most: int, wrong: int
) -> None:
    variants = [variant_body(f"MAC-{number}", pricing=[tier] * 119) for number in range(300)]
    response = send(api_client, "POST", "/products", product_body("MAC", variants=variants))
    *details, last = response.json()["error"]["details"]
    assert (response.status_code, len(details)) == (400, most)
    assert (last["path"], last["message"]) == ("", f"{wrong - most:,} more fields are wrong.")
    assert not Variant.objects.exists()


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    changes=st.dictionaries(st.sampled_from(PLACES), ANYTHING, min_size=1, max_size=3),
    method=st.sampled_from(["POST", "PUT"]),
)
def test_no_input_is_our_failure(
    api_client: Client, tenant: Tenant, changes: dict[tuple[Any, ...], Any], method: str
) -> None:
    known = Variant.objects.filter(sku="TAKEN").select_related("product").first()
    known = known or VariantFactory(sku="TAKEN")
    discount = {"type": "percentage", "value": 5}
    body: Any = product_body("MAC", images=[URL]) | tier(discount=discount)
    for place, value in changes.items():
        # Another change may have taken the place away.
        with suppress(KeyError, IndexError, TypeError):
            reduce(getitem, place[:-1], body)[place[-1]] = value
    path = "/products" if method == "POST" else f"/products/{known.product.public_id}"
    assert send(api_client, method, path, body).status_code in (200, 201, 400)
