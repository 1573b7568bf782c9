"""Drafts that change an order: the page that it was typed on, filled in with what it says now.

Such a draft remembers the order as it was when its owner began (`base`), so that what somebody
else saved meanwhile and what was typed here can be told apart, and both be kept.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders import rules
from orders.changes import since
from orders.editing import OVERRIDABLE, Edit, EditedLine, Override
from orders.models import CustomField, Draft, Order, OrderEvent, OrderItem
from orders.schemas import NewOrder
from orders.sheet import Sheet, kept_id
from orders.starting import custom_field_texts, who_orders
from orders.typed import Typed, TypedLine, detail_fields, line_part, typed_number
from portal.errors import Conflict, Detail, NotFound, ValidationFailed
from portal.models import Tenant, User
from portal.permissions import Actor
from portal.text import clean

_KEPT = re.compile(r"k(0|[1-9][0-9]{0,9})")  # One spelling: two lines cannot both be an item.
_QUIET = (OrderEvent.Kind.COMMENTED, OrderEvent.Kind.REASSIGNED)
"""What somebody else may do without changing what the order says."""


class OrderMoved(Conflict):
    """Somebody changed the order since this draft began, by these events; nothing was saved."""

    def __init__(self, order: Order, events: Sequence[OrderEvent]) -> None:
        super().__init__(rules.STATE_CONFLICT, f"{rules.last_change(order)} Nothing was saved.")
        self.order, self.events = order, events


def start_edit(*, tenant: Tenant, owner: User, order_id: str) -> Draft:
    """The owner's draft that changes this order: the one under way, or a new one.

    Raises NotFound, and what `rules.edit_problem` says of this owner and the order's state.
    """
    order = find_order(tenant, order_id)
    if problem := rules.edit_problem(order, Actor.from_user(owner)):
        raise problem
    under_way = Draft.objects.filter(
        tenant=tenant, owner=owner, edits=order, applied_at=None, discarded_at=None
    )
    # Untouched, it would only show what the order said some time ago. A tab may have it open still.
    outdated = under_way.filter(sequence=0).exclude(edits_version=order.version)
    outdated.update(discarded_at=timezone.now())
    draft = Draft(tenant=tenant, owner=owner, edits=order)
    begin(draft, order)
    try:
        with transaction.atomic():
            if known := under_way.first():
                return known
            draft.save(force_insert=True)
            return draft
    except IntegrityError:  # Two clicks at once.
        return under_way.get()


def find_order(tenant: Tenant, order_id: str) -> Order:
    """The order with all that is shown of it. Raises NotFound."""
    order = _whole(tenant.pk).filter(public_id=order_id.replace("\0", "")).first()
    if order is None:
        raise NotFound("There is no such order.")
    return order


def edited_order(draft: Draft) -> Order:
    """The order that the draft changes, locked."""
    return _whole(draft.tenant_id).select_for_update(of=("self",)).get(edits=draft)


def _whole(tenant_id: int) -> QuerySet[Order]:
    orders = Order.objects.filter(tenant=tenant_id).select_related("customer")
    return orders.prefetch_related("items", "events")


def begin(draft: Draft, order: Order) -> None:
    """Fills the draft in with what the order says; its prices are those that were said."""
    typed = typed_of(order, CustomField.objects.filter(tenant=order.tenant_id))
    draft.edits_version = order.version
    draft.payload = typed.payload() | {"base": typed.payload()}
    draft.quote = {
        "lines": draft.quote.get("lines", {})
        | {
            kept_id(item): {
                "sku": item.sku,
                "contractLength": item.contract_length,
                "unitPrice": item.unit_price,
            }
            for item in order.items.all()
        },
        "vat": [order.vat_rate, order.prices_include_vat],
    }


def typed_of(order: Order, configured: Iterable[CustomField]) -> Typed:
    """The order as it would be typed."""
    fields = who_orders(order) | dict(custom_field_texts(order, configured))
    fields |= {"order_type": str(order.order_type), "notes": order.notes}
    fields |= detail_fields("extension", order.extension_details)
    fields |= detail_fields("upgrade", order.upgrade_details)
    lines = [
        TypedLine(kept_id(item), item.sku, str(item.quantity), str(item.contract_length))
        for item in order.items.all()
    ]
    return Typed.from_payload(Typed(fields, lines).payload())


def edit_of(draft: Draft, order: Order, typed: Typed, new_order: NewOrder) -> Edit:
    """What the draft makes of the order. Raises ValidationFailed for amounts that are none.

    Custom fields that the form has no place for stay as the order has them.
    """
    shown = set(_base(draft).fields)
    hidden = {
        key: value
        for key, value in (order.custom_fields or {}).items()
        if f"custom-{key}" not in shown and key not in (new_order.custom_fields or {})
    }
    if hidden:
        merged = hidden | (new_order.custom_fields or {})
        new_order = new_order.model_copy(update={"custom_fields": merged})
    problems: list[Detail] = []
    lines = [
        EditedLine(_position(line.id), _override(number, line, problems))
        for number, line in enumerate(typed.lines)
    ]
    if problems:
        raise ValidationFailed(problems)
    return Edit(new_order, lines)


def _position(line_id: str) -> int | None:
    found = _KEPT.fullmatch(line_id)
    return int(found[1]) if found else None


_TYPED = {"unit_price": "price", "list_price": "list_price", "acquisition_cost": "cost"}


def _override(number: int, line: TypedLine, problems: list[Detail]) -> Override:
    amounts: dict[str, Decimal] = {}
    for name, contract_name in OVERRIDABLE.items():
        text = getattr(line, _TYPED[name]).strip()
        amount = typed_number(text)
        if isinstance(amount, Decimal):
            amounts[name] = amount
        elif text:
            path = f"items.{number}.{contract_name}"
            problems.append(Detail(path, "VALIDATION_ERROR", "Enter an amount."))
    try:
        reason = clean(line.why, multiline=True)
    except ValueError as error:
        path = f"items.{number}.overrideReason"
        problems.append(Detail(path, "VALIDATION_ERROR", str(error)))
        reason = "?"
    return Override(reason=reason, **amounts)


def happened_since(draft: Draft, order: Order) -> list[OrderEvent]:
    """What happened to the order since this draft began that its owner has to see first.

    That they recalled it themselves, they know.
    """
    recalled = (OrderEvent.Kind.RECALLED, draft.owner.actor_ref)
    return [
        event
        for event in since(order, draft.edits_version or 0)
        if event.kind not in _QUIET and (event.kind, event.actor_ref) != recalled
    ]


def take_over(draft: Draft, order: Order, typed: Typed) -> tuple[Typed, list[str]]:
    """What was typed on top of the order as it is now, and the fields that both sides changed.

    A field that was left as it was when the draft began says what the order says now.
    """
    base = _base(draft)
    theirs = typed_of(order, CustomField.objects.filter(tenant=order.tenant_id))
    fields, clashes = dict(typed.fields), []
    for name in {**base.fields, **theirs.fields}:
        was, now, mine = (each.fields.get(name, "") for each in (base, theirs, typed))
        if now in (was, mine):
            continue
        if mine == was:
            fields[name] = now
        else:
            clashes.append(name)
    lines, clashing = _take_over_lines(base, theirs, typed)
    return Typed(fields, lines), clashes + clashing


def _take_over_lines(base: Typed, theirs: Typed, mine: Typed) -> tuple[list[TypedLine], list[str]]:
    was, now = ({line.id: line for line in each.lines} for each in (base, theirs))
    lines, clashes = [], []
    for line in mine.lines:
        before, after = was.get(line.id), now.get(line.id)
        if line.id not in was or after == before:
            lines.append(line)
        elif line == before:
            if after:
                lines.append(after)
        elif after is None:
            # They removed what was changed here: it comes again, as a line of its own.
            lines.append(replace(line, id=f"a{line.id[1:]}"))
            clashes.append(line.id)
        else:
            lines.append(line)
            clashes.append(line.id)
    mine_ids = {line.id for line in mine.lines}
    # Removed here, and changed by them: it stays removed.
    clashes += [key for key in was if key not in mine_ids and now.get(key) not in (None, was[key])]
    known = {*was, *mine_ids}
    return [*lines, *(line for line in theirs.lines if line.id not in known)], clashes


def _base(draft: Draft) -> Typed:
    return Typed.from_payload(draft.payload.get("base", {}))


@dataclass(frozen=True, slots=True)
class Edited:
    """The order that a draft changes. `returned`: the event that gave it back to its rep, if it
    waits for them, and `remarks` what the reviewer said then, by field.
    """

    order: Order
    returned: OrderEvent | None
    remarks: Mapping[str, str]


def edited(draft: Draft) -> Edited | None:
    """None for a draft of a new order."""
    if draft.edits is None:
        return None
    order = find_order(draft.tenant, draft.edits.public_id)
    event = returned(order)
    return Edited(order, event, event.data.get("remarks", {}) if event else {})


def returned(order: Order) -> OrderEvent | None:
    """The event that gave the order back to its rep; None unless it waits for them."""
    if order.awaiting != Order.Awaiting.REP:
        return None
    kinds = (OrderEvent.Kind.SENT_BACK, OrderEvent.Kind.RECALLED)
    events = [event for event in order.events.all() if event.kind in kinds]
    return max(events, key=lambda event: event.version)


def with_remarks(sheet: Sheet, remarks: Mapping[str, str], details: Iterable[Detail]) -> Sheet:
    """The sheet, each line with what the reviewer said of it, and what was refused on it."""
    refused: dict[str, dict[str, str]] = {}
    for detail in details:
        section, _, rest = detail.path.partition(".")
        if section == "items" and rest:
            refused.setdefault(rest.partition(".")[0], {})[line_part(detail.path)] = detail.message
    lines = [
        replace(
            line,
            remark=remarks.get(f"items.{_position(line.typed.id)}", ""),
            refused=refused.get(str(number), {}),
        )
        for number, line in enumerate(sheet.lines)
    ]
    return replace(sheet, lines=lines)


def paid_otherwise(sheet: Sheet, items: Iterable[OrderItem]) -> bool:
    """Whether an item was saved at another price than the page shows for its line."""
    shown = [line.priced.unit_price for line in sheet.lines if line.priced]
    return shown != [item.unit_price for item in items]


def stored_base(draft: Draft) -> dict[str, Any]:
    """What of the payload outlives a change of the form."""
    return {"base": draft.payload["base"]} if "base" in draft.payload else {}
