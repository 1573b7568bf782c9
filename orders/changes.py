"""What changed about an order: each field before and after, from its events.

Fields are named as in the contract (`customer.phone`, `items.0`); a line is one value, under its
position. What devices cost stands apart (`costs.0`), since not everybody may see it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_snake

from orders.models import CustomField, Order, OrderEvent, OrderItem
from orders.review import ADDRESS_LABELS, DETAIL_LABELS
from portal.exact_json import dumps
from portal.formats import money, number
from portal.permissions import Actor

Snapshot = dict[str, Any]
Changes = dict[str, list[Any]]
"""The value before and after, by field; None where there is none."""

_CUSTOMER = {
    "customerId": "Customer",
    "email": "E-mail",
    "firstName": "First name",
    "lastName": "Last name",
    "company": "Company",
    "phone": "Phone",
    "customerType": "Customer type",
}
_TOTALS = {
    "subtotal": "Subtotal per month",
    "taxAmount": "VAT per month",
    "total": "Total per month",
    "contractValue": "Contract value",
}
_SECTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "customer": ("", _CUSTOMER),
    "billingAddress": ("Billing address", ADDRESS_LABELS),
    "shippingAddress": ("Shipping address", ADDRESS_LABELS),
    "extensionDetails": ("Extension", DETAIL_LABELS),
    "upgradeDetails": ("Upgrade", DETAIL_LABELS),
    "totals": ("", _TOTALS),
}
_ALONE = {"orderType": "Order type", "notes": "Notes", "rep": "Rep"}
_PLACES = (
    *("rep", "orderType", "customer", "items", "costs", "totals", "billingAddress"),
    *("shippingAddress", "extensionDetails", "upgradeDetails", "customFields", "notes"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One field, in words: what it said before and what it says after; "" for nothing."""

    path: str
    label: str
    before: str
    after: str


def snapshot(order: Order, items: Iterable[OrderItem]) -> Snapshot:
    """Everything of the order that can be edited, and what follows from it."""
    values: Snapshot = {
        "orderType": str(order.order_type),
        "notes": order.notes,
        "customer.customerId": order.customer.public_id,
        "customer.customerType": str(order.customer_type),
    }
    for key in ("email", "firstName", "lastName", "company", "phone"):
        values[f"customer.{key}"] = getattr(order, f"customer_{to_snake(key)}")
    for section, content in (
        ("billingAddress", order.billing_address),
        ("shippingAddress", order.shipping_address),
        ("extensionDetails", order.extension_details),
        ("upgradeDetails", order.upgrade_details),
        ("customFields", order.custom_fields),
    ):
        values |= {f"{section}.{key}": value for key, value in (content or {}).items()}
    for item in items:
        values[f"items.{item.position}"] = {
            "sku": item.sku,
            "productName": item.product_name,
            "quantity": item.quantity,
            "contractLength": item.contract_length,
            "unitPrice": item.unit_price,
            **({"why": item.override_reason} if item.override_reason else {}),
        }
        values[f"costs.{item.position}"] = {
            "listPrice": item.list_price,
            "acquisitionCost": item.acquisition_cost,
        }
    return values | {
        "totals.subtotal": order.subtotal,
        "totals.taxAmount": order.tax_amount,
        "totals.total": order.total,
        "totals.contractValue": order.contract_value,
    }


def difference(before: Snapshot, after: Snapshot) -> Changes:
    """What differs; absent, null and a blank text are the same nothing. 0 and false are not."""
    return {
        path: [was, now]
        for path in {**before, **after}
        if not is_same_json(was := _said(before.get(path)), now := _said(after.get(path)))
    }


def _said(value: Any) -> Any:
    return None if value == "" else value


