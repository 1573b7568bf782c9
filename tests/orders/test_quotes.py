"""A draft as a quote: what the customer reads, when it is sent, and what stops it."""

import socket
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Price, Variant
from orders import draft_life, drafts, edits, quotes, submitting
from orders.models import Draft, Order
from orders.submitting import PricesMoved
from portal.errors import Conflict
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import VariantFactory, make_order
from tests.meanwhile import meanwhile
from tests.orders.test_concurrency import in_threads
from tests.orders.test_drafts import at, typed

Outbox = list[EmailMultiAlternatives]


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    """Three laptops at €25.00 with 21 % VAT, typed for Noor."""
    tenant.name, tenant.vat_rate = "Demo Rental", Decimal(21)
    tenant.save()
    VariantFactory(sku="A-1", product__name="MacBook", acquisition_cost="777.77", list_price=900)
    draft = drafts.open_draft(tenant=tenant, owner=rep)
    save(draft, typed("A-1", "A-1", "A-1"))
    draft.refresh_from_db()
    return draft


def save(draft: Draft, form: Any) -> None:
    drafts.save(
        tenant=draft.tenant,
        owner=draft.owner,
        draft_id=draft.public_id,
        typed=form,
        revision=at(draft.sequence + 1),
    )


def path(draft: Draft) -> str:
    return f"/orders/new/{draft.public_id}/quote/"


def sending(draft: Draft, **changes: str) -> dict[str, str]:
    """What the page posts that shows the draft as it is now."""
    draft.refresh_from_db()
    return {
        "email": "noor@example.com",
        "valid_until": (timezone.localdate() + timedelta(days=7)).isoformat(),
        "seen": version(draft),
    } | changes


def version(draft: Draft) -> str:
    sheet = drafts.load(tenant=draft.tenant, owner=draft.owner, draft_id=draft.public_id)
    return str(quotes.Version.of(sheet))


def errors(response: Any) -> dict[str, list[str]]:
    return {name: list(messages) for name, messages in response.context["form"].errors.items()}


