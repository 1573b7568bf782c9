"""Bodies that work with the demo data, and what they are answered, for the OpenAPI document.

The answers are those that a key without `costs:read` gets.
"""

from collections.abc import Mapping
from typing import Any

from orders.rules import ABOVE_LIMIT, FOUR_EYES, STATE_CONFLICT
from portal.errors import Conflict, PermissionRefused
from portal.refusals import Refusal, at, error, invalid, missing

Examples = Mapping[str, Mapping[str, Any]]

_ID = "ord_7K3M9QXT2B"
_AT = "2026-01-31T12:00:00.000Z"
_ADDRESS = {
    "contactName": "Noor el Idrissi",
    "streetAddress": "Coolsingel 93",
    "city": "Rotterdam",
    "country": "Netherlands",
}
NEW_ORDER: Examples = {
    "smallest": {
        "customer": {
            "email": "noor@stadsmakers.example",
            "firstName": "Noor",
            "lastName": "el Idrissi",
        },
        "billingAddress": _ADDRESS,
        "items": [{"sku": "MACBOOK-PRO-16-M3", "quantity": 1}],
    },
    "business": {
        "orderType": "standard",
        "customer": {
            "email": "inkoop@stadsmakers.example",
            "firstName": "Noor",
            "lastName": "el Idrissi",
            "company": "Stadsmakers BV",
            "phone": "+31 10 123 4567",
            "customerType": "business",
        },
        "billingAddress": {**_ADDRESS, "company": "Stadsmakers BV", "postalCode": "3011 AA"},
        "shippingAddress": {
            **_ADDRESS,
            "streetAddress": "Weena 505",
            "buildingInfo": "Floor 12",
            "postalCode": "3013 AL",
        },
        "items": [
            {"sku": "MACBOOK-PRO-16-M3", "quantity": 4, "contractLength": 36},
            {"sku": "DELL-U2722D-MONITOR", "quantity": 4, "contractLength": 36},
            {"sku": "IPAD-PRO-12-M2", "quantity": 1, "contractLength": 12},
        ],
        "customFields": {"purchaseOrderNumber": "PO-4711"},
        "notes": "Please call before delivery.",
    },
}
UPDATE: Examples = {
    "another address": {
        "shippingAddress": {**_ADDRESS, "streetAddress": "Weena 505", "postalCode": "3013 AL"},
        "reason": "They moved.",
    },
    "more devices": {
        "version": 1,
        "items": [
            {"sku": "MACBOOK-PRO-16-M3", "quantity": 2, "contractLength": 24},
            {"sku": "IPAD-PRO-12-M2", "quantity": 1, "contractLength": 24},
        ],
    },
}
CONFIRM: Examples = {
    "what was seen": {"version": 1},
    "as it is now": {},
}
CANCEL: Examples = {
    "with a reason": {"reason": "The customer called it off."},
    "without": {},
}
NOTES: Examples = {
    "replace": {"notes": "Deliver on Tuesday."},
    "clear": {"notes": ""},
}

ORDER: dict[str, Any] = {
    "orderId": _ID,
    "tenantId": "demo",
    "status": "pending",
    "orderType": "standard",
    "customer": {
        "customerId": "cust_7K3M9QXT2B",
        **NEW_ORDER["smallest"]["customer"],
        "customerType": "individual",
    },
    "billingAddress": _ADDRESS,
    "shippingAddress": _ADDRESS,
    "items": [
        {
            "productId": "prod_7K3M9QXT2B",
            "variantId": "var_7K3M9QXT2B",
            "sku": "MACBOOK-PRO-16-M3",
            "productName": "MacBook Pro 16″ M3 Pro",
            "quantity": 1,
            "unitPrice": 111.95,
            "contractLength": 24,
            "rentalIds": [],
            "rentalStatus": "pending",
        }
    ],
    "totals": {
        "subtotal": 111.95,
        "taxAmount": 23.51,
        "total": 135.46,
        "currency": "EUR",
        "totalDevices": 1,
    },
    "customFields": None,
    "rentalProgress": {"totalDevices": 1, "rentedDevices": 0},
    "rentalIds": [],
    "createdAt": _AT,
    "updatedAt": _AT,
    "createdBy": "key_7K3M9QXT2B",
    "version": 1,
    "awaiting": "manager",
}


def _without(order: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name not in names}


def _done(message: str, order: Mapping[str, Any]) -> dict[str, Any]:
    return {"success": True, "message": message, "orderId": _ID, "order": order}


_NOT_PENDING = {**_without(ORDER, "awaiting"), "version": 2}
CREATED = _done("Order created.", ORDER)
PREVIEW = {
    "success": True,
    "message": "Order can be created.",
    "order": {
        **_without(ORDER, "orderId", "createdAt", "updatedAt"),
        "customer": _without(ORDER["customer"], "customerId"),
    },
}
LISTED = {"orders": [ORDER], "count": 1, "limit": 50, "hasMore": False, "nextCursor": None}
CHANGED = _done(
    "Order changed.",
    {**ORDER, "version": 2, "shippingAddress": UPDATE["another address"]["shippingAddress"]},
)
CONFIRMED = _done("Order confirmed.", {**_NOT_PENDING, "status": "confirmed", "confirmedAt": _AT})
CANCELLED = _done("Order cancelled.", {**_NOT_PENDING, "status": "cancelled", "cancelledAt": _AT})
NOTED = _done("Notes replaced.", {**ORDER, "version": 2, **NOTES["replace"]})

NO_ORDER = missing("order")
BAD_ITEM = invalid("items.0.quantity", "Enter a whole number.")
LINES = (
    at("items.0.sku", "VARIANT_NOT_FOUND", "no such SKU.", "There is no SKU “MACBOOK”."),
    at(
        "items.0.sku",
        "VARIANT_INACTIVE",
        "it cannot be ordered any more.",
        "“MACBOOK-PRO-16-M3” is no longer rented out.",
    ),
    at(
        "items.0.contractLength",
        "INVALID_CONTRACT_LENGTH",
        "not a length that the SKU has a price for.",
        "“MACBOOK-PRO-16-M3” is not offered for 18 months, but for 12, 24, 36.",
    ),
)


def moved_on(verb: str) -> Refusal:
    """The state does not allow it; `version` is refused under the same code."""
    why = f"It cannot be {verb}: it is cancelled."
    message = f"{why} key_7K3M9QXT2B last changed it (cancelled)."
    when = "the order moved on, or its state does not allow it."
    return Refusal(when, Conflict(STATE_CONFLICT, message))


RULES = (
    Refusal(
        "this key created or changed the order, and the tenant wants four eyes.",
        PermissionRefused(
            "You created this order; somebody else has to confirm it.", rule=FOUR_EYES
        ),
    ),
    Refusal(
        "it is worth more than this key may confirm.",
        PermissionRefused(
            "Its contract value of €2,686.80 is above €1,000.00; you may not confirm that much.",
            rule=ABOVE_LIMIT,
        ),
    ),
)
NOT_CANCELLED = (
    error(
        400,
        "ALREADY_CANCELLED",
        "it is cancelled already.",
        "It cannot be cancelled: it is cancelled. key_7K3M9QXT2B last changed it (cancelled).",
    ),
    error(
        400,
        "ORDER_NOT_CANCELLABLE",
        "devices are rented already.",
        "It cannot be cancelled: it is partial. import last changed it (progressed).",
    ),
)
