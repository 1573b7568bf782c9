"""The outbox: what is enqueued is sent once at least, whatever the mail server does."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled
from django_scopes.exceptions import ScopeError

from portal import outbox
from portal.models import OutboxMail, Tenant
from portal.outbox import Outcome, deliver_due, enqueue, forget_old_mails, message_id, retry
from tests.factories import OutboxMailFactory
from tests.mail_server import MailServer, mail_server

Outbox = list[EmailMultiAlternatives]
HERE = "tests.portal.test_outbox"


class Refusing(EmailBackend):
    """A mail server that takes no mail, for a reason that is one of the mail."""

    def send_messages(self, messages: Any) -> int:
        raise ValueError("Invalid\0 address\nof noor@example.com " + "x" * 300)


class Silent(EmailBackend):
    """A mail server that does not answer."""

    def send_messages(self, messages: Any) -> int:
        raise TimeoutError("timed out")


class Dying(EmailBackend):
    """The mail is sent, and then this process ends before it can note it."""

    def send_messages(self, messages: Any) -> int:
        super().send_messages(messages)
        raise SystemExit(1)


class Slow(EmailBackend):
    """A mail server that answers when the test lets it."""

    asked, answer = Event(), Event()

    def send_messages(self, messages: Any) -> int:
        self.asked.set()
        assert self.answer.wait(10)
        return super().send_messages(messages)


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def enqueue_one(tenant: Tenant, **changes: Any) -> None:
    mail = {
        "to": "noor@example.com",
        "subject": "Confirmed",
        "text": "It is confirmed.",
        "html": "<p>It is confirmed.</p>",
        "key": "order:1",
        **changes,
    }
    enqueue(tenant=tenant, **mail)


def due_again(mail: OutboxMail) -> None:
    """As if the pause were over."""
    OutboxMail.objects.filter(pk=mail.pk).update(next_attempt_at=timezone.now())


# What is enqueued


def test_mail_is_written_and_nothing_sent(tenant: Tenant, mailoutbox: Outbox) -> None:
    enqueue_one(tenant, reply_to="rep@portal.example")
    mail = OutboxMail.objects.get()
    assert (mail.tenant, mail.key, mail.recipient) == (tenant, "order:1", "noor@example.com")
    assert (mail.reply_to, mail.subject) == ("rep@portal.example", "Confirmed")
    assert (mail.text, mail.html) == ("It is confirmed.", "<p>It is confirmed.</p>")
    assert (mail.state, mail.attempts, str(mail)) == (OutboxMail.State.WAITING, 0, "Confirmed")
    assert mailoutbox == []


def test_mail_of_a_transaction_that_is_rolled_back_is_none(tenant: Tenant) -> None:
    with transaction.atomic():
        enqueue_one(tenant)
        transaction.set_rollback(True)
    assert OutboxMail.objects.count() == 0


def test_same_key_twice_is_one_mail_in_each_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    enqueue_one(tenant)
    enqueue_one(tenant, to="else@example.com", subject="Once more")
    assert OutboxMail.objects.get().subject == "Confirmed"
    with scope(tenant=other_tenant):
        enqueue_one(other_tenant)
        assert OutboxMail.objects.get().tenant == other_tenant


def test_key_stays_used_after_the_mail_was_sent(tenant: Tenant, mailoutbox: Outbox) -> None:
    for _ in range(2):
        enqueue_one(tenant)
        deliver_due()
    assert len(mailoutbox) == 1


def test_subject_is_one_short_line(tenant: Tenant, mailoutbox: Outbox) -> None:
    enqueue_one(tenant, subject="Confirmed\r\nBcc: all@example.com " + "x" * 400)
    [outcome] = deliver_due()
    [mail] = mailoutbox
    assert outcome == Outcome.SENT
    assert mail.subject.startswith("Confirmed Bcc: all@example.com xxx")
    assert (len(mail.subject), mail.message()["Bcc"]) == (250, None)


def test_mails_of_another_tenant_are_unseen(tenant: Tenant, other_tenant: Tenant) -> None:
    OutboxMailFactory(tenant=other_tenant)
    assert OutboxMail.objects.count() == 0
    with scope(tenant=None), pytest.raises(ScopeError):
        OutboxMail.objects.count()


# What is delivered


def test_due_mail_is_sent_in_text_and_html(tenant: Tenant, mailoutbox: Outbox) -> None:
    enqueue_one(tenant, reply_to="rep@portal.example")
    assert deliver_due() == [Outcome.SENT]
    [mail] = mailoutbox
    assert (mail.subject, mail.body) == ("Confirmed", "It is confirmed.")
    assert (mail.from_email, mail.to, mail.reply_to) == (
        "portal@localhost", ["noor@example.com"], ["rep@portal.example"],
    )  # fmt: skip
    assert [(part.content, part.mimetype) for part in mail.alternatives] == [
        ("<p>It is confirmed.</p>", "text/html")
    ]
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"
    sent = OutboxMail.objects.get()
    assert (sent.state, sent.attempts) == (OutboxMail.State.SENT, 1)
    assert sent.next_attempt_at is None
    assert deliver_due() == []
    assert len(mailoutbox) == 1


def test_mail_without_html_is_plain_text(tenant: Tenant, mailoutbox: Outbox) -> None:
    OutboxMailFactory(html="")
    deliver_due()
    assert (mailoutbox[0].alternatives, mailoutbox[0].reply_to) == ([], [])


def test_mail_that_is_not_due_waits(tenant: Tenant, mailoutbox: Outbox) -> None:
    OutboxMailFactory(next_attempt_at=timezone.now() + timedelta(minutes=1))
    assert (deliver_due(), mailoutbox) == ([], [])


def test_mails_of_all_tenants_are_sent_the_longest_due_first(
    tenant: Tenant, other_tenant: Tenant, mailoutbox: Outbox
) -> None:
    now = timezone.now()
    for minutes, owner in ((1, tenant), (3, other_tenant), (2, tenant)):
        OutboxMailFactory(
            tenant=owner, subject=str(minutes), next_attempt_at=now - timedelta(minutes=minutes)
        )
    assert deliver_due(limit=2) == [Outcome.SENT] * 2
    assert [mail.subject for mail in mailoutbox] == ["3", "2"]
    assert deliver_due() == [Outcome.SENT]


@pytest.mark.parametrize("number", [1, 4])
def test_each_mail_takes_the_same_queries(
    tenant: Tenant, mailoutbox: Outbox, number: int, django_assert_num_queries: Any
) -> None:
    """Savepoint, look, note, release; and a look that finds no more."""
    OutboxMailFactory.create_batch(number)
    with django_assert_num_queries(4 * number + 3):
        deliver_due()
    assert len(mailoutbox) == number


def test_message_id_is_of_the_row_and_the_senders_domain(tenant: Tenant, settings: Any) -> None:
    first, second = OutboxMailFactory(), OutboxMailFactory()
    assert message_id(first) == message_id(OutboxMail.objects.get(pk=first.pk))
    assert message_id(first) != message_id(second)
    settings.DEFAULT_FROM_EMAIL = "Rental <portal@rental.example>"
    assert message_id(first).endswith("@rental.example>")
    settings.DEFAULT_FROM_EMAIL = "portal@büro.example"
    assert message_id(first).endswith("@xn--bro-hoa.example>")


# What goes wrong


def test_pause_doubles_up_to_hours_and_ends_after_three_days() -> None:
    pauses = [outbox.pause_after(attempts) for attempts in range(1, outbox.MAX_ATTEMPTS)]
    minutes = [pause // timedelta(minutes=1) for pause in pauses]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128] + [240] * 16
    assert timedelta(days=2) < sum(pauses, timedelta()) < timedelta(days=3)


def test_mail_that_is_not_taken_is_tried_after_a_growing_pause(
    tenant: Tenant, settings: Any, mailoutbox: Outbox
) -> None:
    settings.EMAIL_BACKEND = f"{HERE}.Silent"
    mail = OutboxMailFactory()
    for attempts, minutes in ((1, 1), (2, 2), (3, 4)):
        before = timezone.now()
        assert deliver_due() == [Outcome.UNREACHABLE]
        mail.refresh_from_db()
        pause = timedelta(minutes=minutes)
        assert before + pause <= mail.next_attempt_at <= timezone.now() + pause
        assert (mail.state, mail.attempts) == (OutboxMail.State.FAILED, attempts)
        assert mail.last_error == "TimeoutError: timed out"
        assert deliver_due() == []
        due_again(mail)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert deliver_due() == [Outcome.SENT]
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.last_error) == (OutboxMail.State.SENT, 4, "")
    assert len(mailoutbox) == 1


def test_mail_is_given_up_in_the_end_and_said_so(
    tenant: Tenant, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = f"{HERE}.Refusing"
    mail = OutboxMailFactory(attempts=outbox.MAX_ATTEMPTS - 2)
    for _ in range(2):
        assert deliver_due() == [Outcome.REFUSED]
        OutboxMail.objects.filter(next_attempt_at__isnull=False).update(
            next_attempt_at=timezone.now()
        )
    mail.refresh_from_db()
    assert (mail.state, mail.next_attempt_at) == (OutboxMail.State.GIVEN_UP, None)
    assert deliver_due() == []
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, f"Mail {mail.pk} was not sent at attempt 24: ValueError"),
        (logging.ERROR, f"Mail {mail.pk} was given up after 25 attempts: ValueError"),
    ]


def test_error_is_kept_short_and_can_be_shown(tenant: Tenant, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{HERE}.Refusing"
    mail = OutboxMailFactory()
    deliver_due()
    mail.refresh_from_db()
    assert mail.last_error.startswith("ValueError: Invalid address of noor@example.com xxx")
    assert len(mail.last_error) == 250


def test_unreachable_server_is_left_alone_for_the_other_mails(
    tenant: Tenant, settings: Any
) -> None:
    settings.EMAIL_BACKEND = f"{HERE}.Silent"
    OutboxMailFactory.create_batch(3)
    assert deliver_due() == [Outcome.UNREACHABLE]
    assert list(OutboxMail.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0]


def test_mail_that_cannot_be_written_stops_no_other(tenant: Tenant, mailoutbox: Outbox) -> None:
    OutboxMailFactory(recipient="noor@example.com\nBcc: all@example.com")
    OutboxMailFactory()
    assert deliver_due() == [Outcome.REFUSED, Outcome.SENT]
    assert len(mailoutbox) == 1


# A server on a socket


def test_server_gets_the_mail(tenant: Tenant, server: MailServer) -> None:
    mail = OutboxMailFactory(subject="Bestätigt", text="Größe: 13″", recipient="noor@example.com")
    assert deliver_due() == [Outcome.SENT]
    [got] = server.mails
    assert (got["To"], got["From"]) == ("noor@example.com", "portal@localhost")
    assert (got["Message-ID"], got.get_content_type()) == (
        message_id(mail), "multipart/alternative",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("part", "answer"),
    [("recipient", b"550 No such mailbox"), ("data", b"452 Try later")],
)
def test_what_the_server_says_of_a_mail_is_noted(
    tenant: Tenant, server: MailServer, part: str, answer: bytes
) -> None:
    setattr(server, part, answer)
    mails = OutboxMailFactory.create_batch(2)
    assert deliver_due() == [Outcome.REFUSED] * 2
    mails[0].refresh_from_db()
    assert (mails[0].last_error, mails[0].attempts) == (answer.decode(), 1)
    assert server.mails == []


def test_server_that_is_not_there_is_unreachable(tenant: Tenant, settings: Any) -> None:
    with mail_server() as gone:
        port = gone.port
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    mail = OutboxMailFactory()
    assert deliver_due() == [Outcome.UNREACHABLE]
    mail.refresh_from_db()
    assert mail.last_error.startswith("ConnectionRefusedError: ")


# Crashes, and workers side by side


@pytest.mark.django_db(transaction=True)
def test_mail_is_sent_again_when_the_process_ends_before_noting_it(
    tenant: Tenant, settings: Any, mailoutbox: Outbox
) -> None:
    mail = OutboxMailFactory()
    settings.EMAIL_BACKEND = f"{HERE}.Dying"
    with pytest.raises(SystemExit):
        deliver_due()
    mail.refresh_from_db()
    assert (len(mailoutbox), mail.state, mail.attempts) == (1, OutboxMail.State.WAITING, 0)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert deliver_due() == [Outcome.SENT]
    first, second = (sent.extra_headers["Message-ID"] for sent in mailoutbox)
    assert first == second == message_id(mail)


def deliver_in_thread(ready: Barrier | None = None) -> list[Outcome]:
    """As a worker of its own does, on a connection of its own."""
    try:
        connection.ensure_connection()
        if ready:
            ready.wait()
        return deliver_due(limit=50)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_mail_once(tenant: Tenant, mailoutbox: Outbox) -> None:
    OutboxMailFactory.create_batch(40)
    ready = Barrier(2, timeout=10)
    with ThreadPoolExecutor(2) as pool:
        workers = [pool.submit(deliver_in_thread, ready) for _ in range(2)]
        outcomes = [worker.result(timeout=30) for worker in workers]
    assert sum(len(sent) for sent in outcomes) == len(mailoutbox) == 40
    assert len({mail.extra_headers["Message-ID"] for mail in mailoutbox}) == 40
    assert OutboxMail.objects.unsent().count() == 0


@pytest.mark.django_db(transaction=True)
def test_mail_that_is_being_sent_is_left_to_its_worker(
    tenant: Tenant, settings: Any, mailoutbox: Outbox
) -> None:
    mail = OutboxMailFactory()
    settings.EMAIL_BACKEND = f"{HERE}.Slow"
    Slow.asked.clear()
    Slow.answer.clear()
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(deliver_in_thread)
        assert Slow.asked.wait(10)
        assert deliver_due() == []
        assert retry(mails=OutboxMail.objects.all()) == 0
        Slow.answer.set()
        assert worker.result(timeout=10) == [Outcome.SENT]
    mail.refresh_from_db()
    assert (mail.state, len(mailoutbox)) == (OutboxMail.State.SENT, 1)


@pytest.mark.django_db(transaction=True)
def test_enqueueing_waits_for_no_mail_that_is_being_sent(tenant: Tenant, settings: Any) -> None:
    OutboxMailFactory()
    settings.EMAIL_BACKEND = f"{HERE}.Slow"
    Slow.asked.clear()
    Slow.answer.clear()
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(deliver_in_thread)
        assert Slow.asked.wait(10)
        enqueue_one(tenant)
        assert OutboxMail.objects.unsent().count() == 2
        Slow.answer.set()
        worker.result(timeout=10)


# Trying again, forgetting


def test_retry_makes_all_but_the_sent_due_from_the_start(
    tenant: Tenant, mailoutbox: Outbox
) -> None:
    later = timezone.now() + timedelta(hours=4)
    OutboxMailFactory(attempts=25, next_attempt_at=None)
    OutboxMailFactory(attempts=9, next_attempt_at=later)
    sent = OutboxMailFactory(attempts=1, next_attempt_at=None, sent_at=timezone.now())
    assert retry(mails=OutboxMail.objects.all()) == 2
    assert list(OutboxMail.objects.unsent().values_list("attempts", flat=True)) == [0, 0]
    assert deliver_due() == [Outcome.SENT] * 2
    sent.refresh_from_db()
    assert (sent.attempts, len(mailoutbox)) == (1, 2)


@pytest.mark.parametrize(("days", "left"), [(89, 1), (91, 0)])
@pytest.mark.parametrize("sent", [True, False])
def test_mails_are_forgotten_after_ninety_days(
    tenant: Tenant, other_tenant: Tenant, days: int, left: int, sent: bool
) -> None:
    then = timezone.now() - timedelta(days=days)
    done = {"attempts": 1, "next_attempt_at": None, "sent_at": then if sent else None}
    OutboxMailFactory(tenant=other_tenant, created_at=then, **done)
    with scopes_disabled():
        assert forget_old_mails() == 1 - left
        assert OutboxMail.objects.count() == left


def test_mail_that_still_waits_is_never_forgotten(tenant: Tenant) -> None:
    OutboxMailFactory(created_at=timezone.now() - timedelta(days=400))
    assert forget_old_mails() == 0
