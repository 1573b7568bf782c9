"""Addresses of `catalog`."""

from typing import Any

urlpatterns: list[Any] = []
