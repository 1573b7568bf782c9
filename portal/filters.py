"""Fields by which people narrow a list. All are optional."""

from typing import Any

from django import forms


def search_field(label: str, placeholder: str) -> forms.CharField:
    """Free text; the placeholder says what it is looked for in."""
    attributes = {
        "type": "search",
        "class": "form-control",
        "placeholder": placeholder,
        "autocomplete": "off",
        "spellcheck": "false",
    }
    return forms.CharField(
        label=label, required=False, max_length=200, widget=forms.TextInput(attrs=attributes)
    )


def choice_field(label: str, choices: Any) -> forms.ChoiceField:
    """One of the choices, or any."""
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[("", "Any"), *choices],
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"invalid_choice": "This filter is not known and was left out."},
    )