class Refusing(EmailBackend):
    """A mail server that refuses everything."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


def test_page_shows_what_the_customer_gets(rep_client: Client, draft: Draft) -> None:
    text = rep_client.get(path(draft)).text
    for shown in (
        f"Quote {draft.public_id}", "Demo Rental", "Noor el Idrissi", "noor@example.com",
        "Coolsingel 93", "Rotterdam", "MacBook", "A-1", "€25.00", "€75.00", "21 %", "€15.75",
        "€90.75", "€1,800.00", "rep@portal.example",
        "Prices are per device per month, before VAT.",
    ):  # fmt: skip
        assert shown in text
    assert "777.77" not in text


def test_quote_is_valid_for_two_weeks_in_the_tenants_time_zone(
    rep_client: Client, draft: Draft
) -> None:
    # Between them these two are a day apart at every hour.
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        Tenant.objects.update(time_zone=zone)
        quote = rep_client.get(path(draft)).context["quote"]
        assert quote.issued == timezone.localdate(timezone=ZoneInfo(zone))
        assert quote.valid_until == quote.issued + timedelta(days=14)


def test_validity_can_be_chosen_and_is_shown(rep_client: Client, draft: Draft) -> None:
    response = rep_client.post(path(draft), {"show": "date", "valid_until": "2099-01-31"})
    assert response["Location"] == f"{path(draft)}?valid_until=2099-01-31"
    assert "31 Jan 2099" in rep_client.get(response["Location"]).text


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2020-01-01", "This day has passed."),
        ("", "This field is required."),
        ("tomorrow", "Enter a day."),
        ("a\0b", "Enter a day."),
        ("9" * 10_000, "Enter a day."),
    ],
)
def test_wrong_validity_is_told_beside_the_field_and_nothing_is_sent(
    rep_client: Client, draft: Draft, mailoutbox: Outbox, day: str, message: str
) -> None:
    assert errors(rep_client.get(path(draft), {"valid_until": day})) == {"valid_until": [message]}
    refused = rep_client.post(path(draft), sending(draft, valid_until=day))
    assert (refused.status_code, errors(refused)) == (422, {"valid_until": [message]})
    assert 'aria-describedby="id_valid_until_error"' in refused.text
    assert mailoutbox == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "noor",
        "noor@example.com\nBcc: all@example.com",
        "noor@example.com\r\nBcc: all@example.com",
        "noor@example.com, all@example.com",
        "Noor <noor@example.com>",
        "noor\0@example.com",
        "x" * 10_000,
    ],
)
def test_wrong_address_is_told_beside_the_field_and_nothing_is_sent(
    rep_client: Client, draft: Draft, mailoutbox: Outbox, email: str
) -> None:
    refused = rep_client.post(path(draft), sending(draft, email=email))
    assert refused.status_code == 422
    assert list(errors(refused)) == ["email"]
    assert 'aria-describedby="id_email_error"' in refused.text
    assert mailoutbox == []


def test_sending_mails_the_quote_and_remembers_it(
    rep_client: Client, draft: Draft, mailoutbox: Outbox
) -> None:
    response = rep_client.post(path(draft), sending(draft, valid_until="2099-01-31"), follow=True)
    assert "The quote is sent to noor@example.com." in response.text
    [mail] = mailoutbox
    assert mail.subject == f"Quote {draft.public_id} from Demo Rental"
    assert (mail.from_email, mail.to, mail.reply_to) == (
        "portal@localhost",
        ["noor@example.com"],
        ["rep@portal.example"],
    )
    [html] = mail.alternatives
    assert html.mimetype == "text/html"
    for text in (str(mail.body), str(html.content)):
        for shown in ("MacBook", "A-1", "€25.00", "€90.75", "31 Jan 2099", "Coolsingel 93"):
            assert shown in text
        assert "777.77" not in text
    draft.refresh_from_db()
    assert (draft.quoted_to, draft.quoted_until) == ("noor@example.com", date(2099, 1, 31))
    page = rep_client.get(f"/orders/new/{draft.public_id}/").text
    assert "Quote sent to noor@example.com on" in page
    assert "valid until 31 Jan 2099" in page


def test_names_are_escaped_in_html_and_plain_in_text(
    rep_client: Client, draft: Draft, mailoutbox: Outbox
) -> None:
    Draft.objects.update(quote={})
    save(draft, typed("A-1", customer__company="<b>Bo & Co</b>"))
    rep_client.post(path(draft), sending(draft))
    [mail] = mailoutbox
    assert "<b>Bo & Co</b>" in str(mail.body)
    assert "&lt;b&gt;Bo &amp; Co&lt;/b&gt;" in str(mail.alternatives[0].content)


def test_name_of_two_lines_makes_no_header(
    rep_client: Client, tenant: Tenant, draft: Draft, mailoutbox: Outbox
) -> None:
    tenant.name = "Demo\r\nBcc: all@example.com"
    tenant.save()
    rep_client.post(path(draft), sending(draft))
    [mail] = mailoutbox
    assert mail.subject == f"Quote {draft.public_id} from Demo Bcc: all@example.com"
    assert mail.message()["Bcc"] is None


def test_second_click_sends_nothing(rep_client: Client, draft: Draft, mailoutbox: Outbox) -> None:
    form = sending(draft)
    assert rep_client.post(path(draft), form).status_code == 302
    again = rep_client.post(path(draft), form)
    assert again.status_code == 409
    assert "A quote was sent meanwhile." in again.context["problem"]
    assert len(mailoutbox) == 1
    rep_client.post(path(draft), sending(draft))
    assert len(mailoutbox) == 2


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_send_one_mail(
    tenant: Tenant, rep: User, draft: Draft, mailoutbox: Outbox
) -> None:
    once: dict[str, Any] = {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}
    once |= {"to": "noor@example.com", "valid_until": date(2099, 1, 1)}
    seen = version(draft)
    outcomes = in_threads(tenant, *[lambda: quotes.send_quote(**once, seen=seen).quoted_to] * 2)
    assert set(outcomes) == {"noor@example.com", "QUOTE_ALREADY_SENT"}
    assert len(mailoutbox) == 1


class TypedInto(EmailBackend):
    """A mail server that takes its time: meanwhile somebody types."""

    def send_messages(self, messages: Any) -> int:
        draft = Draft.objects.get()

        def type_into_it() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            save(draft, typed("A-1", notes="Typed meanwhile"))

        in_threads(draft.tenant, type_into_it)
        return int(super().send_messages(messages))


@pytest.mark.django_db(transaction=True)
def test_nobody_who_types_waits_for_the_mail_server(
    tenant: Tenant, rep: User, draft: Draft, mailoutbox: Outbox, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "tests.orders.test_quotes.TypedInto"
    once: dict[str, Any] = {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}
    until = date(2099, 1, 1)
    quotes.send_quote(**once, to="noor@example.com", valid_until=until, seen=version(draft))
    draft.refresh_from_db()
    assert draft.payload["fields"]["notes"] == "Typed meanwhile"
    assert (draft.quoted_to, len(mailoutbox)) == ("noor@example.com", 1)


def test_price_that_was_not_mailed_was_not_said(
    rep_client: Client, draft: Draft, settings: Settings
) -> None:
    Price.objects.update(monthly_price=30)
    settings.EMAIL_BACKEND = "tests.orders.test_quotes.Refusing"
    form = sending(draft)
    draft.refresh_from_db()
    said = draft.quote
    assert rep_client.post(path(draft), form).status_code == 503
    draft.refresh_from_db()
    assert draft.quote["lines"] == said["lines"]


def test_what_was_quoted_is_what_was_said(tenant: Tenant, rep: User, draft: Draft) -> None:
    Price.objects.update(monthly_price=30)
    once: dict[str, Any] = {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}
    seen, until = version(draft), date(2099, 1, 1)
    # What a page shows is stored when it is opened, if it is not what was stored before.
    Draft.objects.update(quote=draft.quote | {"total": 0})

    def send() -> None:
        quotes.send_quote(**once, to="noor@example.com", valid_until=until, seen=seen)

    with meanwhile('UPDATE "orders_draft"', send):
        drafts.load(**once)
    draft.refresh_from_db()
    assert {line["unitPrice"] for line in draft.quote["lines"].values()} == {30}


def test_mail_server_that_refuses_loses_nothing(
    rep_client: Client, draft: Draft, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "tests.orders.test_quotes.Refusing"
    refused = rep_client.post(path(draft), sending(draft, email="else@example.com"))
    assert refused.status_code == 503
    assert "The mail server did not take the quote" in refused.text
    assert 'value="else@example.com"' in refused.text
    draft.refresh_from_db()
    assert (draft.quoted_to, draft.quoted_at) == ("", None)


def test_mail_server_that_never_answers_is_given_up(
    rep_client: Client, draft: Draft, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_TIMEOUT = 0.2
        assert rep_client.post(path(draft), sending(draft)).status_code == 503


def test_draft_without_items_is_not_quoted(
    rep_client: Client, draft: Draft, mailoutbox: Outbox
) -> None:
    save(draft, typed())
    assert "There are no items yet." in rep_client.get(path(draft)).text
    refused = rep_client.post(path(draft), sending(draft))
    assert (refused.status_code, refused.context["problem"]) == (409, "There are no items yet.")
    assert mailoutbox == []


def test_change_of_an_order_is_not_quoted(
    rep_client: Client, rep: User, tenant: Tenant, mailoutbox: Outbox
) -> None:
    order = make_order(actor=Actor.from_user(rep))
    editing = edits.start_edit(tenant=tenant, owner=rep, order_id=order.public_id)
    refused = rep_client.post(path(editing), sending(editing))
    assert (refused.status_code, "is no quote" in refused.context["problem"]) == (409, True)
    assert mailoutbox == []


def test_line_without_a_price_is_not_quoted(
    rep_client: Client, draft: Draft, mailoutbox: Outbox
) -> None:
    Variant.objects.update(status=Variant.Status.INACTIVE)
    refused = rep_client.post(path(draft), sending(draft))
    assert refused.status_code == 409
    assert refused.context["incomplete"] == ["MacBook: “A-1” is no longer rented out."] * 3
    assert mailoutbox == []


def test_draft_that_changed_since_the_page_is_shown_first(
    rep_client: Client, draft: Draft, mailoutbox: Outbox
) -> None:
    form = sending(draft)
    save(draft, typed("A-1"))
    refused = rep_client.post(path(draft), form)
    assert refused.status_code == 409
    assert "changed in another tab" in refused.context["problem"]
    assert mailoutbox == []


@pytest.mark.parametrize("seen", ["", "\0", "x" * 10_000, "1_\ud7ff_", "-1__", "0__", "1__"])
def test_page_that_never_was_sends_nothing(
    rep_client: Client, draft: Draft, mailoutbox: Outbox, seen: str
) -> None:
    refused = rep_client.post(path(draft), sending(draft, seen=seen))
    assert (refused.status_code, bool(refused.context["problem"])) == (409, True)
    assert mailoutbox == []


def test_price_that_moved_is_shown_before_it_is_quoted_and_said_from_then_on(
    rep_client: Client, tenant: Tenant, rep: User, draft: Draft, mailoutbox: Outbox
) -> None:
    form = sending(draft)
    Price.objects.filter(contract_length=24).update(monthly_price="27.50")
    refused = rep_client.post(path(draft), form)
    assert (refused.status_code, mailoutbox) == (409, [])
    assert "MacBook: was €25.00, now €27.50 each" in refused.text
    assert "€82.50" in refused.text
    rep_client.post(path(draft), form | {"seen": str(refused.context["version"])})
    [mail] = mailoutbox
    assert "€27.50 each per month: €27.50 per month" in str(mail.body)
    one: dict[str, Any] = {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}
    assert not drafts.load(**one).moved
    # What was promised in writing holds until the rep decides otherwise.
    Price.objects.filter(contract_length=24).update(monthly_price="29.00")
    assert [line.was for line in drafts.load(**one).lines] == [Decimal("27.50")] * 3
    with pytest.raises(PricesMoved):
        submitting.submit_draft(
            **one,
            actor=Actor.from_user(rep),
            typed=typed("A-1", "A-1", "A-1"),
            revision=at(9),
        )


def test_vat_that_moved_is_shown_before_it_is_quoted(
    rep_client: Client, tenant: Tenant, draft: Draft, mailoutbox: Outbox
) -> None:
    form = sending(draft)
    Tenant.objects.update(vat_rate=19)
    refused = rep_client.post(path(draft), form)
    assert (refused.status_code, mailoutbox) == (409, [])
    assert "VAT: was 21 %, now 19 %" in refused.text
    rep_client.post(path(draft), form | {"seen": str(refused.context["version"])})
    assert "VAT 19 %: €14.25" in str(mailoutbox[0].body)


def test_submitted_or_discarded_draft_is_not_quoted(
    rep_client: Client, tenant: Tenant, rep: User, draft: Draft, mailoutbox: Outbox
) -> None:
    one: dict[str, Any] = {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}
    draft_life.discard(**one)
    page = f"/orders/new/{draft.public_id}/"
    assert rep_client.get(path(draft))["Location"] == page
    assert rep_client.post(path(draft), sending(draft))["Location"] == page
    draft_life.restore(**one)
    submitting.submit_draft(**one, actor=Actor.from_user(rep), typed=typed("A-1"), revision=at(9))
    assert rep_client.get(path(draft))["Location"] == page
    order = f"/orders/{Order.objects.get().public_id}/"
    assert rep_client.post(path(draft), sending(draft))["Location"] == order
    assert mailoutbox == []


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2099, 1, 1)])
def test_service_refuses_what_was_sent_meanwhile(
    tenant: Tenant, rep: User, draft: Draft, day: date
) -> None:
    with pytest.raises(Conflict):
        quotes.send_quote(
            tenant=tenant,
            owner=rep,
            draft_id=draft.public_id,
            to="noor@example.com",
            valid_until=day,
            seen="1__2026-01-01T00:00:00+00:00",
        )
