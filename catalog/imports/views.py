"""A catalogue file in the admin: chosen, looked at, imported, and what became of it."""

from collections.abc import Callable
from functools import wraps
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog.imports.reading import MAX_BYTES, OPTIONAL, REQUIRED
from catalog.imports.report import ROWS_SHOWN
from catalog.imports.runs import (
    SILENCE,
    find_import,
    plan_import,
    recent_imports,
    refused_rows,
    require_run,
    start_import,
)
from catalog.models import CatalogImport, Product
from portal.admin_site import actor_of, portal_request
from portal.errors import NotFound, PermissionRefused, ValidationFailed
from portal.permissions import Actor

if TYPE_CHECKING:
    View = Callable[..., HttpResponse]

NAME = "catalog_product_import"
PAGE = f"admin:{NAME}_run"


class FileForm(forms.Form):
    file = forms.FileField(
        label="CSV file",
        help_text="In UTF-8, with a header, 10,000 rows and 10 MB at most.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError("A file may have 10 MB at most. Split it.")
        return file

    def plan(self, request: HttpRequest) -> CatalogImport | None:
        """The dry run of the file; None, with the reasons at the field, if it is none."""
        if not self.is_valid():
            return None
        file: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            return plan_import(
                tenant=portal_request(request).tenant,
                actor=actor_of(request),
                file_name=str(file.name),
                content=file.read(),
            )
        except ValidationFailed as error:
            for detail in error.details:
                self.add_error("file", detail.message)
            return None


def may_import(actor: Actor) -> bool:
    try:
        require_run(actor)
    except PermissionRefused:
        return False
    return True


def admin_urls(products: "ModelAdmin[Product]") -> list[URLPattern]:
    """What the admin's pages of products add to their own addresses."""

    def address(route: str, view: "View", name: str = "") -> URLPattern:
        @wraps(view)
        def checked(request: HttpRequest, **arguments: str) -> HttpResponse:
            if not may_import(actor_of(request)):
                raise PermissionDenied
            return view(request, products, **arguments)

        guarded = products.admin_site.admin_view(checked)
        return path(f"import/{route}", guarded, name=f"{NAME}{name}")

    return [
        address("", choose),
        address("<public_id:import_id>/", show, "_run"),
        address("<public_id:import_id>/start/", start, "_start"),
        address("<public_id:import_id>/refused/", refused, "_refused"),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, products: "ModelAdmin[Product]") -> HttpResponse:
    """Asks for the file; once it is there, leads to its dry run."""
    sent = request.method == "POST"
    form = FileForm(request.POST, request.FILES) if sent else FileForm()
    if sent and (run := form.plan(request)):
        return redirect(PAGE, run.public_id)
    tenant, actor = portal_request(request).tenant, actor_of(request)
    context = {
        "title": "Import the catalogue from CSV",
        "form": form,
        "required": REQUIRED,
        "optional": OPTIONAL,
        "recent": recent_imports(tenant=tenant, actor=actor),
    }
    return _page(request, products, "import", context, status=400 if sent else 200)


@never_cache
@require_GET
def show(request: HttpRequest, products: "ModelAdmin[Product]", import_id: str) -> HttpResponse:
    """The dry run, the progress, or the result; asked by htmx, that alone."""
    run = _find(request, import_id)
    report = run.result or run.planned
    context = {
        "title": f"Import of {run.file_name}",
        "run": run,
        "report": report,
        "changed": report["created"] + report["updated"],
        "errors": report["errors"][:ROWS_SHOWN],
        "due": run.total - len(report["errors"]),
        "moved": run.result is not None and report["digest"] != run.planned["digest"],
        "is_silent": run.updated_at < timezone.now() - SILENCE,
    }
    name = "_import_run" if portal_request(request).htmx else "import_run"
    return _page(request, products, name, context)


@require_POST
def start(request: HttpRequest, products: "ModelAdmin[Product]", import_id: str) -> HttpResponse:
    run = _find(request, import_id)
    tenant, actor = portal_request(request).tenant, actor_of(request)
    start_import(tenant=tenant, actor=actor, import_id=run.public_id)
    return redirect(PAGE, run.public_id)


@require_GET
def refused(request: HttpRequest, products: "ModelAdmin[Product]", import_id: str) -> HttpResponse:
    """The refused rows as a file."""
    run = _find(request, import_id)
    name = f"{PurePath(run.file_name).stem}-refused.csv"
    headers = {"Content-Disposition": content_disposition_header(True, name) or "attachment"}
    return HttpResponse(refused_rows(run), content_type="text/csv; charset=utf-8", headers=headers)


def _find(request: HttpRequest, import_id: str) -> CatalogImport:
    tenant, actor = portal_request(request).tenant, actor_of(request)
    try:
        return find_import(tenant=tenant, actor=actor, import_id=import_id)
    except NotFound as error:
        raise Http404(error.message) from error


def _page(
    request: HttpRequest,
    products: "ModelAdmin[Product]",
    name: str,
    values: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    context = {**products.admin_site.each_context(request), "opts": products.opts, **values}
    return TemplateResponse(request, f"admin/catalog/product/{name}.html", context, status=status)
