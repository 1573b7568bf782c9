"""The list of customers, and the correction of a record."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from customers.forms import CustomerFilter, CustomerForm, changes_of
from customers.models import Customer
from customers.search import matching_customers
from customers.services import update_customer
from portal.errors import DomainError
from portal.filters import address_without_blanks
from portal.paging import newest_first
from portal.permissions import Actor
from portal.tenancy import PortalRequest


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
@vary_on_headers("HX-Request")
@address_without_blanks
def customer_list(request: PortalRequest) -> HttpResponse:
    filters = CustomerFilter(request.GET)
    filters.full_clean()
    asked = filters.cleaned_data
    customers = matching_customers(tenant=request.tenant, text=asked.get("q", ""))
    if status := asked.get("status"):
        customers = customers.filter(status=status)
    if customer_type := asked.get("type"):
        customers = customers.filter(customer_type=customer_type)
    page = newest_first(customers, request.GET.get("cursor", ""))
    template = "customers/_results.html" if request.htmx else "customers/list.html"
    return render(request, template, {"filters": filters, "page": page})


@require_http_methods(["GET", "POST"])
@permission_required("customers.change_customer", raise_exception=True)
def customer_edit(request: PortalRequest, customer_id: str) -> HttpResponse:
    edited = get_object_or_404(Customer, public_id=customer_id)
    form = CustomerForm(request.POST) if request.method == "POST" else CustomerForm.of(edited)
    if form.is_bound and form.is_valid():
        tenant, actor = request.tenant, Actor.from_user(request.user)
        try:
            update_customer(
                tenant=tenant, actor=actor, customer_id=customer_id, changes=changes_of(form)
            )
        except DomainError as error:
            form.add_error("email", error.message)
        else:
            messages.success(request, "The record is saved. Orders that exist keep their copy.")
            return redirect("customer", customer_id)
    form.start_at_first_error()
    context = {"customer_id": customer_id, "form": form}
    return render(request, "customers/edit.html", context, status=422 if form.errors else 200)
