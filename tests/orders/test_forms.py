"""What is typed becomes the contract's order, and each message finds its field."""

from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict

from orders.forms import OrderForm
from orders.models import CustomField
from orders.typed import Typed, TypedLine, customer_fields
from portal.errors import Detail
from portal.formats import use_formats
from portal.models import Tenant
from tests.factories import CustomerFactory, CustomFieldFactory, address

EMPTY = Typed.from_payload({})


def typed(query: str = "", **fields: str) -> Typed:
    post = QueryDict(query, mutable=True)
    for name, value in fields.items():
        post[name.replace("__", "-")] = value
    return Typed.from_post(post).onto(EMPTY)


def test_post_keeps_lines_in_order_with_their_ids() -> None:
    query = (
        "line=b2&line=a1&line=b2&line=NO!&line-a1-sku=A&line-a1-quantity=2&line-a1-length=12"
        "&line-b2-sku=B&line-b2-quantity=x"
    )
    assert typed(query).lines == [TypedLine("b2", "B", "x", ""), TypedLine("a1", "A", "2", "12")]


def test_post_ignores_names_that_are_not_on_the_form() -> None:
    fields = typed(evil="1", custom__ok_1="2", billing__city="Delft").fields
    assert {"evil", "custom-ok_1", "billing-city"} & fields.keys() == {
        "custom-ok_1",
        "billing-city",
    }


def test_fields_that_a_page_did_not_show_keep_their_text() -> None:
    before = typed(shipping__city="Gouda", ship_elsewhere="on")
    after = Typed.from_post(QueryDict("billing-city=Delft")).onto(before)
    assert (after.fields["shipping-city"], after.fields["ship_elsewhere"]) == ("Gouda", "")


def test_payload_comes_back_as_it_was() -> None:
    before = typed("line=a1&line-a1-sku=A&line-a1-quantity=1", notes="é\0", customer__email="a@b")
    after = Typed.from_payload(before.payload())
    assert after.lines == before.lines
    assert after.fields == {**before.fields, "notes": "é\ufffd"}


def test_contract_leaves_out_what_was_not_chosen() -> None:
    data = typed(
        shipping__city="Gouda",
        extension__reason="Not an extension",
        upgrade__previous_device="Not an upgrade",
    ).contract([])
    assert data.keys() == {"orderType", "customer", "billingAddress", "items", "notes"}


@pytest.mark.parametrize("order_type", ["extension", "upgrade"])
def test_contract_leaves_out_details_that_are_all_empty(order_type: str) -> None:
    assert f"{order_type}Details" not in typed(order_type=order_type).contract([])


@pytest.mark.parametrize("amount", ["1.234,5", "1,234.5", "1234,5", "1 234.5"])
def test_contract_reads_numbers_with_comma_or_point(amount: str) -> None:
    data = typed(
        "line=a&line-a-sku=A&line-a-quantity=3&line-a-length=24",
        order_type="upgrade",
        upgrade__previous_monthly_amount=amount,
    ).contract([])
    assert data["upgradeDetails"]["previousMonthlyAmount"] == Decimal("1234.5")
    assert data["items"] == [{"sku": "A", "quantity": Decimal(3), "contractLength": Decimal(24)}]


def test_contract_keeps_what_is_no_number() -> None:
    data = typed("line=a&line-a-sku=A&line-a-quantity=two").contract([])
    assert data["items"] == [{"sku": "A", "quantity": "two"}]


def test_contract_reads_custom_fields_by_their_type(tenant: Tenant) -> None:
    configured = [
        CustomFieldFactory(key="po", type=CustomField.Type.TEXT),
        CustomFieldFactory(key="seats", type=CustomField.Type.NUMBER),
        CustomFieldFactory(key="empty"),
    ]
    data = typed(custom__po="007", custom__seats="2,5", custom__empty=" ").contract(configured)
    assert data["customFields"] == {"po": "007", "seats": Decimal("2.5")}


@pytest.mark.parametrize(
    ("path", "name", "label"),
    [
        ("customer.email", "customer-email", "Customer e-mail"),
        ("customer.firstName", "customer-first_name", "First name"),
        ("billingAddress.streetAddress", "billing-street_address", "Street address"),
        ("shippingAddress.city", "shipping-city", "Shipping address, City"),
        ("extensionDetails.extensionMonths", "extension-extension_months", "Months to extend"),
        ("upgradeDetails.previousDevice", "upgrade-previous_device", "Previous device"),
        ("customFields.po", "custom-po", "Purchase order"),
        ("notes", "notes", "Notes"),
        ("orderType", "order_type", "Order type"),
        ("items", "search", "Items"),
        ("items.1.quantity", "line-b-quantity", "Item 2, quantity"),
        ("items.0.contractLength", "line-a-length", "Item 1, contract length"),
        ("items.0.sku", "line-a-sku", "Item 1, SKU"),
        ("customFields", "", "Order"),
        ("somewhere.else", "", "Order"),
    ],
)
def test_message_finds_its_field(tenant: Tenant, path: str, name: str, label: str) -> None:
    configured = [CustomFieldFactory(key="po", label="Purchase order")]
    form = OrderForm(
        typed("line=a&line=b"), configured=configured, details=[Detail(path, "X", "Wrong.")]
    )
    [problem] = form.problems
    assert (problem.name, problem.label, problem.message) == (name, label, "Wrong.")


def test_cursor_goes_to_the_first_wrong_field_of_the_page(tenant: Tenant) -> None:
    details = [Detail(path, "X", "Wrong.") for path in ("notes", "billingAddress.city", "nowhere")]
    assert OrderForm(EMPTY, configured=[], details=details).focus == "id_billing-city"
    assert OrderForm(EMPTY, configured=[]).focus == "id_customer-email"


@pytest.mark.parametrize("kind", CustomField.Type.values)
def test_custom_field_has_its_label(tenant: Tenant, kind: str) -> None:
    options = ["A", "B"] if kind == "select" else []
    field = CustomFieldFactory(key="k", label="Cost centre", type=kind, options=options)
    html = str(OrderForm(EMPTY, configured=[field]).custom_fields)
    assert '<label for="id_custom-k">Cost centre:</label>' in html


def test_customer_fills_in_details_and_last_addresses(tenant: Tenant) -> None:
    customer = CustomerFactory(
        company="Acme", last_billing_address=address(), last_shipping_address=address(city="Gouda")
    )
    fields: dict[str, Any] = customer_fields(customer)
    assert (fields["customer-company"], fields["billing-city"]) == ("Acme", "Rotterdam")
    assert (fields["ship_elsewhere"], fields["shipping-city"]) == ("on", "Gouda")


def test_customer_whose_addresses_agree_ships_to_the_billing_address(tenant: Tenant) -> None:
    customer = CustomerFactory(last_billing_address=address(), last_shipping_address=address())
    assert customer_fields(customer)["ship_elsewhere"] == ""


def test_numbers_are_read_in_the_format_of_the_user(tenant: Tenant) -> None:
    with use_formats("nl_NL", tenant.zone):
        data = typed("line=a&line-a-sku=A&line-a-quantity=1.000").contract([])
    assert data["items"][0]["quantity"] == Decimal(1000)
