from decimal import Decimal
from typing import Any

import pytest

from orders.custom_fields import custom_field_problems
from portal.models import Tenant
from tests.factories import CustomFieldFactory


def problems(tenant: Tenant, **sent: Any) -> list[tuple[str, str]]:
    return [(p.path, p.message) for p in custom_field_problems(tenant=tenant, sent=sent)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "PO-1"),
        ("textarea", "Two\nlines"),
        ("email", "jane@example.com"),
        ("phone", "+31 (0)20-123.45/67"),
        ("phone", "112"),
        ("number", 5),
        ("number", Decimal("1.50")),
        ("number", 0),
        ("select", "IT"),
        ("text", None),
        ("number", None),
        ("select", " "),
        ("email", ""),
    ],
)
def test_value_of_its_type_is_accepted(tenant: Tenant, kind: str, value: Any) -> None:
    CustomFieldFactory(key="x", type=kind, options=["IT", "HR"])
    assert problems(tenant, x=value) == []


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("text", 5, "X must be text."),
        ("text", ["a"], "X must be text."),
        ("textarea", True, "X must be text."),
        ("email", "jane", "Enter an e-mail address such as name@example.com."),
        ("email", "j\u200b@example.com", "It contains a character that cannot be seen (U+200B)."),
        ("phone", "call me", "X must be a phone number, such as +31 20 123 4567."),
        ("phone", "+--", "X must be a phone number, such as +31 20 123 4567."),
        ("phone", "٣١٢", "X must be a phone number, such as +31 20 123 4567."),
        ("number", "5", "X must be a number."),
        ("number", True, "X must be a number."),
        ("number", {}, "X must be a number."),
        ("select", "it", "X must be one of: IT, HR."),
        ("select", ["IT"], "X must be text."),
    ],
)
def test_value_of_another_type_is_refused(
    tenant: Tenant, kind: str, value: Any, message: str
) -> None:
    CustomFieldFactory(key="x", label="X", type=kind, options=["IT", "HR"])
    assert problems(tenant, x=value) == [("customFields.x", message)]


@pytest.mark.parametrize("sent", [{}, {"x": None}, {"x": ""}, {"x": " \n"}])
@pytest.mark.parametrize("kind", ["text", "number", "select"])
def test_required_field_is_missed(tenant: Tenant, kind: str, sent: dict[str, Any]) -> None:
    CustomFieldFactory(key="x", label="X", type=kind, required=True, options=["IT"])
    assert problems(tenant, **sent) == [("customFields.x", "X is required.")]


@pytest.mark.parametrize("value", [0, False])
def test_zero_and_false_are_not_missing(tenant: Tenant, value: Any) -> None:
    CustomFieldFactory(key="x", label="X", type="number", required=True)
    assert ("customFields.x", "X is required.") not in problems(tenant, x=value)


def test_field_that_is_not_configured_is_free(tenant: Tenant, other_tenant: Tenant) -> None:
    CustomFieldFactory(tenant=other_tenant, key="x", type="number", required=True)
    assert problems(tenant, x="anything", y=[1, {"z": None}]) == []


def test_problems_come_in_the_order_of_the_form(tenant: Tenant) -> None:
    for position, key in ((2, "a"), (1, "b")):
        CustomFieldFactory(key=key, position=position, required=True)
    assert [path for path, _ in problems(tenant)] == ["customFields.b", "customFields.a"]
