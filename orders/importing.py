"""Orders of the past, brought in from a file: JSON Lines, each an order as Get Order answers it.

What is there already is known by its orderId and the digest of its line, which is kept with the
order. So an import may end anywhere and be run again: what was written is skipped, the rest
follows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import IO, Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Lower
from django.utils import timezone

from customers.models import Customer
from customers.services import (
    Arrival,
    customers_of_the_past,
    locked_customers,
    remember_past,
)
from orders.building import build_caller
from orders.bulk import OrderRecord, Step, build_orders, write_orders
from orders.changes import is_same_json
from orders.historic import HistoricOrder, read_historic_order
from orders.models import CustomField, Order, OrderEvent
from orders.representation import order_body
from portal import exact_json
from portal.errors import Conflict, Detail, DomainError, ValidationFailed
from portal.models import ApiKey, Tenant, User
from portal.permissions import Actor
from portal.rows import take_turns
from portal.text import clean

ORDERS_PER_BATCH = 500
BYTES_PER_BATCH = 4 * 1024 * 1024
BYTES_PER_LINE = 2 * 1024 * 1024
"""As much as the API takes in one request."""

SHOWN = 100
"""Characters of a value that the portal has."""

IMPORT = Actor.system("import")
ORDER_EXISTS = "ORDER_EXISTS"

Kind = OrderEvent.Kind
Status = Order.Status


class Outcome(StrEnum):
    WRITTEN = "written"
    ALREADY_THERE = "already there"
    REFUSED = "refused"


@dataclass(slots=True, eq=False)
class Line:
    """A line of the file, by its number from 1, and what becomes of it.

    `order_id` is blank if it has none that an order could have. `error` says why it is refused.
    """

    number: int
    text: bytes
    data: Any = None
    order_id: str = ""
    digest: str = ""
    outcome: Outcome | None = None
    error: DomainError | None = None

    def read(self) -> None:
        """Reads the JSON; refuses the line if it is none."""
        try:
            self.data = exact_json.loads_strict(self.text)
        except ValueError as error:
            self.refuse(_no_json(str(error)))
            return
        self.digest = sha256(self.text).hexdigest()
        with suppress(KeyError, TypeError, AttributeError, ValueError):
            self.order_id = clean(self.data["orderId"])

    def refuse(self, error: DomainError) -> None:
        self.outcome, self.error = Outcome.REFUSED, error


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A line that is an order."""

    line: Line
    order: HistoricOrder


def import_orders(
    *, tenant: Tenant, file: IO[bytes], dry_run: bool = False
) -> Iterator[Sequence[Line]]:
    """Brings in the orders of the file, some hundred in a transaction; yields what became of each.

    A dry run does the same and takes it back. Two imports at once take turns. Raises
    OperationalError when the database goes away: what was yielded is there for good.
    """
    seen: dict[int, int] = {}
    for batch in _batches(_lines(file)):
        entries = _check(tenant, batch)
        if dry_run:
            entries = _without_repeated(entries, seen)
        _write(tenant, entries, dry_run)
        if dry_run:
            written = (line for line in batch if line.outcome == Outcome.WRITTEN)
            seen |= {hash(line.order_id): hash(line.digest) for line in written}
        yield batch


def _lines(file: IO[bytes]) -> Iterator[Line]:
    """The lines of the file that are not blank."""
    number = 0
    while text := file.readline(BYTES_PER_LINE + 1):
        number += 1
        if len(text) > BYTES_PER_LINE and not text.endswith(b"\n"):
            while (rest := file.readline(BYTES_PER_LINE)) and not rest.endswith(b"\n"):
                pass
            line = Line(number, text[:SHOWN])
            line.refuse(_no_json("A line may have 2 MB at most."))
            yield line
        elif text := text.strip():
            line = Line(number, text)
            line.read()
            yield line


def _no_json(why: str) -> ValidationFailed:
    return ValidationFailed([Detail("", "VALIDATION_ERROR", f"This is not proper JSON. {why}")])


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """As many lines as one transaction takes. An id that comes again waits for the next one, to be
    compared with what is there by then.
    """
    batch: list[Line] = []
    ids: set[str] = set()
    size = 0
    for line in lines:
        if len(batch) == ORDERS_PER_BATCH or size > BYTES_PER_BATCH or line.order_id in ids:
            yield batch
            batch, ids, size = [], set(), 0
        batch.append(line)
        size += len(line.text)
        if line.order_id:
            ids.add(line.order_id)
    if batch:
        yield batch


