"""A program and a manager in the admin decide about the same order at once, over HTTP."""

from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from portal.models import ApiKey, Tenant, User
from portal.permissions import Actor
from tests.api import send
from tests.factories import VariantFactory, make_order
from tests.orders.test_admin import step_url
from tests.orders.test_concurrency import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

PAIRS = [
    ("confirm", "confirm"),
    ("confirm", "cancel"),
    ("cancel", "confirm"),
    ("cancel", "cancel"),
    ("edit", "confirm"),
    ("edit", "cancel"),
]
"""What the program does, and what the manager."""


def by_program(client: Client, order: Order, step: str) -> Any:
    path = f"/orders/{order.public_id}"
    match step:
        case "confirm":
            return send(client, "POST", f"{path}/confirm", {"version": 1})
        case "cancel":
            return send(client, "POST", f"{path}/cancel", {"reason": "Called off"})
        case _:
            items = [{"sku": "A", "quantity": 3, "contractLength": 24}]
            return send(client, "PATCH", path, {"version": 1, "items": items})


def decide(
    tenant: Tenant, rep: Actor, program: Client, manager: Client, steps: tuple[str, str]
) -> None:
    """Whoever is first wins, by the one event; the other is told so.

    Cancelling says no version over the API: what was confirmed just before is cancelled then.
    """
    order = make_order("A", actor=rep)
    answers = in_threads(
        tenant,
        lambda: by_program(program, order, steps[0]).status_code,
        lambda: (
            manager.post(step_url(order, steps[1]), {"version": 1, "reason": "Gone"}).status_code
        ),
    )
    now = Order.objects.get(pk=order.pk)
    events = [(event.kind, event.actor) for event in order.events.all()][1:]
    assert now.version == 1 + len(events)
    done = {"confirm": "confirmed", "cancel": "cancelled", "edit": "edited"}
    program_did, manager_did = (done[step] for step in steps)
    key, name = ApiKey.objects.get().public_id, User.objects.get(username="manager").email
    both = [(manager_did, name), (program_did, key)]
    if steps == ("cancel", "confirm") and answers == [200, 302]:
        assert (events, now.status) == (both, "cancelled")
    elif answers[0] == 200:
        assert (events, answers[1]) == ([(program_did, key)], 409)
    else:
        refused = 400 if steps[0] == "cancel" else 409
        assert (events, answers) == ([(manager_did, name)], [refused, 302])


@pytest.mark.parametrize("_round", range(2))
@pytest.mark.parametrize("steps", PAIRS, ids=" and ".join)
def test_of_program_and_manager_one_wins(
    tenant: Tenant,
    rep_actor: Actor,
    api_client: Client,
    manager_client: Client,
    steps: tuple[str, str],
    _round: int,
) -> None:
    VariantFactory(sku="A")
    decide(tenant, rep_actor, api_client, manager_client, steps)


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
def test_change_sent_twice_at_once_with_one_key_happens_once(
    tenant: Tenant, rep_actor: Actor, api_client: Client, verb: str
) -> None:
    VariantFactory(sku="A")
    order = make_order("A", actor=rep_actor)
    path = f"/orders/{order.public_id}/{verb}"
    answers = in_threads(
        tenant, *[lambda: send(api_client, "POST", path, {}, Idempotency_Key="k")] * 4
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers}) == 1
    assert order.events.count() == 2


def test_two_programs_that_change_different_fields_both_win(
    tenant: Tenant, rep_actor: Actor, api_client: Client
) -> None:
    """Without a version, each change is put on top of what the order says by then."""
    VariantFactory(sku="A")
    order = make_order("A", actor=rep_actor)
    path = f"/orders/{order.public_id}"
    changes: list[dict[str, Any]] = [
        {"orderType": "upgrade"},
        {"customFields": {"po": "1"}},
        {"items": [{"sku": "A", "quantity": 3}]},
    ]
    answers = in_threads(
        tenant,
        *[
            lambda change=change: send(api_client, "PATCH", path, change).status_code
            for change in changes
        ],
    )
    order.refresh_from_db()
    assert answers == [200] * 3
    assert (order.order_type, order.custom_fields, order.total_devices) == (
        "upgrade",
        {"po": "1"},
        3,
    )
    assert order.version == 4
