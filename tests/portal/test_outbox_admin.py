"""Outgoing mail in the admin: seen, and tried again."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.models import OutboxMail, Tenant, User
from tests.factories import OutboxMailFactory
from tests.permissions import grant

LIST = reverse("admin:portal_outboxmail_changelist")
GIVEN_UP = {"attempts": 25, "next_attempt_at": None, "last_error": "550 No such mailbox"}


def mails() -> dict[str, OutboxMail]:
    """One in each state."""
    now = timezone.now()
    return {
        "waiting": OutboxMailFactory(),
        "failed": OutboxMailFactory(
            attempts=3, next_attempt_at=now + timedelta(minutes=4), last_error="452 Try later"
        ),
        "sent": OutboxMailFactory(attempts=1, next_attempt_at=None, sent_at=now),
        "given-up": OutboxMailFactory(**GIVEN_UP),
    }


def retry(client: Client, *chosen: OutboxMail) -> str:
    """What the list says after the action."""
    sent = {"action": "try_again", "_selected_action": [mail.pk for mail in chosen]}
    page = client.post(LIST, sent, follow=True)
    return " ".join(str(message) for message in page.context["messages"])


def test_mails_are_listed_by_state(manager_client: Client, tenant: Tenant) -> None:
    for state, mail in mails().items():
        assert mail.state == state
        page = manager_client.get(LIST, {"state": state})
        assert list(page.context["cl"].result_list) == [mail]
    assert len(manager_client.get(LIST).context["cl"].result_list) == 4


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("waiting", ["Waiting", "Will be sent in a moment"]),
        ("failed", ["Failed 3 ×", "452 Try later", "Next attempt: "]),
        ("sent", ["Sent"]),
        ("given-up", ["Given up", "550 No such mailbox", "Tried 25 times."]),
    ],
)
def test_mail_says_what_became_of_it(
    manager_client: Client, tenant: Tenant, state: str, words: list[str]
) -> None:
    mail = mails()[state]
    page = reverse("admin:portal_outboxmail_change", args=[mail.pk])
    for text in (manager_client.get(LIST, {"state": state}).text, manager_client.get(page).text):
        assert [word for word in words if word not in text] == []
    assert "It is confirmed." in manager_client.get(page).text


def test_mail_is_found_by_its_recipient(manager_client: Client, tenant: Tenant) -> None:
    found = OutboxMailFactory(recipient="else@example.com")
    OutboxMailFactory()
    page = manager_client.get(LIST, {"q": "else@"})
    assert list(page.context["cl"].result_list) == [found]


@pytest.mark.parametrize("number", [1, 12])
def test_list_of_mails_takes_the_same_queries_for_any_number(
    manager_client: Client, tenant: Tenant, number: int, django_assert_num_queries: Any
) -> None:
    OutboxMailFactory.create_batch(number)
    with django_assert_num_queries(5):
        manager_client.get(LIST)


def test_manager_has_mails_tried_again(
    manager_client: Client, tenant: Tenant, mailoutbox: list[object]
) -> None:
    chosen = mails()
    said = retry(manager_client, *chosen.values())
    assert said == "Will be sent in a moment: 3."
    due = OutboxMail.objects.due(timezone.now())
    assert set(due) == {chosen["waiting"], chosen["failed"], chosen["given-up"]}
    assert mailoutbox == []
    said = retry(manager_client, chosen["sent"])
    assert said == "These were sent already, or are being sent right now."


def test_mails_of_another_tenant_are_neither_seen_nor_tried(
    manager_client: Client, other_tenant: Tenant
) -> None:
    foreign = OutboxMailFactory(tenant=other_tenant, **GIVEN_UP)
    assert list(manager_client.get(LIST).context["cl"].result_list) == []
    retry(manager_client, foreign)
    foreign.refresh_from_db()
    assert foreign.state == OutboxMail.State.GIVEN_UP
    page = reverse("admin:portal_outboxmail_change", args=[foreign.pk])
    assert manager_client.get(page)["Location"] == reverse("admin:index")


def test_who_may_only_see_mails_tries_none_again(
    rep: User, rep_client: Client, tenant: Tenant
) -> None:
    rep.is_staff = True
    rep.save()
    grant(rep, "portal.view_outboxmail")
    mail = OutboxMailFactory(**GIVEN_UP)
    assert list(rep_client.get(LIST).context["cl"].result_list) == [mail]
    retry(rep_client, mail)
    mail.refresh_from_db()
    assert mail.state == OutboxMail.State.GIVEN_UP


def test_admin_opens_with_what_could_not_be_delivered(
    manager_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    OutboxMailFactory(tenant=other_tenant, **GIVEN_UP)
    index = reverse("admin:index")
    assert "could not be delivered" not in manager_client.get(index).text
    OutboxMailFactory(**GIVEN_UP)
    assert "E-mails that could not be delivered: 1" in manager_client.get(index).text
