"""An order as it is typed: text, unchecked, and how it becomes the contract's order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from pydantic.alias_generators import to_camel

from catalog.pricing import VARIANT_NOT_FOUND
from customers.models import Customer, CustomerType
from orders.fields import SECTIONS, AddressForm, DetailsForm
from orders.models import CustomField, Order
from portal.errors import Detail
from portal.formats import parse_decimal, typable

MAX_VALUE_LENGTH = 20_000
"""Characters of one field that a draft keeps; far beyond what any field accepts."""

_LINE_ID = re.compile(r"[a-z0-9]{1,16}")
_CUSTOM_NAME = re.compile(r"custom-[A-Za-z0-9_-]{1,50}")

_NUMBERS = frozenset({"extension_months", "previous_monthly_amount"})
_OTHER_NAMES = frozenset(
    {
        *("order_type", "notes", "ship_elsewhere", "customer_id", "customer_record"),
        *("read_back", "edit_reason"),
    }
)
_DECIDED = ("price", "list_price", "cost", "why")
_BOXES = ("ship_elsewhere", "read_back")
_NAMES = _OTHER_NAMES | {
    f"{prefix}-{name}" for prefix, form in SECTIONS.values() for name in form.base_fields
}
_LABELS = {
    f"{prefix}-{name}": str(field.label)
    for prefix, form in SECTIONS.values()
    for name, field in form.base_fields.items()
} | {name: str(field.label) for name, field in DetailsForm.base_fields.items()}
_DEFAULTS = {
    "order_type": Order.Type.STANDARD.value,
    "customer-customer_type": CustomerType.INDIVIDUAL.value,
    "customer_record": "keep",
    "ship_elsewhere": "",
    "read_back": "",
}


def typed_number(text: str) -> Decimal | str:
    """The number that was typed, with comma or point; what is no number stays as it is."""
    try:
        return parse_decimal(text)
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line as typed. `id` is the page's own and stays the same while the line lives.

    The rest is what somebody decided instead of the catalogue, of an order that is changed.
    """

    id: str
    sku: str
    quantity: str
    contract_length: str
    price: str = ""
    list_price: str = ""
    cost: str = ""
    why: str = ""

    @property
    def months(self) -> int | None:
        """The contract length that was chosen, if it is a number at all."""
        text = self.contract_length
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None

    def payload(self) -> dict[str, str]:
        """What is kept: of what may be decided instead of the catalogue, what was."""
        typed = {
            "id": self.id,
            "sku": self.sku,
            "quantity": self.quantity,
            "contract_length": self.contract_length,
        }
        decided = {name: text for name in _DECIDED if (text := getattr(self, name))}
        return {name: storable(text) for name, text in (typed | decided).items()}


@dataclass(frozen=True, slots=True)
class Typed:
    """Everything on the form, as text and unchecked: what a draft keeps."""

    fields: Mapping[str, str]
    lines: Sequence[TypedLine]

    @classmethod
    def from_post(cls, post: QueryDict) -> "Typed":
        """What a page posted: only the fields that it showed."""
        values = {
            name: value[:MAX_VALUE_LENGTH] for name, value in post.items() if isinstance(value, str)
        }
        fields = {
            name: value
            for name, value in values.items()
            if name in _NAMES or _CUSTOM_NAME.fullmatch(name)
        }
        ids = dict.fromkeys(key for key in post.getlist("line") if _LINE_ID.fullmatch(key))
        parts = ("sku", "quantity", "length", "price", "list", "cost", "why")
        lines = [
            TypedLine(key, *(values.get(f"line-{key}-{part}", "") for part in parts)) for key in ids
        ]
        # A box that is not ticked is not posted.
        return cls(dict.fromkeys(_BOXES, "") | fields, lines)

    def onto(self, before: "Typed") -> "Typed":
        """A field that the page did not show (another order type's details) keeps its text."""
        return Typed({**before.fields, **self.fields}, self.lines)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Typed":
        lines = [TypedLine(**line) for line in payload.get("lines", [])]
        return cls({**_DEFAULTS, **payload.get("fields", {})}, lines)

    def beyond(self, other: "Typed") -> list[tuple[str, str]]:
        """Label and text of every field that is filled here and says something else there."""
        fields = [
            (_LABELS.get(name) or name.removeprefix("custom-"), text)
            for name in self.fields
            if (name in _LABELS or _CUSTOM_NAME.fullmatch(name))
            and (text := self.fields[name].strip())
            and text != other.fields.get(name, "").strip()
        ]
        lines = [line for line in self.lines if line not in other.lines]
        return fields + [("Item", f"{line.quantity} × {line.sku}") for line in lines]

    def payload(self) -> dict[str, Any]:
        """What is kept."""
        return {
            "fields": {name: storable(value) for name, value in self.fields.items()},
            "lines": [line.payload() for line in self.lines],
        }

    def contract(self, configured: Iterable[CustomField]) -> dict[str, Any]:
        """The order as the API would be sent it (contract: Create Order).

        Extension and upgrade details go along only if that type is chosen and any is filled in.
        """
        order_type = self.fields["order_type"]
        data: dict[str, Any] = {
            "orderType": order_type,
            "customer": self._object("customer"),
            "billingAddress": self._object("billingAddress"),
            "items": [_item(line) for line in self.lines],
            "notes": self.fields.get("notes", ""),
        }
        if self.fields["ship_elsewhere"]:
            data["shippingAddress"] = self._object("shippingAddress")
        if order_type in (Order.Type.EXTENSION, Order.Type.UPGRADE):
            details = self._object(f"{order_type}Details")
            if any(details.values()):
                data[f"{order_type}Details"] = details
        custom_fields = dict(self._custom_fields(configured))
        return data | ({"customFields": custom_fields} if custom_fields else {})

    def _object(self, path: str) -> dict[str, Any]:
        prefix, form = SECTIONS[path]
        values = {name: self.fields.get(f"{prefix}-{name}", "") for name in form.base_fields}
        return {
            to_camel(name): typed_number(value) if name in _NUMBERS else value
            for name, value in values.items()
        }

    def _custom_fields(self, configured: Iterable[CustomField]) -> Iterable[tuple[str, Any]]:
        for field in configured:
            text = self.fields.get(f"custom-{field.key}", "")
            if text.strip():
                is_number = field.type == CustomField.Type.NUMBER
                yield (
                    field.key,
                    typed_number(text) if is_number else text.replace("\r\n", "\n"),
                )


