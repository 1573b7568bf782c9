"""What machines ask for, is the portal alive and its icon; and the page for what is missing."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.defaults import page_not_found


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, 503 when it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "database unavailable"}, status=503)
    return JsonResponse({"status": "ok"})


class HealthMiddleware:
    """Answers `/healthz` under any host, and without HTTPS.

    A load balancer asks each machine by its IP address, which is none of the allowed hosts. So this
    stands in front of all that looks at the host or redirects, and the address is in no `urls.py`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return healthz(request)
        return self.get_response(request)


@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it beside an answer that names no icon, such as the OpenAPI document."""
    return redirect(static("img/icon.svg"))


class MissingPageMiddleware:
    """Shows the portal's own page for what is missing in development, too.

    Django would list its addresses there, which helps nobody who mistyped an order id.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and response.status_code == 404:
            return page_not_found(request, Http404())
        return response
