"""Mail that is certain to be sent: a row of the transaction that it tells about, sent later.

Whoever does something enqueues what is to be told; the worker delivers. A mail is sent once at
least: one whose worker died before noting it is sent again, under the same Message-ID.
"""

import hashlib
import logging
from datetime import timedelta
from email.utils import parseaddr
from enum import Enum
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.encoding import punycode
from django_scopes import scopes_disabled

from portal.models import OutboxMail, Tenant

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
MAX_ATTEMPTS = 25
"""With these pauses, a mail is given up after three days."""

BATCH = 20
KEPT = timedelta(days=90)

log = logging.getLogger(__name__)


class Outcome(Enum):
    """What became of one attempt to send a mail."""

    SENT = "sent"
    REFUSED = "refused"
    """Something is wrong with this mail; others may go."""
    UNREACHABLE = "unreachable"
    """The server did not answer, or lets nobody in: others would fare the same now."""


def enqueue(
    *, tenant: Tenant, to: str, subject: str, text: str, html: str, key: str, reply_to: str = ""
) -> None:
    """Has a mail sent once the caller's transaction is committed; never, if it is rolled back.

    Only writes a row: no mail server is asked. `key` says within the tenant what the mail is
    about; of several with the same key the first one counts. An empty `html` makes a mail of
    plain text.
    """
    one_line = " ".join(subject.split())
    mail = OutboxMail(
        tenant=tenant,
        key=key,
        recipient=to,
        reply_to=reply_to,
        subject=one_line[: OutboxMail.SUBJECT_LENGTH].strip(),
        text=text,
        html=html,
    )
    OutboxMail.objects.bulk_create([mail], ignore_conflicts=True)


def deliver_due(*, limit: int = BATCH) -> list[Outcome]:
    """Sends what is due, of all tenants, `limit` mails at most; returns what became of each.

    Each mail is locked and noted in a transaction of its own, so several workers share the work.
    No failure of a mail server is raised: the mail is tried again after a pause. When the server
    is unreachable the rest is left for later, so that an outage costs few mails an attempt.
    """
    outcomes: list[Outcome] = []
    with scopes_disabled():
        while len(outcomes) < limit and (outcome := _deliver_next()):
            outcomes.append(outcome)
            if outcome is Outcome.UNREACHABLE:
                break
    return outcomes


@transaction.atomic(durable=True)
def _deliver_next() -> Outcome | None:
    """Sends the mail that is longest due and in nobody else's hands; None if there is none."""
    due = OutboxMail.objects.due(timezone.now()).select_for_update(skip_locked=True)
    mail = due.first()
    if mail is None:
        return None
    mail.attempts += 1
    try:
        _message(mail).send()
    except Exception as error:  # Each backend has errors of its own.
        outcome = _put_off(mail, error)
    else:
        mail.sent_at, mail.next_attempt_at, mail.last_error = timezone.now(), None, ""
        outcome = Outcome.SENT
    mail.save(update_fields=["attempts", "sent_at", "next_attempt_at", "last_error"])
    return outcome


def _message(mail: OutboxMail) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.recipient],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        # So that no holiday notice answers it.
        headers={"Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def message_id(mail: OutboxMail) -> str:
    """The same for each attempt, so that a receiver can drop a repeat; no hint of volume."""
    row = f"{mail.tenant_id}:{mail.key}:{mail.created_at.isoformat()}"
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{hashlib.sha256(row.encode()).hexdigest()[:32]}@{punycode(domain)}>"


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failures: a minute, then twice as long each time."""
    # Beyond 2⁹ minutes it is the longest anyway.
    doublings: int = 2 ** min(attempts - 1, 9)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


def _put_off(mail: OutboxMail, error: Exception) -> Outcome:
    """Notes the failure and when to try again, if ever. Logs no text: it may name somebody."""
    reason = "".join(char if char.isprintable() else " " for char in _reason(error))
    mail.last_error = " ".join(reason.split())[: OutboxMail.ERROR_LENGTH]
    kind = type(error).__name__
    if mail.attempts >= MAX_ATTEMPTS:
        mail.next_attempt_at = None
        log.error("Mail %s was given up after %s attempts: %s", mail.pk, mail.attempts, kind)
    else:
        mail.next_attempt_at = timezone.now() + pause_after(mail.attempts)
        log.warning("Mail %s was not sent at attempt %s: %s", mail.pk, mail.attempts, kind)
    of_this_mail = isinstance(error, SMTPRecipientsRefused | SMTPDataError)
    of_server = isinstance(error, OSError) and not of_this_mail
    return Outcome.UNREACHABLE if of_server else Outcome.REFUSED


def _reason(error: Exception) -> str:
    """What the server said, as people read it: 550 No such mailbox."""
    code: int = 0
    said: bytes | str = b""
    if isinstance(error, SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()), (code, said))
    elif isinstance(error, SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    if not code:
        return f"{type(error).__name__}: {error}"
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"


@transaction.atomic
def retry(*, mails: "QuerySet[OutboxMail]") -> int:
    """Makes those that were not sent due now, given up or not; returns how many.

    They begin anew with the shortest pause. Mails that a worker is just sending are left to it.
    """
    free = mails.filter(sent_at__isnull=True).select_for_update(skip_locked=True)
    numbers = list(free.order_by("pk").values_list("pk", flat=True))
    return OutboxMail.objects.filter(pk__in=numbers).update(
        attempts=0, next_attempt_at=timezone.now()
    )


def forget_old_mails() -> int:
    """Deletes what was sent or given up and is older than 90 days, of all tenants; how many."""
    old = OutboxMail.objects.filter(created_at__lte=timezone.now() - KEPT)
    return old.filter(next_attempt_at__isnull=True).delete()[0]
