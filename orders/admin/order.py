"""Orders in the admin: the queue, the review of one, and many at once."""

from django.contrib import admin

from orders.admin.bulk import Bulk
from orders.admin.queue import Queue
from orders.admin.review import Review
from orders.models import Order


@admin.register(Order)
class OrderAdmin(Queue, Review, Bulk):
    pass
