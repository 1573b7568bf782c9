"""Pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def order_list(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/list.html")
