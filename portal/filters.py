"""Fields by which people narrow a list. All are optional."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.utils.http import urlencode
from django_htmx.http import push_url

from portal.tenancy import PortalRequest


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


def address_without_blanks(
    view: Callable[[PortalRequest], HttpResponse],
) -> Callable[[PortalRequest], HttpResponse]:
    """Addresses that people keep and share, and those of the next pages: without empty filters."""

    @wraps(view)
    def answer(request: PortalRequest) -> HttpResponse:
        asked = urlencode({name: str(value) for name, value in request.GET.items() if value})
        request.GET = QueryDict(asked)
        response = view(request)
        address = f"{request.path}?{asked}" if asked else request.path
        return push_url(response, address) if request.htmx else response

    return answer
