"""Home, and everything about orders."""

from django.urls import path

from orders.views import home, order

urlpatterns = [
    path("", home.home, name="home"),
    path("orders/", order.order_list, name="order_list"),
]
