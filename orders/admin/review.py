"""The page of one order, and what is done to it from there."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path

from orders import changes, review
from orders.admin.pages import OrderPages, sees_costs
from orders.admin.steps import STEPS, Step, StepForm, seen_version
from orders.history import difference, history
from orders.loading import load_items_and_events
from orders.models import Order
from orders.preflight import how_it_left, refusal, warnings
from portal.admin_site import actor_of, portal_request
from portal.errors import DomainError


class Review(OrderPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.step_view)
        own = [
            path(f"<int:pk>/{step}/", view, {"step": step}, name=f"orders_order_{step}")
            for step in STEPS
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The review page: all there is about the order, nothing of it editable."""
        if request.method != "GET":
            raise PermissionDenied
        order = self.get_object(request, object_id)
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        if order is None:
            # Django's own answer to a missing or foreign row, which the stubs leave out.
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        load_items_and_events([order])
        summary = self._summary(request, order)
        # That it came back, the difference on top says better.
        summary["warnings"] = [w for w in summary["warnings"] if w.code != "came_back"]
        values = {
            **summary,
            "title": f"Order {order.public_id}",
            "customer_rows": review.compare_customer(order),
            "address_rows": review.compare_addresses(order),
            "extension": review.labelled(order.extension_details, order.currency),
            "upgrade": review.labelled(order.upgrade_details, order.currency),
            "custom_fields": review.custom_fields(order),
            "came_back": self._came_back(request, order),
            "history": history(order, with_costs=sees_costs(request)),
            "refusal": refusal(order, actor_of(request), portal_request(request).tenant),
            "possible": self._possible(request, order),
            "next_order": _next(order),
        }
        return self.page(request, "review", values)

    def step_view(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Asks before something is done to the order; a POST does it to the version that was seen.

        If it cannot be done, it asks again with what was typed, and shows what has changed.
        """
        chosen = STEPS[step]
        if not portal_request(request).user.has_perm(chosen.permission):
            raise PermissionDenied
        order = self._order(request, pk)
        if request.method != "POST":
            return self._ask(request, chosen, order, chosen.form(order=order))
        form = chosen.form(request.POST, order=order)
        seen = seen_version(request.POST.get("version", ""))
        try:
            problem, status = self._try(request, chosen, order, form, seen)
        except DomainError as error:
            # The order as whoever was faster left it; the version is read before the rest.
            order = self._order(request, pk)
            form = chosen.form(request.POST, order=order)
            problem, status = form.refuse(error) if form.is_valid() else "", error.status
        if status == 200:
            messages.success(request, f"Order {order.public_id} is {chosen.done}.")
            after = _next(order) if "next" in request.POST else None
            return redirect("admin:orders_order_change", (after or order).pk)
        return self._ask(request, chosen, order, form, problem, status, seen)

    def _order(self, request: HttpRequest, pk: int) -> Order:
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        load_items_and_events([order])
        return order

    def _try(
        self, request: HttpRequest, step: Step, order: Order, form: StepForm, seen: int | None
    ) -> tuple[str, int]:
        """Does it to the version that was seen; what is wrong, in words, and the status."""
        if seen is None:
            return "Look at the order again first.", 400
        if not form.is_valid():
            return "", 400
        step.service(
            tenant=portal_request(request).tenant,
            actor=actor_of(request),
            order_id=order.public_id,
            version=seen,
            **form.arguments(),
        )
        return "", 200

    def _ask(
        self,
        request: HttpRequest,
        step: Step,
        order: Order,
        form: StepForm,
        problem: str = "",
        status: int = 200,
        seen: int | None = None,
    ) -> HttpResponse:
        cannot = step.problem(order, actor_of(request), portal_request(request).tenant)
        moved = changes.since(order, seen) if seen is not None else []
        title = f"{step.title} order {order.public_id}?"
        values = {
            **self._summary(request, order),
            "title": f"Order {order.public_id} has changed" if moved else title,
            "step": step,
            "form": form,
            "problem": problem or (cannot.message if cannot else ""),
            "cannot": cannot,
            "moved": difference(order, moved, with_costs=sees_costs(request)),
            "goes_on": "next" in request.POST,
        }
        return self.page(request, "step", values, status)

    def _summary(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        costs = sees_costs(request)
        return {
            "order": order,
            "badge": self.badge(order),
            "items": review.reviewed_items(order),
            "show_costs": costs,
            "warnings": warnings(order, with_costs=costs),
        }

    def _possible(self, request: HttpRequest, order: Order) -> set[str]:
        """The names of what this reviewer may do to the order now."""
        actor, tenant = actor_of(request), portal_request(request).tenant
        return {step.name for step in STEPS.values() if not step.problem(order, actor, tenant)}

    def _came_back(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """Of an order that is here again: since when, and the whole difference since then."""
        left = changes.left_review(order)
        if left is None or order.status != Order.Status.PENDING:
            return {}
        since = changes.unreviewed(order)
        found = difference(order, since, with_costs=sees_costs(request))
        return {"since": how_it_left(left), "at": left.at, "difference": found}


def _next(order: Order) -> Order | None:
    """Whose turn it is after this one; behind the last one, the first again."""
    others = Order.objects.awaiting_review().exclude(pk=order.pk).by_risk()
    return others.behind(order).first() or others.first()
