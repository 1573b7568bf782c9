"""Customers: list, record, correction."""

from django.urls import path

from customers import views

urlpatterns = [
    path("", views.customer_list, name="customer_list"),
    path("<public_id:customer_id>/", views.customer, name="customer"),
    path("<public_id:customer_id>/edit/", views.customer_edit, name="customer_edit"),
]
