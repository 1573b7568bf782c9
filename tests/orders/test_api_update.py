"""`PATCH /v1/orders/{orderId}`: what is sent replaces, what is left out stays."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Price, Variant
from customers.models import Customer
from customers.services import change_email
from orders.editing import Edit, EditedLine, Override
from orders.merging import going_on
from orders.models import CustomField, Order, OrderEvent, OrderItem
from orders.schemas import ItemInput
from orders.services import edit_order, send_back_order
from portal.models import ApiKey, Tenant
from tests.api import exact, post, problems, send
from tests.factories import (
    SYSTEM,
    ApiKeyFactory,
    CustomerFactory,
    CustomFieldFactory,
    VariantFactory,
    address,
    make_order,
    new_order,
    order_body,
)
from tests.orders.test_api_bad_input import BAD_ORDERS, BAD_SHAPES, CUSTOMER, counts
from tests.orders.test_api_create import FULL

UPDATED = ("updatedAt", "version")


def patch(client: Client, order: Order | str, body: Any, **headers: str) -> Any:
    order_id = order if isinstance(order, str) else order.public_id
    return send(client, "PATCH", f"/orders/{order_id}", body, **headers)


def shown(client: Client, order: Order | str) -> dict[str, Any]:
    order_id = order if isinstance(order, str) else order.public_id
    found: dict[str, Any] = exact(send(client, "GET", f"/orders/{order_id}"))
    return found


def line(sku: str, quantity: int, length: int | None = 24) -> dict[str, Any]:
    sent = {"sku": sku, "quantity": quantity, "contractLength": length}
    return {name: value for name, value in sent.items() if value is not None}


def lines(answer: Any) -> list[tuple[str, int, int, Decimal]]:
    """SKU, quantity, months and price of each."""
    assert answer.status_code == 200, answer.content
    return [
        (item["sku"], item["quantity"], item["contractLength"], item["unitPrice"])
        for item in exact(answer)["order"]["items"]
    ]


@pytest.fixture(autouse=True)
def _offer(tenant: Tenant) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="B")


@pytest.fixture
def order(tenant: Tenant) -> Order:
    """Of 2 A and 2 B at €25 for 24 months."""
    return make_order(items=[line("A", 2), line("B", 2)], notes="Old", customFields={"po": "1"})


CHANGES: dict[str, Any] = {
    "orderType": "upgrade",
    "customer": {**CUSTOMER, "firstName": "Eleonora", "company": "Stadsmakers", "phone": "1"},
    "billingAddress": address(city="Delft", postalCode=None),
    "shippingAddress": address(city="Gouda"),
    "customFields": {"po": "2", "size": Decimal("5.50")},
    "notes": "New",
    "extensionDetails": FULL["extensionDetails"],
    "upgradeDetails": FULL["upgradeDetails"],
}


@pytest.mark.parametrize("names", [[name] for name in CHANGES] + [list(CHANGES)])
def test_what_is_sent_replaces_and_the_rest_stays(
    api_client: Client, order: Order, names: list[str]
) -> None:
    before = shown(api_client, order)
    sent = {name: CHANGES[name] for name in names}
    answer = exact(patch(api_client, order, sent))
    after = answer.pop("order")
    assert answer == {
        "success": True,
        "message": "Order changed.",
        "orderId": order.public_id,
    }
    assert after == shown(api_client, order)
    if "customer" in sent:
        sent["customer"] = sent["customer"] | {
            "customerId": before["customer"]["customerId"],
            "customerType": "individual",
        }
    assert after == before | sent | {name: after[name] for name in UPDATED}
    assert after["version"] == 2


@pytest.mark.parametrize(
    "path",
    ["billingAddress.company", "customer.phone", "shippingAddress.postalCode"],
)
def test_what_is_left_out_of_a_field_is_gone(api_client: Client, tenant: Tenant, path: str) -> None:
    """A field is replaced as a whole: no street of one address with the floor of another."""
    order = make_order(
        "A",
        customer={**CUSTOMER, "phone": "1"},
        billingAddress=address(company="Stadsmakers"),
        shippingAddress=address(postalCode="3011 AA"),
    )
    section, _, name = path.partition(".")
    whole = {**CUSTOMER} if section == "customer" else address()
    answer = exact(patch(api_client, order, {section: whole}))
    assert name not in answer["order"][section]


@pytest.mark.parametrize("name", ["extensionDetails", "upgradeDetails", "customFields"])
def test_null_takes_away(api_client: Client, tenant: Tenant, name: str) -> None:
    order = make_order("A", **{name: FULL[name]})
    assert shown(api_client, order)[name] == FULL[name]
    after = exact(patch(api_client, order, {name: None}))["order"]
    assert after.get(name) is None


@pytest.mark.parametrize("body", [{}, {"unknown": 1}, {"reason": "x"}, {"version": 1}])
def test_nothing_sent_changes_nothing(api_client: Client, order: Order, body: Any) -> None:
    before = counts()
    answer = exact(patch(api_client, order, body))
    assert (answer["order"]["version"], counts()) == (1, before)


VALUES = [0, 1, False, True, [], {}, [0], [False], {"a": 1}, {"a": True}, "x", None, ""]


@pytest.mark.parametrize("after", VALUES, ids=repr)
@pytest.mark.parametrize("before", ["absent", *VALUES], ids=repr)
def test_what_is_answered_is_what_is_stored(
    api_client: Client, tenant: Tenant, before: Any, after: Any
) -> None:
    """False is not 0, and neither is nothing; null and a blank text are."""
    custom = {"a": "x"} if before == "absent" else {"a": "x", "b": before}
    order = make_order("A", customFields=custom)
    answer = exact(patch(api_client, order, {"customFields": {"a": "x", "b": after}}))["order"]
    assert json.dumps(answer["customFields"]) == json.dumps(
        shown(api_client, order)["customFields"]
    )
    nothing = ("absent", None, "")
    is_same = json.dumps(before) == json.dumps(after) or (before in nothing and after in nothing)
    assert answer["version"] == (1 if is_same else 2)
    if not is_same:
        assert json.dumps(answer["customFields"]["b"]) == json.dumps(after)


@pytest.mark.parametrize("gone", [0, False, [], {}], ids=repr)
def test_value_that_is_left_out_is_gone(api_client: Client, tenant: Tenant, gone: Any) -> None:
    order = make_order("A", customFields={"a": "x", "b": gone})
    patch(api_client, order, {"customFields": {"a": "x"}})
    assert shown(api_client, order)["customFields"] == {"a": "x"}
    assert OrderEvent.objects.get(kind="edited").data["changes"] == {"customFields.b": [gone, None]}


@pytest.mark.parametrize("body", [{}, {"notes": "Call first"}])
def test_addresses_of_a_customer_stay_unless_the_order_gets_others(
    api_client: Client, order: Order, body: Any
) -> None:
    customer = Customer.objects.get()
    Customer.objects.update(last_billing_address=address(city="Utrecht"))
    assert patch(api_client, order, body).status_code == 200
    after = Customer.objects.get()
    assert (after.last_billing_address["city"], after.updated_at) == (
        "Utrecht",
        customer.updated_at,
    )
    patch(api_client, order, {"billingAddress": address(city="Delft")})
    assert Customer.objects.get().last_billing_address["city"] == "Delft"


def test_addresses_of_a_later_order_stay(api_client: Client, order: Order) -> None:
    later = make_order("A", billingAddress=address(city="Utrecht"))
    before = Customer.objects.get()
    patch(api_client, order, {"billingAddress": address(city="Delft")})
    after = Customer.objects.get()
    assert (after.last_billing_address["city"], after.updated_at) == ("Utrecht", before.updated_at)
    patch(api_client, later, {"billingAddress": address(city="Gouda")})
    assert Customer.objects.get().last_billing_address["city"] == "Gouda"


def test_order_that_moves_to_a_customer_with_a_later_one_leaves_their_addresses(
    api_client: Client, order: Order
) -> None:
    other = CUSTOMER | {"email": "other@example.com"}
    make_order("A", customer=other, billingAddress=address(city="Utrecht"))
    assert patch(api_client, order, {"customer": other}).status_code == 200
    theirs = Customer.objects.get(email="other@example.com")
    assert (theirs.orders.count(), theirs.last_billing_address["city"]) == (2, "Utrecht")


def test_sending_back_what_was_read_changes_nothing(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="C", list_price=900)
    order_id = post(api_client, order_body("A", "C", "A", **FULL)).json()["orderId"]
    Price.objects.update(monthly_price=99)
    read = shown(api_client, order_id)
    assert exact(patch(api_client, order_id, read))["order"] == read


def test_changed_quantity_keeps_the_price(api_client: Client, order: Order) -> None:
    Price.objects.update(monthly_price=99)
    answer = patch(api_client, order, {"items": [line("A", 5), line("B", 2)]})
    assert lines(answer) == [("A", 5, 24, 25), ("B", 2, 24, 25)]
    assert exact(answer)["order"]["totals"]["subtotal"] == 175


def test_line_without_a_length_keeps_its_own(api_client: Client, order: Order) -> None:
    Price.objects.update(monthly_price=99)
    answer = patch(api_client, order, {"items": [line("B", 1, None), line("A", 1, None)]})
    assert lines(answer) == [("A", 1, 24, 25), ("B", 1, 24, 25)]


def test_new_and_replaced_lines_have_the_catalogues_price(api_client: Client, order: Order) -> None:
    Price.objects.update(monthly_price=99)
    sent = [line("B", 2), line("A", 2, 36), line("B", 1)]
    answer = patch(api_client, order, {"items": sent})
    assert lines(answer) == [("A", 2, 36, 99), ("B", 2, 24, 25), ("B", 1, 24, 99)]


def test_line_that_is_left_out_goes(api_client: Client, order: Order) -> None:
    assert lines(patch(api_client, order, {"items": [line("B", 2)]})) == [("B", 2, 24, 25)]


@pytest.mark.parametrize(
    "extra",
    [
        {"unitPrice": 1},
        {"agreedPrice": 1, "agreed_price": 1, "_agreed_price": 1},
        {"listPriceOverride": 1, "acquisitionCostOverride": 1, "kept": 0, "override": {}},
    ],
)
def test_price_that_is_sent_is_ignored(
    api_client: Client, order: Order, extra: dict[str, Any]
) -> None:
    sent = [line("A", 3) | extra, line("B", 2, 36) | extra]
    answer = patch(api_client, order, {"items": sent})
    assert lines(answer) == [("A", 3, 24, 25), ("B", 2, 36, 20)]
    found = OrderItem.objects.filter(order=order).values_list("catalogue_price", "list_price")
    assert list(found) == [(25, None), (20, None)]


def test_price_that_a_manager_decided_stays_with_its_line(api_client: Client, order: Order) -> None:
    wanted = new_order(items=[line("A", 2), line("B", 2)])
    decided = EditedLine(kept=0, override=Override(unit_price=Decimal(20), reason="Bulk"))
    edit_order(
        tenant=order.tenant,
        actor=SYSTEM,
        order_id=order.public_id,
        edit=Edit(wanted, [decided, EditedLine(kept=1)]),
    )
    answer = patch(api_client, order, {"items": [line("A", 9), line("B", 2)]})
    assert lines(answer) == [("A", 9, 24, 20), ("B", 2, 24, 25)]
    item = OrderItem.objects.get(order=order, position=0)
    assert (item.override_reason, item.overridden_by) == ("Bulk", SYSTEM.label)


def test_line_goes_on_although_its_variant_is_no_longer_offered(
    api_client: Client, order: Order
) -> None:
    Variant.objects.filter(sku="A").update(status="inactive")
    answer = patch(api_client, order, {"items": [line("A", 3), line("B", 2)]})
    assert lines(answer)[0] == ("A", 3, 24, 25)
    answer = patch(api_client, order, {"items": [line("A", 3, 36), line("B", 2)]})
    assert problems(answer) == (400, "VARIANT_INACTIVE", ["items.0.sku"])


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ([("A", 24)], [0]),
        ([("B", 12)], [2]),
        ([("A", 12)], [1]),
        ([("A", None)], [0]),
        ([("A", None), ("A", 24)], [1, 0]),
        ([("A", 24), ("A", 24), ("A", 24)], [0, 3, 1]),
        ([("A", 36), ("A", 24)], [1, 0]),
        ([("A", 36), ("A", None), ("A", 24)], [3, 1, 0]),
        ([("A", None)] * 4, [0, 1, 3, None]),
        ([("B", None), ("C", 24), ("B", 12)], [None, None, 2]),
        ([], []),
    ],
)
def test_line_goes_on_from_the_one_that_is_most_like_it(
    wanted: list[tuple[str, int | None]], kept: list[int | None]
) -> None:
    """From A for 24 months, A for 12, B for 12, A for 24."""
    there = [
        OrderItem(pk=number, position=number, sku=sku, contract_length=length)
        for number, (sku, length) in enumerate([("A", 24), ("A", 12), ("B", 12), ("A", 24)])
    ]
    sent = [
        ItemInput.model_validate({"sku": sku, "quantity": 1, "contractLength": length})
        if length
        else ItemInput.model_validate({"sku": sku, "quantity": 1})
        for sku, length in wanted
    ]
    assert [each.kept for each in going_on(sent, there)] == kept


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"notes": "New"}, "confirmed", "noted"),
        ({"notes": "New", "items": [line("A", 2), line("B", 2)]}, "confirmed", "noted"),
        ({"notes": "New", "reason": "x"}, "confirmed", "noted"),
        ({"notes": "New", "customFields": {"po": "2"}}, "pending", "edited"),
        ({"customFields": {"po": "2"}}, "pending", "edited"),
        ({"items": [line("A", 2)]}, "pending", "edited"),
        ({"billingAddress": address(city="Delft")}, "pending", "edited"),
    ],
)
def test_confirmed_order_is_pending_again_unless_only_its_notes_changed(
    api_client: Client, tenant: Tenant, body: dict[str, Any], status: str, kind: str
) -> None:
    items = [line("A", 2), line("B", 2)]
    order = make_order(items=items, customFields={"po": "1"}, status="confirmed")
    after = patch(api_client, order, body).json()["order"]
    assert (after["status"], after["version"], "confirmedAt" in after) == (
        status,
        3,
        status == "confirmed",
    )
    event = order.events.latest("id")
    assert (event.kind, event.reason) == (kind, body.get("reason", ""))


@pytest.mark.parametrize("body", [{}, {"notes": "Corrected"}, {"items": [line("A", 1)]}])
def test_order_that_was_sent_back_goes_to_the_queue_again(
    api_client: Client, order: Order, body: dict[str, Any]
) -> None:
    send_back_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, reason="Look")
    after = patch(api_client, order, body).json()["order"]
    assert (after["status"], after["awaiting"], after["version"]) == ("pending", "manager", 3)
    assert order.events.latest("id").kind == OrderEvent.Kind.RESUBMITTED


@pytest.mark.parametrize("status", ["partial", "fulfilled", "cancelled"])
def test_order_in_another_state_cannot_be_changed(
    api_client: Client, tenant: Tenant, status: str
) -> None:
    order = make_order(status=status)
    before = counts()
    response = patch(api_client, order, {"notes": "x", "orderType": "upgrade"})
    assert problems(response) == (409, "STATE_CONFLICT", [])
    assert counts() == before


@pytest.mark.parametrize(("version", "status"), [(1, 409), (2, 200), (3, 409)])
def test_only_the_version_that_was_seen_is_changed(
    api_client: Client, order: Order, version: int, status: int
) -> None:
    patch(api_client, order, {"notes": "Newer"})
    response = patch(api_client, order, {"orderType": "upgrade", "version": version})
    assert response.status_code == status
    order.refresh_from_db()
    assert (order.order_type, order.notes) == ("upgrade" if status == 200 else "standard", "Newer")


def test_without_a_version_different_fields_are_both_changed(
    api_client: Client, order: Order
) -> None:
    patch(api_client, order, {"shippingAddress": address(city="Gouda")})
    after = patch(api_client, order, {"customFields": {"po": "2"}}).json()["order"]
    assert (after["shippingAddress"]["city"], after["customFields"]["po"]) == ("Gouda", "2")


@pytest.mark.parametrize("scopes", [[], ["orders:read", "orders:confirm", "costs:read"]])
def test_key_without_the_scope_changes_nothing(
    client: Client, order: Order, scopes: list[str]
) -> None:
    key = ApiKeyFactory(scopes=scopes)
    headers = {"Authorization": f"Bearer {key.token}", "Tenant_ID": key.tenant.slug}
    before = counts()
    response = patch(client, order, {"notes": "x"}, **headers)
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])
    assert counts() == before


def test_key_that_only_writes_sees_nothing(client: Client, order: Order) -> None:
    key = ApiKeyFactory(scopes=["orders:write"])
    headers = {"Authorization": f"Bearer {key.token}", "Tenant_ID": key.tenant.slug}
    response = patch(client, order, {"notes": "x"}, **headers)
    assert sorted(response.json()) == ["message", "orderId", "success"]


def test_key_that_changed_an_order_does_not_confirm_it(api_client: Client, order: Order) -> None:
    patch(api_client, order, {"items": [line("A", 9)]})
    response = send(api_client, "POST", f"/orders/{order.public_id}/confirm")
    assert response.json()["error"]["details"][0]["code"] == "FOUR_EYES"


@pytest.mark.parametrize("order_id", ["nope", "%00", "x" * 65])
def test_order_that_there_is_not_cannot_be_changed(
    api_client: Client, tenant: Tenant, order_id: str
) -> None:
    assert problems(patch(api_client, order_id, {"notes": "x"})) == (404, "NOT_FOUND", [])


# What create refuses only because it is missing, an update leaves as it is.
BAD = [
    (changes, paths)
    for changes, paths in BAD_SHAPES
    if changes not in ({"extensionDetails": None},)
]


@pytest.mark.parametrize(("changes", "paths"), BAD)
def test_bad_shape_is_refused_by_name(
    api_client: Client, order: Order, changes: dict[str, Any], paths: list[str]
) -> None:
    before = counts()
    response = patch(api_client, order, changes)
    assert problems(response) == (400, "VALIDATION_ERROR", paths)
    assert counts() == before


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"version": 0}, ["version"]),
        ({"version": "1"}, ["version"]),
        ({"version": None}, ["version"]),
        ({"reason": None}, ["reason"]),
        ({"reason": "x" * 1001}, ["reason"]),
        ({"orderType": None, "reason": 1, "items": []}, ["items", "orderType", "reason"]),
        ({"upgradeDetails": {}, "customFields": {"size": "L"}}, [
            "customFields.size", "upgradeDetails.previousDevice",
            "upgradeDetails.previousMonthlyAmount", "upgradeDetails.previousRentalId",
            "upgradeDetails.previousSerialNumber",
        ]),
    ],
)  # fmt: skip
def test_bad_field_of_a_change_is_refused_by_name(
    api_client: Client, order: Order, changes: dict[str, Any], paths: list[str]
) -> None:
    CustomFieldFactory(key="size", type=CustomField.Type.NUMBER)
    before = counts()
    assert problems(patch(api_client, order, changes)) == (400, "VALIDATION_ERROR", paths)
    assert counts() == before


@pytest.mark.parametrize(
    ("changes", "code", "paths"),
    # A line without a length goes on from the one that there is.
    [bad for bad in BAD_ORDERS if bad[0] != {"items": [{"sku": "A", "quantity": 1}]}],
)
def test_what_cannot_be_ordered_is_refused_by_name(
    api_client: Client, tenant: Tenant, changes: dict[str, Any], code: str, paths: list[str]
) -> None:
    order = make_order("A")
    Variant.objects.filter(sku="B").update(sku="C")
    VariantFactory(sku="OLD", status="inactive")
    CustomerFactory(email="left@example.com", status="inactive")
    before = counts()
    assert problems(patch(api_client, order, changes)) == (400, code, paths)
    assert counts() == before


def test_required_custom_field_is_asked_for_when_they_are_sent(
    api_client: Client, order: Order
) -> None:
    CustomFieldFactory(key="costCenter", required=True)
    assert patch(api_client, order, {"notes": "x"}).status_code == 200
    response = patch(api_client, order, {"customFields": {"po": "1"}})
    assert problems(response) == (400, "VALIDATION_ERROR", ["customFields.costCenter"])


def test_another_email_finds_another_customer(api_client: Client, order: Order) -> None:
    other = CustomerFactory(email="ann@example.com")
    customer = {"email": "ANN@example.com", "firstName": "Ann", "lastName": "Lee"}
    after = patch(api_client, order, {"customer": customer}).json()["order"]
    assert after["customer"]["customerId"] == other.public_id


def test_customer_who_is_not_mentioned_stays(api_client: Client, order: Order) -> None:
    """Also when their e-mail is another's by now, and when they became inactive."""
    customer = Customer.objects.get()
    change_email(customer=customer, email="new@example.com")
    Customer.objects.update(status="inactive")
    CustomerFactory(email="noor@example.com", email_key="noor@example.com")
    after = patch(api_client, order, {"notes": "x", "orderType": "upgrade"}).json()["order"]
    assert after["customer"]["customerId"] == customer.public_id
    assert after["customer"]["email"] == "noor@example.com"


