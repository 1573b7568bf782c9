"""Who is told of what happened to an order: its rep and, of a confirmation, the customer.

Both are rows of the transaction that they tell about: a notice in the portal, and mails in the
outbox. So nothing is told that was rolled back, and no mail server can fail what is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from pydantic.alias_generators import to_camel

from orders.changes import Change, in_words, label_of
from orders.letters import address_lines, written
from orders.models import HAPPENED, CustomField, Notice, Order, OrderEvent, OrderItem
from orders.reasons import purchase_order
from portal.formats import number, use_formats
from portal.models import User
from portal.outbox import enqueue
from portal.rows import ROWS_PER_INSERT

Kind = OrderEvent.Kind


def tell(order: Order, event: OrderEvent) -> None:
    """Tells whom the event concerns, in the caller's transaction; asks no mail server.

    The rep gets a notice and, unless they switched those off, an e-mail; the customer of a tenant
    that wants it an e-mail that their order is confirmed. Nobody is told what they did themselves.
    """
    for_rep = event.kind in HAPPENED and event.actor_ref != order.rep_ref
    for_customer = event.kind == Kind.CONFIRMED and order.tenant.confirmation_mails
    if not for_rep and not for_customer:
        return
    rep = _rep(order)
    if rep and for_rep:
        Notice.objects.create(tenant=order.tenant, user=rep, event=event)
        if rep.order_mails:
            _mail_rep(rep, order, event)
    if for_customer:
        _mail_customer(rep, order, event)


def tell_taken_over(rep: User, events: Sequence[OrderEvent]) -> None:
    """Tells the rep, in the caller's transaction, which orders somebody just gave them.

    Each has a notice, which is read once the order is looked at. Of several there is one e-mail.
    """
    if not events or events[0].actor_ref == rep.actor_ref:
        return
    notices = [Notice(tenant=event.tenant, user=rep, event=event) for event in events]
    Notice.objects.bulk_create(notices, ROWS_PER_INSERT)
    first = events[0]
    if rep.order_mails and len(events) == 1:
        _mail_rep(rep, first.order, first)
    elif rep.order_mails:
        key = f"orders:{first.order.public_id}:{first.version}:rep"
        _mail(rep, TakenOver(events), "orders/taken_over_email", key)


def mark_all_read(*, user: User) -> None:
    Notice.objects.of(user).unread().update(read_at=timezone.now())


def mark_order_read(*, user: User, order_id: str) -> None:
    """Marks the user's notices about this order as read; they are looking at it."""
    of_order = OrderEvent.objects.filter(order__public_id=order_id)
    unread = Notice.objects.of(user).unread()
    unread.filter(event__in=of_order).update(read_at=timezone.now())


def _rep(order: Order) -> User | None:
    """The user who looks after the order; None for an API key, or somebody who left."""
    kind, _, key = order.rep_ref.partition(":")
    if kind != "user" or not key.isdecimal():
        return None
    return User.objects.filter(pk=key, tenant=order.tenant, is_active=True).first()


@dataclass(frozen=True, slots=True)
class Told:
    """What the rep gets by e-mail about an order that they look after."""

    order: Order
    event: OrderEvent

    @property
    def subject(self) -> str:
        happened = HAPPENED[self.event.kind]
        return f"Order {self.order.public_id} of {self.order.customer_name} {happened}"

    @property
    def link(self) -> str:
        return settings.LINK_URL + reverse("order", args=[self.order.public_id])

    @property
    def switch(self) -> str:
        return _switch()

    @property
    def remarks(self) -> list[tuple[str, str]]:
        """What the reviewer says of each field, under its label."""
        remarks = self.event.data.get("remarks", {})
        labels = {field.key: field.label for field in self._configured(remarks)}
        return [(label_of(path, labels), remark) for path, remark in remarks.items()]

    @property
    def changes(self) -> list[Change]:
        changes = self.event.data.get("changes", {})
        # Costs stay in the portal: mail is passed on.
        configured = self._configured(changes)
        return in_words(changes, self.order, with_costs=False, configured=configured)

    def _configured(self, paths: Sequence[str]) -> list[CustomField]:
        named = any(path.startswith("customFields.") for path in paths)
        return list(CustomField.objects.all()) if named else []


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What a rep gets by e-mail when somebody gave them several orders at once."""

    events: Sequence[OrderEvent]

    @property
    def event(self) -> OrderEvent:
        """One of them: who gave them the orders, when and why is the same for all."""
        return self.events[0]

    @property
    def subject(self) -> str:
        return f"{number(len(self.events))} orders were given to you"

    @property
    def link(self) -> str:
        """The list of the orders that they look after."""
        return f"{settings.LINK_URL}{reverse('order_list')}?mine=on"

    @property
    def switch(self) -> str:
        return _switch()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the customer gets when their order is confirmed: what they rent, at what price.

    `is_changed` if an earlier confirmation told them something else.
    """

    order: Order
    lines: list[OrderItem]
    rep: User | None
    is_changed: bool

    @property
    def subject(self) -> str:
        what = "Changed confirmation" if self.is_changed else "Confirmation"
        return f"{what} of order {self.order.public_id} from {self.order.tenant.name}"

    @property
    def totals(self) -> Order:
        return self.order

    @property
    def customer(self) -> list[str]:
        order = self.order
        details = (order.customer_company, order.customer_email, order.customer_phone)
        return [line for line in (order.customer_name, *details) if line]

    @property
    def billing(self) -> list[str]:
        return self._address(self.order.billing_address)

    @property
    def shipping(self) -> list[str]:
        return [] if self.order.ships_to_billing else self._address(self.order.shipping_address)

    @property
    def reference(self) -> str:
        """The customer's own PO number; empty if the tenant asks for none, or they gave none."""
        return purchase_order(self.order.tenant, self.order.custom_fields) or ""

    def _address(self, address: dict[str, str | None]) -> list[str]:
        return address_lines(lambda part: address.get(to_camel(part)) or "")


def _switch() -> str:
    """Where a rep switches these e-mails off."""
    return settings.LINK_URL + reverse("password_change")


def _mail_rep(rep: User, order: Order, event: OrderEvent) -> None:
    _mail(rep, Told(order, event), "orders/rep_email", _key(order, "rep"))


def _mail(rep: User, told: Told | TakenOver, template: str, key: str) -> None:
    tenant, context = told.event.tenant, {"told": told}
    with use_formats(rep.formats, tenant.zone):
        enqueue(
            tenant=tenant,
            to=rep.email,
            subject=told.subject,
            text=render_to_string(f"{template}.txt", context),
            html=render_to_string(f"{template}.html", context),
            key=key,
        )


def _mail_customer(rep: User | None, order: Order, event: OrderEvent) -> None:
    """The answer goes to the rep, or else to whoever confirmed it."""
    confirmed_before = OrderEvent.objects.filter(
        order=order, kind=Kind.CONFIRMED, version__lt=event.version
    )
    letter = Confirmation(order, list(order.items.all()), rep, confirmed_before.exists())
    by_user = event.actor if event.actor_ref.startswith("user:") else ""
    with use_formats(order.tenant.locale, order.tenant.zone):
        text, html = written(letter, "orders/confirmation_email")
        enqueue(
            tenant=order.tenant,
            to=order.customer_email,
            subject=letter.subject,
            text=text,
            html=html,
            key=_key(order, "customer"),
            reply_to=rep.email if rep else by_user,
        )


def _key(order: Order, reader: str) -> str:
    return f"order:{order.public_id}:{order.version}:{reader}"
