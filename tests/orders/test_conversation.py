"""The history on an order's page, what is written beside it, and how an open page follows."""

import re
from typing import Any

import pytest
from django.test import Client

from orders.changes import seen_by
from orders.editing import Edit, EditedLine
from orders.models import Order, OrderEvent
from orders.services import comment_order, confirm_order, edit_order, recall_order, replace_notes
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import SYSTEM, VariantFactory, make_order, new_order
from tests.orders.test_editing import line

HTMX = {"HX-Request": "true"}


@pytest.fixture
def order(tenant: Tenant, rep: User) -> Order:
    VariantFactory(sku="PHONE-1", prices={24: "25.00"}, list_price="600", acquisition_cost="444.44")
    VariantFactory(sku="PHONE-2", prices={24: "30.00"}, list_price="700", acquisition_cost="555.55")
    return make_order("PHONE-1", actor=Actor.from_user(rep), notes="Ring twice.")


def _address(order: Order, action: str = "") -> str:
    return f"/orders/{order.public_id}/{action}"


def _text(response: Any) -> str:
    return " ".join(response.text.split())


def _live(client: Client, order: Order, version: int, seen: int | None = None) -> Any:
    query = {"version": version, "seen": version if seen is None else seen}
    return client.get(_address(order, "live/"), query, headers=HTMX)


def _swapped(response: Any) -> list[str]:
    """The ids of what the answer replaces, wherever it is on the page."""
    tags = re.findall(r"<[^>]*hx-swap-oob[^>]*>", _text(response))
    return [re.findall(r' id="([\w-]+)"', tag)[0] for tag in tags]


def test_history_shows_every_event_newest_first_with_before_after_and_why(
    rep_client: Client, order: Order, rep: User, manager: User
) -> None:
    this = {"tenant": order.tenant, "order_id": order.public_id}
    confirm_order(**this, actor=Actor.from_user(manager), reason="Known customer.")
    wanted = new_order(items=[line("PHONE-1", 5), line("PHONE-2", 1)], notes=order.notes)
    edit_order(
        **this,
        actor=Actor.from_user(rep),
        edit=Edit(wanted, [EditedLine(kept=0), EditedLine()]),
        reason="They want more.",
    )
    shown = _text(rep_client.get(_address(order)))
    timeline = shown[shown.index('id="order-timeline"') :]

    titles = re.findall(r'<strong>([^<]*)</strong> <span class="who">by ([^<]*)<', timeline)
    assert titles == [("Changed", rep.email), ("Confirmed", manager.email), ("Created", rep.email)]
    for words in (
        "They want more.",
        "Known customer.",
        f"{manager.email} had confirmed it; it has to be confirmed again.",
        "1 × Product",
        "5 × Product",
        "€155.00",
    ):
        assert words in timeline


def test_costs_in_the_history_are_for_who_may_see_them(
    rep_client: Client, manager_client: Client, order: Order, rep: User
) -> None:
    edit_order(
        tenant=order.tenant,
        order_id=order.public_id,
        actor=Actor.from_user(rep),
        edit=Edit(new_order("PHONE-2"), [EditedLine()]),
    )
    assert "€555.55" in manager_client.get(_address(order)).text
    assert "555.55" not in rep_client.get(_address(order)).text


def test_recalled_order_says_so_once(rep_client: Client, order: Order, rep: User) -> None:
    recall_order(tenant=order.tenant, order_id=order.public_id, actor=Actor.from_user(rep))
    who = f'<span class="who">by {rep.email}</span>'
    assert f"<strong>Recalled</strong> {who}" in _text(rep_client.get(_address(order)))


