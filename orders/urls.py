"""Home, and everything about orders."""

from django.urls import path

from orders.views import home, new_order, order

urlpatterns = [
    path("", home.home, name="home"),
    path("orders/", order.order_list, name="order_list"),
    path("orders/new/", new_order.start, name="order_new"),
    path("orders/new/line/", new_order.line, name="draft_line"),
    path("orders/new/customers/", new_order.customers, name="draft_customers"),
    path("orders/new/<public_id:draft_id>/", new_order.new_order, name="draft"),
    path("orders/new/<public_id:draft_id>/save/", new_order.save, name="draft_save"),
    path("orders/new/<public_id:draft_id>/discard/", new_order.discard, name="draft_discard"),
    path("orders/new/<public_id:draft_id>/restore/", new_order.restore, name="draft_restore"),
    path("orders/<public_id:order_id>/", order.order, name="order"),
    path("orders/<public_id:order_id>/confirm/", order.order_confirm, name="order_confirm"),
    path("orders/<public_id:order_id>/cancel/", order.order_cancel, name="order_cancel"),
]