def storable(text: str) -> str:
    """NUL cannot be stored, nor typed: it becomes the replacement character."""
    return text.replace("\0", "\ufffd")


def _item(line: TypedLine) -> dict[str, Any]:
    item: dict[str, Any] = {"sku": line.sku, "quantity": typed_number(line.quantity)}
    if line.contract_length:
        item["contractLength"] = typed_number(line.contract_length)
    return item


def line_part(path: str) -> str:
    """The part of a line that a message is about; it stands last in the message's path."""
    field = path.rpartition(".")[2]
    return _LINE_PARTS.get(field, "sku")


_LINE_PARTS = {
    "contractLength": "length",
    "quantity": "quantity",
    "unitPrice": "price",
    "listPriceOverride": "list",
    "acquisitionCostOverride": "cost",
    "overrideReason": "why",
}


def message_of(detail: Detail) -> str:
    """What the page says of a line: there, an unknown SKU is words that are still to be decided."""
    if detail.code == VARIANT_NOT_FOUND:
        return "Choose which one is meant, or remove the line."
    return detail.message


def record_fields(customer: Customer) -> dict[str, str]:
    """The form's fields about who orders, as a known customer's record fills them."""
    return {
        "customer_id": customer.public_id,
        "customer-email": customer.email,
        "customer-first_name": customer.first_name,
        "customer-last_name": customer.last_name,
        "customer-company": customer.company,
        "customer-phone": customer.phone,
        "customer-customer_type": customer.customer_type,
    }


def customer_fields(customer: Customer) -> dict[str, str]:
    """The form's fields as a known customer's record fills them, last addresses included.

    Those that it has no address for are empty: one that came with another customer goes with them.
    """
    fields = record_fields(customer)
    billing = customer.last_billing_address or {}
    shipping = customer.last_shipping_address or billing
    fields |= {"ship_elsewhere": ""} | address_fields("billing", billing)
    if shipping != billing:
        fields |= {"ship_elsewhere": "on"} | address_fields("shipping", shipping)
    return fields


def address_fields(prefix: str, address: Mapping[str, Any]) -> dict[str, str]:
    """The fields of one address of the form (`billing`, `shipping`), those it lacks empty."""
    return {
        f"{prefix}-{name}": str(address.get(to_camel(name)) or "")
        for name in AddressForm.base_fields
    }


def detail_fields(prefix: str, details: Mapping[str, Any] | None) -> dict[str, str]:
    """The fields of extension or upgrade details (`extension`, `upgrade`) as an order has them."""
    form = SECTIONS[f"{prefix}Details"][1]
    sent = details or {}
    return {
        f"{prefix}-{name}": value if isinstance(value, str) else typable(value)
        for name in form.base_fields
        if (value := sent.get(to_camel(name))) is not None
    }


def labels_of(typed: Typed, names: Iterable[str]) -> list[tuple[str, str]]:
    """The label and the text of fields, and of lines by their id."""
    lines = {line.id: f"{line.quantity} × {line.sku}" for line in typed.lines}
    return [
        (_LABELS.get(name) or name.removeprefix("custom-"), typed.fields[name])
        if name in typed.fields
        else ("Item", lines.get(name, "removed"))
        for name in names
    ]
