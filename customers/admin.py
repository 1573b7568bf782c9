"""Customers in the admin."""

from django.contrib import admin

from customers.models import Customer
from portal.admin_site import TenantAdmin


@admin.register(Customer)
class CustomerAdmin(TenantAdmin[Customer]):
    pass
