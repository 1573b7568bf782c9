"""The portal's addresses and "hello": what a page, and an answer of the API, cost that do next to
nothing.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from portal.api import api
from portal.api_request import json_response
from portal.models import Tenant


def hello(request: HttpRequest) -> HttpResponse:
    """One query, behind the same middleware and login as every page."""
    return HttpResponse(_name())


@api.get("/hello")
def hello_json(request: HttpRequest) -> HttpResponse:
    """One query, behind the same middleware and key as every operation."""
    return json_response({"name": _name()}, status=200)


def _name() -> str:
    return Tenant.objects.values_list("name", flat=True).get(slug="demo")


# After the operation has been added to the API.
urlpatterns = [path("hello/", hello), path("", include("portal.urls"))]
