"""A draft as a quote: on paper or by e-mail, at the prices that were said, until a day."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone

from catalog.pricing import PricedLine, Totals
from orders import drafts
from orders.drafts import Discarded, StaleDraft
from orders.letters import address_lines, written
from orders.models import Draft
from orders.said import UNDECIDED, accepted
from orders.sheet import Sheet, make_sheet, shown
from orders.submitting import PricesMoved
from orders.typed import Typed
from portal.errors import Conflict, DomainError
from portal.models import Tenant, User

VALID_FOR = timedelta(days=14)

log = logging.getLogger(__name__)


class MailFailed(DomainError):
    """The mail server did not take the quote; nothing was recorded: HTTP 503."""

    status = 503

    def __init__(self) -> None:
        message = "The mail server did not take the quote, so it was not sent. Try again later."
        super().__init__("UNAVAILABLE", message)


@dataclass(frozen=True, slots=True)
class Quotation:
    """What the customer gets: who offers what to whom, each line priced, valid until a day."""

    seller: Tenant
    rep: User
    sheet: Sheet
    issued: date
    valid_until: date

    @property
    def number(self) -> str:
        return self.sheet.draft.public_id

    @property
    def subject(self) -> str:
        # One line: it becomes a header of the mail.
        return " ".join(f"Quote {self.number} from {self.seller.name}".split())

    @property
    def customer(self) -> list[str]:
        name = f"{self._typed('customer-first_name')} {self._typed('customer-last_name')}"
        details = (self._typed(f"customer-{part}") for part in ("company", "email", "phone"))
        return [line for line in (name.strip(), *details) if line]

    @property
    def billing(self) -> list[str]:
        return self._address("billing")

    @property
    def shipping(self) -> list[str]:
        """Empty if it ships to the billing address."""
        return self._address("shipping") if self._typed("ship_elsewhere") else []

    @property
    def lines(self) -> list[PricedLine]:
        return [line.priced for line in self.sheet.lines if line.priced]

    @property
    def totals(self) -> Totals:
        return self.sheet.totals

    def _address(self, prefix: str) -> list[str]:
        return address_lines(lambda part: self._typed(f"{prefix}-{part}"))

    def _typed(self, name: str) -> str:
        return self.sheet.typed.fields.get(name, "").strip()


def quotation(*, sheet: Sheet, tenant: Tenant, rep: User, valid_until: date) -> Quotation:
    return Quotation(tenant, rep, sheet, timezone.localdate(), valid_until)


def first_validity() -> date:
    """Two weeks from today in the tenant's time zone."""
    return timezone.localdate() + VALID_FOR


def incomplete(sheet: Sheet) -> list[str]:
    """Why this cannot be quoted yet, in words; empty if it can."""
    if sheet.draft.edits_id is not None:
        return ["A change of an order is no quote. Submit it; the order says what it comes to."]
    if not sheet.lines:
        return ["There are no items yet."]
    return [
        f"{line.offer.product_name if line.offer else line.typed.sku}: {line.problem}"
        for line in sheet.lines
        if line.problem
    ]


@dataclass(frozen=True, slots=True)
class Version:
    """What a page of the quote shows: the change of the draft, its prices, the last quote sent."""

    sequence: int
    prices: str
    sent: str

    @classmethod
    def of(cls, sheet: Sheet) -> "Version":
        sent = sheet.draft.quoted_at
        return cls(sheet.draft.sequence, sheet.moved.fingerprint, sent.isoformat() if sent else "")

    def __str__(self) -> str:
        return f"{self.sequence}_{self.prices}_{self.sent}"

    def require(self, seen: str) -> None:
        """Raises Conflict, saying what happened since the page showed what it did."""
        sequence, _, rest = seen.partition("_")
        prices, _, sent = rest.partition("_")
        if sent != self.sent:
            message = "A quote was sent meanwhile. Send it once more if it should go out again."
            raise Conflict("QUOTE_ALREADY_SENT", message)
        if sequence != str(self.sequence):
            raise StaleDraft
        if prices != self.prices:
            raise PricesMoved


def send_quote(
    *, tenant: Tenant, owner: User, draft_id: str, to: str, valid_until: date, seen: str
) -> Draft:
    """E-mails the draft as a quote, and remembers to whom, when and until which day it holds.

    `seen` is the `Version` that the page showed: of two clicks, the second sends nothing. Prices
    that moved since they were said are quoted as they are now, and said from then on. It is
    remembered before it is mailed, so that nobody who types waits for the mail server, and
    forgotten again if that does not take it. Raises MailFailed, PricesMoved, StaleDraft, Discarded,
    AlreadySubmitted, HandedOver, NotFound, and Conflict for what cannot be quoted or was just
    sent.
    """
    draft, sheet, before = _remember(tenant, owner, draft_id, to, valid_until, seen)
    try:
        _mail(quotation(sheet=sheet, tenant=tenant, rep=owner, valid_until=valid_until), [to])
    except MailFailed:
        _forget(draft, before)
        raise
    return draft


_REMEMBERED = ("quoted_to", "quoted_at", "quoted_until")


@transaction.atomic
def _remember(
    tenant: Tenant, owner: User, draft_id: str, to: str, valid_until: date, seen: str
) -> tuple[Draft, Sheet, dict[str, Any]]:
    """The draft as it is quoted, and what it said of that before."""
    draft = drafts.locked_open(tenant, owner, draft_id)
    if draft.discarded_at:
        raise Discarded
    sheet = make_sheet(tenant, draft, Typed.from_payload(draft.payload), tab="")
    Version.of(sheet).require(seen)
    if problems := incomplete(sheet):
        raise Conflict("QUOTE_INCOMPLETE", " ".join(problems))
    before = {name: getattr(draft, name) for name in ("quote", *_REMEMBERED)}
    draft.quote = accepted(shown(sheet), sheet.moved, UNDECIDED)
    draft.quoted_to, draft.quoted_at, draft.quoted_until = to, timezone.now(), valid_until
    draft.save(update_fields=list(before))
    return draft, sheet, before


def _forget(draft: Draft, before: dict[str, Any]) -> None:
    """Nothing was mailed: what the draft said before holds again, unless more was typed since."""
    same = Draft.objects.filter(pk=draft.pk, quoted_at=draft.quoted_at)
    same.filter(sequence=draft.sequence).update(quote=before["quote"])
    same.update(**{name: before[name] for name in _REMEMBERED})


def _mail(quote: Quotation, to: Sequence[str]) -> None:
    text, html = written(quote, "orders/quote_email")
    mail = EmailMultiAlternatives(
        subject=quote.subject,
        body=text,
        to=to,
        reply_to=[quote.rep.email],
    )
    mail.attach_alternative(html, "text/html")
    try:
        mail.send()
    # Of the network and of SMTP; of an address that no mail header can hold.
    except (OSError, UnicodeError) as error:
        # The error itself may name the customer.
        log.warning("Quote %s was not sent: %s", quote.number, type(error).__name__)
        raise MailFailed from error
