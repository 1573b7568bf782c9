"""Giving orders to another rep: one, or all that somebody leaves behind."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from orders.draft_life import who_may_order
from orders.leaving import hand_everything_over, open_work
from orders.models import Order
from orders.services import reassign_orders
from portal.errors import DomainError
from portal.models import Tenant, User
from portal.permissions import Actor
from portal.tenancy import PortalRequest


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Somebody of the tenant, named by their e-mail."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            User.objects.none(), to_field_name="email", empty_label="Choose…", **kwargs
        )

    def label_from_instance(self, user: User) -> str:
        gone = "" if user.is_active else " (not active)"
        return f"{user.display_name} · {user.email}{gone}"


class GiveForm(forms.Form):
    """Who takes it over, and why."""

    to = PersonField(label="Who takes over")
    reason = forms.CharField(
        label="Reason",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It stands in the history of each order. May stay empty.",
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = who_may_order(tenant=tenant)  # type: ignore[attr-defined]

    def refuse(self, error: DomainError) -> None:
        for detail in error.details:
            self.add_error(detail.path if detail.path in self.fields else None, detail.message)


class LeaverForm(GiveForm):
    leaver = PersonField(label="Who leaves")
    field_order = ("leaver", "to", "reason")

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, tenant=tenant, **kwargs)
        people = User.objects.filter(tenant=tenant)
        people = people.order_by("first_name", "last_name", "username")
        self.fields["leaver"].queryset = people  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@permission_required("orders.reassign_order", raise_exception=True)
def reassign(request: PortalRequest) -> HttpResponse:
    """Everything that somebody has open, to a colleague. Who leaves may be named in the address."""
    if request.method == "POST":
        return _hand_over(request)
    form = LeaverForm(tenant=request.tenant, initial=request.GET.dict())
    return _show(request, form, request.GET.get("leaver", ""))


def _hand_over(request: PortalRequest) -> HttpResponse:
    form = LeaverForm(request.POST, tenant=request.tenant)
    if form.is_valid():
        actor = Actor.from_user(request.user)
        try:
            given = hand_everything_over(tenant=request.tenant, actor=actor, **form.cleaned_data)
        except DomainError as error:
            form.refuse(error)
        else:
            name = form.cleaned_data["to"].display_name
            messages.success(request, f"{name} has taken over {given}.")
            return redirect("order_reassign")
    return _show(request, form, request.POST.get("leaver", ""), status=422)


def _show(request: PortalRequest, form: LeaverForm, leaver: str, status: int = 200) -> HttpResponse:
    people = User.objects.filter(tenant=request.tenant, email=leaver.replace("\0", ""))
    user = people.first() if leaver else None
    context = {"form": form, "leaver": user, "open": open_work(user=user) if user else None}
    template = "orders/_open_work.html" if request.htmx else "orders/reassign.html"
    return render(request, template, context, status=status)


@require_http_methods(["GET", "POST"])
@permission_required("orders.reassign_order", raise_exception=True)
def give(request: PortalRequest, order_id: str) -> HttpResponse:
    """One order, to another rep."""
    order = get_object_or_404(Order, public_id=order_id)
    form = GiveForm(request.POST or None, tenant=request.tenant)
    if request.method == "POST" and form.is_valid():
        try:
            reassign_orders(
                tenant=request.tenant,
                actor=Actor.from_user(request.user),
                orders=Order.objects.filter(pk=order.pk),
                **form.cleaned_data,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            name = form.cleaned_data["to"].display_name
            messages.success(request, f"{name} looks after this order now.")
            return redirect("order", order_id)
    status = 422 if request.method == "POST" else 200
    return render(request, "orders/give.html", {"form": form, "order": order}, status=status)
