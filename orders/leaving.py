"""Somebody leaves: their open orders and drafts go to a colleague."""

from dataclasses import dataclass

from django.db import transaction

from orders.draft_life import open_drafts, reassign_drafts
from orders.models import Order
from orders.services import reassign_orders
from portal.models import Tenant, User
from portal.permissions import Actor


@dataclass(frozen=True, slots=True)
class OpenWork:
    """How many orders that still need their devices, and how many open drafts."""

    orders: int
    drafts: int

    def __str__(self) -> str:
        orders, drafts = (
            f"{count:,} {name}{'' if count == 1 else 's'}"
            for count, name in ((self.orders, "open order"), (self.drafts, "open draft"))
        )
        return f"{orders} and {drafts}"


def open_work(*, user: User) -> OpenWork:
    orders = Order.objects.open().looked_after_by(user.actor_ref)
    return OpenWork(orders.count(), open_drafts(owner=user).count())


@transaction.atomic
def hand_everything_over(
    *, tenant: Tenant, actor: Actor, leaver: User, to: User, reason: str = ""
) -> OpenWork:
    """Gives all open orders and drafts to the colleague, and says how many there were.

    Raises what `reassign_orders` and `reassign_drafts` raise; then nothing has moved.
    """
    # Drafts are locked before the orders that they change, as when they are submitted.
    drafts = reassign_drafts(tenant=tenant, actor=actor, owner=leaver, to=to)
    open_orders = Order.objects.open().looked_after_by(leaver.actor_ref)
    orders = reassign_orders(tenant=tenant, actor=actor, orders=open_orders, to=to, reason=reason)
    return OpenWork(orders, drafts)
