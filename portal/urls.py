"""Every address of the portal. Apps are named as strings: `portal` imports none of them."""

from django.contrib import admin
from django.urls import include, path, re_path, register_converter

from portal import views
from portal.api import api, unknown
from portal.converters import PublicIdConverter

register_converter(PublicIdConverter, "public_id")

urlpatterns = [
    path("", include("orders.urls")),
    path("customers/", include("customers.urls")),
    path("catalog/", include("catalog.urls")),
    path("", include("portal.account_urls")),
    path("favicon.ico", views.favicon, name="favicon"),
    re_path(r"^v1/?$", unknown),
    path("v1/", api.urls),
    re_path(r"^v1/", unknown),
    path("admin/", admin.site.urls),
]
