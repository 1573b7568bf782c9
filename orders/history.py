"""What happened to an order, in words: each event with its changes and remarks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orders.changes import Change, changes_in, in_words, label_of
from orders.models import CustomField, Order, OrderEvent


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, what it changed, and what was remarked on which field."""

    event: OrderEvent
    changes: Sequence[Change]
    remarks: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What several events did: each by itself, and what differs after all of them."""

    events: Sequence[OrderEvent]
    changes: Sequence[Change]


def history(order: Order, *, with_costs: bool) -> list[Happened]:
    """All of it, the oldest first. Two queries, or one for an order with its events prefetched."""
    configured = list(CustomField.objects.all())
    labels = {field.key: field.label for field in configured}
    return [
        Happened(
            event,
            in_words(
                event.data.get("changes", {}), order, with_costs=with_costs, configured=configured
            ),
            [(label_of(path, labels), text) for path, text in _remarks(event)],
        )
        for event in order.events.all()
    ]


def difference(
    order: Order, events: Iterable[OrderEvent], *, with_costs: bool
) -> Difference | None:
    """What these events did to the order; None without any."""
    events = list(events)
    if not events:
        return None
    return Difference(
        events,
        in_words(
            changes_in(events),
            order,
            with_costs=with_costs,
            configured=list(CustomField.objects.all()),
        ),
    )


def _remarks(event: OrderEvent) -> Iterable[tuple[str, str]]:
    remarks: dict[str, str] = event.data.get("remarks", {})
    return remarks.items()