def _check(tenant: Tenant, batch: Sequence[Line]) -> list[Entry]:
    """Skips what was imported before, and reads the rest as orders or refuses it."""
    waiting = [line for line in batch if line.outcome is None]
    imported = _digests(tenant, [line.order_id for line in waiting if line.order_id])
    fields = list(CustomField.objects.filter(tenant=tenant))
    now = timezone.now()
    entries = []
    for line in waiting:
        if line.digest == imported.get(line.order_id):
            line.outcome = Outcome.ALREADY_THERE
            continue
        try:
            order = read_historic_order(tenant=tenant, fields=fields, data=line.data, now=now)
        except DomainError as error:
            line.refuse(error)
        else:
            entries.append(Entry(line, order))
    return entries


def _digests(tenant: Tenant, order_ids: Sequence[str]) -> dict[str, str]:
    """The digest of the line of each of these orders that was imported, by orderId."""
    created = OrderEvent.objects.filter(
        tenant=tenant, order__public_id__in=order_ids, kind=Kind.CREATED
    )
    digest = KeyTextTransform("sha256", KeyTransform("imported", "data"))
    return dict(created.values_list("order__public_id", digest))


def _without_repeated(entries: Sequence[Entry], seen: Mapping[int, int]) -> list[Entry]:
    """For a dry run, which leaves nothing to compare with: skips what it has met before.

    That is `seen` as hashes of id and digest, a few bytes for each order.
    """
    new = []
    for entry in entries:
        line = entry.line
        match seen.get(hash(line.order_id)):
            case None:
                new.append(entry)
            case before if before == hash(line.digest):
                line.outcome = Outcome.ALREADY_THERE
            case _:
                line.refuse(_exists(line, [Detail("", ORDER_EXISTS, "An earlier line differs.")]))
    return new


def _write(tenant: Tenant, entries: Sequence[Entry], dry_run: bool) -> None:
    """Writes the orders in one transaction; if the database refuses it, half of them in each, and
    so on, until only those are refused that must be.
    """
    if not entries:
        return
    try:
        existing = _write_together(tenant, entries, dry_run)
    except (DataError, IntegrityError) as error:
        if len(entries) == 1:
            entries[0].line.refuse(_refused_by_database(error))
            return
        middle = len(entries) // 2
        _write(tenant, entries[:middle], dry_run)
        _write(tenant, entries[middle:], dry_run)
        return
    for line in (entry.line for entry in entries):
        if line.order_id not in existing:
            line.outcome = Outcome.WRITTEN
        elif differences := existing[line.order_id]:
            line.refuse(_exists(line, differences))
        else:
            line.outcome = Outcome.ALREADY_THERE


def _exists(line: Line, differences: Sequence[Detail]) -> Conflict:
    message = f"The order {line.order_id} exists already, with other content."
    return Conflict(ORDER_EXISTS, message, differences)


def _refused_by_database(error: DataError | IntegrityError) -> DomainError:
    """For what no check foresaw, in the database's own words."""
    said = getattr(error.__cause__, "diag", None)
    why = (said and (said.constraint_name or said.message_primary)) or str(error)
    return DomainError.at("", "VALIDATION_ERROR", f"The database refuses it: {why}.")


@transaction.atomic
def _write_together(
    tenant: Tenant, entries: Sequence[Entry], dry_run: bool
) -> dict[str, list[Detail]]:
    """Writes what is not there; of what is, says by orderId where it differs."""
    take_turns(f"import_orders:{tenant.pk}")
    there = _existing(tenant, [entry.line.order_id for entry in entries])
    new = [entry for entry in entries if entry.line.order_id not in there]
    old = [entry for entry in entries if entry.line.order_id in there]
    record = _recorder(tenant, entries)
    again = [record(entry, there[entry.line.order_id].customer) for entry in old]
    differences = {}
    for told in build_orders(tenant=tenant, records=again):
        known = there[told.public_id]
        told.pk = known.pk  # Unsaved, Django would not tell its items.
        differences[known.public_id] = list(_differences(_body(told), _body(known)))
    customers = _customers(tenant, new)
    records = [record(entry, customer) for entry, customer in zip(new, customers, strict=True)]
    write_orders(tenant=tenant, records=records)
    _remember(records)
    if dry_run:
        transaction.set_rollback(True)
    return differences


def _existing(tenant: Tenant, order_ids: Sequence[str]) -> dict[str, Order]:
    found = Order.objects.filter(tenant=tenant, public_id__in=order_ids)
    whole = found.select_related("tenant", "customer").prefetch_related("items")
    return {order.public_id: order for order in whole}


def _customers(tenant: Tenant, entries: Sequence[Entry]) -> list[Customer]:
    arrivals = [
        Arrival(build_caller(order), order.created_at, order.customer.customer_id or "")
        for order in (entry.order for entry in entries)
    ]
    return customers_of_the_past(tenant=tenant, actor=IMPORT, arrivals=arrivals)


