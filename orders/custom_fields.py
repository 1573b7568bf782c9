"""The custom fields that a tenant has configured: checked, and filtered by; all others are free."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from orders.models import CustomField
from portal import exact_json
from portal.errors import Detail
from portal.models import Tenant
from portal.shapes import number
from portal.text import clean, normalize_email

FILTER = "customField_"
"""What stands before a field's key in a parameter that filters by it."""

_PHONE = re.compile(r"[ +()./-]*[0-9][0-9 +()./-]*")


# By hand: every order asks, and mostly there are none.
_CONFIGURED = "SELECT * FROM orders_customfield WHERE tenant_id = %s ORDER BY position, id"


def configured_fields(*, tenant: Tenant) -> list[CustomField]:
    """The custom fields of the tenant, in the order in which they are shown."""
    return list(CustomField.objects.raw(_CONFIGURED, [tenant.pk]))


def custom_field_problems(*, tenant: Tenant, sent: Mapping[str, Any]) -> Iterator[Detail]:
    """What is wrong with the configured fields, each at `customFields.<key>`."""
    yield from field_problems(configured_fields(tenant=tenant), sent)


def field_problems(
    fields: Iterable[CustomField], sent: Mapping[str, Any], *, of_the_past: bool = False
) -> Iterator[Detail]:
    """As `custom_field_problems`, of these fields.

    An order of the past may lack what is required today.
    """
    for field in fields:
        value = sent.get(field.key)
        blank = value is None or (isinstance(value, str) and not value.strip())
        if blank and field.required and not of_the_past:
            message: str | None = f"{field.label} is required."
        elif blank:
            message = None
        else:
            message = _problem(field, value)
        if message:
            yield Detail(f"customFields.{field.key}", "VALIDATION_ERROR", message)


def _problem(field: CustomField, value: Any) -> str | None:
    if field.type == CustomField.Type.NUMBER:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return None if is_number else f"{field.label} must be a number."
    if not isinstance(value, str):
        return f"{field.label} must be text."
    match field.type:
        case CustomField.Type.EMAIL:
            try:
                normalize_email(value)
            except ValueError as error:
                return str(error)
        case CustomField.Type.PHONE if not _PHONE.fullmatch(value):
            return f"{field.label} must be a phone number, such as +31 20 123 4567."
        case CustomField.Type.SELECT if value not in field.options:
            return f"{field.label} must be one of: {', '.join(field.options)}."
    return None


def custom_field_filter(*, tenant: Tenant, sent: Mapping[str, str]) -> tuple[Q, list[Detail]]:
    """Orders that have exactly what the parameters `customField_<key>` say, and what is wrong
    with those: a field that is not configured, no number for a field of numbers.

    A number is compared as a number (5 finds 5.00), everything else as the text that it is, or
    as that without blanks around it.
    """
    asked = {name.removeprefix(FILTER): v for name, v in sent.items() if name.startswith(FILTER)}
    if not asked:
        return Q(), []
    known = {field.key: field for field in CustomField.objects.filter(tenant=tenant, key__in=asked)}
    condition, problems = Q(), []
    for key, text in asked.items():
        try:
            sought = {_sought(known.get(key), each) for each in (text, clean(text))}
            condition &= reduce(or_, (Q(custom_fields__contains={key: each}) for each in sought))
        except ValueError as error:
            problems.append(Detail(f"{FILTER}{key}", "VALIDATION_ERROR", str(error)))
    return condition, problems


def _sought(field: CustomField | None, text: str) -> str | int | Decimal:
    """What the field has to be. Raises ValueError, in words."""
    if field is None:
        raise ValueError("There is no such custom field; only configured ones can be asked for.")
    if field.type != CustomField.Type.NUMBER:
        return text
    try:
        return number(exact_json.loads_strict(text.encode()))
    except ValueError as error:
        raise ValueError("Enter a number.") from error
