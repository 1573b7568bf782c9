"""The portal's addresses and "hello": what a page costs that does next to nothing."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from portal.models import Tenant


def hello(request: HttpRequest) -> HttpResponse:
    """One query, behind the same middleware and login as every page."""
    return HttpResponse(Tenant.objects.values_list("name", flat=True).get(slug="demo"))


urlpatterns = [path("hello/", hello), path("", include("portal.urls"))]
