"""The operations of products as the contract has them, a line for each field.

As in the table of orders. `X` stands for where a product or a variant is.
"""

from tests.contract import Operation

HEADERS = "header.Tenant-ID* string"
PAGE = """
query.limit string
query.startAfter string
"""

VARIANT = """
X* object
X.variantId* string
X.tenantId* string
X.productId* string
X.productSku* string
X.variantSku* string
X.variantName* string
X.grade* string
X.condition string
X.colorName string
X.images array
X.images[] string
X.listPrice number
X.acquisitionCost number
X.pricing* array
X.pricing[] object
X.pricing[].contractLength* number
X.pricing[].monthlyPrice* number
X.pricing[].setupFee number
X.pricing[].discount object
X.pricing[].discount.type* string enum=percentage|fixed
X.pricing[].discount.value* number
X.pricing[].discount.description string
X.pricing[].source string enum=suggested|manual
X.pricing[].calculatedAt string
X.pricing[].presetUsed string
X.status* string enum=active|inactive
X.createdAt* string
X.updatedAt* string
"""
PRODUCT = """
X* object
X.productId* string
X.tenantId* string
X.productSku* string
X.name* string
X.specification* string
X.category* string
X.brand* string
X.description string
X.images array
X.images[] string
X.status* string enum=active|discontinued
X._sync object
X._sync.source* string enum=manual|shopify|woocommerce
X._sync.externalId string
X._sync.lastSyncedAt string
X._sync.syncStatus string enum=synced|pending|error
X._sync.syncError string
X._sync.readOnlyFields array
X._sync.readOnlyFields[] string
X.variants array
{variants}
X.createdAt* string
X.updatedAt* string
"""
END_OF_LIST = """
body.count* number
body.limit* number
body.hasMore* boolean
body.nextCursor* string|null
"""
UPSERTED = """
body* object
body.success* boolean enum=True
body.message* string
body.productId* string
body.productSku* string
body.operation* string enum=created|updated
body.variantResults* array
body.variantResults[] object
body.variantResults[].variantSku* string
body.variantResults[].operation* string enum=create|update
"""
PRODUCT_INPUT = """
body* object
body.productSku* string minLength=1
body.name* string minLength=1
body.specification* string minLength=1
body.category* string minLength=1
body.brand* string minLength=1
body.description string
body.images array
body.images[] string format=uri
body.variants* array minItems=1
body.variants[] object
body.variants[].variantId string
body.variants[].variantSku* string minLength=1
body.variants[].variantName* string minLength=1
body.variants[].grade* string minLength=1
body.variants[].condition string
body.variants[].colorName string
body.variants[].images array
body.variants[].images[] string format=uri
body.variants[].listPrice number minimum=0
body.variants[].acquisitionCost number minimum=0
body.variants[].pricing* array minItems=1
body.variants[].pricing[] object
body.variants[].pricing[].contractLength* integer minimum=1
body.variants[].pricing[].monthlyPrice* number minimum=0
body.variants[].pricing[].setupFee number minimum=0
body.variants[].pricing[].discount object
body.variants[].pricing[].discount.type* string enum=percentage|fixed
body.variants[].pricing[].discount.value* number minimum=0
body.variants[].pricing[].discount.description string
body.variants[].pricing[].source string enum=suggested|manual
body.variants[].pricing[].calculatedAt any
body.variants[].pricing[].presetUsed string
"""


def at(path: str, table: str, *, required: bool) -> str:
    """The lines of an object that stands at this path."""
    first, *rest = table.strip().splitlines()
    first = first if required else first.replace("*", "", 1)
    return "\n".join(line.replace("X", path, 1) for line in (first, *rest))


def product_at(path: str, *, required: bool) -> str:
    variants = at("X.variants[]", VARIANT, required=False)
    return at(path, PRODUCT.format(variants=variants), required=required)


def partial(table: str) -> str:
    """Of the product and its variants nothing is required but the SKU by which one is found."""
    optional = ["name", "specification", "category", "brand", "productSku", "variants"]
    optional += [f"variants[].{name}" for name in ("variantName", "grade", "pricing")]
    for name in optional:
        table = table.replace(f"body.{name}* ", f"body.{name} ")
    return table


OPERATIONS = {
    "GET /v1/products": Operation(
        "listProducts",
        parameters=f"{HEADERS}{PAGE}query.status string\nquery.category string\nquery.brand string",
        response="body* object\nbody.products* array\n"
        + product_at("body.products[]", required=False)
        + END_OF_LIST,
    ),
    "POST /v1/products": Operation(
        "createProduct",
        parameters=HEADERS,
        request=PRODUCT_INPUT,
        status=201,
        response=UPSERTED,
        refusals="400 VALIDATION_ERROR\n400 DUPLICATE_SKU\n400 INVALID_PRICING",
    ),
    "POST /v1/products/csv": Operation(
        "importProductsCSV",
        parameters=HEADERS,
        media="multipart/form-data",
        request="body* object\nbody.csvFile* string format=binary",
        status=201,
        response="""
            body* object
            body.success* boolean
            body.message* string
            body.created* number
            body.updated* number
            body.errors array
            body.errors[] object
            body.errors[].row* number
            body.errors[].error* string
        """,
        refusals="400 VALIDATION_ERROR",
    ),
    "GET /v1/products/variants": Operation(
        "listVariants",
        parameters=f"""{HEADERS}{PAGE}
            query.status string
            query.productSku string
            query.grade string
            query.sku string
            query.category string
            query.brand string
        """,
        response="body* object\nbody.variants* array\n"
        + at("body.variants[]", VARIANT, required=False)
        + END_OF_LIST,
    ),
    "PATCH /v1/products/variants/{variantId}/status": Operation(
        "updateVariantStatus",
        parameters=f"{HEADERS}\npath.variantId* string",
        request="body* object\nbody.status* string enum=active|inactive",
        response="body* object\nbody.success* boolean enum=True\nbody.message* string",
        refusals="404 NOT_FOUND\n409 VARIANT_IN_USE",
    ),
    "GET /v1/products/{productId}": Operation(
        "getProduct",
        parameters=f"{HEADERS}\npath.productId* string",
        response=product_at("body", required=True),
        refusals="404 NOT_FOUND",
    ),
    # The contract's text lets everything be left out that its schema requires.
    "PUT /v1/products/{productId}": Operation(
        "updateProduct",
        parameters=f"{HEADERS}\npath.productId* string",
        request=partial(PRODUCT_INPUT),
        response=UPSERTED,
        refusals="""
            400 VALIDATION_ERROR
            400 DUPLICATE_SKU
            400 INVALID_PRICING
            404 NOT_FOUND
        """,
    ),
    "DELETE /v1/products/{productId}": Operation(
        "deleteProduct",
        parameters=f"{HEADERS}\npath.productId* string",
        response="""
            body* object
            body.success* boolean enum=True
            body.message* string
            body.productId* string
            body.productSku* string
        """,
        refusals="404 NOT_FOUND\n409 PRODUCT_HAS_ACTIVE_ORDERS",
    ),
}
