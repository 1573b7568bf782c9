"""What the list of orders can be narrowed to."""

from datetime import date, datetime, time, timedelta

from django import forms

from orders.models import Order
from orders.queries import OrderQuerySet
from orders.search import first_found
from portal.filters import choice_field, search_field
from portal.models import Tenant, User

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)


def _day_field(label: str) -> forms.DateField:
    """A day that a person can mean; the browser sends 0002-01-01 while a year is being typed."""

    def check(value: date) -> None:
        if not FIRST_DAY <= value <= LAST_DAY:
            raise forms.ValidationError("Enter a day from 2000 to 2099.")

    field = forms.DateField(label=label, required=False, validators=[check])
    field.widget = forms.DateInput(attrs={"type": "date", "class": "form-control"})
    return field


class OrderFilter(forms.Form):
    """Everything is optional; what cannot be read narrows nothing and says so."""

    q = search_field("Search orders", "Order id, customer, e-mail, company, phone or SKU")
    mine = forms.BooleanField(
        label="Only mine",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )
    status = choice_field("Status", Order.Status.choices)
    type = choice_field("Type", Order.Type.choices)
    created_from = _day_field("Created from")
    created_to = _day_field("Created to")

    def narrow(self, orders: OrderQuerySet, *, tenant: Tenant, user: User) -> OrderQuerySet:
        """All orders asked for; days are those of the tenant's time zone, both included."""
        return self.narrow_without_text(orders, tenant=tenant, user=user).matching(self.text)

    def first_of(self, rows: OrderQuerySet, most: int, *, tenant: Tenant) -> OrderQuerySet:
        """The first `most` of an ordered list, narrowed but for the text, that match the text."""
        return first_found(rows, self.text, most, tenant=tenant)

    @property
    def text(self) -> str:
        return str(self.cleaned_data.get("q", ""))

    def narrow_without_text(
        self, orders: OrderQuerySet, *, tenant: Tenant, user: User
    ) -> OrderQuerySet:
        """By everything but the text."""
        self.full_clean()
        asked = self.cleaned_data
        if asked.get("mine"):
            orders = orders.looked_after_by(user.actor_ref)
        if status := asked.get("status"):
            orders = orders.filter(status=status)
        if order_type := asked.get("type"):
            orders = orders.filter(order_type=order_type)
        if first := asked.get("created_from"):
            orders = orders.filter(created_at__gte=_midnight(first, tenant))
        if last := asked.get("created_to"):
            orders = orders.filter(created_at__lt=_midnight(last + timedelta(days=1), tenant))
        return orders

    @property
    def narrows(self) -> bool:
        return any(self.cleaned_data.values())


def _midnight(day: date, tenant: Tenant) -> datetime:
    return datetime.combine(day, time.min, tzinfo=tenant.zone)
