"""The new-order page's form: what was typed, as text, and how it becomes the contract's order.

The forms here give fields their labels and show messages beside them. They check nothing: the
shape is checked by `orders.schemas`, for the form as for the API.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms
from django.http import QueryDict
from pydantic.alias_generators import to_camel, to_snake

from customers.models import Customer, CustomerType
from orders.models import CustomField, Order
from portal.errors import Detail
from portal.formats import parse_decimal

MAX_VALUE_LENGTH = 20_000
"""Characters of one field that a draft keeps; far beyond what any field accepts."""

_LINE_ID = re.compile(r"[a-z0-9]{1,16}")
_CUSTOM_NAME = re.compile(r"custom-[A-Za-z0-9_-]{1,50}")


def _text(label: str, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"} | attrs)
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


def _required(label: str, **attrs: str) -> forms.CharField:
    return _text(label, **{"aria-required": "true"} | attrs)


def _optional(label: str, **attrs: str) -> forms.CharField:
    """The placeholder says that it may stay empty, so that the label stays what it is."""
    return _text(label, placeholder="Optional", **attrs)


def _area(label: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": "3", "placeholder": "Optional"})
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


class _Section(forms.Form):
    """Fields of one object of the contract. `rows` places them on a grid of twelve columns."""

    use_required_attribute = False
    rows: Sequence[Mapping[str, int]] = ()

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.layout = Layout(
            *(
                Row(
                    *(Column(name, css_class=f"col-sm-{width}") for name, width in row.items()),
                    css_class="gx-3",
                )
                for row in self.rows
            )
        )
        return helper


class CustomerForm(_Section):
    email = _required(
        "Customer e-mail",
        inputmode="email",
        role="combobox",
        spellcheck="false",
        **{
            "aria-autocomplete": "list",
            "aria-controls": "customer-matches",
            "aria-expanded": "false",
        },
    )
    phone = _optional("Phone", inputmode="tel")
    first_name = _required("First name")
    last_name = _required("Last name")
    company = _optional("Company")
    customer_type = forms.ChoiceField(
        label="Customer type", choices=CustomerType.choices, required=False
    )
    rows = (
        {"first_name": 6, "last_name": 6},
        {"company": 5, "phone": 4, "customer_type": 3},
    )


class AddressForm(_Section):
    contact_name = _required("Contact name")
    company = _optional("Company")
    street_address = _required("Street address")
    building_info = _optional("Building, floor")
    postal_code = _optional("Postal code")
    city = _required("City")
    country = _required("Country", list="countries")
    locality = _optional("District")
    admin_area = _optional("State or province")
    rows = (
        {"contact_name": 6, "company": 6},
        {"street_address": 8, "building_info": 4},
        {"postal_code": 3, "city": 5, "country": 4},
    )
    more = ("locality", "admin_area")

    @property
    def more_helper(self) -> FormHelper:
        """The fields that most addresses leave empty, for the part that can be folded away."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.layout = Layout(
            Row(
                *(Column(name, css_class="col-sm-6") for name in self.more),
                css_class="gx-3",
            )
        )
        return helper

    @property
    def has_more(self) -> bool:
        return any(self[name].value() or self[name].errors for name in self.more)


