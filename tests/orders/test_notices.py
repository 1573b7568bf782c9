"""The bell, the page of notices, and what marks them as read."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orders.models import Notice, Order
from orders.services import comment_order
from portal.models import Tenant, User
from portal.permissions import Actor
from portal.tenancy import SESSION_KEY
from tests.factories import NoticeFactory, UserFactory, make_order


@pytest.fixture
def comment(manager_actor: Actor) -> Callable[..., None]:
    def say(order: Order, text: str = "Nice one") -> None:
        comment_order(
            tenant=order.tenant, actor=manager_actor, order_id=order.public_id, comment=text
        )

    return say


@pytest.fixture
def order(rep_actor: Actor) -> Order:
    return make_order(actor=rep_actor)


def unread() -> int:
    return Notice.objects.unread().count()


def bell(client: Client, shown: str | None = None) -> Any:
    return client.get("/notices/unread/", {} if shown is None else {"shown": shown})


def words(response: Any) -> str:
    return " ".join(response.text.split())


def test_bell_counts_what_is_unread(
    rep_client: Client, order: Order, comment: Callable[..., None]
) -> None:
    comment(order)
    comment(order)
    text = words(bell(rep_client))
    assert '>2 <span class="visually-hidden">unread</span>' in text
    assert "new notice" not in text


@pytest.mark.parametrize(
    ("shown", "news"), [("0", "2 new notices"), ("1", "1 new notice"), ("3", ""), ("x", "")]
)
def test_bell_says_how_many_are_new_to_the_page(
    rep_client: Client, order: Order, comment: Callable[..., None], shown: str, news: str
) -> None:
    comment(order)
    comment(order)
    text = words(bell(rep_client, shown))
    assert text.startswith(f"{news} <input".strip())


@pytest.mark.parametrize("shown", ["²", "9" * 5000, "-1", "1.0", "\0"])
def test_bell_takes_any_number_for_what_the_page_shows(
    rep_client: Client, tenant: Tenant, shown: str
) -> None:
    assert bell(rep_client, shown).status_code == 200


@pytest.mark.parametrize("number", [0, 2])
def test_bell_says_nothing_when_nothing_changed(
    rep_client: Client, rep: User, number: int, django_assert_num_queries: Any
) -> None:
    NoticeFactory.create_batch(number, user=rep)
    # The session, the user, how many are unread.
    with django_assert_num_queries(3):
        response = bell(rep_client, str(number))
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("shown", [None, "0"])
def test_bell_interrupts_nobody_whose_login_expired(client: Client, shown: str | None) -> None:
    assert bell(client, shown).status_code == 204


def test_bell_and_page_know_the_users_own_notices_alone(
    rep_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    NoticeFactory(user=UserFactory())
    NoticeFactory(tenant=other_tenant)
    assert bell(rep_client, "0").status_code == 204
    assert "Nobody did anything to your orders yet" in rep_client.get("/notices/").text


def test_superuser_in_another_tenant_sees_no_notices_of_their_own(
    superuser: User, superuser_client: Client, other_tenant: Tenant
) -> None:
    NoticeFactory(user=superuser)
    session = superuser_client.session
    session[SESSION_KEY] = other_tenant.pk
    session.save()
    assert bell(superuser_client, "0").status_code == 204
    superuser_client.post("/notices/")
    assert unread() == 1


def test_page_tells_what_happened_the_latest_first(
    rep_client: Client, order: Order, comment: Callable[..., None]
) -> None:
    comment(order, "First")
    comment(order, "<b>Second</b>")
    text = words(rep_client.get("/notices/"))
    assert text.index("&lt;b&gt;Second&lt;/b&gt;") < text.index("First")
    assert f'href="/orders/{order.public_id}/"' in text
    assert "of Noor el Idrissi <strong>got a comment</strong>" in text
    assert "manager@portal.example" in text
    assert text.count('class="unread"') == 2


@pytest.mark.parametrize("number", [1, 3])
def test_page_costs_the_same_queries_for_one_and_for_three_notices(
    rep_client: Client, rep: User, number: int, django_assert_num_queries: Any
) -> None:
    NoticeFactory.create_batch(number, user=rep)
    with django_assert_num_queries(4):
        text = rep_client.get("/notices/").text
    assert text.count('class="unread"') == number


def test_all_are_marked_as_read(rep_client: Client, rep: User) -> None:
    NoticeFactory.create_batch(2, user=rep)
    NoticeFactory(user=UserFactory())
    response = rep_client.post("/notices/", follow=True)
    assert response.redirect_chain == [("/notices/", 302)]
    assert 'class="unread"' not in response.text
    assert unread() == 1


def test_opening_the_order_marks_its_notices_as_read(
    rep_client: Client, order: Order, rep_actor: Actor, comment: Callable[..., None]
) -> None:
    other = make_order(actor=rep_actor)
    for each in (order, order, other):
        comment(each)
    rep_client.get(f"/orders/{order.public_id}/")
    assert [notice.event.order for notice in Notice.objects.unread()] == [other]


def test_somebody_else_opening_the_order_marks_nothing(
    manager_client: Client, order: Order, comment: Callable[..., None]
) -> None:
    comment(order)
    manager_client.get(f"/orders/{order.public_id}/")
    assert unread() == 1


def test_when_it_was_read_first_stays(rep_client: Client, rep: User) -> None:
    notice = NoticeFactory(user=rep)
    rep_client.post("/notices/")
    read_at = Notice.objects.get(pk=notice.pk).read_at
    rep_client.post("/notices/")
    assert read_at
    assert Notice.objects.get(pk=notice.pk).read_at == read_at


def test_pages_ask_for_the_bell_and_cost_no_query_for_it(
    rep_client: Client, rep: User, django_assert_num_queries: Any
) -> None:
    NoticeFactory.create_batch(3, user=rep)
    # The session, the user, and what they may do.
    with django_assert_num_queries(2 + 1):
        text = rep_client.get("/password/").text
    assert 'hx-get="/notices/unread/"' in text
