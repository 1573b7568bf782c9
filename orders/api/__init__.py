"""Orders over the API."""

from orders.api import reading, writing
from orders.api.routes import router

__all__ = ["reading", "router", "writing"]
