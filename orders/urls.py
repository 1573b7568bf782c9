"""Addresses of `orders`."""

from typing import Any

urlpatterns: list[Any] = []
