"""Orders in the admin: the queue, the review of one order, many at once, and custom fields.

Nothing of an order is editable here; every change goes through `orders.services`.
"""

from orders.admin.custom_fields import CustomFieldAdmin
from orders.admin.order import OrderAdmin

__all__ = ["CustomFieldAdmin", "OrderAdmin"]