def test_comment_is_added_and_stays(rep_client: Client, order: Order, rep: User) -> None:
    response = rep_client.post(_address(order, "comment/"), {"comment": "  Paid\r\ntwice. "})

    assert response.url == _address(order)
    assert "Paid\ntwice." in rep_client.get(response.url).text
    event = OrderEvent.objects.get(order=order, kind="commented")
    assert (event.reason, event.actor, event.version) == ("Paid\ntwice.", rep.email, 2)


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("", "Write something."),
        ("   ", "Write something."),
        ("x" * 1001, "This may have 1,000 characters at most."),
        ("hidden \u200b", "It contains a character that cannot be seen (U+200B)."),
        ("a\0b", "It contains a character that cannot be seen (U+0000)."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_comment_that_is_refused_is_kept_with_the_message_beside_it(
    rep_client: Client, order: Order, comment: str, message: str, headers: dict[str, str]
) -> None:
    response = rep_client.post(_address(order, "comment/"), {"comment": comment}, headers=headers)

    assert response.status_code == 422
    assert f'role="alert">{message}</p>' in response.text
    assert 'aria-describedby="comment-problem"' in response.text
    assert f">{comment}</textarea>" in response.text
    assert ("<h1>" in response.text) == (not headers)
    assert OrderEvent.objects.filter(order=order).count() == 1


def test_comment_of_an_open_page_answers_an_empty_field_and_what_has_changed(
    rep_client: Client, order: Order
) -> None:
    response = rep_client.post(
        _address(order, "comment/"), {"comment": "Paid.", "version": 1}, headers=HTMX
    )
    assert response.status_code == 200
    assert re.search(r'<textarea[^>]*id="comment"[^>]*></textarea>', _text(response))
    assert "live/?version=2&seen=1" in response.text
    assert "order-timeline" in _swapped(response)
    # What one writes oneself is no news.
    assert '<div id="order-news" hx-swap-oob="innerHTML"> </div>' in _text(response)


def test_notes_are_replaced_and_the_history_has_both(rep_client: Client, order: Order) -> None:
    data = {"notes": "Ring once.", "version": 1}
    response = rep_client.post(_address(order, "notes/"), data)

    assert response.url == _address(order)
    order.refresh_from_db()
    assert order.notes == "Ring once."
    event = OrderEvent.objects.get(order=order, kind="noted")
    assert event.data["changes"] == {"notes": ["Ring twice.", "Ring once."]}


def test_notes_of_an_open_page_are_shown_anew(rep_client: Client, order: Order) -> None:
    data = {"notes": "Ring once.", "version": 1}
    response = rep_client.post(_address(order, "notes/"), data, headers=HTMX)

    assert response.status_code == 200
    assert 'class="pre-line" >Ring once.</p>' in _text(response)
    assert "order-timeline" in _swapped(response)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_notes_about_another_version_are_kept_and_may_be_saved_again(
    rep_client: Client, order: Order, manager: User, headers: dict[str, str]
) -> None:
    replace_notes(
        tenant=order.tenant,
        actor=Actor.from_user(manager),
        order_id=order.public_id,
        notes="Ring thrice.",
    )
    data = {"notes": "Ring once.", "version": 1}
    response = rep_client.post(_address(order, "notes/"), data, headers=headers)
    shown = _text(response)

    assert response.status_code == 422
    assert f"{manager.email} last changed it (notes changed)." in shown
    assert (">Ring thrice.</p>" in shown, ">Ring once.</textarea>" in shown) == (True, True)
    assert '<input type="hidden" name="version" value="2">' in shown
    order.refresh_from_db()
    assert order.notes == "Ring thrice."

    rep_client.post(_address(order, "notes/"), data | {"version": 2}, headers=headers)
    order.refresh_from_db()
    assert order.notes == "Ring once."


def test_notes_that_are_too_long_are_kept_with_the_message(
    rep_client: Client, order: Order
) -> None:
    data = {"notes": "x" * 5001, "version": 1}
    response = rep_client.post(_address(order, "notes/"), data, headers=HTMX)

    assert response.status_code == 422
    assert "This may have 5,000 characters at most." in response.text
    assert "x" * 5001 + "</textarea>" in response.text


def test_notes_of_somebody_elses_order_are_for_managers(
    rep_client: Client, manager_client: Client, tenant: Tenant
) -> None:
    order = make_order()
    data = {"notes": "Mine now.", "version": 1}

    assert "Edit notes" not in rep_client.get(_address(order)).text
    assert rep_client.post(_address(order, "notes/"), data).status_code == 403
    assert manager_client.post(_address(order, "notes/"), data).status_code == 302


def test_open_page_is_told_nothing_while_nothing_changes(
    rep_client: Client, order: Order, django_assert_num_queries: Any
) -> None:
    # Session, user, permissions; the order's version is one more.
    with django_assert_num_queries(4):
        response = _live(rep_client, order, 1)
    assert (response.status_code, response.content) == (204, b"")
    assert "no-store" in response["Cache-Control"]


def test_open_page_is_told_of_a_confirmation(
    rep_client: Client, order: Order, manager: User
) -> None:
    confirm_order(tenant=order.tenant, actor=Actor.from_user(manager), order_id=order.public_id)
    response = _live(rep_client, order, 1)
    shown = _text(response)

    assert response.status_code == 200
    who = f'<span class="who">by {manager.email}</span>'
    assert f"<strong>Confirmed</strong> {who} · just now" in shown
    assert "version=2" in shown
    assert _swapped(response) == [
        "order-poll", "order-head", "order-news", "order-notices", "order-figures",
        "order-content", "notes-text", "order-timeline",
    ]  # fmt: skip
    assert "<textarea" not in shown


def test_decision_of_an_open_page_is_still_about_what_it_was_loaded_with(
    manager_client: Client, order: Order
) -> None:
    comment_order(tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, comment="Wait.")
    shown = _text(_live(manager_client, order, 1))

    assert "Wait." in shown
    assert '<input type="hidden" name="version" value="1">' in shown
    assert "version=2&seen=1" in shown


@pytest.mark.parametrize("query", ["", "?version=x&seen=y", f"?version={'9' * 5000}", "?version=²"])
def test_page_that_names_no_version_is_told_everything(
    rep_client: Client, order: Order, query: str
) -> None:
    assert rep_client.get(_address(order, f"live/{query}"), headers=HTMX).status_code == 200


def test_news_costs_the_same_queries_however_much_happened(
    rep_client: Client, order: Order, django_assert_num_queries: Any
) -> None:
    for number in range(2):
        for _ in range(1 + number * 9):
            comment_order(
                tenant=order.tenant, actor=SYSTEM, order_id=order.public_id, comment="Again"
            )
        with django_assert_num_queries(8):
            _live(rep_client, order, 1)


def test_only_ones_own_words_count_as_seen(order: Order, rep: User, manager: User) -> None:
    this = {"tenant": order.tenant, "order_id": order.public_id}
    own, other = Actor.from_user(manager), Actor.from_user(rep)
    comment_order(**this, actor=own, comment="First")
    replace_notes(**this, actor=own, notes="Second")
    comment_order(**this, actor=other, comment="Third")
    comment_order(**this, actor=own, comment="Fourth")
    order.refresh_from_db()

    assert (seen_by(order, 1, own), seen_by(order, 4, own), seen_by(order, 1, other)) == (3, 5, 1)
