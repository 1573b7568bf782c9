"""Customers in the OpenAPI document: what is sent, what is answered, what is refused."""

from collections.abc import Mapping
from typing import Any

from customers.services import CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS, CUSTOMER_HAS_PENDING_ORDERS
from portal.errors import Conflict
from portal.refusals import at, missing

_ID = "cust_7K3M9QXT2B"
_AT = "2026-01-31T12:00:00.000Z"
_ADDRESS = {
    "contactName": "Noor el Idrissi",
    "streetAddress": "Coolsingel 93",
    "city": "Rotterdam",
    "country": "Netherlands",
}
UPDATE: Mapping[str, Mapping[str, Any]] = {
    "another name": {"customerId": _ID, "lastName": "el Idrissi-Bakker"},
    "moved": {
        "customerId": _ID,
        "phone": "+31 10 765 4321",
        "billingAddress": {**_ADDRESS, "streetAddress": "Weena 505", "postalCode": "3013 AL"},
    },
    "may order again": {"customerId": _ID, "status": "active"},
}
CUSTOMER: dict[str, Any] = {
    "customerId": _ID,
    "tenantId": "demo",
    "email": "noor@stadsmakers.example",
    "firstName": "Noor",
    "lastName": "el Idrissi",
    "customerType": "individual",
    "totalOrders": 1,
    "totalDevicesRented": 0,
    "totalMonthlyRevenue": 0,
    "status": "active",
    "orderIds": ["ord_7K3M9QXT2B"],
    "rentalIds": [],
    "lastBillingAddress": _ADDRESS,
    "lastShippingAddress": _ADDRESS,
    "createdAt": _AT,
    "updatedAt": _AT,
    "createdBy": "key_7K3M9QXT2B",
}
LISTED = {"customers": [CUSTOMER], "count": 1, "limit": 50, "hasMore": False, "nextCursor": None}
UPDATED = {
    "success": True,
    "message": "Customer updated.",
    "customerId": _ID,
    "customer": {**CUSTOMER, "lastName": UPDATE["another name"]["lastName"]},
}
DEACTIVATED = {"success": True, "message": "Customer deactivated.", "customerId": _ID}

NO_CUSTOMER = missing("customer")
STILL_ACTIVE = (
    at(
        "status",
        CUSTOMER_HAS_PENDING_ORDERS,
        "they have to stay active until these are confirmed or cancelled.",
        "This customer has pending orders: ord_7K3M9QXT2B.",
        Conflict,
    ),
    at(
        "status",
        CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS,
        "they have to stay active while they rent.",
        "This customer has rented devices: ord_7K3M9QXT2B.",
        Conflict,
    ),
)
