"""What happens to a draft besides typing: discarded and brought back, handed to a colleague."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope
from pytest_django import DjangoAssertNumQueries

from orders import draft_life, drafts, submitting
from orders.drafts import AlreadySubmitted, Discarded, HandedOver, StaleDraft
from orders.models import Draft, Order
from orders.sheet import Sheet
from orders.typed import Typed
from portal.errors import DomainError, NotFound
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import UserFactory, VariantFactory
from tests.orders import test_new_order
from tests.orders.test_concurrency import in_threads
from tests.orders.test_drafts import at, typed

HTMX = test_new_order.HTMX
IN_LIST = {**HTMX, "HTTP_HX_TARGET": "drafts"}


@pytest.fixture
def maria(tenant: Tenant) -> User:
    return UserFactory(username="maria", first_name="Maria", last_name="Jansen")


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    return drafts.open_draft(tenant=tenant, owner=rep)


@pytest.fixture
def one(tenant: Tenant, rep: User, draft: Draft) -> dict[str, Any]:
    return {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}


def save(one: dict[str, Any], form: Typed, sequence: int, tab: str = "a", base: int = 0) -> Sheet:
    sheet = drafts.save(**one, typed=form, revision=at(sequence, tab, base))
    assert sheet is not None
    return sheet


def submit(one: dict[str, Any], form: Typed, sequence: int) -> Order:
    actor = Actor.from_user(one["owner"])
    return submitting.submit_draft(**one, actor=actor, typed=form, revision=at(sequence))


def path(draft: Draft, action: str = "") -> str:
    return f"/orders/new/{draft.public_id}/{action}"


def test_discarded_draft_comes_back_to_the_last_field(rep: User, one: dict[str, Any]) -> None:
    save(one, typed(notes="kept"), 1)
    draft_life.discard(**one)
    assert draft_life.summaries(owner=rep) == []
    draft_life.restore(**one)
    assert [summary.public_id for summary in draft_life.summaries(owner=rep)] == [one["draft_id"]]
    assert drafts.load(**one).typed.fields["notes"] == "kept"


def test_discarded_draft_keeps_what_an_open_page_still_types(one: dict[str, Any]) -> None:
    form = typed(VariantFactory().sku, notes="Typed after")
    save(one, typed(), 1)
    draft_life.discard(**one)
    assert save(one, form, 2).draft.discarded_at is not None
    with pytest.raises(Discarded):
        submit(one, form, 3)
    draft_life.restore(**one)
    assert drafts.load(**one).typed.fields["notes"] == "Typed after"
    assert submit(one, form, 4).notes == "Typed after"


def test_submitted_draft_is_neither_discarded_nor_handed_over(
    maria: User, one: dict[str, Any]
) -> None:
    order = submit(one, typed(VariantFactory().sku), 1)
    for change in (
        lambda: draft_life.discard(**one),
        lambda: draft_life.restore(**one),
        lambda: draft_life.hand_over(**one, to=maria.email),
    ):
        with pytest.raises(AlreadySubmitted) as refused:
            change()
        assert refused.value.order == order
    draft = Draft.objects.get()
    assert (draft.discarded_at, draft.handed_by) == (None, None)


def test_colleagues_are_active_and_may_order_in_the_same_tenant(
    tenant: Tenant, other_tenant: Tenant, rep: User, maria: User, manager: User, superuser: User
) -> None:
    UserFactory(is_active=False)
    UserFactory(tenant=other_tenant)
    UserFactory().groups.clear()
    found = draft_life.colleagues(tenant=tenant, user=rep)
    assert set(found) == {maria, manager, superuser}


def test_refused_submit_is_not_kept_where_another_tab_has_submitted_meanwhile(rep: User) -> None:
    VariantFactory(sku="A-1")
    draft = drafts.open_draft(tenant=rep.tenant, owner=rep)
    good, bad = typed("A-1"), typed("A-1", billing__city="", notes="Later")
    this: Any = {"tenant": rep.tenant, "owner": rep, "draft_id": draft.public_id}
    drafts.save(**this, typed=good, revision=at(1))
    placed = submitting.submit_draft(**this, actor=Actor.from_user(rep), typed=good, revision=at(2))
    kept = Draft.objects.get().payload
    for keep in (submitting.keep_refused, submitting.take_over):
        with pytest.raises(AlreadySubmitted) as refused:
            keep(**this, typed=bad, revision=at(3))
        assert refused.value.order == placed
    assert Draft.objects.get().payload == kept


def test_handed_over_draft_belongs_to_the_colleague_alone(
    rep: User, maria: User, one: dict[str, Any]
) -> None:
    save(one, typed(notes="Call back"), 1)
    draft_life.hand_over(**one, to=maria.email)
    theirs = one | {"owner": maria}
    assert drafts.load(**theirs).typed.fields["notes"] == "Call back"
    assert draft_life.summaries(owner=rep) == []
    assert [summary.handed_by for summary in draft_life.summaries(owner=maria)] == ["rep"]
    with pytest.raises(NotFound):
        drafts.load(**one)
    for change in (
        lambda: save(one, typed(), 2),
        lambda: submit(one, typed(), 2),
        lambda: draft_life.discard(**one),
        lambda: draft_life.hand_over(**one, to=maria.email),
    ):
        with pytest.raises(HandedOver, match="This draft now belongs to Maria Jansen"):
            change()
    save(theirs, typed(notes="Called"), 5, "b", base=2)


def test_handing_over_takes_along_what_the_page_has_typed(maria: User, one: dict[str, Any]) -> None:
    save(one, typed(notes="Sent"), 3)
    draft_life.hand_over(**one, to=maria.email, typed=typed(notes="Not sent yet"), revision=at(3))
    assert Draft.objects.get().payload["fields"]["notes"] == "Not sent yet"


def test_handing_over_from_a_stale_tab_is_refused(maria: User, one: dict[str, Any]) -> None:
    save(one, typed(notes="b"), 3, "b")
    with pytest.raises(StaleDraft):
        draft_life.hand_over(**one, to=maria.email, typed=typed(notes="a"), revision=at(1, "a"))
    assert Draft.objects.get().owner == one["owner"]


def test_draft_that_comes_back_is_not_written_by_an_old_page(
    rep: User, maria: User, one: dict[str, Any]
) -> None:
    save(one, typed(notes="old"), 1)
    draft_life.hand_over(**one, to=maria.email)
    draft_life.hand_over(**one | {"owner": maria}, to=rep.email)
    with pytest.raises(StaleDraft):
        save(one, typed(notes="older page"), 9)


def test_everybody_who_handed_a_draft_on_is_told_whose_it_is_now(
    rep: User, maria: User, one: dict[str, Any]
) -> None:
    bo = UserFactory(username="bo", first_name="Bo", last_name="Vos")
    stranger = UserFactory(username="stranger")
    save(one, typed(notes="first"), 1)
    draft_life.hand_over(**one, to=maria.email)
    draft_life.hand_over(**one | {"owner": maria}, to=bo.email)
    for former in (rep, maria):
        with pytest.raises(HandedOver, match="This draft now belongs to Bo Vos"):
            save(one | {"owner": former}, typed(), 9)
    with pytest.raises(NotFound):
        save(one | {"owner": stranger}, typed(), 9)
    draft_life.hand_over(**one | {"owner": bo}, to=rep.email)
    assert save(one, typed(notes="back"), 9, base=4).typed.fields["notes"] == "back"


def test_discarded_draft_is_not_handed_over(maria: User, one: dict[str, Any]) -> None:
    draft_life.discard(**one)
    with pytest.raises(Discarded):
        draft_life.hand_over(**one, to=maria.email)


@pytest.mark.parametrize("to", ["", "nobody@example.com", "a\0b", "x" * 10_000])
def test_handing_over_to_nobody_is_refused(one: dict[str, Any], to: str) -> None:
    with pytest.raises(DomainError) as refused:
        draft_life.hand_over(**one, to=to)
    assert [detail.path for detail in refused.value.details] == ["colleague"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_hand_over_against_save_loses_nothing(
    tenant: Tenant, maria: User, one: dict[str, Any], _round: int
) -> None:
    save(one, typed(notes="first"), 1)
    handed, saved = in_threads(
        tenant,
        lambda: draft_life.hand_over(**one, to=maria.email).owner,
        lambda: save(one, typed(notes="second"), 2).typed.fields["notes"],
    )
    draft = Draft.objects.get()
    assert (handed, draft.owner) == (maria, maria)
    notes = draft.payload["fields"]["notes"]
    assert (saved, notes) in [("second", "second"), ("HANDED_OVER", "first")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_hand_over_against_submit_ends_in_one_of_them(
    tenant: Tenant, maria: User, one: dict[str, Any], _round: int
) -> None:
    form = typed(VariantFactory().sku)
    handed, submitted = in_threads(
        tenant,
        lambda: draft_life.hand_over(**one, to=maria.email).owner.username,
        lambda: submit(one, form, 1).status,
    )
    assert (handed, submitted) in [("maria", "HANDED_OVER"), ("ALREADY_SUBMITTED", "pending")]
    assert Order.objects.count() == int(submitted == "pending")
    assert Draft.objects.get().owner.username == ("maria" if handed == "maria" else "rep")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_discard_against_submit_ends_in_one_of_them(
    tenant: Tenant, one: dict[str, Any], _round: int
) -> None:
    form = typed(VariantFactory().sku)
    discarded, submitted = in_threads(
        tenant,
        lambda: draft_life.discard(**one).discarded_at is not None,
        lambda: submit(one, form, 1).status,
    )
    assert (discarded, submitted) in [(True, "DRAFT_DISCARDED"), ("ALREADY_SUBMITTED", "pending")]
    assert (Draft.objects.get().discarded_at is None) == (submitted == "pending")


def test_discard_from_the_list_offers_undo_in_it(rep_client: Client, draft: Draft) -> None:
    rep_client.post(path(draft, "save/"), test_new_order.typed())
    html = rep_client.post(path(draft, "discard/"), **IN_LIST).text
    assert "<html" not in html
    assert "Draft of Noor el Idrissi discarded." in html
    assert f'hx-post="{path(draft, "restore/")}"' in html
    assert f'href="{path(draft)}"' not in html
    html = rep_client.post(path(draft, "restore/"), **IN_LIST).text
    assert f'href="{path(draft)}"' in html
    assert "discarded" not in html


@pytest.mark.parametrize("number", [1, 4])
def test_list_costs_the_same_queries_for_one_and_for_many(
    rep_client: Client,
    tenant: Tenant,
    rep: User,
    maria: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    Draft.objects.bulk_create(
        Draft(tenant=tenant, owner=rep, sequence=1, handed_by=maria, handed_at=timezone.now())
        for _ in range(number)
    )
    # Session, user, permissions, drafts, colleagues, sent back, recent.
    with django_assert_num_queries(7):
        assert rep_client.get("/").text.count("from Maria Jansen") == number


def test_discard_without_javascript_leads_to_undo(rep_client: Client, draft: Draft) -> None:
    rep_client.post(path(draft, "save/"), test_new_order.typed())
    response = rep_client.post(path(draft, "discard/"), follow=True)
    assert "Draft of Noor el Idrissi discarded" in response.text
    assert f'action="{path(draft, "restore/")}"' in response.text
    assert rep_client.post(path(draft, "restore/"))["Location"] == path(draft)


def test_hand_over_from_the_list_tells_who_has_it(
    rep_client: Client, client_of: Callable[[User], Client], maria: User, draft: Draft
) -> None:
    rep_client.post(path(draft, "save/"), test_new_order.typed())
    html = rep_client.post(path(draft, "hand-over/"), {"colleague": maria.email}, **IN_LIST).text
    assert "You handed this draft to Maria Jansen." in html
    assert rep_client.get(path(draft)).status_code == 404
    assert rep_client.post(path(draft, "hand-over/")).status_code == 302
    theirs = client_of(maria).get("/").text
    assert f'href="{path(draft)}"' in theirs
    assert "from rep, just now" in theirs


def test_hand_over_from_the_page_leads_home_with_what_was_typed(
    rep_client: Client, maria: User, draft: Draft
) -> None:
    form = test_new_order.typed(notes="Not saved") | {"colleague": maria.email}
    response = rep_client.post(path(draft, "hand-over/"), form, **HTMX)
    assert response["HX-Redirect"] == "/"
    assert "You handed this draft to Maria Jansen." in rep_client.get("/").text
    draft.refresh_from_db()
    assert (draft.owner, draft.payload["fields"]["notes"]) == (maria, "Not saved")


def test_hand_over_to_nobody_says_so(rep_client: Client, draft: Draft) -> None:
    rep_client.post(path(draft, "hand-over/"), {"colleague": ""})
    assert "Choose who takes the draft over." in rep_client.get("/").text


@pytest.mark.parametrize("action", ["save/", ""])
def test_page_of_the_former_owner_shows_what_it_had_typed(
    rep_client: Client, one: dict[str, Any], maria: User, draft: Draft, action: str
) -> None:
    draft_life.hand_over(**one, to=maria.email)
    form = test_new_order.typed(notes="Typed too late")
    response = rep_client.post(path(draft, action), form, **HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (422, "#new-order")
    assert "This draft now belongs to Maria Jansen." in response.text
    assert response.context["unsaved"][-1] == ("Notes", "Typed too late")
    whole = rep_client.post(path(draft), form)
    assert whole.status_code == 409
    assert "<html" in whole.text


def test_page_of_a_discarded_draft_says_so_and_offers_to_restore(
    rep_client: Client, one: dict[str, Any], draft: Draft
) -> None:
    draft_life.discard(**one)
    form = test_new_order.typed(VariantFactory().sku, notes="Typed after")
    saved = rep_client.post(path(draft, "save/"), form, **HTMX)
    assert saved.status_code == 200
    assert '<div id="notices" class="notices" hx-swap-oob="true">' in saved.text
    assert f'action="{path(draft, "restore/")}"' in saved.text
    refused = rep_client.post(path(draft), form | {"sequence": "2"})
    assert refused.status_code == 422
    assert "This draft was discarded." in refused.text
    rep_client.post(path(draft, "restore/"))
    assert rep_client.post(path(draft), form | {"sequence": "3"}).status_code == 303
    assert Order.objects.get().notes == "Typed after"


def test_actions_of_a_submitted_draft_lead_to_its_order(
    rep_client: Client, one: dict[str, Any], maria: User, draft: Draft
) -> None:
    order = submit(one, typed(VariantFactory().sku), 1)
    for action in ("discard/", "restore/", "hand-over/"):
        response = rep_client.post(path(draft, action), {"colleague": maria.email})
        assert response["Location"] == f"/orders/{order.public_id}/"


def test_draft_of_another_tenant_is_not_there(
    client_of: Callable[[User], Client], other_tenant: Tenant, draft: Draft
) -> None:
    stranger = client_of(UserFactory(tenant=other_tenant))
    for action in ("", "save/", "discard/", "restore/", "hand-over/"):
        assert stranger.post(path(draft, action)).status_code == 404
    with scope(tenant=draft.tenant):
        assert Draft.objects.get().owner_id == draft.owner_id


def test_open_drafts_are_read_from_an_index_of_open_ones(one: dict[str, Any], rep: User) -> None:
    form = typed(VariantFactory().sku)
    save(one, form, 1)
    order = submit(one, form, 2)
    draft = Draft.objects.get()
    assert draft.submitted_at == order.created_at
    Draft.objects.bulk_create(
        Draft(tenant=rep.tenant, owner=rep, sequence=1, submitted_at=draft.submitted_at)
        for _ in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_draft")
    assert "using draft_open on orders_draft" in draft_life.open_drafts(owner=rep).explain()
