"""Giving orders and drafts to another rep: one, or all that somebody leaves behind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orders.draft_life import reassign_drafts
from orders.drafts import HandedOver, Revision, load, save
from orders.edits import start_edit
from orders.leaving import OpenWork, hand_everything_over, open_work
from orders.models import Draft, Order
from orders.typed import Typed
from portal.errors import DomainError, PermissionRefused
from portal.models import Tenant, User
from portal.permissions import MANAGER, Actor
from tests.factories import DraftFactory, UserFactory, make_order

HTMX = {"HX-Request": "true"}


@pytest.fixture
def colleague(tenant: Tenant) -> User:
    return UserFactory(username="colleague")


def _typed_draft(owner: User, **values: Any) -> Draft:
    return DraftFactory(owner=owner, sequence=3, payload={"fields": {"notes": "Soon"}}, **values)


def _order_of(user: User, status: str = Order.Status.PENDING) -> Order:
    return make_order(actor=Actor.from_user(user), status=status)


def _owners() -> list[str]:
    return list(Draft.objects.order_by("pk").values_list("owner__username", flat=True))


def test_open_drafts_go_to_the_colleague_as_they_are(
    tenant: Tenant, rep: User, colleague: User, manager_actor: Actor
) -> None:
    draft = _typed_draft(rep)
    handed = reassign_drafts(tenant=tenant, actor=manager_actor, owner=rep, to=colleague)

    assert handed == 1
    draft.refresh_from_db()
    assert (draft.owner, draft.handed_by, draft.former_owners) == (colleague, rep, [rep.pk])
    sheet = load(tenant=tenant, owner=colleague, draft_id=draft.public_id)
    assert sheet.typed.fields["notes"] == "Soon"


def test_open_page_of_the_former_owner_is_told(
    tenant: Tenant, rep: User, colleague: User, manager_actor: Actor
) -> None:
    draft = _typed_draft(rep)
    reassign_drafts(tenant=tenant, actor=manager_actor, owner=rep, to=colleague)
    with pytest.raises(HandedOver, match="now belongs to colleague"):
        save(
            tenant=tenant,
            owner=rep,
            draft_id=draft.public_id,
            typed=Typed.from_payload({}),
            revision=Revision("tab", 3, 4),
        )


def test_untouched_discarded_and_submitted_drafts_stay(
    tenant: Tenant, rep: User, colleague: User, manager_actor: Actor
) -> None:
    submitted, discarded = _typed_draft(rep), _typed_draft(rep)
    make_order(actor=Actor.from_user(rep), draft=submitted)
    Draft.objects.filter(pk=discarded.pk).update(discarded_at=discarded.created_at)
    DraftFactory(owner=rep)

    assert open_work(user=rep) == OpenWork(orders=1, drafts=0)
    assert reassign_drafts(tenant=tenant, actor=manager_actor, owner=rep, to=colleague) == 0
    assert _owners() == ["rep", "rep", "rep"]


def test_draft_that_changes_an_order_goes_along_unless_the_colleague_is_changing_it(
    tenant: Tenant, rep: User, manager: User, manager_actor: Actor
) -> None:
    free, taken = _order_of(rep), _order_of(rep)
    for owner, order in ((rep, free), (rep, taken), (manager, taken)):
        start_edit(tenant=tenant, owner=owner, order_id=order.public_id)
    Draft.objects.filter(owner=rep).update(sequence=2)

    assert reassign_drafts(tenant=tenant, actor=manager_actor, owner=rep, to=manager) == 1
    assert Draft.objects.get(edits=free).owner == manager
    assert set(_owners()) == {"rep", "manager"}
    assert Draft.objects.get(edits=free).payload["base"]


def test_colleague_must_be_somebody_else_of_the_tenant_who_may_order(
    tenant: Tenant, other_tenant: Tenant, rep: User, manager_actor: Actor
) -> None:
    _typed_draft(rep)
    gone = UserFactory(is_active=False)
    for to in (rep, gone, UserFactory(tenant=other_tenant)):
        with pytest.raises(DomainError, match="Choose a colleague who may order"):
            reassign_drafts(tenant=tenant, actor=manager_actor, owner=rep, to=to)
    assert _owners() == ["rep"]


def test_rep_gives_nobody_anything(
    tenant: Tenant, rep: User, rep_actor: Actor, colleague: User
) -> None:
    _typed_draft(rep)
    _order_of(rep)
    with pytest.raises(PermissionRefused):
        hand_everything_over(tenant=tenant, actor=rep_actor, leaver=rep, to=colleague)
    assert open_work(user=rep) == OpenWork(orders=1, drafts=1)


def test_everything_open_goes_and_what_is_over_stays(
    tenant: Tenant, rep: User, colleague: User, manager_actor: Actor
) -> None:
    open_orders = [_order_of(rep, status) for status in ("pending", "confirmed")]
    over = [_order_of(rep, status) for status in ("cancelled", "fulfilled")]
    _typed_draft(rep)
    given = hand_everything_over(
        tenant=tenant, actor=manager_actor, leaver=rep, to=colleague, reason="On to new things."
    )

    assert (given, str(given)) == (OpenWork(2, 1), "2 open orders and 1 open draft")
    assert open_work(user=rep) == OpenWork(0, 0)
    for order in open_orders:
        order.refresh_from_db()
        event = order.events.latest("at", "pk")
        assert (order.rep, order.created_by) == (colleague.email, rep.email)
        assert (event.kind, event.reason) == ("reassigned", "On to new things.")
        assert event.data["changes"] == {"rep": [rep.email, colleague.email]}
    for order in over:
        order.refresh_from_db()
        assert order.rep == rep.email


def test_page_counts_what_is_open_and_hands_it_over(
    manager_client: Client, rep: User, colleague: User
) -> None:
    _order_of(rep)
    _typed_draft(rep)
    address = "/orders/reassign/"
    page = manager_client.get(address, {"leaver": rep.email}).text
    fragment = manager_client.get(address, {"leaver": rep.email}, headers=HTMX).text

    for text in (page, fragment):
        assert "rep has <strong>1 open order and 1 open draft</strong>." in text
    assert ("<h1>" in page, "<h1>" in fragment) == (True, False)
    data = {"leaver": rep.email, "to": colleague.email, "reason": "Left."}
    response = manager_client.post(address, data)
    assert response.url == address
    text = manager_client.get(address).text
    assert "colleague has taken over 1 open order and 1 open draft." in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"to": ""}, "This field is required."),
        ({"leaver": "nobody@portal.example"}, "Select a valid choice."),
        ({"leaver": "a\0b"}, "Null characters are not allowed."),
        ({"to": "rep@portal.example"}, "Choose a colleague who may order."),
        ({"reason": "x" * 1001}, "This may have 1,000 characters at most."),
        ({"reason": "hidden \u200b"}, "It contains a character that cannot be seen (U+200B)."),
    ],
)
def test_bad_hand_over_moves_nothing_and_says_why(
    manager_client: Client, rep: User, colleague: User, change: dict[str, str], message: str
) -> None:
    order = _order_of(rep)
    data = {"leaver": rep.email, "to": colleague.email, "reason": "Left."}
    response = manager_client.post("/orders/reassign/", data | change)

    assert response.status_code == 422
    assert message in response.text
    order.refresh_from_db()
    assert (order.rep, order.version) == (rep.email, 1)


def test_people_of_another_tenant_are_neither_offered_nor_taken(
    manager_client: Client, other_tenant: Tenant, rep: User
) -> None:
    stranger = UserFactory(tenant=other_tenant, username="stranger")
    page = manager_client.get("/orders/reassign/", {"leaver": stranger.email}).text
    assert "stranger" not in page
    data = {"leaver": stranger.email, "to": rep.email}
    assert manager_client.post("/orders/reassign/", data).status_code == 422


def test_one_order_is_given_to_another_rep(
    manager_client: Client, rep: User, colleague: User
) -> None:
    order = _order_of(rep)
    address = f"/orders/{order.public_id}/"
    assert f"{address}give/" in manager_client.get(address).text
    response = manager_client.post(f"{address}give/", {"to": colleague.email, "reason": "Holiday."})

    assert response.url == address
    text = " ".join(manager_client.get(address).text.split())
    assert f"looked after by {colleague.email}" in text
    assert "colleague looks after this order now." in text
    assert "Given to another rep" in text


def test_giving_an_order_to_nobody_says_so(manager_client: Client, rep: User) -> None:
    order = _order_of(rep)
    response = manager_client.post(f"/orders/{order.public_id}/give/", {"to": "x", "reason": "Why"})
    assert response.status_code == 422
    assert "Select a valid choice." in response.text
    assert ">\nWhy</textarea>" in response.text


def test_rep_is_offered_neither(rep_client: Client, rep: User) -> None:
    order = _order_of(rep)
    assert "/give/" not in rep_client.get(f"/orders/{order.public_id}/").text
    assert "/orders/reassign/" not in rep_client.get("/orders/").text


def test_user_in_the_admin_leads_to_their_orders(
    superuser_client: Client, rep: User, client_of: Callable[[User], Client]
) -> None:
    page = superuser_client.get(f"/admin/portal/user/{rep.pk}/change/").text
    assert "/orders/reassign/?leaver=rep%40portal.example" in page


def test_hand_over_costs_the_same_queries_for_one_and_for_many_people(
    manager_client: Client, rep: User, django_assert_num_queries: Any
) -> None:
    for _ in range(2):
        with django_assert_num_queries(8):
            manager_client.get("/orders/reassign/", {"leaver": rep.email})
        for _ in range(9):
            UserFactory(role=MANAGER)
