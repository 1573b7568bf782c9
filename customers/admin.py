"""Customers in the admin. They are made by orders, and change through `customers.services`."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from customers.forms import changes_of
from customers.models import Customer
from customers.search import matching_customers
from customers.services import require_nothing_open, update_customer
from portal import formats
from portal.admin_site import TenantAdmin, TenantForm, actor_of, portal_request
from portal.errors import Conflict
from portal.text import normalize_email


class CustomerForm(TenantForm[Customer]):
    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        try:
            key = normalize_email(email)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if Customer.objects.filter(email_key=key).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("This e-mail belongs to another customer.")
        return email

    def clean_status(self) -> str:
        """Refused here, at the field; the row stays locked until all is saved."""
        status = str(self.cleaned_data["status"])
        if status == Customer.Status.INACTIVE != self.instance.status:
            try:
                require_nothing_open(customer=self.instance)
            except Conflict as error:
                raise forms.ValidationError([each.message for each in error.details]) from error
        return status


@admin.register(Customer)
class CustomerAdmin(TenantAdmin[Customer]):
    form = CustomerForm
    list_display = ("name", "company", "email", "phone", "customer_type", "badge", "since")
    list_filter = ("status", "customer_type", ("created_at", admin.DateFieldListFilter))
    sortable_by = ("name", "since")
    search_fields = ("search_text",)
    search_help_text = "Name, company, e-mail, phone or customer id"
    fields = (
        "email",
        "first_name",
        "last_name",
        "company",
        "phone",
        "customer_type",
        "status",
        "public_id",
        "orders_link",
        "billing",
        "shipping",
    )
    readonly_fields = ("public_id", "orders_link", "billing", "shipping")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Customers are made by their first order."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Customers become inactive: orders refer to them."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        tenant = portal_request(request).tenant
        return queryset & matching_customers(tenant=tenant, text=search_term), False

    @admin.display(description="Name", ordering="last_name")
    def name(self, customer: Customer) -> str:
        return customer.full_name

    @admin.display(description="Status", ordering="status")
    def badge(self, customer: Customer) -> SafeString:
        return format_html(
            '<span class="badge badge-{}">{}</span>', customer.status, customer.get_status_display()
        )

    @admin.display(description="Since", ordering="created_at")
    def since(self, customer: Customer) -> str:
        return formats.day(customer.created_at)

    @admin.display(description="Orders")
    def orders_link(self, customer: Customer) -> SafeString:
        return format_html(
            '<a href="{}?status=all&amp;customer__id__exact={}">Orders of this customer</a>',
            reverse("admin:orders_order_changelist"),
            customer.pk,
        )

    @admin.display(description="Last billing address")
    def billing(self, customer: Customer) -> SafeString:
        return _lines(customer.last_billing_address)

    @admin.display(description="Last shipping address")
    def shipping(self, customer: Customer) -> SafeString:
        return _lines(customer.last_shipping_address)

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        update_customer(
            tenant=portal_request(request).tenant,
            actor=actor_of(request),
            customer_id=obj.public_id,
            changes=changes_of(form),
        )


def _lines(address: Mapping[str, Any] | None) -> SafeString:
    values = [str(value) for value in (address or {}).values() if value]
    return format_html_join(SafeString("<br>"), "{}", ((value,) for value in values or ["–"]))
