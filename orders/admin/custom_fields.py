"""The custom fields that the tenant has configured."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from orders.models import CustomField
from portal.admin_site import TenantAdmin, TenantForm


class CustomFieldForm(TenantForm[CustomField]):
    def clean_key(self) -> str:
        return str(self.require_unique("key", "There is a custom field of this name already."))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("type") == CustomField.Type.SELECT and not cleaned.get("options"):
            self.add_error("options", "Give a select at least one value.")
        return cleaned


@admin.register(CustomField)
class CustomFieldAdmin(TenantAdmin[CustomField]):
    form = CustomFieldForm
    list_display = ("label", "key", "type", "required", "position")
    list_filter = ("type", "required")
    search_fields = ("label", "key")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Orders keep the values under the key, so it stays."""
        return ("key",) if obj else ()
