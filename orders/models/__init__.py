"""The order and what belongs to it: drafts, notices, custom fields, exports."""

from orders.models.custom_field import CustomField
from orders.models.draft import Draft
from orders.models.export import Export
from orders.models.notice import HAPPENED, Notice
from orders.models.order import (
    MAX_LINES,
    MAX_QUANTITY,
    NOTES_LENGTH,
    REASON_LENGTH,
    Order,
    OrderEvent,
    OrderItem,
)

__all__ = [
    "HAPPENED",
    "MAX_LINES",
    "MAX_QUANTITY",
    "NOTES_LENGTH",
    "REASON_LENGTH",
    "CustomField",
    "Draft",
    "Export",
    "Notice",
    "Order",
    "OrderEvent",
    "OrderItem",
]