def is_same_json(one: Any, other: Any) -> bool:
    """As JSON means it: to Python, true is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return bool(one == other)


def changes_in(events: Iterable[OrderEvent]) -> Changes:
    """What these events, in their order, changed together; what was changed back is left out."""
    together: Changes = {}
    for event in events:
        for path, (before, after) in event.data.get("changes", {}).items():
            together[path] = [together.get(path, [before])[0], after]
    return {path: change for path, change in together.items() if not is_same_json(*change)}


def since(order: Order, version: int) -> list[OrderEvent]:
    """What happened to the order after that version, the oldest first."""
    return [event for event in order.events.all() if event.version > version]


def seen_by(order: Order, version: int, actor: Actor) -> int:
    """The version that the actor knows who saw that one: of what they wrote beside the order
    themselves since, they know.
    """
    own = (OrderEvent.Kind.COMMENTED, OrderEvent.Kind.NOTED)
    for event in since(order, version):
        if event.actor_ref != actor.ref or event.kind not in own:
            break
        version = event.version
    return version


def left_review(order: Order) -> OrderEvent | None:
    """How the order left its reviewer: what they decided last, or else its first recall.

    None while nothing of the kind happened.
    """
    decided = (OrderEvent.Kind.CONFIRMED, OrderEvent.Kind.SENT_BACK)
    events = list(order.events.all())
    last = next((event for event in reversed(events) if event.kind in decided), None)
    recalled = (event for event in events if event.kind == OrderEvent.Kind.RECALLED)
    return last or next(recalled, None)


def unreviewed(order: Order) -> list[OrderEvent]:
    """What happened since the order left its reviewer.

    Empty while it is new to them, or has not come back.
    """
    left = left_review(order)
    return since(order, left.version) if left else []


def in_words(
    changes: Changes,
    order: Order,
    *,
    with_costs: bool,
    configured: Sequence[CustomField] = (),
) -> list[Change]:
    """The changes as people read them, in the order of the page; costs only for who may see."""
    labels = {field.key: field.label for field in configured}
    shown = [path for path in changes if with_costs or not path.startswith("costs.")]
    return [
        Change(
            path,
            label_of(path, labels),
            _text(path, changes[path][0], order.currency),
            _text(path, changes[path][1], order.currency),
        )
        for path in sorted(shown, key=_place)
    ]


def label_of(path: str, custom: Mapping[str, str]) -> str:
    """What people call the field."""
    section, _, key = path.partition(".")
    if section in ("items", "costs"):
        name = "Item" if section == "items" else "Costs of item"
        return f"{name} {int(key) + 1}" if key.isdecimal() else "Items"
    if section == "customFields":
        return custom.get(key, key) or "Custom fields"
    if section in _ALONE or section not in _SECTIONS:
        return _ALONE.get(section, section)
    title, fields = _SECTIONS[section]
    return ", ".join(filter(None, (title, fields.get(key, key))))


def _place(path: str) -> tuple[int, int, str]:
    section, _, key = path.partition(".")
    place = _PLACES.index(section) if section in _PLACES else len(_PLACES)
    if section in ("items", "costs"):
        return _PLACES.index("items"), int(key), section
    fields = list(_SECTIONS.get(section, ("", {}))[1])
    return place, fields.index(key) if key in fields else len(fields), key


def _text(path: str, value: Any, currency: str) -> str:
    section = path.partition(".")[0]
    if value in (None, ""):
        return ""
    if section == "items":
        return (
            f"{number(value['quantity'])} × {value['productName']} ({value['sku']}), "
            f"{value['contractLength']} months at {money(value['unitPrice'], currency)}"
            + (f" (decided: {value['why']})" if "why" in value else "")
        )
    if section == "costs":
        amounts = (("list price", value["listPrice"]), ("cost", value["acquisitionCost"]))
        known = [
            f"{label} {money(amount, currency)}" for label, amount in amounts if amount is not None
        ]
        return ", ".join(known) or "unknown"
    if section == "totals" or path == "upgradeDetails.previousMonthlyAmount":
        return money(value, currency)
    if path in ("orderType", "customer.customerType"):
        return str(value).capitalize()
    return value if isinstance(value, str) else dumps(value)