class ExtensionForm(_Section):
    original_order_id = _required("Original order", placeholder="ord_…")
    extension_months = _required("Months to extend", inputmode="numeric")
    previous_end_date = forms.CharField(
        label="Previous end date",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    new_end_date = forms.CharField(
        label="New end date",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = _optional("Reason for the extension")
    rows = (
        {"original_order_id": 6, "extension_months": 6},
        {"previous_end_date": 6, "new_end_date": 6},
        {"reason": 12},
    )


class UpgradeForm(_Section):
    previous_device = _required("Previous device")
    previous_serial_number = _required("Previous serial number")
    previous_monthly_amount = _required("Previous monthly amount", inputmode="decimal")
    previous_rental_id = _required("Previous subscription")
    upgrade_reason = _optional("Reason for the upgrade")
    rows = (
        {"previous_device": 6, "previous_serial_number": 6},
        {"previous_monthly_amount": 6, "previous_rental_id": 6},
        {"upgrade_reason": 12},
    )


class DetailsForm(_Section):
    order_type = forms.ChoiceField(label="Order type", choices=Order.Type.choices, required=False)
    notes = _area("Notes")


class CustomFieldsForm(_Section):
    """The fields that the tenant has configured, each by its type."""

    def __init__(self, *args: Any, configured: Iterable[CustomField], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        configured = list(configured)
        for field in configured:
            self.fields[field.key] = _custom_field(field)
        self.rows = [{field.key: 6 for field in configured}]


def _custom_field(field: CustomField) -> forms.Field:
    make = _required if field.required else _optional
    match field.type:
        case CustomField.Type.SELECT:
            choices = [("", "Choose…"), *((option, option) for option in field.options)]
            attrs = {"aria-required": "true"} if field.required else {}
            widget = forms.Select(attrs=attrs)
            return forms.ChoiceField(
                label=field.label, choices=choices, required=False, widget=widget
            )
        case CustomField.Type.TEXTAREA:
            return _area(field.label)
        case CustomField.Type.EMAIL:
            return make(field.label, inputmode="email")
        case CustomField.Type.PHONE:
            return make(field.label, inputmode="tel")
        case CustomField.Type.NUMBER:
            return make(field.label, inputmode="decimal")
    return make(field.label)


SECTIONS: Mapping[str, tuple[str, type[_Section]]] = {
    "customer": ("customer", CustomerForm),
    "billingAddress": ("billing", AddressForm),
    "shippingAddress": ("shipping", AddressForm),
    "extensionDetails": ("extension", ExtensionForm),
    "upgradeDetails": ("upgrade", UpgradeForm),
}
"""Objects of the contract: the prefix of their fields' names, and their form."""

_NUMBERS = frozenset({"extension_months", "previous_monthly_amount"})
_OTHER_NAMES = frozenset(
    {"order_type", "notes", "ship_elsewhere", "customer_id", "customer_record"}
)
_NAMES = _OTHER_NAMES | {
    f"{prefix}-{name}" for prefix, form in SECTIONS.values() for name in form.base_fields
}
_DEFAULTS = {
    "order_type": Order.Type.STANDARD.value,
    "customer-customer_type": CustomerType.INDIVIDUAL.value,
    "customer_record": "keep",
    "ship_elsewhere": "",
}


def typed_number(text: str) -> Decimal | str:
    """The number that was typed, with comma or point; what is no number stays as it is."""
    try:
        return parse_decimal(text)
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line as typed. `id` is the page's own and stays the same while the line lives."""

    id: str
    sku: str
    quantity: str
    contract_length: str


@dataclass(frozen=True, slots=True)
class Typed:
    """Everything on the form, as text and unchecked: what a draft keeps."""

    fields: Mapping[str, str]
    lines: Sequence[TypedLine]

    @classmethod
    def from_post(cls, post: QueryDict) -> "Typed":
        """What a page posted: only the fields that it showed."""
        posted = {
            name: value[:MAX_VALUE_LENGTH]
            for name, value in post.items()
            if isinstance(value, str) and (name in _NAMES or _CUSTOM_NAME.fullmatch(name))
        }
        # A box that is not ticked is not posted.
        posted.setdefault("ship_elsewhere", "")
        ids = dict.fromkeys(key for key in post.getlist("line") if _LINE_ID.fullmatch(key))

        def part(key: str, name: str) -> str:
            return post.get(f"line-{key}-{name}", "")[:MAX_VALUE_LENGTH]

        lines = [
            TypedLine(key, part(key, "sku"), part(key, "quantity"), part(key, "length"))
            for key in ids
        ]
        return cls(posted, lines)

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
            (str(form.base_fields[name].label), text)
            for prefix, form in SECTIONS.values()
            for name in form.base_fields
            if (text := self.fields.get(f"{prefix}-{name}", "").strip())
            and text != other.fields.get(f"{prefix}-{name}", "").strip()
        ]
        lines = [line for line in self.lines if line not in other.lines]
        return fields + [("Item", f"{line.quantity} × {line.sku}") for line in lines]

    def payload(self) -> dict[str, Any]:
        """What is kept. NUL cannot be stored, nor typed: it becomes the replacement character."""
        return {
            "fields": {name: _storable(value) for name, value in self.fields.items()},
            "lines": [
                {
                    "id": line.id,
                    "sku": _storable(line.sku),
                    "quantity": _storable(line.quantity),
                    "contract_length": _storable(line.contract_length),
                }
                for line in self.lines
            ],
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


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _item(line: TypedLine) -> dict[str, Any]:
    item: dict[str, Any] = {"sku": line.sku, "quantity": typed_number(line.quantity)}
    if line.contract_length:
        item["contractLength"] = typed_number(line.contract_length)
    return item


@dataclass(frozen=True, slots=True)
class Problem:
    """A message for the rep: `name` is the field that it belongs to, "" for the whole order."""

    name: str
    label: str
    message: str

    @property
    def anchor(self) -> str:
        return f"id_{self.name}" if self.name else ""


_PLACES = (
    "customer",
    "items",
    "billingAddress",
    "shippingAddress",
    "orderType",
    "extensionDetails",
    "upgradeDetails",
    "customFields",
    "notes",
)


def _place_on_page(detail: Detail) -> int:
    first = detail.path.partition(".")[0]
    return _PLACES.index(first) if first in _PLACES else len(_PLACES)


def line_part(path: str) -> str:
    """The part of a line that a message is about; it stands last in the message's path."""
    field = path.rpartition(".")[2]
    return {"contractLength": "length", "quantity": "quantity"}.get(field, "sku")


class OrderForm:
    """The page's forms, filled with what was typed, each message beside its field."""

    def __init__(
        self,
        typed: Typed,
        *,
        configured: Sequence[CustomField],
        details: Iterable[Detail] = (),
    ) -> None:
        self.typed = typed
        self.sections = {
            path: form(typed.fields, prefix=prefix) for path, (prefix, form) in SECTIONS.items()
        }
        self.details = DetailsForm(typed.fields)
        self.custom_fields = CustomFieldsForm(typed.fields, prefix="custom", configured=configured)
        for form in (*self.sections.values(), self.details, self.custom_fields):
            form.full_clean()
        self.problems = [self._place(detail) for detail in sorted(details, key=_place_on_page)]
        self.items_problem = next(
            (problem.message for problem in self.problems if problem.name == "search"), ""
        )

        self.focus = self._first_wrong() or "id_customer-email"

    @property
    def customer(self) -> _Section:
        return self.sections["customer"]

    @property
    def billing(self) -> _Section:
        return self.sections["billingAddress"]

    @property
    def shipping(self) -> _Section:
        return self.sections["shippingAddress"]

    @property
    def extension(self) -> _Section:
        return self.sections["extensionDetails"]

    @property
    def upgrade(self) -> _Section:
        return self.sections["upgradeDetails"]

    def _first_wrong(self) -> str:
        return next((problem.anchor for problem in self.problems if problem.name), "")

    def _place(self, detail: Detail) -> Problem:
        """Puts the message beside its field (`items.0.quantity` → the quantity of that line)."""
        first, _, rest = detail.path.partition(".")
        if first == "items":
            return self._line_problem(rest, detail.message)
        form, name = self.sections.get(first), to_snake(rest.partition(".")[0])
        if first == "customFields":
            form, name = self.custom_fields, rest.partition(".")[0]
        elif first in ("notes", "orderType"):
            form, name = self.details, to_snake(first)
        if form is None or name not in form.fields:
            return Problem("", "Order", detail.message)
        form.add_error(name, detail.message)
        label = str(form.fields[name].label)
        if first == "shippingAddress":
            label = f"Shipping address, {label}"
        return Problem(form.add_prefix(name), label, detail.message)

    def _line_problem(self, path: str, message: str) -> Problem:
        position = path.partition(".")[0]
        if not position:
            return Problem("search", "Items", message)
        number = int(position)
        part = line_part(path)
        label = {"length": "contract length", "quantity": "quantity"}.get(part, "SKU")
        name = f"line-{self.typed.lines[number].id}-{part}"
        return Problem(name, f"Item {number + 1}, {label}", message)


def customer_fields(customer: Customer) -> dict[str, str]:
    """The form's fields as a known customer's record fills them, last addresses included."""
    fields = {
        "customer_id": customer.public_id,
        "customer-email": customer.email,
        "customer-first_name": customer.first_name,
        "customer-last_name": customer.last_name,
        "customer-company": customer.company,
        "customer-phone": customer.phone,
        "customer-customer_type": customer.customer_type,
    }
    billing = customer.last_billing_address or {}
    shipping = customer.last_shipping_address or billing
    fields |= _address_fields("billing", billing)
    if shipping != billing:
        fields |= {"ship_elsewhere": "on"} | _address_fields("shipping", shipping)
    return fields


def _address_fields(prefix: str, address: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{prefix}-{name}": str(address.get(to_camel(name)) or "")
        for name in (AddressForm.base_fields if address else ())
    }
