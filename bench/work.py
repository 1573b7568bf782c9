"""What is measured. Everything goes over HTTP, but the floor."""

import json
import secrets
from collections.abc import Callable, Sequence
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

Call = Callable[[], object]
Work = dict[str, Call]


def bare_connection() -> psycopg.Connection[Any]:
    """To the same database, without Django in between."""
    connection.ensure_connection()  # Which starts the embedded server.
    given = connection.get_connection_params()
    address: dict[str, Any] = {name: given.get(name) for name in ADDRESS}
    return psycopg.connect(**address)


def prepare(port: int) -> Work:
    """Each call does its piece of work once, on new data; orders are left as they are."""
    rep = User.objects.get(username="rep")
    page = Client(port, login(rep) | {"HX-Request": "true"})
    strokes = cycle(KEYSTROKES)
    with scope(tenant=rep.tenant):
        skus = _skus(50)
        return {
            "hello": lambda: page.get("/hello/"),
            "live totals, 5 lines": _typing(page, rep, skus[:5]),
            "live totals, 50 lines": _typing(page, rep, skus),
            "5 lines shown anew": _typing(page, rep, skus[:5], anew=True),
            "50 lines shown anew": _typing(page, rep, skus, anew=True),
            "SKU search": lambda: page.get(f"/catalog/search/?q={quote_plus(next(strokes))}"),
        }


def prepare_orders(port: int, bare: psycopg.Connection[Any]) -> Work:
    """Each call places a new order, which the lists show from then on."""
    tenant = Tenant.objects.get(slug="demo")
    with scope(tenant=tenant):
        skus = _skus(200)
        shop = Shop(port, tenant, skus[:5])
        return {
            "create order, 1 line": Shop(port, tenant, skus[:1]).client(),
            "create order, 5 lines": shop.client(),
            "create order, 200 lines": Shop(port, tenant, skus).client(),
            "five statements": shop.floor(bare),
        }


def prepare_crowd(port: int, bare: Sequence[psycopg.Connection[Any]]) -> tuple[list[Call], ...]:
    """For each connection one client of the API, and one that writes the same as statements."""
    tenant = Tenant.objects.get(slug="demo")
    with scope(tenant=tenant):
        shop = Shop(port, tenant, _skus(5))
        return [shop.client() for _ in bare], [shop.floor(each) for each in bare]


def _skus(number: int) -> list[str]:
    orderable = Variant.objects.filter(
        status=Variant.Status.ACTIVE,
        product__status=Product.Status.ACTIVE,
        prices__contract_length=24,
    )
    return list(orderable.order_by("sku").values_list("sku", flat=True)[:number])


def login(user: User) -> dict[str, str]:
    """The headers of somebody who has logged in."""
    session = DjangoClient()
    session.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    csrf = secrets.token_hex(16)
    cookies = f"sessionid={session.cookies['sessionid'].value}; csrftoken={csrf}"
    return {"Cookie": cookies, "X-CSRFToken": csrf}


def _typing(page: Client, rep: User, skus: list[str], *, anew: bool = False) -> Call:
    """Another quantity typed into a draft with these lines, whose page shows every answer.

    `anew`: it has seen none, so that all lines, totals and the customer are answered.
    """
    draft = Draft.objects.create(tenant=rep.tenant, owner=rep)
    changes = count(1)
    fields = {
        "tab": "bench",
        "line": [f"l{number}" for number, _ in enumerate(skus)],
        "customer-email": "sanne@example.com",
        "customer-first_name": "Sanne",
        "customer-last_name": "Bakker",
    }
    for number, sku in enumerate(skus):
        line = f"line-l{number}"
        fields |= {f"{line}-sku": sku, f"{line}-quantity": "3", f"{line}-length": "24"}

    def change() -> bytes:
        number = next(changes)
        typed = {"line-l0-quantity": number % 10_000 + 1, "sequence": number}
        shown = {} if anew else {"base": number - 1}
        return page.post_form(f"/orders/new/{draft.public_id}/save/", fields | typed | shown)

    return change


class Shop:
    """Places the same order by the API and as plain statements, each time a new one.

    Every second one is by a known customer.
    """

    def __init__(self, port: int, tenant: Tenant, skus: Sequence[str]) -> None:
        self.port, self.skus = port, skus
        self.key = ApiKey(tenant=tenant, name="Benchmark", rate_limit=MAX_RATE_LIMIT)
        self.token = self.key.set_secret()
        self.key.save()
        self.posted, self.written = count(), count()
        placed = json.loads(self.client()())
        self.placed = Order.objects.get(public_id=placed["orderId"])

    def client(self) -> Callable[[], bytes]:
        """With a connection of its own, and an `Idempotency-Key` for each order."""
        tenant = self.key.tenant.slug
        api = Client(self.port, {"Authorization": f"Bearer {self.token}", "Tenant-ID": tenant})
        address = {"streetAddress": "Keizersgracht 421", "city": "Amsterdam", "country": "NL"}

        def order() -> bytes:
            email = f"{self.key.public_id}.{next(self.posted) // 2}@example.com"
            placed = {
                "customer": {"email": email, "firstName": "Sanne", "lastName": "Bakker"},
                "billingAddress": address | {"contactName": "Sanne Bakker"},
                "items": [{"sku": sku, "quantity": 2, "contractLength": 24} for sku in self.skus],
            }
            return api.post_json("/v1/orders", placed, {"Idempotency-Key": secrets.token_hex(8)})

        return order

    def floor(self, bare: psycopg.Connection[Any]) -> Call:
        """The statements alone, over that connection."""
        floor = Floor(bare, self.placed)

        def order() -> None:
            number = next(self.written)
            email = f"{self.key.public_id.lower()}.floor{number // 2}@example.com"
            floor.place_order(f"{self.key.public_id}{number}", email)

        return order
