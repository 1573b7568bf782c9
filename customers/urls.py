"""Customers: list and correction. The page of a record shows orders and is theirs."""

from django.urls import path

from customers import views

urlpatterns = [
    path("", views.customer_list, name="customer_list"),
    path("<public_id:customer_id>/edit/", views.customer_edit, name="customer_edit"),
]
