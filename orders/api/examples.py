"""Bodies that work with the demo data, for the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

Examples = Mapping[str, Mapping[str, Any]]

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
