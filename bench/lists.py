"""The lists of orders over HTTP, and the search in them, as people and shops open them.

On a database that `bench.seed` has filled; they write nothing but sessions and a key.
"""

from itertools import cycle
from urllib.parse import quote_plus

from django_scopes import scope

from bench.server import Client
from bench.work import Call, Work, login
from orders.models import Order
from portal.models import MAX_RATE_LIMIT, ApiKey, Tenant, User

SEARCHED = 200
"""Orders that are looked for, spread over all there are."""

QUEUE = "/admin/orders/order/"


def prepare_lists(port: int) -> Work:
    """Each call opens one page: the first one of a list, or what is found for the next input."""
    rep, manager = (User.objects.get(username=name) for name in ("rep", "manager"))
    page, admin = Client(port, login(rep)), Client(port, login(manager))
    shop = _shop(port, rep.tenant)
    with scope(tenant=rep.tenant):
        orders = _spread()
    return {
        "hello, JSON": lambda: shop.get("/v1/hello"),
        "order list": lambda: page.get("/orders/"),
        "API list": lambda: shop.get("/v1/orders"),
        "admin queue": lambda: admin.get(QUEUE),
        "queue by number": _searches(admin, [order.public_id for order in orders]),
        "queue by e-mail": _searches(admin, [order.customer_email for order in orders]),
        "queue by company": _searches(
            admin, [order.customer_company for order in orders if order.customer_company]
        ),
    }


def _shop(port: int, tenant: Tenant) -> Client:
    key = ApiKey(tenant=tenant, name="Benchmark of lists", rate_limit=MAX_RATE_LIMIT)
    token = key.set_secret()
    key.save()
    return Client(port, {"Authorization": f"Bearer {token}", "Tenant-ID": tenant.slug})


def _spread() -> list[Order]:
    """Orders of every age, by their keys: nothing of the table is read but they."""
    first, last = (Order.objects.order_by(way)[:1].get().pk for way in ("pk", "-pk"))
    step = max((last - first) // SEARCHED, 1)
    return [
        Order.objects.filter(pk__gte=start).order_by("pk")[:1].get()
        for start in range(first, last, step)
    ]


def _searches(admin: Client, texts: list[str]) -> Call:
    asked = cycle(texts)
    return lambda: admin.get(f"{QUEUE}?q={quote_plus(next(asked))}")
