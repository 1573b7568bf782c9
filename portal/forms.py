"""What the forms of pages and of the admin share."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.db import models

from portal.formats import parse_decimal, typable

Row = TypeVar("Row", bound=models.Model)

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm
else:

    class _ModelForm(forms.ModelForm):
        """Takes the type of its row, as the type checker knows it."""

        def __class_getitem__(cls, row):
            return cls


class ShownSet(forms.MultipleHiddenInput):
    """What was ticked when the page was shown; that nothing was is sent, too."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, value or [""], attrs)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        sent: list[str] = super().value_from_datadict(data, files, name)
        return [value for value in sent if value]


class TypedDecimalField(forms.DecimalField):
    """A number as it is typed elsewhere in the portal, with comma or point, and shown likewise.

    What a comma means in a field of type=number is up to the browser, and some leave it out: 1,50
    became 150.
    """

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 12})

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str) and value.strip():
            try:
                return super().to_python(parse_decimal(value))
            except ValueError as error:
                raise forms.ValidationError(str(error), code="invalid") from error
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        """What is read back as the same number; what was typed stays as it was."""
        return typable(value) if isinstance(value, Decimal) else value


TYPED_AMOUNTS: Any = {models.DecimalField: {"form_class": TypedDecimalField}}
"""For `formfield_overrides`: amounts and shares with comma or point."""


def remember_what_was_shown(form: forms.BaseForm) -> None:
    """Has the page send back what it was filled with, beside what is typed over it.

    So only that is saved which was changed here, and not what somebody else changed meanwhile. What
    is sent without it is compared with what there is by then. What cannot be typed over, such as
    the hash of a password, is not repeated.
    """
    for name, field in form.fields.items():
        is_known = not form.is_bound or form.add_initial_prefix(name) in form.data
        field.show_hidden_initial = is_known and not field.disabled
        if issubclass(field.hidden_widget, forms.MultipleHiddenInput):
            field.hidden_widget = ShownSet


class ChangesForm(_ModelForm[Row]):
    """A form that saves what was changed on its page, and leaves the rest as it is by then."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            remember_what_was_shown(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.instance.pk:
            return cleaned
        untouched = cleaned.keys() - set(self.changed_data)
        columns = {field.name for field in self.instance._meta.concrete_fields}
        cleaned |= {name: getattr(self.instance, name) for name in untouched & columns}
        # A set of other rows is written if it is there at all.
        for name in untouched & {field.name for field in self.instance._meta.many_to_many}:
            del cleaned[name]
        return cleaned
