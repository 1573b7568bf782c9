"""The places of an order that a reviewer can remark on, named as in the contract."""

from dataclasses import dataclass, replace

from orders.changes import in_words, snapshot
from orders.models import CustomField, Order

_TITLES = {
    "customer": "Customer",
    "items": "Items",
    "billingAddress": "Addresses",
    "shippingAddress": "Addresses",
    "customFields": "Custom fields",
    "orderType": "Order",
    "extensionDetails": "Order",
    "upgradeDetails": "Order",
    "notes": "Order",
}
_WHOLE = {
    "billingAddress": "Billing address",
    "shippingAddress": "Shipping address",
    "extensionDetails": "Extension",
    "upgradeDetails": "Upgrade",
    "customFields": "Other custom fields",
}
"""What is remarked on as one, however many fields it has; configured custom fields apart."""


@dataclass(frozen=True, slots=True)
class Place:
    """A field, a line or a whole section, and what it says now."""

    title: str
    path: str
    label: str
    value: str


def places(order: Order) -> dict[str, list[Place]]:
    """Everything that can be remarked on, under the titles that people look for."""
    configured = list(CustomField.objects.all())
    values = {f"customFields.{field.key}": None for field in configured}
    values |= snapshot(order, order.items.all())
    rows = in_words(
        {path: [None, value] for path, value in values.items()},
        order,
        with_costs=False,
        configured=configured,
    )
    alone = {f"customFields.{field.key}" for field in configured}
    found: dict[str, Place] = {}
    for row in rows:
        section, _, key = row.path.partition(".")
        if section not in _TITLES or key == "customerId":
            continue
        path, label = row.path, row.label
        if section in _WHOLE and path not in alone:
            path, label = section, _WHOLE[section]
        place = found.get(path, Place(_TITLES[section], path, label, ""))
        value = ", ".join(filter(None, (place.value, row.after)))
        found[path] = replace(place, value=value)
    listed = sorted(found.values(), key=lambda place: place.path == "customFields")
    return {
        title: of_title
        for title in dict.fromkeys(_TITLES.values())
        if (of_title := [place for place in listed if place.title == title])
    }