def _recorder(tenant: Tenant, entries: Sequence[Entry]) -> Callable[[Entry, Customer], OrderRecord]:
    """Makes the records of these orders; who placed them is looked up for all at once."""
    creators = _creators(tenant, {entry.order.created_by.lower() for entry in entries})

    def record(entry: Entry, customer: Customer) -> OrderRecord:
        order = entry.order
        return OrderRecord(
            order_id=order.order_id,
            new_order=order,
            customer=customer,
            source=Order.Source.IMPORT,
            actor=IMPORT,
            at=order.created_at,
            steps=_steps(order),
            creator=creators.get(order.created_by.lower()),
            data={"imported": {"sha256": entry.line.digest, **order.elsewhere()}},
        )

    return record


def _creators(tenant: Tenant, labels: Iterable[str]) -> dict[str, Actor]:
    """Those users and API keys of the tenant, by label in lower case."""
    users = User.objects.filter(tenant=tenant).annotate(label=Lower("email"))
    keys = ApiKey.objects.filter(tenant=tenant).annotate(label=Lower("public_id"))
    return {
        user.label: Actor(user.actor_ref, user.email, frozenset())
        for user in users.filter(label__in=labels)
    } | {
        key.label: Actor(f"key:{key.public_id}", key.public_id, frozenset())
        for key in keys.filter(label__in=labels)
    }


def _steps(order: HistoricOrder) -> list[Step]:
    """What must have happened to it; the last of it with its last change, unless that is told."""
    at = order.changed_at
    match order.status:
        case Status.CONFIRMED:
            return [Step(kind=Kind.CONFIRMED, at=order.confirmed_at or at, actor=IMPORT)]
        case Status.CANCELLED:
            cancelled = Step(kind=Kind.CANCELLED, at=order.cancelled_at or at, actor=IMPORT)
            if order.confirmed_at is None:
                return [cancelled]
            return [Step(kind=Kind.CONFIRMED, at=order.confirmed_at, actor=IMPORT), cancelled]
        case Status.PARTIAL | Status.FULFILLED:
            return [
                Step(kind=Kind.CONFIRMED, at=order.confirmed, actor=IMPORT),
                Step(kind=Kind.PROGRESSED, at=at, actor=IMPORT, rented=order.rented()),
            ]
    return []


def _remember(records: Sequence[OrderRecord]) -> None:
    """Gives each customer the addresses of their last order, if that is one of these and nobody
    has given the record others since the order before it.

    Customers who came with an import are known since their first order.
    """
    customers = locked_customers(keys={record.customer.pk for record in records})
    last = _last_orders(customers, {record.order_id for record in records})
    changed = set()
    for record in records:
        customer, caller = customers[record.customer.pk], build_caller(record.new_order)
        addresses = (caller.billing_address, caller.shipping_address)
        known = (customer.last_billing_address, customer.last_shipping_address)
        order_id, before = last[customer.pk]
        if record.order_id == order_id and addresses != known and before in (None, known):
            customer.last_billing_address, customer.last_shipping_address = addresses
            changed.add(customer.pk)
        if customer.created_by == IMPORT.label and record.at < customer.created_at:
            customer.created_at = record.at
            changed.add(customer.pk)
    remember_past(customers=[customers[pk] for pk in sorted(changed)])


def _last_orders(
    customers: Collection[int], written: Collection[str]
) -> dict[int, tuple[str, tuple[Any, Any] | None]]:
    """Of each customer the id of the last order, and the addresses of their last one besides those
    that are written now; None if they have no other.
    """
    orders = Order.objects.filter(customer=OuterRef("pk")).order_by("-created_at", "-id")
    others = orders.exclude(public_id__in=written)
    found = Customer.objects.filter(pk__in=customers).values_list(
        "pk",
        Subquery(orders.values("public_id")[:1]),
        Subquery(others.values("billing_address")[:1]),
        Subquery(others.values("shipping_address")[:1]),
    )
    return {
        pk: (order_id, (billing, shipping) if billing else None)
        for pk, order_id, billing, shipping in found
    }


def _body(order: Order) -> dict[str, Any]:
    """What is compared: all but how often it was written, and who has to act, as it is here."""
    body = order_body(order, with_costs=True)
    return {name: body[name] for name in body if name not in ("version", "awaiting")}


def _differences(told: Any, known: Any, path: str = "") -> Iterator[Detail]:
    """Where the line says something else than the order that is there, each at its path."""
    if isinstance(told, dict) and isinstance(known, dict):
        for key in {**told, **known}:
            yield from _differences(told.get(key), known.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(told, list) and isinstance(known, list) and len(told) == len(known):
        for number, pair in enumerate(zip(told, known, strict=True)):
            yield from _differences(*pair, f"{path}.{number}")
    elif not is_same_json(told, known):
        message = f"The portal has {exact_json.dumps(known)[:SHOWN]}."
        yield Detail(path, ORDER_EXISTS, message)