@pytest.mark.parametrize("stored", [5, Decimal("5.50"), 0])
def test_details_that_are_not_sent_stay_exact(
    api_client: Client, tenant: Tenant, stored: Any
) -> None:
    details = FULL["upgradeDetails"] | {"previousMonthlyAmount": stored}
    order = make_order("A", upgradeDetails=details, extensionDetails=FULL["extensionDetails"])
    after = exact(patch(api_client, order, {"orderType": "upgrade"}))["order"]
    assert after["upgradeDetails"] == details
    assert after["extensionDetails"] == FULL["extensionDetails"]


@pytest.mark.parametrize(
    ("body", "status", "tax"),
    [
        ({}, "confirmed", 0),
        ({"notes": "x"}, "confirmed", 0),
        ({"billingAddress": address(city="Delft")}, "pending", 0),
        ({"items": [line("A", 2), line("B", 2)]}, "pending", 21),
    ],
)
def test_tax_is_that_of_today_where_items_are_sent(
    api_client: Client, tenant: Tenant, body: dict[str, Any], status: str, tax: int
) -> None:
    order = make_order(items=[line("A", 2), line("B", 2)], status="confirmed")
    tenant.vat_rate = Decimal("21")
    tenant.save()
    after = exact(patch(api_client, order, body))["order"]
    totals = after["totals"]
    assert (after["status"], totals["subtotal"], totals["taxAmount"]) == (status, 100, tax)


def test_totals_of_an_imported_order_stay_to_the_cent(
    api_client: Client, order: Order, tenant: Tenant
) -> None:
    """As they were rounded elsewhere: no rate of ours comes to them."""
    was: dict[str, Any] = {"vat_rate": 9, "tax_amount": Decimal("8.88"), "total": Decimal("108.88")}
    Order.objects.filter(pk=order.pk).update(**was)
    before = shown(api_client, order)["totals"]
    after = exact(patch(api_client, order, {"billingAddress": address(city="Delft")}))["order"]
    assert after["totals"] == before
    assert after["version"] == 2


def test_statements_do_not_grow_with_the_lines(
    api_client: Client, api_key: ApiKey, tenant: Tenant
) -> None:
    counted = []
    for number in (1, 100):
        order = make_order(*["A"] * number)
        with CaptureQueriesContext(connection) as asked:
            patch(api_client, order, {"items": [line("A", 2)] * number + [line("B", 1)]})
        counted.append(len(asked))
    assert counted[0] == counted[1]
