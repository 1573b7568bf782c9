"""Customers as they are typed and looked for."""

from typing import Any, cast

from django import forms

from customers.models import (
    COMPANY_LENGTH,
    NAME_LENGTH,
    PHONE_LENGTH,
    Customer,
    CustomerType,
)
from customers.services import Changes
from portal.filters import choice_field, search_field
from portal.forms import remember_what_was_shown
from portal.text import EMAIL_LENGTH, clean, normalize_email


def changes_of(form: forms.BaseForm) -> Changes:
    """What was typed otherwise than it was shown. Expects a valid form."""
    return cast(Changes, {name: form.cleaned_data[name] for name in form.changed_data})


class CleanCharField(forms.CharField):
    """Text that hides nothing: trimmed, in one Unicode form, without invisible characters."""

    def to_python(self, value: Any) -> Any:
        try:
            return clean(super().to_python(value) or "")
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class EmailField(CleanCharField):
    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        try:
            normalize_email(value)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return value


class CustomerForm(forms.Form):
    """A customer's record."""

    first_name = CleanCharField(label="First name", max_length=NAME_LENGTH)
    last_name = CleanCharField(label="Last name", max_length=NAME_LENGTH)
    email = EmailField(
        label="E-mail",
        max_length=EMAIL_LENGTH,
        widget=forms.TextInput(attrs={"inputmode": "email", "spellcheck": "false"}),
    )
    company = CleanCharField(
        label="Company",
        max_length=COMPANY_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Optional"}),
    )
    phone = CleanCharField(
        label="Phone",
        max_length=PHONE_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "placeholder": "Optional"}),
    )
    customer_type = forms.ChoiceField(label="Type", choices=CustomerType.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        remember_what_was_shown(self)

    @classmethod
    def of(cls, customer: Customer) -> "CustomerForm":
        return cls(initial={name: getattr(customer, name) for name in cls.base_fields})

    def start_at_first_error(self) -> None:
        """Has the page open with the cursor in the first field that is wrong."""
        for name in self.fields:
            if self.has_error(name):
                self.fields[name].widget.attrs["autofocus"] = True
                return


class CustomerFilter(forms.Form):
    """What the list of customers can be narrowed to; what cannot be read narrows nothing."""

    q = search_field("Search customers", "Name, company, e-mail, phone or customer id")
    status = choice_field("Status", Customer.Status.choices)
    type = choice_field("Type", CustomerType.choices)

    @property
    def narrows(self) -> bool:
        return any(self.cleaned_data.values())
