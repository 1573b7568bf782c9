"""The fields of the new-order page: their labels, their places, and what they are called.

They check nothing: the shape is checked by `orders.schemas`, for the form as for the API.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms

from customers.models import CustomerType
from orders.models import CustomField, Order


def _text(label: str, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"} | attrs)
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


def _required(label: str, **attrs: str) -> forms.CharField:
    return _text(label, **{"aria-required": "true"} | attrs)


def _optional(label: str, **attrs: str) -> forms.CharField:
    """The placeholder says that it may stay empty, so that the label stays what it is."""
    return _text(label, placeholder="Optional", **attrs)


def key(letter: str) -> dict[str, str]:
    """With Alt, this letter brings the cursor here."""
    return {"data-key": letter, "aria-keyshortcuts": f"Alt+{letter.upper()}"}


def _area(label: str, **attrs: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": "3", "placeholder": "Optional"} | attrs)
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


class Section(forms.Form):
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


class CustomerForm(Section):
    email = _required(
        "Customer e-mail",
        inputmode="email",
        role="combobox",
        spellcheck="false",
        **key("c"),
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


class AddressForm(Section):
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


class ExtensionForm(Section):
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


class UpgradeForm(Section):
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


class DetailsForm(Section):
    order_type = forms.ChoiceField(
        label="Order type",
        choices=Order.Type.choices,
        required=False,
        widget=forms.Select(attrs=key("t")),
    )
    notes = _area("Notes", **key("o"))


class CustomFieldsForm(Section):
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


SECTIONS: Mapping[str, tuple[str, type[Section]]] = {
    "customer": ("customer", CustomerForm),
    "billingAddress": ("billing", AddressForm),
    "shippingAddress": ("shipping", AddressForm),
    "extensionDetails": ("extension", ExtensionForm),
    "upgradeDetails": ("upgrade", UpgradeForm),
}
"""Objects of the contract: the prefix of their fields' names, and their form."""
