"""Products and variants over the API."""

from typing import Annotated

from django.http import HttpResponse
from ninja import Path, Router

from catalog import examples
from catalog.finding import (
    ProductsQuery,
    VariantsQuery,
    find_product,
    page_of_products,
    page_of_variants,
)
from catalog.models import Product
from catalog.representation import (
    Ack,
    ProductBody,
    ProductDeleteResponse,
    ProductList,
    ProductUpsertResponse,
    VariantList,
    listed_product_body,
    product_body,
    upserted_body,
    variant_body,
)
from catalog.schemas import ProductInput, ProductUpdate, VariantStatusUpdate
from catalog.services import (
    set_product_status,
    set_variant_status,
    update_product,
    upsert_product,
)
from portal.api_request import ApiRequest, JsonBody, json_response
from portal.idempotency import run_once
from portal.listing import read_query
from portal.openapi import operation
from portal.refusals import invalid
from portal.shapes import read

router = Router(tags=["Products"])

ProductId = Annotated[str, Path(alias="productId")]
VariantId = Annotated[str, Path(alias="variantId")]


@router.get(
    "/products",
    url_name="products",
    **operation(
        "listProducts",
        "List products",
        scope="catalog:read",
        without_scope="You may not see products.",
        query=ProductsQuery,
        response=ProductList,
        example=examples.PRODUCTS,
    ),
)
def list_products(request: ApiRequest) -> HttpResponse:
    """The products that match all that is asked, exactly, newest first; a page at a time.

    They are without their variants, of which `variantCount` says how many there are.
    """
    tenant, query = request.tenant, read_query(request, ProductsQuery)
    page = page_of_products(tenant=tenant, actor=request.actor, query=query)
    shown = [listed_product_body(row, tenant) for row in page.rows]
    return json_response(page.body("products", shown), status=200)


@router.post(
    "/products",
    url_name="products",
    **operation(
        "createProduct",
        "Create or change a product",
        scope="catalog:write",
        without_scope="You may not change products.",
        body=ProductInput,
        examples=examples.NEW_PRODUCT,
        status=201,
        response=ProductUpsertResponse,
        example=examples.CREATED,
        refusals=[invalid("name", "This field is required."), *examples.WRONG, examples.RACE],
        keyed=True,
    ),
)
def post_product(request: ApiRequest) -> HttpResponse:
    """Changes the product of this `productSku`, or adds it.

    A listed variant is found by its SKU and changed, or added; those that are not listed stay as
    they are, and so do optional fields that are not sent. `pricing` is the whole list of the
    variant's prices: a contract length that is not on it is no longer offered. Orders keep the
    names and prices that they have.
    """
    body, tenant, actor = JsonBody(request), request.tenant, request.actor

    def work() -> HttpResponse:
        product = read(ProductInput, body.data)
        upserted = upsert_product(tenant=tenant, actor=actor, product=product)
        return json_response(upserted_body(upserted), status=201)

    return run_once(request=request, fingerprint=body.fingerprint, work=work)


# Before what has an id in this place: “variants” is none.
@router.get(
    "/products/variants",
    url_name="variants",
    **operation(
        "listVariants",
        "List variants",
        scope="catalog:read",
        without_scope="You may not see variants.",
        query=VariantsQuery,
        response=VariantList,
        example=examples.VARIANTS,
    ),
)
def list_variants(request: ApiRequest) -> HttpResponse:
    """The variants that match all that is asked, exactly, newest first; a page at a time."""
    tenant, query = request.tenant, read_query(request, VariantsQuery)
    page, tiers = page_of_variants(tenant=tenant, actor=request.actor, query=query)
    with_costs = request.actor.can("catalog.view_costs")
    shown = [variant_body(row, tiers[row.pk], tenant, with_costs=with_costs) for row in page.rows]
    return json_response(page.body("variants", shown), status=200)


