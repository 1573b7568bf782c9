"""Many orders at once: looked at before anything is done, and then each by itself."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from orders.admin.pages import OrderPages
from orders.admin.steps import BULK_STEPS, CANCEL, CONFIRM, CancelForm, Step, StepForm, seen_version
from orders.loading import load_items_and_events
from orders.models import Order, OrderEvent
from orders.preflight import Verdict, preflight
from portal import formats
from portal.admin_site import actor_of, portal_request
from portal.errors import DomainError

BULK_LIMIT = 200
"""Orders that one bulk action takes at most."""
BUSY = "The database was busy. Try again."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    order_id: str
    problem: str
    """Empty when it was done."""


class Bulk(OrderPages):
    actions = ("confirm_selected", "cancel_selected")

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return portal_request(request).user.has_perm(CONFIRM.permission)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return portal_request(request).user.has_perm(CANCEL.permission)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.bulk_view)
        own = [
            path(f"bulk/{step}/", view, {"step": step}, name=f"orders_order_bulk_{step}")
            for step in BULK_STEPS
        ]
        return [*own, *super().get_urls()]

    @admin.action(description="Confirm selected", permissions=["confirm"])
    def confirm_selected(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponse | None:
        """Says of each selected order whether it can be confirmed, and asks about those."""
        orders = self._selected(request, queryset)
        if orders is None:
            return None
        seen = dict(_seen(request.POST.getlist("seen")))
        verdicts = self._preflight(request, orders, seen)
        clear = [verdict for verdict in verdicts if verdict.is_clear]
        values = {
            "title": f"Confirm {_orders(len(clear))}?",
            "step": CONFIRM,
            "clear": [self._row(verdict) for verdict in clear],
            "held": [self._row(verdict) for verdict in verdicts if not verdict.is_clear],
            **self._totals(request, [verdict.order for verdict in clear]),
        }
        return self.page(request, "preflight", values)

    @admin.action(description="Cancel selected", permissions=["cancel"])
    def cancel_selected(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponse | None:
        return self._ask_to_cancel(request, queryset, CancelForm())

    def bulk_view(self, request: HttpRequest, step: str) -> HttpResponse:
        """Does it to each order by itself and says of each how it went."""
        chosen = BULK_STEPS[step]
        if not portal_request(request).user.has_perm(chosen.permission):
            raise PermissionDenied
        seen = _seen(request.POST.getlist("order"))
        if request.method != "POST" or not seen or len(seen) > BULK_LIMIT:
            return redirect("admin:orders_order_changelist")
        form = chosen.form(request.POST)
        if not form.is_valid():
            orders = self.get_queryset(request).filter(public_id__in=dict(seen))
            return self._ask_to_cancel(request, orders, form) or HttpResponse(status=400)
        held = self._held(request, seen) if chosen is CONFIRM else {}
        outcomes = [
            Outcome(
                order_id,
                held.get(order_id) or self._run(request, chosen, order_id, version, form),
            )
            for order_id, version in seen
        ]
        done = sum(not outcome.problem for outcome in outcomes)
        values = {
            "title": f"{done} of {_orders(len(outcomes))} {chosen.done}",
            "step": chosen,
            "outcomes": outcomes,
        }
        return self.page(request, "bulk_result", values)

    def _ask_to_cancel(
        self, request: HttpRequest, queryset: QuerySet[Order], form: StepForm
    ) -> HttpResponse | None:
        orders = self._selected(request, queryset)
        if orders is None:
            return None
        values = {
            "title": f"Cancel {_orders(len(orders))}?",
            "step": CANCEL,
            "rows": [self._row(Verdict(order, None, ())) for order in orders],
            "form": form,
            **self._totals(request, orders),
        }
        return self.page(request, "bulk", values)

    def _selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> list[Order] | None:
        """The orders as they stand in the queue; None, with a message, for too many of them."""
        orders = list(queryset.by_risk()[: BULK_LIMIT + 1])  # type: ignore[attr-defined] # the admin's own type
        if len(orders) > BULK_LIMIT:
            messages.error(request, f"Select {BULK_LIMIT} orders at most.")
            return None
        load_items_and_events(orders)
        return orders

    def _preflight(
        self, request: HttpRequest, orders: Sequence[Order], seen: Mapping[str, int]
    ) -> list[Verdict]:
        tenant, actor = portal_request(request).tenant, actor_of(request)
        return preflight(orders, tenant=tenant, actor=actor, seen=seen)

    def _held(self, request: HttpRequest, seen: Sequence[tuple[str, int]]) -> dict[str, str]:
        """Those that are not confirmed with others, and why, whatever was sent."""
        orders = list(self.get_queryset(request).filter(public_id__in=dict(seen)))
        load_items_and_events(orders)
        verdicts = self._preflight(request, orders, {})
        # What refuses an order altogether, the service says better: it knows the version too.
        return {v.order.public_id: v.why_not for v in verdicts if not v.refusal and v.warnings}

    def _row(self, verdict: Verdict) -> dict[str, Any]:
        order = verdict.order
        return {"order": order, "age": formats.age(order.created_at), "verdict": verdict}

    def _totals(self, request: HttpRequest, orders: Sequence[Order]) -> dict[str, Any]:
        return {
            "total_devices": sum(order.total_devices for order in orders),
            "total": sum(order.total for order in orders),
            "currency": portal_request(request).tenant.currency,
        }

    def _run(
        self, request: HttpRequest, step: Step, order_id: str, version: int, form: StepForm
    ) -> str:
        """Does it, in a transaction of its own; what is wrong, in words.

        A deadlock, or a lock that was waited for too long, stops none of the other orders.
        """
        try:
            return self._do(request, step, order_id, version, form)
        except OperationalError as error:
            log.warning("Order %s was not %s: %s", order_id, step.done, type(error).__name__)
            return BUSY

    def _do(
        self, request: HttpRequest, step: Step, order_id: str, version: int, form: StepForm
    ) -> str:
        try:
            step.service(
                tenant=portal_request(request).tenant,
                actor=actor_of(request),
                order_id=order_id,
                version=version,
                **form.arguments(),
            )
        except DomainError as error:
            if self._did(request, step, order_id, version + 1):
                return ""
            return error.words
        return ""

    def _did(self, request: HttpRequest, step: Step, order_id: str, version: int) -> bool:
        """Whether they did this themselves, as its last change: whose page was sent twice."""
        return OrderEvent.objects.filter(
            tenant=portal_request(request).tenant,
            order__public_id=order_id,
            order__version=version,
            version=version,
            kind=step.event,
            actor_ref=actor_of(request).ref,
        ).exists()


def _orders(number: int) -> str:
    return "1 order" if number == 1 else f"{number} orders"


def _seen(values: Sequence[str]) -> list[tuple[str, int]]:
    """Order ids with the version that was on the page, as `ord_7K3M9QXT2B:2`."""
    parts = (value.rpartition(":") for value in values)
    pairs = ((order_id, seen_version(text)) for order_id, _, text in parts)
    return [(order_id, version) for order_id, version in pairs if version is not None]
