"""Products in the OpenAPI document: what is sent, what is answered, what is refused.

The answers are those that a key without `costs:read` gets.
"""

from typing import Any

from catalog.building import DUPLICATE_SKU, INVALID_PRICING
from catalog.services import PRODUCT_HAS_ACTIVE_ORDERS, VARIANT_IN_USE
from portal.errors import Conflict
from portal.refusals import Refusal, at, missing

_ID = "prod_7K3M9QXT2B"
_AT = "2026-01-31T12:00:00.000Z"
_TIERS = [
    {"contractLength": 12, "monthlyPrice": 119.95},
    {"contractLength": 24, "monthlyPrice": 89.95, "setupFee": 25},
]
NEW_PRODUCT: dict[str, Any] = {
    "smallest": {
        "productSku": "THINKPAD-X1",
        "name": "ThinkPad X1 Carbon",
        "specification": "14 inch, Core Ultra 7",
        "category": "Laptops",
        "brand": "Lenovo",
        "variants": [
            {
                "variantSku": "THINKPAD-X1-32-1TB",
                "variantName": "32 GB / 1 TB, black",
                "grade": "A",
                "pricing": _TIERS,
            }
        ],
    }
}
CHANGED_PRODUCT: dict[str, Any] = {
    "description": {"description": "With a keyboard that people like."},
    "prices": {"variants": [{"variantSku": "THINKPAD-X1-32-1TB", "pricing": _TIERS}]},
    "back in the catalogue": {"status": "active"},
}
CHANGED_STATUS: dict[str, Any] = {
    "not for now": {"status": "inactive"},
    "can be ordered": {"status": "active"},
}

VARIANT: dict[str, Any] = {
    "variantId": "var_7K3M9QXT2B",
    "tenantId": "demo",
    "productId": _ID,
    "productSku": "THINKPAD-X1",
    "variantSku": "THINKPAD-X1-32-1TB",
    "variantName": "32 GB / 1 TB, black",
    "grade": "A",
    "pricing": [{**tier, "source": "manual"} for tier in _TIERS],
    "status": "active",
    "createdAt": _AT,
    "updatedAt": _AT,
}
_PRODUCT = {
    "productId": _ID,
    "tenantId": "demo",
    "productSku": "THINKPAD-X1",
    "name": "ThinkPad X1 Carbon",
    "specification": "14 inch, Core Ultra 7",
    "category": "Laptops",
    "brand": "Lenovo",
    "status": "active",
    "createdAt": _AT,
    "updatedAt": _AT,
}
PRODUCT = {**_PRODUCT, "variants": [VARIANT]}
_LAST_PAGE = {"count": 1, "hasMore": False, "nextCursor": None}
PRODUCTS = {"products": [{**_PRODUCT, "variantCount": 1}], "limit": 50, **_LAST_PAGE}
VARIANTS = {"variants": [VARIANT], "limit": 5000, **_LAST_PAGE}
_DONE = {"success": True, "productId": _ID, "productSku": "THINKPAD-X1"}
CREATED = {
    **_DONE,
    "message": "Product created.",
    "operation": "created",
    "variantResults": [{"variantSku": "THINKPAD-X1-32-1TB", "operation": "create"}],
}
UPDATED = {
    **_DONE,
    "message": "Product updated.",
    "operation": "updated",
    "variantResults": [{"variantSku": "THINKPAD-X1-32-1TB", "operation": "update"}],
}
DISCONTINUED = {**_DONE, "message": "Product discontinued."}
SWITCHED_OFF = {"success": True, "message": "Variant inactive."}

NO_PRODUCT = missing("product")
NO_VARIANT = missing("variant")
WRONG = (
    at(
        "variants.0.variantSku",
        DUPLICATE_SKU,
        "the SKU of something else.",
        "“THINKPAD-X1-32-1TB” is a variant of the product “THINKPAD-X1”.",
    ),
    at(
        "variants.0.pricing.0.monthlyPrice",
        INVALID_PRICING,
        "an amount or a length that there is not.",
        "EUR has no amounts as fine as this.",
    ),
)
RACE = Refusal(
    "somebody else saved the same just now, again and again.",
    Conflict("STATE_CONFLICT", "Somebody else saved the same just now."),
)
PRODUCT_IN_USE = at(
    "status",
    PRODUCT_HAS_ACTIVE_ORDERS,
    "open orders need one of its variants.",
    "ThinkPad X1 Carbon is needed by open orders: ord_7K3M9QXT2B.",
    Conflict,
)
GONE = at(
    "status",
    "STATE_CONFLICT",
    "its product is discontinued.",
    "The product ThinkPad X1 Carbon is discontinued; make it active first.",
    Conflict,
)
IN_USE = at(
    "status",
    VARIANT_IN_USE,
    "open orders need it.",
    "THINKPAD-X1-32-1TB is needed by open orders: ord_7K3M9QXT2B.",
    Conflict,
)
