"""Who is told of what happened to an order, and what they read."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from email import message_from_string
from typing import Any

import pytest
from django.db import transaction

from orders.editing import Edit, EditedLine
from orders.models import Notice, Order
from orders.services import (
    cancel_order,
    comment_order,
    confirm_order,
    edit_order,
    reassign_orders,
    recall_order,
    replace_notes,
    send_back_order,
)
from portal.models import ApiKey, OutboxMail, Tenant, User
from portal.outbox import Outcome, deliver_due
from portal.permissions import MANAGER, Actor
from tests.factories import (
    CustomFieldFactory,
    UserFactory,
    VariantFactory,
    address,
    make_order,
    new_order,
)
from tests.mail_server import MailServer, mail_server

Do = Callable[[Order, Actor], Any]


@pytest.fixture
def order(rep_actor: Actor) -> Order:
    """Of the rep: two devices at €25 a month, for 24 months."""
    VariantFactory(sku="A")
    return make_order(items=[{"sku": "A", "quantity": 2, "contractLength": 24}], actor=rep_actor)


def act(service: Callable[..., Any], order: Order, actor: Actor, **given: Any) -> Any:
    return service(tenant=order.tenant, actor=actor, order_id=order.public_id, **given)


def confirm(order: Order, actor: Actor) -> None:
    act(confirm_order, order, actor)


def cancel(order: Order, actor: Actor) -> None:
    act(cancel_order, order, actor, reason="They moved")


def send_back(order: Order, actor: Actor) -> None:
    remarks = {"customer.phone": "One digit is missing", "items.0": "Really two?"}
    act(send_back_order, order, actor, reason="Call them", remarks=remarks)


def comment(order: Order, actor: Actor) -> None:
    act(comment_order, order, actor, comment="Nice one")


def note(order: Order, actor: Actor) -> None:
    act(replace_notes, order, actor, notes="Ring twice")


def edit(order: Order, actor: Actor, quantity: int = 3) -> None:
    wanted = new_order(items=[{"sku": "A", "quantity": quantity, "contractLength": 24}])
    act(edit_order, order, actor, edit=Edit(wanted, [EditedLine(kept=0)]), reason="They called")


def recall(order: Order, actor: Actor) -> None:
    act(recall_order, order, actor)


def notices() -> list[tuple[str, str]]:
    found = Notice.objects.order_by("event_id").select_related("user", "event")
    return [(notice.user.username, notice.event.kind) for notice in found]


def mails() -> list[tuple[str, str]]:
    return [(mail.recipient, mail.subject) for mail in OutboxMail.objects.order_by("pk")]


def only_mail() -> OutboxMail:
    return OutboxMail.objects.get()


# The rep


@pytest.mark.parametrize(
    ("do", "kind", "happened", "said"),
    [
        (confirm, "confirmed", "was confirmed", ""),
        (cancel, "cancelled", "was cancelled", "They moved"),
        (send_back, "sent_back", "was sent back to you", "Call them"),
        (comment, "commented", "got a comment", "Nice one"),
        (note, "noted", "has other notes", "Ring twice"),
        (edit, "edited", "was changed", "They called"),
    ],
)
def test_rep_is_told_in_the_portal_and_by_mail(
    order: Order, manager_actor: Actor, do: Do, kind: str, happened: str, said: str
) -> None:
    do(order, manager_actor)
    assert notices() == [("rep", kind)]
    mail = only_mail()
    assert mail.subject == f"Order {order.public_id} of Noor el Idrissi {happened}"
    assert (mail.recipient, mail.reply_to) == ("rep@portal.example", "")
    assert mail.key == f"order:{order.public_id}:2:rep"
    for body in (mail.text, mail.html):
        assert "By manager@portal.example" in body
        assert said in body
        assert f"/orders/{order.public_id}/" in body


def test_links_lead_where_users_go(order: Order, manager_actor: Actor, settings: Any) -> None:
    settings.LINK_URL = "https://portal.example.com"
    confirm(order, manager_actor)
    assert f"\nhttps://portal.example.com/orders/{order.public_id}/\n" in only_mail().text


def test_rep_reads_what_to_correct_under_the_names_of_the_fields(
    order: Order, manager_actor: Actor
) -> None:
    CustomFieldFactory(key="costCentre", label="Cost centre")
    remarks = {"customer.phone": "One digit is missing", "customFields.costCentre": "Which?"}
    act(send_back_order, order, manager_actor, remarks=remarks)
    mail = only_mail()
    assert "What to correct\n  Phone: One digit is missing\n  Cost centre: Which?\n" in mail.text
    assert '<strong>Phone:</strong> <span class="said">One digit is missing</span>' in mail.html


def test_rep_reads_what_was_changed_before_and_after_without_costs(
    order: Order, manager_actor: Actor
) -> None:
    edit(order, manager_actor)
    text = only_mail().text
    assert "Total per month: €50.00 → €75.00" in text
    assert "2 × Product" in text
    assert "Cost" not in text


def test_rep_is_told_when_their_corrected_order_was_submitted_by_somebody_else(
    order: Order, rep_actor: Actor, manager_actor: Actor
) -> None:
    recall(order, rep_actor)
    edit(order, manager_actor)
    assert notices() == [("rep", "resubmitted")]


def test_rep_is_told_when_whoever_created_their_order_recalls_it(
    order: Order, rep_actor: Actor, manager_actor: Actor
) -> None:
    colleague = UserFactory(username="colleague")
    reassign(order, manager_actor, colleague)
    recall(order, rep_actor)
    assert notices() == [("colleague", "reassigned"), ("colleague", "recalled")]


def reassign(order: Order, actor: Actor, to: User) -> None:
    orders = Order.objects.filter(pk=order.pk)
    reassign_orders(tenant=order.tenant, actor=actor, orders=orders, to=to)


def test_whoever_takes_an_order_over_is_told_and_the_former_rep_is_not(
    order: Order, manager_actor: Actor
) -> None:
    reassign(order, manager_actor, UserFactory(username="colleague"))
    assert notices() == [("colleague", "reassigned")]
    assert mails() == [
        (
            "colleague@portal.example",
            f"Order {order.public_id} of Noor el Idrissi was given to you",
        )
    ]
    assert "Rep: rep@portal.example → colleague@portal.example" in only_mail().text


def test_whoever_takes_several_orders_over_gets_one_mail_that_leads_to_them(
    order: Order, rep_actor: Actor, manager_actor: Actor, settings: Any
) -> None:
    settings.LINK_URL = "https://portal.example.com"
    second = make_order(actor=rep_actor)
    colleague = UserFactory(username="colleague")
    reassign_all(manager_actor, colleague, "On <to> new things.")
    assert notices() == [("colleague", "reassigned")] * 2
    assert mails() == [("colleague@portal.example", "2 orders were given to you")]
    mail = only_mail()
    title, by, _, reason, *_ = mail.text.splitlines()
    assert (title, reason) == ("2 orders were given to you", "On <to> new things.")
    assert by.startswith("By manager@portal.example, ")
    assert "\nhttps://portal.example.com/orders/?mine=on\n" in mail.text
    assert 'href="https://portal.example.com/orders/?mine=on"' in mail.html
    assert "On &lt;to&gt; new things." in mail.html
    # Given back and again, they are told again.
    reassign_all(manager_actor, UserFactory(username="third"))
    reassign_all(manager_actor, colleague)
    assert [each for each, _ in mails()].count("colleague@portal.example") == 2
    assert set(Order.objects.values_list("pk", "version")) == {(order.pk, 4), (second.pk, 4)}


def reassign_all(actor: Actor, to: User, reason: str = "") -> None:
    orders = Order.objects.all()
    reassign_orders(tenant=to.tenant, actor=actor, orders=orders, to=to, reason=reason)


def test_rep_without_mails_gets_none_of_orders_that_they_are_given(
    order: Order, rep_actor: Actor, manager_actor: Actor
) -> None:
    make_order(actor=rep_actor)
    reassign_all(manager_actor, UserFactory(username="colleague", order_mails=False))
    assert (len(notices()), mails()) == (2, [])


def test_manager_who_takes_an_order_over_themselves_is_not_told(
    order: Order, manager: User, manager_actor: Actor
) -> None:
    reassign(order, manager_actor, manager)
    assert (notices(), mails()) == ([], [])


@pytest.mark.parametrize("do", [comment, note, edit, recall])
def test_nobody_is_told_what_they_did_themselves(order: Order, rep_actor: Actor, do: Do) -> None:
    do(order, rep_actor)
    assert (notices(), mails()) == ([], [])


def test_rep_who_left_is_not_told(order: Order, rep: User, manager_actor: Actor) -> None:
    User.objects.filter(pk=rep.pk).update(is_active=False)
    confirm(order, manager_actor)
    assert (notices(), mails()) == ([], [])


def test_user_of_another_tenant_is_not_told(
    order: Order, other_tenant: Tenant, manager_actor: Actor
) -> None:
    foreign = UserFactory(tenant=other_tenant)
    Order.objects.update(rep_ref=foreign.actor_ref, rep=foreign.email)
    confirm(order, manager_actor)
    assert (notices(), mails()) == ([], [])


def test_shop_is_not_told(api_key: ApiKey, manager_actor: Actor) -> None:
    confirm(make_order(actor=Actor.from_key(api_key)), manager_actor)
    assert (notices(), mails()) == ([], [])


@pytest.mark.parametrize("ref", ["user:", "user:x", "user:99999999", "system:import"])
def test_rep_that_is_nobody_is_not_told(order: Order, manager_actor: Actor, ref: str) -> None:
    Order.objects.update(rep_ref=ref)
    confirm(order, manager_actor)
    assert (notices(), mails()) == ([], [])


def test_rep_without_mails_is_told_in_the_portal(
    order: Order, rep: User, manager_actor: Actor
) -> None:
    User.objects.filter(pk=rep.pk).update(order_mails=False)
    confirm(order, manager_actor)
    assert (notices(), mails()) == ([("rep", "confirmed")], [])


def test_rep_reads_in_their_own_formats(order: Order, rep: User, manager_actor: Actor) -> None:
    User.objects.filter(pk=rep.pk).update(locale="nl_NL")
    confirm(order, manager_actor)
    assert "2 devices, €\xa050,00 per month" in only_mail().text


def test_what_is_rolled_back_is_not_told(order: Order, manager_actor: Actor) -> None:
    with transaction.atomic():
        confirm(order, manager_actor)
        transaction.set_rollback(True)
    assert (notices(), mails()) == ([], [])


# The customer


@pytest.fixture
def mailing(tenant: Tenant) -> Tenant:
    tenant.confirmation_mails = True
    tenant.vat_rate = 21
    tenant.save()
    return tenant


def to_customer() -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(recipient="noor@example.com").order_by("pk"))


def test_customer_reads_what_was_confirmed(
    mailing: Tenant, rep_actor: Actor, manager_actor: Actor
) -> None:
    laptop, phone = VariantFactory(sku="LAPTOP"), VariantFactory(sku="PHONE", name="")
    order = make_order(
        items=[
            {"sku": laptop.sku, "quantity": 2, "contractLength": 24},
            {"sku": phone.sku, "quantity": 1, "contractLength": 36},
        ],
        actor=rep_actor,
        shippingAddress=address(streetAddress="Dock 7", postalCode="3011 AA"),
        customFields={"purchaseOrderNumber": "PO-77"},
    )
    confirm(order, manager_actor)
    [mail] = to_customer()
    assert mail.subject == f"Confirmation of order {order.public_id} from Demo"
    assert mail.reply_to == "rep@portal.example"
    assert mail.key == f"order:{order.public_id}:2:customer"
    assert f"2 × {laptop.product.name}, Silver (LAPTOP)\n  24 months, €25.00 each" in mail.text
    assert f"1 × {phone.product.name} (PHONE)\n  36 months, €20.00 each" in mail.text
    assert "\nVAT 21 %: €14.70\nTotal per month: €84.70\nContract value: €1,920.00\n" in mail.text
    assert "Coolsingel 93" in mail.text
    assert "  Dock 7\n  3011 AA Rotterdam\n" in mail.text
    assert "Your PO number: PO-77\n" in mail.text
    for part in ("LAPTOP", "€84.70", "Dock 7", "PO-77", order.public_id, "rep@portal.example"):
        assert part in mail.html


@pytest.mark.parametrize(
    ("sent", "said"), [(4711, "4711"), (Decimal("4711.0"), "4711"), (True, None), ([], None)]
)
def test_customer_reads_a_po_number_that_was_sent_as_a_number(
    mailing: Tenant, manager_actor: Actor, sent: Any, said: str | None
) -> None:
    confirm(make_order(customFields={"purchaseOrderNumber": sent}), manager_actor)
    [mail] = to_customer()
    told = [line for line in mail.text.splitlines() if line.startswith("Your PO number")]
    assert told == ([f"Your PO number: {said}"] if said else [])


def test_customer_is_not_told_unless_the_tenant_wants_it(
    order: Order, manager_actor: Actor
) -> None:
    confirm(order, manager_actor)
    assert to_customer() == []


@pytest.mark.parametrize("do", [cancel, send_back, comment, note, edit])
def test_customer_is_told_of_nothing_but_the_confirmation(
    mailing: Tenant, order: Order, manager_actor: Actor, do: Do
) -> None:
    do(order, manager_actor)
    assert to_customer() == []


def test_customer_reads_that_a_later_confirmation_replaces_the_first(
    mailing: Tenant, order: Order, rep_actor: Actor, manager_actor: Actor
) -> None:
    confirm(order, manager_actor)
    edit(order, rep_actor)
    confirm(order, manager_actor)
    first, second = to_customer()
    assert first.subject.startswith("Confirmation of order")
    assert second.subject == f"Changed confirmation of order {order.public_id} from Demo"
    assert "which replaces our earlier confirmation" in second.text
    assert "which replaces our earlier confirmation" not in first.text
    assert ("3 × " in second.text, "€90.75" in second.html) == (True, True)
    assert second.key == f"order:{order.public_id}:4:customer"


def test_customer_reads_in_the_formats_of_the_tenant(
    mailing: Tenant, order: Order, rep: User, manager_actor: Actor
) -> None:
    User.objects.filter(pk=rep.pk).update(locale="en_GB")
    mailing.locale = "nl_NL"
    mailing.save()
    confirm(order, manager_actor)
    assert "Total per month: €\xa060,50" in to_customer()[0].text


def test_answers_go_to_whoever_confirmed_the_order_of_a_shop(
    mailing: Tenant, api_key: ApiKey, manager_actor: Actor
) -> None:
    confirm(make_order(actor=Actor.from_key(api_key)), manager_actor)
    [mail] = to_customer()
    assert mail.reply_to == "manager@portal.example"
    assert "@portal.example" not in mail.text


def test_customer_of_a_shop_that_confirms_itself_answers_to_nobody_in_particular(
    mailing: Tenant, api_key: ApiKey
) -> None:
    shop = Actor.from_key(api_key)
    mailing.four_eyes = False
    mailing.save()
    confirm(make_order(actor=shop), shop)
    assert to_customer()[0].reply_to == ""


def test_rep_who_confirms_their_own_order_is_named_to_the_customer(
    mailing: Tenant, manager: User, manager_actor: Actor
) -> None:
    mailing.four_eyes = False
    mailing.save()
    confirm(make_order(actor=manager_actor), manager_actor)
    assert (notices(), to_customer()[0].reply_to) == ([], "manager@portal.example")


# Mail servers and hostile text


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with mail_server() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("refusing", ["recipient", "data"])
def test_refusing_mail_server_leaves_the_order_confirmed_and_the_mail_waiting(
    mailing: Tenant, order: Order, manager_actor: Actor, server: MailServer, refusing: str
) -> None:
    setattr(server, refusing, b"550 No")
    confirm(order, manager_actor)
    assert deliver_due() == [Outcome.REFUSED] * 2
    order.refresh_from_db()
    assert (order.status, notices()) == (Order.Status.CONFIRMED, [("rep", "confirmed")])
    assert {mail.state for mail in OutboxMail.objects.all()} == {OutboxMail.State.FAILED}
    setattr(server, refusing, b"250 OK")
    OutboxMail.objects.update(next_attempt_at=order.updated_at)
    assert deliver_due() == [Outcome.SENT] * 2
    assert [mail["To"] for mail in server.mails] == ["rep@portal.example", "noor@example.com"]


@pytest.mark.django_db(transaction=True)
def test_names_add_no_header(
    mailing: Tenant, order: Order, manager_actor: Actor, server: MailServer
) -> None:
    Tenant.objects.update(name="Demo\r\nBcc: all@evil.example\r\n\r\nBuy")
    Order.objects.update(customer_first_name="Noor\nBcc: all@evil.example")
    mailing.refresh_from_db()
    confirm(order, manager_actor)
    assert deliver_due() == [Outcome.SENT] * 2
    assert [mail["Bcc"] for mail in server.mails] == [None, None]
    assert [mail["To"] for mail in server.mails] == ["rep@portal.example", "noor@example.com"]
    to_rep = message_from_string(server.mails[0].as_string())
    assert "".join(str(to_rep["Subject"]).split("\n")) == (
        f"Order {order.public_id} of Noor Bcc: all@evil.example el Idrissi was confirmed"
    )


def test_text_is_escaped_in_html_and_left_alone_in_plain_text(
    mailing: Tenant, order: Order, rep: User, manager_actor: Actor
) -> None:
    evil = "<img src=x onerror=alert(1)> & Sons"
    Order.objects.update(customer_company=evil, customer_first_name="<b>Noor</b>")
    Order.objects.update(billing_address=address(streetAddress=evil))
    User.objects.filter(pk=rep.pk).update(first_name="<i>Rep</i>")
    Tenant.objects.update(name="<u>Demo</u>")
    mailing.refresh_from_db()
    act(comment_order, order, manager_actor, comment=evil)
    confirm(order, manager_actor)
    found = list(OutboxMail.objects.order_by("pk"))
    assert len(found) == 3
    for mail in found:
        assert [tag for tag in ("<img", "<b>", "<i>", "<u>") if tag in mail.html] == []
    assert evil in found[0].text
    assert evil in found[2].text
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; Sons" in found[2].html


# What it costs


@pytest.mark.parametrize(("wants_mails", "queries"), [(True, 6), (False, 3)])
def test_confirmation_costs_few_statements_more(
    mailing: Tenant,
    order: Order,
    manager_actor: Actor,
    wants_mails: bool,
    queries: int,
    django_assert_num_queries: Any,
) -> None:
    """The user, their notice and mail; the items, an earlier confirmation, the customer's mail."""
    mailing.confirmation_mails = wants_mails
    # Savepoint and its release; the order, who changed it, its new state and event.
    with django_assert_num_queries(2 + 4 + queries):
        confirm_order(tenant=mailing, actor=manager_actor, order_id=order.public_id)


@pytest.mark.parametrize("number", [1, 3])
def test_handing_over_costs_the_same_statements_for_one_order_and_for_many(
    tenant: Tenant,
    rep_actor: Actor,
    manager_actor: Actor,
    number: int,
    django_assert_num_queries: Any,
) -> None:
    VariantFactory(sku="A")
    for _ in range(number):
        make_order("A", actor=rep_actor)
    colleague = UserFactory(username="colleague", role=MANAGER)
    # Savepoint, orders, their new rep, events, notices, mail, release.
    with django_assert_num_queries(7):
        reassign_orders(
            tenant=tenant, actor=manager_actor, orders=Order.objects.all(), to=colleague
        )
    assert (Notice.objects.count(), OutboxMail.objects.count()) == (number, 1)
