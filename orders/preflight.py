"""What a reviewer is told before orders are confirmed: what refuses it, what asks for a look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orders import changes, rules
from orders.models import CustomField, Order, OrderEvent
from orders.review import Explained, explain_reasons, remarks
from portal.models import Tenant
from portal.permissions import Actor

RULES = {rules.FOUR_EYES: "Four eyes", rules.ABOVE_LIMIT: "Above the limit"}
"""The tenant's rules that may refuse a confirmation, as people call them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an order can be confirmed with others, and if not, why.

    `refusal` is what refuses it to this reviewer; `warnings` are for somebody to look at first.
    """

    order: Order
    refusal: Explained | None
    warnings: Sequence[Explained]

    @property
    def is_clear(self) -> bool:
        return self.refusal is None and not self.warnings

    @property
    def why_not(self) -> str:
        """In a sentence; empty for one that is clear."""
        if self.refusal:
            return " ".join(self.refusal.texts)
        labels = "; ".join(warning.label for warning in self.warnings)
        return f"Look at it by itself first: {labels}." if labels else ""


def preflight(
    orders: Iterable[Order],
    *,
    tenant: Tenant,
    actor: Actor,
    seen: Mapping[str, int],
) -> list[Verdict]:
    """What holds for each of the orders, as they are now.

    `seen` is the version of each that was on the screen, by order id. Their customers, items and
    events should be loaded.
    """
    with_costs = actor.can("catalog.view_costs")
    configured = list(CustomField.objects.all())
    return [
        Verdict(
            order,
            refusal(order, actor, tenant),
            [
                *_moved(order, seen.get(order.public_id), with_costs, configured),
                *warnings(order, with_costs=with_costs),
            ],
        )
        for order in orders
    ]


def refusal(order: Order, actor: Actor, tenant: Tenant) -> Explained | None:
    """Why this actor cannot confirm the order now, under the name of the rule that says so."""
    problem = rules.confirm_problem(order, actor, tenant)
    if problem is None:
        return None
    rule = next((detail.code for detail in problem.details), "")
    return Explained(rule, RULES.get(rule, ""), [problem.message])


def warnings(order: Order, *, with_costs: bool) -> list[Explained]:
    """Everything about an order that a reviewer should look at before it is confirmed."""
    return [
        *_came_back(order),
        *(Explained("inactive", "Customer inactive", [text]) for text in remarks(order)),
        *explain_reasons(order, with_costs=with_costs),
    ]


def _came_back(order: Order) -> list[Explained]:
    left = changes.left_review(order)
    if left is None or order.status != Order.Status.PENDING:
        return []
    return [Explained("came_back", "Came back", [f"It has changed since {how_it_left(left)}."])]


def how_it_left(event: OrderEvent) -> str:
    """Who had the order and what they did with it, to go on after “since”."""
    verb = {
        OrderEvent.Kind.CONFIRMED: "confirmed it",
        OrderEvent.Kind.SENT_BACK: "sent it back",
        OrderEvent.Kind.RECALLED: "recalled it",
    }
    return f"{event.actor} {verb[OrderEvent.Kind(event.kind)]}"


def _moved(
    order: Order, version: int | None, with_costs: bool, configured: Sequence[CustomField]
) -> list[Explained]:
    """That it is not the order that was on the screen, and what differs."""
    if version is None or version == order.version:
        return []
    found = changes.changes_in(changes.since(order, version))
    rows = changes.in_words(found, order, with_costs=with_costs, configured=configured)
    texts = [f"{row.label}: {row.before or '–'} → {row.after or '–'}." for row in rows]
    return [Explained("moved", "Changed just now", [rules.last_change(order), *texts])]
