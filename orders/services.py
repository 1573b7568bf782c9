"""The only place that creates or changes an order (besides `orders.bulk`, for import and demo).

Every door (form, API, admin) calls these functions; each is one transaction, raises DomainError
with a code and a path, and leaves nothing behind when it does.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.pricing import LineRequest, PricedLine, Quote, quote
from customers.models import Customer
from customers.services import Caller, customer_for_order
from orders.custom_fields import custom_field_problems
from orders.models import REASON_LENGTH, Draft, Order, OrderEvent, OrderItem
from orders.schemas import NewOrder, parse
from portal.errors import (
    Conflict,
    Detail,
    DomainError,
    NotFound,
    PermissionRefused,
    ValidationFailed,
)
from portal.models import Tenant
from portal.permissions import Actor
from portal.text import clean

STATE_CONFLICT = "STATE_CONFLICT"


def read_new_order(*, tenant: Tenant, data: Any) -> NewOrder:
    """Checks the shape of an order as a shop or the form sends it, custom fields included.

    Raises ValidationFailed with every field that is wrong, together. Contract: Create Order.
    """
    new_order, problems = parse(NewOrder, data)
    sent = data.get("customFields") if isinstance(data, dict) else None
    if sent is None or isinstance(sent, dict):
        problems = [*problems, *custom_field_problems(tenant=tenant, sent=sent or {})]
    if problems or new_order is None:
        raise ValidationFailed(problems)
    return new_order


def quote_for(*, tenant: Tenant, new_order: NewOrder) -> Quote:
    """The prices and totals that an order of these items would have now."""
    return quote(
        tenant=tenant,
        lines=[
            LineRequest(item.sku, item.quantity, item.contract_length)
            for item in new_order.items
        ],
    )


@transaction.atomic
def create_order(
    *,
    tenant: Tenant,
    actor: Actor,
    new_order: NewOrder,
    source: Order.Source,
    draft: Draft | None = None,
    customer_id: str = "",
    update_customer: bool = False,
) -> Order:
    """Creates a pending order at today's catalogue prices and links or creates its customer.

    The order keeps copies of names, prices and addresses. The portal may name a known customer
    by id, when they call with a new address, and may ask to update their record. Raises PermissionRefused, or
    DomainError with every line that cannot be ordered: `VARIANT_NOT_FOUND`, `VARIANT_INACTIVE`,
    `INVALID_CONTRACT_LENGTH`, or `VALIDATION_ERROR` at `customer.email` for an inactive
    customer. Contract: Create Order.
    """
    actor.require("orders.add_order", "You may not create orders.")
    quoted = quote_for(tenant=tenant, new_order=new_order)
    if quoted.problems:
        raise DomainError.of(quoted.problems)
    caller = _caller(new_order)
    customer = customer_for_order(
        tenant=tenant,
        actor=actor,
        caller=caller,
        customer_id=customer_id,
        update=update_customer,
    )
    order = _order(tenant, actor, new_order, quoted, customer, caller)
    order.source, order.draft = source, draft
    order.save(force_insert=True)
    items = [_item(order, line) for line in quoted.lines]
    OrderItem.objects.bulk_create(items)
    _record(order, OrderEvent.Kind.CREATED, actor, data={"total": order.total})
    # The caller renders what was just written without asking for it again.
    order._prefetched_objects_cache = {"items": items}
    return order


@transaction.atomic
def confirm_order(
    *,
    tenant: Tenant,
    actor: Actor,
    order_id: str,
    version: int | None = None,
    reason: str = "",
) -> Order:
    """Confirms a pending order: it goes out at these prices.

    `version` is the one that the reviewer saw; if the order moved on, Conflict `STATE_CONFLICT`.
    Raises PermissionRefused for an actor who may not, or who created the order and lacks the
    permission to confirm their own; NotFound for another tenant's order.
    """
    actor.require("orders.confirm_order", "You may not confirm orders.")
    reason = _reason(reason)
    order = _locked(tenant, order_id, version)
    if order.status != Order.Status.PENDING or order.awaiting != Order.Awaiting.MANAGER:
        raise Conflict(STATE_CONFLICT, _why_not(order, "confirmed"))
    if order.created_by_ref == actor.ref and not actor.can("orders.confirm_own_order"):
        raise PermissionRefused(
            "You created this order; somebody else has to confirm it."
        )
    order.status = Order.Status.CONFIRMED
    order.confirmed_at = timezone.now()
    order.confirmed_by_ref, order.confirmed_by = actor.ref, actor.label
    _save(order, "status", "confirmed_at", "confirmed_by_ref", "confirmed_by")
    _record(order, OrderEvent.Kind.CONFIRMED, actor, reason=reason)
    return order


@transaction.atomic
def cancel_order(
    *,
    tenant: Tenant,
    actor: Actor,
    order_id: str,
    version: int | None = None,
    reason: str = "",
) -> Order:
    """Cancels a pending or confirmed order, for good. `reason` may have 1,000 characters.

    Raises DomainError `ALREADY_CANCELLED` or, once devices are rented, `ORDER_NOT_CANCELLABLE`;
    Conflict `STATE_CONFLICT` for a stale version; PermissionRefused; NotFound.
    Contract: Cancel Order.
    """
    actor.require("orders.cancel_order", "You may not cancel orders.")
    reason = _reason(reason)
    order = _locked(tenant, order_id, version)
    if order.status == Order.Status.CANCELLED:
        raise DomainError("ALREADY_CANCELLED", _why_not(order, "cancelled"))
    if order.status not in (Order.Status.PENDING, Order.Status.CONFIRMED):
        raise DomainError("ORDER_NOT_CANCELLABLE", _why_not(order, "cancelled"))
    order.status, order.awaiting = Order.Status.CANCELLED, Order.Awaiting.MANAGER
    order.cancelled_at, order.cancel_reason = timezone.now(), reason
    order.cancelled_by_ref, order.cancelled_by = actor.ref, actor.label
    _save(
        order,
        "status",
        "awaiting",
        "cancelled_at",
        "cancel_reason",
        "cancelled_by_ref",
        "cancelled_by",
    )
    _record(order, OrderEvent.Kind.CANCELLED, actor, reason=reason)
    return order


def _caller(new_order: NewOrder) -> Caller:
    billing = new_order.billing_address.stored()
    shipping = new_order.shipping_address
    given = new_order.customer
    return Caller(
        email=given.email,
        first_name=given.first_name,
        last_name=given.last_name,
        company=given.company,
        phone=given.phone,
        customer_type=given.customer_type,
        billing_address=billing,
        shipping_address=shipping.stored() if shipping else billing,
    )


def _order(
    tenant: Tenant,
    actor: Actor,
    new_order: NewOrder,
    quoted: Quote,
    customer: Customer,
    caller: Caller,
) -> Order:
    totals, now = quoted.totals, timezone.now()
    extension, upgrade = new_order.extension_details, new_order.upgrade_details
    return Order(
        tenant=tenant,
        order_type=new_order.order_type,
        customer=customer,
        customer_email=caller.email,
        customer_first_name=caller.first_name,
        customer_last_name=caller.last_name,
        customer_company=caller.company,
        customer_phone=caller.phone,
        customer_type=caller.customer_type,
        billing_address=caller.billing_address,
        shipping_address=caller.shipping_address,
        currency=totals.currency,
        vat_rate=totals.vat_rate,
        prices_include_vat=totals.prices_include_vat,
        subtotal=totals.subtotal,
        tax_amount=totals.tax_amount,
        total=totals.total,
        contract_value=totals.contract_value,
        total_devices=totals.total_devices,
        custom_fields=new_order.custom_fields,
        notes=new_order.notes,
        extension_details=extension and extension.stored(),
        upgrade_details=upgrade and upgrade.stored(),
        created_at=now,
        updated_at=now,
        created_by_ref=actor.ref,
        created_by=actor.label,
    )


def _item(order: Order, line: PricedLine) -> OrderItem:
    cost, cost_source = line.acquisition_cost, OrderItem.CostSource.VARIANT
    if cost is None:
        cost, cost_source = line.list_price, OrderItem.CostSource.LIST_PRICE
    if cost is None:
        cost_source = OrderItem.CostSource.UNKNOWN
    known = line.list_price is not None
    return OrderItem(
        tenant=order.tenant,
        order=order,
        position=line.position,
        variant_id=line.variant_pk,
        product_public_id=line.product_public_id,
        variant_public_id=line.variant_public_id,
        sku=line.sku,
        product_name=line.product_name,
        variant_name=line.variant_name,
        image_url=line.image_url,
        quantity=line.quantity,
        contract_length=line.contract_length,
        unit_price=line.unit_price,
        list_price=line.list_price,
        list_price_source=OrderItem.ListPriceSource.VARIANT
        if known
        else OrderItem.ListPriceSource.UNKNOWN,
        acquisition_cost=cost,
        acquisition_cost_source=cost_source,
    )


def _locked(tenant: Tenant, order_id: str, version: int | None) -> Order:
    order = (
        Order.objects.select_for_update()
        .filter(tenant=tenant, public_id=order_id)
        .first()
    )
    if order is None:
        raise NotFound("There is no such order.")
    if version is not None and version != order.version:
        raise Conflict(STATE_CONFLICT, f"{_last_change(order)} Look at it again first.")
    return order


def _why_not(order: Order, verb: str) -> str:
    state = order.get_status_display().lower()
    if order.awaiting == Order.Awaiting.REP:
        state = "back with its rep"
    return f"It cannot be {verb}: it is {state}. {_last_change(order)}"


def _last_change(order: Order) -> str:
    event = order.events.order_by("-at", "-id").first()
    if event is None:
        return "The order has changed."
    return f"{event.actor} last changed it ({event.get_kind_display().lower()})."


def _reason(reason: str) -> str:
    try:
        reason = clean(reason, multiline=True)
    except ValueError as error:
        raise ValidationFailed(
            [Detail("reason", "VALIDATION_ERROR", str(error))]
        ) from error
    if len(reason) > REASON_LENGTH:
        message = f"This may have {REASON_LENGTH} characters at most."
        raise ValidationFailed([Detail("reason", "VALIDATION_ERROR", message)])
    return reason


def _save(order: Order, *fields: str) -> None:
    order.version += 1
    order.updated_at = timezone.now()
    order.save(update_fields=[*fields, "version", "updated_at"])


def _record(
    order: Order,
    kind: OrderEvent.Kind,
    actor: Actor,
    *,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    OrderEvent.objects.create(
        tenant=order.tenant,
        order=order,
        kind=kind,
        version=order.version,
        at=order.updated_at,
        actor_ref=actor.ref,
        actor=actor.label,
        reason=reason,
        data=data or {},
    )
