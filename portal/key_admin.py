"""API keys in the admin: made, given a new secret, revoked; never seen twice."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import formats
from portal.admin_site import SuperuserOnly, TenantAdmin, TenantForm, actor_of, portal_request
from portal.errors import DomainError
from portal.keys import OVERLAP, revoke_key, rotate_key
from portal.models import ApiKey
from portal.permissions import SCOPE_MEANINGS, SCOPES

OVERLAPS = {0: "not at all", 1: "1 hour", 24: "24 hours", 7 * 24: "7 days", 30 * 24: "30 days"}
"""Hours that an old secret may work on."""
EDITABLE = ("name", "scopes", "rate_limit", "expires_at")
AT_THE_END = ("name", "may_do", "requests_a_minute", "expires")
"""Instead of what can be edited, of a key that is revoked."""
READ_ONLY = ("public_id", "badge", "last_used", "created", "secret", "revoked")


class ApiKeyForm(TenantForm[ApiKey]):
    scopes = forms.MultipleChoiceField(
        choices=[
            (scope, format_html("<code>{}</code> <span>{}</span>", scope, SCOPE_MEANINGS[scope]))
            for scope in SCOPES
        ],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "scopes"}),
        required=False,
        label="May do",
        help_text="Tick what the program needs, and no more. Without any it may do nothing.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "expires_at" in self.fields:
            boxes = self.fields["expires_at"].widget.widgets
            for widget, label in zip(boxes, ("Expiry date", "Expiry time"), strict=True):
                widget.attrs["aria-label"] = label
        self.token = ""
        if self.instance._state.adding:
            self.initial["scopes"] = []
            self.token = self.instance.set_secret()

    def clean_expires_at(self) -> datetime | None:
        expires: datetime | None = self.cleaned_data["expires_at"]
        if expires and expires <= timezone.now() and "expires_at" in self.changed_data:
            raise forms.ValidationError("This is in the past. To end a key, revoke it.")
        return expires


class NewSecretForm(forms.Form):
    overlap = forms.TypedChoiceField(
        choices=list(OVERLAPS.items()),
        coerce=int,
        initial=OVERLAP // timedelta(hours=1),
        widget=forms.RadioSelect,
        label="How long the old secret works on",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_seen(self) -> datetime | None:
        text = self.cleaned_data["seen"]
        try:
            return datetime.fromisoformat(text) if text else None
        except ValueError as error:
            raise forms.ValidationError("Look at the key again first.") from error


class KeyStatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("valid", "Valid"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        expired = Q(revoked_at__isnull=True, expires_at__lte=timezone.now())
        match self.value():
            case "valid":
                return queryset.filter(revoked_at__isnull=True).exclude(expired)
            case "expired":
                return queryset.filter(expired)
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset


def _when(moment: datetime | None, by: str, never: str) -> str:
    if moment is None:
        return never
    return f"{formats.moment(moment)} by {by}" if by else formats.moment(moment)


@admin.register(ApiKey)
class ApiKeyAdmin(SuperuserOnly, TenantAdmin[ApiKey]):
    """Keys of programs. The key itself is shown once, on the page after it was made."""

    form = ApiKeyForm
    list_display = ("name", "badge", "last_used", "expires", "may_do", "public_id")
    list_filter = (KeyStatusFilter,)
    search_fields = ("name", "public_id")
    actions = ("revoke",)
    fields = EDITABLE
    change_form_template = "admin/portal/apikey/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        asked = self.admin_site.admin_view
        own = [
            path("<int:pk>/new-secret/", asked(self.rotate_view), name="portal_apikey_rotate"),
            path("<int:pk>/revoke/", asked(self.revoke_view), name="portal_apikey_revoke"),
        ]
        return [*own, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return EDITABLE
        return (*(AT_THE_END if obj.revoked_at else EDITABLE), *READ_ONLY)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        is_over = obj is not None and obj.revoked_at is not None
        return (*AT_THE_END, *READ_ONLY) if is_over else READ_ONLY

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is revoked can only be looked at."""
        is_over = obj is not None and obj.revoked_at is not None
        return super().has_change_permission(request, obj) and not is_over

    @admin.display(description="Status")
    def badge(self, key: ApiKey) -> SafeString:
        status = "valid"
        if key.revoked_at:
            status = "revoked"
        elif key.is_expired(timezone.now()):
            status = "expired"
        return format_html('<span class="badge badge-{}">{}</span>', status, status.capitalize())

    @admin.display(description="May do")
    def may_do(self, key: ApiKey) -> str:
        if set(key.scopes) >= set(SCOPES):
            return "everything"
        return ", ".join(key.scopes) or "nothing"

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return formats.ago(key.last_used_at) if key.last_used_at else "never"

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return formats.moment(key.expires_at) if key.expires_at else "never"

    @admin.display(description="Created")
    def created(self, key: ApiKey) -> str:
        return _when(key.created_at, key.created_by, "")

    @admin.display(description="Secret")
    def secret(self, key: ApiKey) -> str:
        given = _when(key.rotated_at, key.rotated_by, "The first one")
        if key.previous_expires_at and key.overlaps(timezone.now()):
            return f"{given}; the one before works until {formats.moment(key.previous_expires_at)}"
        return given

    @admin.display(description="Revoked")
    def revoked(self, key: ApiKey) -> str:
        return _when(key.revoked_at, key.revoked_by, "–")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        response: HttpResponse = super().add_view(request, form_url, one_button)
        add_never_cache_headers(response)
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Of a key that exists, only what the form has: it may be revoked at this moment."""
        if change:
            obj.save(update_fields=EDITABLE)
            return
        obj.created_by = actor_of(request).label
        super().save_model(request, obj, form, change)
        obj.token = form.token

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show(request, obj, obj.token)

    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks how long the old secret works on; a POST makes the new one and shows the key."""
        key = self._key(request, pk)
        form = NewSecretForm(request.POST or None)
        problem, status = "", 200
        if request.method == "POST" and form.is_valid():
            try:
                return self._rotated(request, key, **form.cleaned_data)
            except DomainError as error:
                problem, status = error.message, error.status
        elif request.method == "POST":
            problem, status = "Nothing was done yet: see below what to correct.", 400
        key = self._key(request, pk)
        seen = key.rotated_at.isoformat() if key.rotated_at else ""
        values = {"title": f"New secret for “{key.name}”?", "form": NewSecretForm(), "seen": seen}
        return self._page(request, "rotate", {**values, "key": key, "problem": problem}, status)

    def _rotated(
        self, request: HttpRequest, key: ApiKey, *, overlap: int, seen: datetime | None
    ) -> HttpResponse:
        changed, token = rotate_key(
            tenant=portal_request(request).tenant,
            actor=actor_of(request),
            key_id=key.public_id,
            seen=seen,
            overlap=timedelta(hours=overlap),
        )
        self.log_change(request, changed, f"New secret. Overlap: {OVERLAPS[overlap]}.")
        return self._show(request, changed, token)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks before the key ends; a POST ends it."""
        key = self._key(request, pk)
        if request.method == "POST":
            self._revoke(request, key)
            messages.success(request, f"“{key.name}” is revoked. It no longer opens the API.")
            return redirect("admin:portal_apikey_changelist")
        return self._page(request, "revoke", {"title": f"Revoke “{key.name}”?", "key": key})

    @admin.action(description="Revoke selected API keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        number = sum(self._revoke(request, key) for key in queryset)
        messages.success(request, f"Revoked: {number}. They no longer open the API.")

    def _revoke(self, request: HttpRequest, key: ApiKey) -> bool:
        tenant, actor = portal_request(request).tenant, actor_of(request)
        done = revoke_key(tenant=tenant, actor=actor, key_id=key.public_id)
        if done:
            self.log_change(request, key, "Revoked.")
        return done

    def _key(self, request: HttpRequest, pk: int) -> ApiKey:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    def _show(self, request: HttpRequest, key: ApiKey, token: str) -> HttpResponse:
        """Shows the key, now or never: it is in no session, message or log."""
        values = {
            "title": f"API key “{key.name}”",
            "key": key,
            "token": token,
            "old_until": key.previous_expires_at and formats.moment(key.previous_expires_at),
        }
        response = self._page(request, "shown", values)
        add_never_cache_headers(response)
        return response

    def _page(
        self, request: HttpRequest, name: str, values: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        key: ApiKey = values["key"]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "may": [(scope, SCOPE_MEANINGS.get(scope, "")) for scope in key.scopes],
            "last_used": self.last_used(key),
            "expires": self.expires(key),
            **values,
        }
        return TemplateResponse(request, f"admin/portal/apikey/{name}.html", context, status=status)
