"""What is measured. Everything goes over HTTP, but the floor."""

import json
import secrets
from collections.abc import Callable
from itertools import count, cycle
from typing import Any
from urllib.parse import quote_plus

import psycopg
from django.db import connection
from django.test import Client as DjangoClient
from django_scopes import scope

from bench.floor import Floor
from bench.server import Client
from catalog.models import Product, Variant
from orders.models import Draft, Order
from portal.models import MAX_RATE_LIMIT, ApiKey, Tenant, User

TYPED = ["macbook pro 16", "dell 27", "thinkpad x1 32", "galaxy tab", "iphone blue", "jabra"]
TYPED += ["mbp16", "5 mbp16 24"]
KEYSTROKES = [text[:end] for text in TYPED for end in range(1, len(text) + 1)]
ADDRESS = ("host", "port", "dbname", "user", "password")

Work = dict[str, Callable[[], object]]


def bare_connection() -> psycopg.Connection[Any]:
    """To the same database, without Django in between."""
    given = connection.get_connection_params()
    address: dict[str, Any] = {name: given.get(name) for name in ADDRESS}
    return psycopg.connect(**address)


def prepare(port: int, bare: psycopg.Connection[Any]) -> Work:
    """Each call does its piece of work once, on new data."""
    tenant = Tenant.objects.get(slug="demo")
    rep = User.objects.get(username="rep")
    page = Client(port, _login(rep))
    strokes = cycle(KEYSTROKES)
    with scope(tenant=tenant):
        orderable = Variant.objects.filter(
            status=Variant.Status.ACTIVE,
            product__status=Product.Status.ACTIVE,
            prices__contract_length=24,
        )
        skus = list(orderable.order_by("sku").values_list("sku", flat=True)[:50])
        return {
            **_ordering(port, bare, tenant, skus[:5]),
            "hello": lambda: page.get("/hello/"),
            "live totals, 5 lines": _typing(page, rep, skus[:5]),
            "live totals, 50 lines": _typing(page, rep, skus),
            "SKU search": lambda: page.get(f"/catalog/search/?q={quote_plus(next(strokes))}"),
        }


def _login(user: User) -> dict[str, str]:
    session = DjangoClient()
    session.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    csrf = secrets.token_hex(16)
    cookies = f"sessionid={session.cookies['sessionid'].value}; csrftoken={csrf}"
    return {"Cookie": cookies, "X-CSRFToken": csrf, "HX-Request": "true"}


def _typing(page: Client, rep: User, skus: list[str]) -> Callable[[], object]:
    """One more change to a draft with these lines."""
    draft = Draft.objects.create(tenant=rep.tenant, owner=rep)
    changes = count(1)
    fields = [
        ("tab", "bench"),
        ("customer-email", "sanne@example.com"),
        ("customer-first_name", "Sanne"),
        ("customer-last_name", "Bakker"),
    ]
    for number, sku in enumerate(skus):
        fields += [("line", f"l{number}"), (f"line-l{number}-sku", sku)]
        fields += [(f"line-l{number}-quantity", "3"), (f"line-l{number}-length", "24")]
    path = f"/orders/new/{draft.public_id}/save/"
    return lambda: page.post_form(path, [*fields, ("sequence", str(next(changes)))])


def _ordering(port: int, bare: psycopg.Connection[Any], tenant: Tenant, skus: list[str]) -> Work:
    """The same order by the API and as plain statements, every second one by a known customer."""
    key = ApiKey(tenant=tenant, name="Benchmark", rate_limit=MAX_RATE_LIMIT)
    token = key.set_secret()
    key.save()
    api = Client(port, {"Authorization": f"Bearer {token}", "Tenant-ID": tenant.slug})

    def post(number: int) -> bytes:
        customer = {"email": f"api{number // 2}@example.com"}
        address = {"streetAddress": "Keizersgracht 421", "city": "Amsterdam", "country": "NL"}
        order: dict[str, Any] = {
            "customer": customer | {"firstName": "Sanne", "lastName": "Bakker"},
            "billingAddress": address | {"contactName": "Sanne Bakker"},
            "items": [{"sku": sku, "quantity": 2, "contractLength": 24} for sku in skus],
        }
        return api.post_json("/v1/orders", order)

    placed = Order.objects.get(public_id=json.loads(post(0))["orderId"])
    floor = Floor(bare, placed)
    posted, written = count(2), count(2)
    return {
        "create order, 5 lines": lambda: post(next(posted)),
        "five statements": lambda: floor.place_order(
            number := next(written), f"floor{number // 2}@example.com"
        ),
    }
