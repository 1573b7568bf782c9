"""Confirming and cancelling an order and replacing its notes over the API."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.models import NOTES_LENGTH, REASON_LENGTH, Notice, Order, OrderEvent
from orders.services import send_back_order
from portal.models import ApiKey, IdempotentResponse, Tenant
from portal.permissions import Actor
from tests.api import exact, post, problems, send
from tests.factories import SYSTEM, ApiKeyFactory, VariantFactory, make_order, order_body
from tests.orders.test_api_bad_input import counts

CHANGES = {
    "confirm": ("POST", {}, "confirmed"),
    "cancel": ("POST", {}, "cancelled"),
    "notes": ("PATCH", {"notes": "x"}, "noted"),
}
"""What can be done to an order: by which method, the smallest body, and its event."""


def headers_of(key: ApiKey) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {key.token}",
        "Tenant_ID": key.tenant.slug,
    }


def change(client: Client, order_id: str, verb: str, body: Any = None, **headers: str) -> Any:
    method, smallest, _ = CHANGES[verb]
    path = f"/orders/{order_id}/{verb}"
    return send(client, method, path, smallest if body is None else body, **headers)


@pytest.fixture
def order(tenant: Tenant) -> Order:
    return make_order()


@pytest.mark.parametrize(
    ("verb", "message", "told"),
    [
        ("confirm", "Order confirmed.", {"status": "confirmed"}),
        ("cancel", "Order cancelled.", {"status": "cancelled"}),
        ("notes", "Notes replaced.", {"status": "pending", "notes": "x"}),
    ],
)
def test_change_is_acknowledged_with_the_order_as_it_is_now(
    api_client: Client, api_key: ApiKey, order: Order, verb: str, message: str, told: dict[str, str]
) -> None:
    answer = exact(change(api_client, order.public_id, verb))
    shown = answer.pop("order")
    assert answer == {"success": True, "message": message, "orderId": order.public_id}
    assert shown == exact(send(api_client, "GET", f"/orders/{order.public_id}"))
    assert {name: shown[name] for name in told} == told
    event = order.events.latest("id")
    assert (event.kind, event.actor, event.version) == (CHANGES[verb][2], api_key.public_id, 2)


@pytest.mark.parametrize(
    ("verb", "scope"),
    [("confirm", "orders:confirm"), ("cancel", "orders:write"), ("notes", "orders:write")],
)
def test_order_is_shown_to_keys_that_may_read_it(
    client: Client, order: Order, verb: str, scope: str
) -> None:
    response = change(client, order.public_id, verb, **headers_of(ApiKeyFactory(scopes=[scope])))
    assert sorted(response.json()) == ["message", "orderId", "success"]


@pytest.mark.parametrize(
    ("verb", "scopes"),
    [
        ("confirm", ["orders:read", "orders:write", "costs:read"]),
        ("cancel", ["orders:read", "orders:confirm"]),
        ("notes", ["orders:read", "orders:confirm"]),
    ],
)
def test_key_without_the_scope_changes_nothing(
    client: Client, order: Order, verb: str, scopes: list[str]
) -> None:
    key = ApiKeyFactory(scopes=scopes)
    before = counts()
    response = change(client, order.public_id, verb, Idempotency_Key="k", **headers_of(key))
    assert problems(response) == (403, "INSUFFICIENT_PERMISSIONS", [])
    assert counts() == before


@pytest.mark.parametrize("order_id", ["nope", "%00", "x" * 65, "%E2%80%AE"])
@pytest.mark.parametrize("verb", CHANGES)
def test_order_that_there_is_not_cannot_be_changed(
    api_client: Client, tenant: Tenant, verb: str, order_id: str
) -> None:
    assert problems(change(api_client, order_id, verb)) == (404, "NOT_FOUND", [])


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
@pytest.mark.parametrize("media", ["application/json", "text/plain", ""])
def test_body_may_be_left_out(api_client: Client, order: Order, verb: str, media: str) -> None:
    path = f"/v1/orders/{order.public_id}/{verb}"
    assert api_client.generic("POST", path, b"", content_type=media).status_code == 200


def test_notes_need_a_body(api_client: Client, order: Order) -> None:
    response = send(api_client, "PATCH", f"/orders/{order.public_id}/notes")
    assert problems(response) == (400, "VALIDATION_ERROR", [""])


@pytest.mark.parametrize(
    ("verb", "body", "paths"),
    [
        *((verb, body, [""]) for verb in CHANGES for body in (b"[]", b"null", b'"x"', b"0")),
        *(
            (verb, {"reason": reason}, ["reason"])
            for verb in ("confirm", "cancel")
            for reason in (None, 1, ["x"], "x" * (REASON_LENGTH + 1), "\x00", "\ud800", "\u202e")
        ),
        *(
            ("confirm", {"version": version}, ["version"])
            for version in (None, "1", True, 0, -1, Decimal("1.5"), 10**300, [1])
        ),
        ("confirm", {"version": "x", "reason": 1}, ["reason", "version"]),
        ("notes", {}, ["notes"]),
        *(
            ("notes", {"notes": notes}, ["notes"])
            for notes in (None, 1, ["x"], {}, "x" * (NOTES_LENGTH + 1), "\x00", "\ud800", "\u200b")
        ),
    ],
)  # fmt: skip
def test_bad_body_is_refused_by_name(
    api_client: Client, order: Order, verb: str, body: Any, paths: list[str]
) -> None:
    before = counts()
    response = change(api_client, order.public_id, verb, body, Idempotency_Key="k")
    assert problems(response) == (400, "VALIDATION_ERROR", paths)
    assert counts() == before


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
def test_reason_is_kept(api_client: Client, order: Order, verb: str) -> None:
    reason = "x" * (REASON_LENGTH - 2) + "\ny"
    change(api_client, order.public_id, verb, {"reason": f" {reason} \r\n", "unknown": 1})
    assert order.events.latest("id").reason == reason


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("cancelled", "ALREADY_CANCELLED"),
        ("partial", "ORDER_NOT_CANCELLABLE"),
        ("fulfilled", "ORDER_NOT_CANCELLABLE"),
    ],
)
def test_order_that_cannot_be_cancelled_says_why(
    api_client: Client, tenant: Tenant, status: str, code: str
) -> None:
    order = make_order(status=status)
    before = counts()
    assert problems(change(api_client, order.public_id, "cancel")) == (400, code, [])
    assert counts() == before


def test_confirmed_order_can_be_cancelled(api_client: Client, tenant: Tenant) -> None:
    order = make_order(status="confirmed")
    assert change(api_client, order.public_id, "cancel").json()["order"]["status"] == "cancelled"


@pytest.mark.parametrize("status", ["confirmed", "partial", "fulfilled", "cancelled"])
def test_order_that_does_not_wait_cannot_be_confirmed(
    api_client: Client, tenant: Tenant, status: str
) -> None:
    order = make_order(status=status)
    assert problems(change(api_client, order.public_id, "confirm")) == (409, "STATE_CONFLICT", [])


def test_order_that_waits_for_its_rep_cannot_be_confirmed(api_client: Client, order: Order) -> None:
    send_back_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, reason="Look")
    assert problems(change(api_client, order.public_id, "confirm")) == (409, "STATE_CONFLICT", [])


@pytest.mark.parametrize(("version", "status"), [(1, 409), (2, 200), (3, 409), (10**9, 409)])
def test_only_the_version_that_was_seen_is_confirmed(
    api_client: Client, order: Order, version: int, status: int
) -> None:
    change(api_client, order.public_id, "notes")
    client_of_manager = headers_of(ApiKeyFactory())
    response = change(
        api_client, order.public_id, "confirm", {"version": version}, **client_of_manager
    )
    assert response.status_code == status
    if status == 409:
        assert problems(response) == (409, "STATE_CONFLICT", [])
        assert "last changed it (notes changed)" in response.json()["error"]["message"]


def test_key_cannot_confirm_what_it_created_unless_it_may(
    api_client: Client, tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    order_id = post(api_client, order_body("A")).json()["orderId"]
    error = change(api_client, order_id, "confirm").json()["error"]
    assert (error["code"], [each["code"] for each in error["details"]]) == (
        "INSUFFICIENT_PERMISSIONS",
        ["FOUR_EYES"],
    )
    tenant.four_eyes = False
    tenant.save()
    assert change(api_client, order_id, "confirm").status_code == 200


def test_key_cannot_confirm_above_the_limit(api_client: Client, tenant: Tenant) -> None:
    tenant.confirm_limit = 1
    tenant.save()
    error = change(api_client, make_order().public_id, "confirm").json()["error"]
    assert [each["code"] for each in error["details"]] == ["ABOVE_LIMIT"]


@pytest.mark.parametrize("status", Order.Status.values)
def test_notes_are_replaced_in_any_state(api_client: Client, tenant: Tenant, status: str) -> None:
    order = make_order(status=status, notes="Old")
    for notes in ("New\nline", ""):
        shown = change(api_client, order.public_id, "notes", {"notes": notes}).json()["order"]
        assert (shown["status"], shown.get("notes", "")) == (status, notes)


def test_notes_of_the_contracts_length_are_kept(api_client: Client, order: Order) -> None:
    notes = "é" * NOTES_LENGTH
    change(api_client, order.public_id, "notes", {"notes": notes})
    order.refresh_from_db()
    assert order.notes == notes


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
def test_retry_gets_the_same_bytes_and_changes_nothing(
    api_client: Client, order: Order, verb: str
) -> None:
    first, again = (
        change(api_client, order.public_id, verb, {"reason": "x"}, Idempotency_Key="k")
        for _ in "12"
    )
    assert (first.status_code, first.content) == (200, again.content)
    assert again["Idempotent-Replayed"] == "true"
    assert order.events.count() == 2


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
def test_key_of_another_request_is_refused(api_client: Client, order: Order, verb: str) -> None:
    """The same key and body for another order, another change, another body."""
    other = make_order()
    assert change(api_client, order.public_id, verb, {}, Idempotency_Key="k").status_code == 200
    opposite = {"confirm": "cancel", "cancel": "confirm"}[verb]
    answers = [
        change(api_client, other.public_id, verb, {}, Idempotency_Key="k"),
        change(api_client, order.public_id, opposite, {}, Idempotency_Key="k"),
        change(api_client, order.public_id, verb, {"reason": "x"}, Idempotency_Key="k"),
        send(api_client, "POST", f"/orders/{order.public_id}/{verb}", Idempotency_Key="k"),
        post(api_client, {}, Idempotency_Key="k"),
    ]
    assert {problems(answer)[:2] for answer in answers} == {(422, "IDEMPOTENCY_KEY_REUSED")}
    assert OrderEvent.objects.count() == 3


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
def test_refused_change_leaves_the_key_free(api_client: Client, tenant: Tenant, verb: str) -> None:
    done, open_order = make_order(status="fulfilled"), make_order()
    assert change(api_client, done.public_id, verb, Idempotency_Key="k").status_code in (400, 409)
    assert not IdempotentResponse.objects.exists()
    assert change(api_client, open_order.public_id, verb, Idempotency_Key="k").status_code == 200


def test_change_by_a_key_is_told_to_the_rep(
    api_client: Client, tenant: Tenant, rep_actor: Actor
) -> None:
    order = make_order(actor=rep_actor)
    change(api_client, order.public_id, "cancel", {"reason": "Called off"})
    assert Notice.objects.get().event == order.events.latest("id")
