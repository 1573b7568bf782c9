"""Orders in the admin: the queue, the review of one, and many at once."""

from django.contrib import admin
from django.urls import URLPattern

from orders.admin.bulk import Bulk
from orders.admin.queue import Queue
from orders.admin.review import Review
from orders.models import Order
from orders.views.export import admin_urls


@admin.register(Order)
class OrderAdmin(Queue, Review, Bulk):
    def get_urls(self) -> list[URLPattern]:
        return [*admin_urls(self), *super().get_urls()]