@router.patch(
    "/products/variants/{public_id:variantId}/status",
    url_name="variant-status",
    **operation(
        "updateVariantStatus",
        "Set the status of a variant",
        scope="catalog:write",
        without_scope="You may not change variants.",
        body=VariantStatusUpdate,
        examples=examples.CHANGED_STATUS,
        response=Ack,
        example=examples.SWITCHED_OFF,
        refusals=[
            invalid("status", "Choose 'active' or 'inactive'."),
            examples.NO_VARIANT,
            examples.GONE,
            examples.IN_USE,
        ],
    ),
)
def patch_variant_status(request: ApiRequest, variant_id: VariantId) -> HttpResponse:
    """Lets a variant be ordered, or no longer.

    One that open orders need stays active, and one of a discontinued product inactive.
    """
    status = read(VariantStatusUpdate, JsonBody(request).data).status
    set_variant_status(
        tenant=request.tenant, actor=request.actor, variant_id=variant_id, status=status
    )
    return json_response({"success": True, "message": f"Variant {status}."}, status=200)


@router.get(
    "/products/{public_id:productId}",
    url_name="product",
    **operation(
        "getProduct",
        "Get a product",
        scope="catalog:read",
        without_scope="You may not see products.",
        response=ProductBody,
        example=examples.PRODUCT,
        refusals=[examples.NO_PRODUCT],
    ),
)
def get_product(request: ApiRequest, product_id: ProductId) -> HttpResponse:
    """A product with all its variants and their prices."""
    tenant, actor = request.tenant, request.actor
    product, variants, tiers = find_product(tenant=tenant, actor=actor, product_id=product_id)
    with_costs = actor.can("catalog.view_costs")
    shown = [variant_body(row, tiers[row.pk], tenant, with_costs=with_costs) for row in variants]
    return json_response(product_body(product, tenant, variants=shown), status=200)


@router.put(
    "/products/{public_id:productId}",
    url_name="product",
    **operation(
        "updateProduct",
        "Change a product",
        scope="catalog:write",
        without_scope="You may not change products.",
        body=ProductUpdate,
        examples=examples.CHANGED_PRODUCT,
        response=ProductUpsertResponse,
        example=examples.UPDATED,
        refusals=[
            invalid("status", "Choose 'active' or 'discontinued'."),
            *examples.WRONG,
            examples.NO_PRODUCT,
            examples.PRODUCT_IN_USE,
            examples.RACE,
        ],
    ),
)
def put_product(request: ApiRequest, product_id: ProductId) -> HttpResponse:
    """Changes what is sent of a product, and leaves everything else.

    Variants are as in createProduct, but need only what changes. `status` discontinues a product
    with all its variants, or brings it back without them: those are active again one by one.
    """
    update = read(ProductUpdate, JsonBody(request).data)
    upserted = update_product(
        tenant=request.tenant, actor=request.actor, product_id=product_id, product=update
    )
    return json_response(upserted_body(upserted), status=200)


@router.delete(
    "/products/{public_id:productId}",
    url_name="product",
    **operation(
        "deleteProduct",
        "Discontinue a product",
        scope="catalog:write",
        without_scope="You may not change products.",
        response=ProductDeleteResponse,
        example=examples.DISCONTINUED,
        refusals=[examples.NO_PRODUCT, examples.PRODUCT_IN_USE],
    ),
)
def delete_product(request: ApiRequest, product_id: ProductId) -> HttpResponse:
    """Discontinues a product with all its variants, for new orders; nothing is deleted.

    One that open orders need stays. Asked again, it is discontinued still.
    """
    discontinued = Product.Status.DISCONTINUED
    product = set_product_status(
        tenant=request.tenant, actor=request.actor, product_id=product_id, status=discontinued
    )
    answer = {
        "success": True,
        "message": "Product discontinued.",
        "productId": product.public_id,
        "productSku": product.sku,
    }
    return json_response(answer, status=200)
