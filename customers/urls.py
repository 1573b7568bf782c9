"""Addresses of `customers`."""

from typing import Any

urlpatterns: list[Any] = []
