"""Every URL × every kind of user, against a table of expected answers. No URL without a row."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from portal.models import Tenant, User
from portal.permissions import MANAGER
from portal.tenancy import SESSION_KEY
from tests.catalog.csv_files import csv_file, row
from tests.conftest import PortalClient
from tests.document import operations
from tests.factories import (
    ApiKeyFactory,
    CatalogImportFactory,
    CustomFieldFactory,
    DraftFactory,
    ExportFactory,
    OutboxMailFactory,
    UserFactory,
    make_order,
)
from tests.portal.test_constraints import price_change

Table = dict[str, tuple[str, str]]

USERS = ("anonymous", "rep", "manager", "superuser", "other rep", "other manager", "key")
"""Draft and export are the rep's, not the others' of `tenant`. A key is nobody outside the API."""

REDIRECTS = {"/login/": "login", "/admin/login/": "admin-login", "/admin/": "admin"}
"""Answers are a status, one of these, or → for a redirect within the user's own pages."""

PAGE = "login 200 200 200 200 200 login"
NO_POST = "login 405 405 405 405 405 login"
ROW = "login 200 200 200 404 404 login"
OWN = "login 200 404 404 404 404 login"
PUBLIC = "200 200 200 200 200 200 200"
ICON = "→ → → → → → →"
PORTAL: Table = {
    "": (PAGE, NO_POST),
    "insight/": ("login 403 200 200 403 200 login", NO_POST),
    "notices/": (PAGE, "login → → → → → login"),
    "notices/unread/": ("204 200 200 200 200 200 204", "405 405 405 405 405 405 405"),
    "orders/": (PAGE, NO_POST),
    "orders/export/": (NO_POST, "login → → → → → login"),
    "orders/export/<public_id:export_id>/": (OWN, NO_POST),
    "orders/export/<public_id:export_id>/file/": (OWN, NO_POST),
    "orders/reassign/": ("login 403 200 200 403 200 login", "login 403 422 422 403 422 login"),
    "orders/new/": ("login → → → → → login", NO_POST),
    "orders/new/line/": (NO_POST, PAGE),
    "orders/new/customers/": (PAGE, NO_POST),
    "orders/new/lookalikes/": (PAGE, NO_POST),
    "orders/new/caller/<public_id:customer_id>/": (ROW, NO_POST),
    "orders/new/<public_id:draft_id>/": (
        "login 200 404 404 404 404 login",
        "login 422 404 404 404 404 login",
    ),
    "orders/new/<public_id:draft_id>/save/": (NO_POST, "login 204 404 404 404 404 login"),
    "orders/new/<public_id:draft_id>/discard/": (NO_POST, "login → 404 404 404 404 login"),
    "orders/new/<public_id:draft_id>/restore/": (NO_POST, "login → 404 404 404 404 login"),
    "orders/new/<public_id:draft_id>/hand-over/": (NO_POST, "login → 404 404 404 404 login"),
    "orders/new/<public_id:draft_id>/quote/": (
        "login 200 404 404 404 404 login",
        "login 422 404 404 404 404 login",
    ),
    "orders/<public_id:order_id>/": (ROW, NO_POST),
    "orders/<public_id:order_id>/give/": (
        "login 403 200 200 403 404 login",
        "login 403 422 422 403 404 login",
    ),
    "orders/<public_id:order_id>/live/": (ROW, NO_POST),
    "orders/<public_id:order_id>/comment/": (NO_POST, "login 422 422 422 404 404 login"),
    "orders/<public_id:order_id>/notes/": (NO_POST, "login 422 422 422 404 404 login"),
    "orders/<public_id:order_id>/items/<int:position>/": (ROW, NO_POST),
    "orders/<public_id:order_id>/again/": (NO_POST, "login → → → 404 404 login"),
    "orders/<public_id:order_id>/extend/": (NO_POST, "login 409 409 409 404 404 login"),
    "orders/<public_id:order_id>/upgrade/": (NO_POST, "login 409 409 409 404 404 login"),
    "orders/<public_id:order_id>/edit/": (NO_POST, "login 403 → → 404 404 login"),
    "orders/<public_id:order_id>/recall/": (NO_POST, "login 422 422 422 404 404 login"),
    "orders/<public_id:order_id>/confirm/": (NO_POST, "login 403 422 422 403 404 login"),
    "orders/<public_id:order_id>/cancel/": (NO_POST, "login 403 422 422 403 404 login"),
    "customers/": (PAGE, NO_POST),
    "customers/<public_id:customer_id>/": (ROW, NO_POST),
    "customers/<public_id:customer_id>/edit/": (ROW, "login 422 422 422 404 404 login"),
    "catalog/search/": (PAGE, NO_POST),
    "login/": ("200 → → → → → 200", "200 → → → → → 200"),
    "logout/": (NO_POST, "login login login login login login login"),
    "password/": (PAGE, PAGE),
    "password/mails/": (NO_POST, "login → → → → → login"),
    "favicon.ico": (ICON, ICON),
}

NOT_THERE = "404 404 404 404 404 404 404"
NOT_ALLOWED = "405 405 405 405 405 405 405"
API_PAGE = "401 401 401 401 401 401 200"
API_BODY = "401 401 401 401 401 401 415"
API: Table = {
    "v1/": (NOT_THERE, NOT_THERE),
    "^v1/?$": (NOT_THERE, NOT_THERE),
    "^v1/": (NOT_THERE, NOT_THERE),
    "v1/docs": (PUBLIC, NOT_ALLOWED),
    "v1/openapi.json": (PUBLIC, NOT_ALLOWED),
    "v1/orders": (API_PAGE, API_BODY),
    "v1/orders/preview": (NOT_ALLOWED, API_BODY),
    "v1/orders/<public_id:orderId>": (API_PAGE, NOT_ALLOWED),
    "v1/orders/<public_id:orderId>/confirm": (NOT_ALLOWED, API_BODY),
    "v1/orders/<public_id:orderId>/cancel": (NOT_ALLOWED, API_BODY),
    "v1/orders/<public_id:orderId>/notes": (NOT_ALLOWED, NOT_ALLOWED),
    "v1/products": (API_PAGE, API_BODY),
    # What the client sends when it sends nothing is an empty form.
    "v1/products/csv": (NOT_ALLOWED, "401 401 401 401 401 401 400"),
    "v1/products/variants": (API_PAGE, NOT_ALLOWED),
    "v1/products/variants/<public_id:variantId>/status": (NOT_ALLOWED, NOT_ALLOWED),
    "v1/products/<public_id:productId>": (API_PAGE, NOT_ALLOWED),
    "v1/customers": (API_PAGE, NOT_ALLOWED),
    "v1/customers/<public_id:customerId>": (API_PAGE, NOT_ALLOWED),
}


def admin(manager: str, superuser: str, other: str, nobody: str = "login") -> str:
    """A row of the admin, which only staff enter; `other` is the manager of the other tenant."""
    return f"{nobody} admin-login {manager} {superuser} admin-login {other} {nobody}"


def of_site(manager: str, superuser: str, other: str) -> str:
    """Pages of the admin site itself send everybody else to its own login."""
    return admin(manager, superuser, other, nobody="admin-login")


ADMIN: Table = {
    "admin/": (of_site("200", "200", "200"),) * 2,
    "admin/tenant/": (admin("405", "405", "405"), admin("403", "404", "403")),
    "admin/login/": ("login 403 admin admin 403 admin login",) * 2,
    "admin/logout/": (
        "admin-login admin 405 405 admin 405 admin-login",
        "admin-login admin login login admin login admin-login",
    ),
    "admin/password_change/": (of_site("200", "200", "200"),) * 2,
    "admin/password_change/done/": (of_site("200", "200", "200"), of_site("405", "405", "405")),
    "admin/autocomplete/": (of_site("403", "403", "403"), of_site("405", "405", "405")),
    "admin/jsi18n/": (of_site("200", "200", "200"), of_site("405", "405", "405")),
    "admin/r/<path:content_type_id>/<path:object_id>/": (of_site("404", "404", "404"),) * 2,
    "admin/portal/user/<id>/password/": (admin("403", "200", "403"),) * 2,
    "admin/portal/apikey/<int:pk>/new-secret/": (
        admin("403", "200", "403"),
        admin("403", "400", "403"),
    ),
    "admin/portal/apikey/<int:pk>/revoke/": (
        admin("403", "200", "403"),
        admin("403", "→", "403"),
    ),
    "admin/orders/order/<int:pk>/confirm/": (
        admin("200", "200", "404"),
        admin("400", "400", "404"),
    ),
    "admin/orders/order/<int:pk>/cancel/": (
        admin("200", "200", "404"),
        admin("400", "400", "404"),
    ),
    "admin/orders/order/export/": (admin("405", "405", "405"), admin("→", "→", "→")),
    "admin/orders/order/export/<public_id:export_id>/": (
        admin("404", "404", "404"),
        admin("405", "405", "405"),
    ),
    "admin/orders/order/<int:pk>/send_back/": (
        admin("200", "200", "404"),
        admin("400", "400", "404"),
    ),
    "admin/orders/order/bulk/confirm/": (admin("→", "→", "→"),) * 2,
    "admin/orders/order/bulk/cancel/": (admin("→", "→", "→"),) * 2,
    "admin/catalog/product/import/": (
        admin("200", "200", "200"),
        admin("400", "400", "400"),
    ),
    "admin/catalog/product/import/<public_id:import_id>/": (
        admin("200", "200", "404"),
        admin("405", "405", "405"),
    ),
    "admin/catalog/product/import/<public_id:import_id>/start/": (
        admin("405", "405", "405"),
        admin("→", "→", "404"),
    ),
    "admin/catalog/product/import/<public_id:import_id>/refused/": (
        admin("200", "200", "404"),
        admin("405", "405", "405"),
    ),
    r"admin/^(?P<app_label>portal|auth|catalog|customers|orders)/$": (of_site("200", "200", "200"),)
    * 2,
    "admin/(?P<url>.*)$": (of_site("404", "404", "404"),) * 2,
}
# What managers and superusers may do with the rows of each table.
RIGHTS = {
    "portal/tenant": ("see change", "see add change"),
    "portal/user": ("", "see add change"),
    "auth/group": ("", "see add"),
    "portal/apikey": ("", "see add change"),
    "portal/outboxmail": ("see", "see"),
    "catalog/product": ("see add change", "see add change"),
    "catalog/variant": ("see add change", "see add change"),
    "catalog/pricechange": ("see", "see"),
    "customers/customer": ("see change", "see change"),
    "orders/order": ("see", "see"),
    "orders/customfield": ("see add change delete", "see add change delete"),
}


def admin_pages() -> Table:
    """The rows of Django's own pages for a table; a foreign row leads back to the index."""
    pages: Table = {}
    for table, (manager, superuser) in RIGHTS.items():

        def may(right: str, foreign: str = "200", rights: Any = (manager, superuser)) -> str:
            answers = ["200" if right in had.split() else "403" for had in rights]
            return admin(*answers, foreign if answers[0] == "200" else "403")

        # Users and keys are looked up in the tenant before it is asked who may see them.
        hidden = "admin" if table in ("portal/user", "portal/apikey") else "403"
        history = may("see", "admin") if manager else admin("403", "200", hidden)
        row = f"admin/{table}/<path:object_id>"
        pages |= {
            f"admin/{table}/": (may("see"), may("see")),
            f"admin/{table}/add/": (may("add"), may("add")),
            f"{row}/": (admin("→", "→", "→"),) * 2,
            f"{row}/change/": (may("see", "admin"), may("change", "admin")),
            f"{row}/delete/": (may("delete", "admin"),) * 2,
            f"{row}/history/": (history, history),
        }
    return pages


ADMIN_ROWS = admin_pages()


def routes(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


@pytest.fixture
def clients(
    rep: User,
    manager: User,
    superuser: User,
    other_tenant: Tenant,
    api_client: Client,
    client_of: Callable[[User], Client],
) -> dict[str, Client]:
    other_rep = UserFactory(tenant=other_tenant)
    other_manager = UserFactory(tenant=other_tenant, role=MANAGER, is_staff=True)
    people = [client_of(user) for user in (rep, manager, superuser, other_rep, other_manager)]
    return dict(zip(USERS, [PortalClient(), *people, api_client], strict=True))


@pytest.fixture
def rows(tenant: Tenant, rep: User) -> dict[str, Any]:
    """A row of each kind, all of `tenant`."""
    order, change = make_order(), price_change()
    return {
        "tenant": tenant,
        "user": rep,
        "group": Group.objects.get(name="rep"),
        "apikey": ApiKeyFactory(),
        "outboxmail": OutboxMailFactory(),
        "product": change.variant.product,
        "variant": change.variant,
        "pricechange": change,
        "customer": order.customer,
        "draft": DraftFactory(owner=rep),
        "order": order,
        "export": ExportFactory(asked_by_ref=rep.actor_ref),
        "customfield": CustomFieldFactory(),
        "import": CatalogImportFactory(content=csv_file(row())),
    }


def path_of(route: str, rows: dict[str, Any]) -> str:
    """A path that the route answers, naming rows of `tenant`."""
    if route.startswith("^v1/"):
        return "/v1" if route.endswith("$") else "/v1/nothing"
    if "<app_label>" in route:
        return "/admin/orders/"
    if "<url>" in route:
        return "/admin/nothing"

    def value(argument: re.Match[str]) -> str:
        kind = argument[1].removesuffix("_id").removesuffix("Id")
        if route.startswith("admin/r/"):
            return "1"
        if route.startswith("admin/") and kind != "import":
            return str(rows[route.split("/")[2]].pk)
        if kind == "position":
            return "0"
        return str(rows[kind].public_id)

    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", value, route)


def answer(client: Client, method: str, path: str) -> str:
    """What the client gets, after which everything is as it was."""
    cookies = client.cookies.output(header="", sep=";")
    with transaction.atomic():
        response = getattr(client, method)(path)
        transaction.set_rollback(True)
    client.cookies.load(cookies)
    if response.status_code in (301, 302):
        return REDIRECTS.get(response["Location"].split("?")[0], "→")
    return str(response.status_code)


def test_every_url_has_a_row() -> None:
    # An address with several methods is there once for each.
    assert sorted(set(routes())) == sorted([*PORTAL, *API, *ADMIN, *ADMIN_ROWS])


@pytest.mark.parametrize(
    "table", [PORTAL, API, ADMIN, ADMIN_ROWS], ids=["portal", "api", "admin", "admin-rows"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_everybody_gets_the_answer_of_the_table(
    clients: dict[str, Client], rows: dict[str, Any], method: str, table: Table
) -> None:
    answers = {
        route: " ".join(answer(client, method, path_of(route, rows)) for client in clients.values())
        for route in table
    }
    assert answers == {route: row[method == "post"] for route, row in table.items()}


def test_key_of_another_tenant_finds_nothing_by_its_id(
    client: Client, tenant: Tenant, other_tenant: Tenant, rows: dict[str, Any]
) -> None:
    """Every operation with an id in its address, by the document; a foreign id is no id."""
    key = ApiKeyFactory(tenant=other_tenant)
    headers = {"Authorization": f"Bearer {key.token}", "Tenant-ID": "other"}
    document = client.get("/v1/openapi.json").json()
    named = [each for each in operations(document).values() if each.parameters("path")]
    assert "getOrder" in {operation.name for operation in named}
    for operation in named:
        route = operation.path.replace("{", "<").replace("}", ">")
        answers = []
        for path in (path_of(route[1:], rows), re.sub("<.*?>", "nothing", route)):
            body = operation.body() if operation.takes_json else {}
            # Where the body repeats the id, it is that of the address.
            told = dict.fromkeys(
                body.keys() & set(operation.parameters("path")), path.split("/")[-1]
            )
            sent = json.dumps(body | told).encode()
            answers.append(
                client.generic(operation.method, path, sent, "application/json", headers=headers)
            )
        assert [answer.status_code for answer in answers] == [404, 404], operation.name
        assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("orders/<public_id:order_id>/", "404"),
        ("customers/<public_id:customer_id>/", "404"),
        ("admin/orders/order/<path:object_id>/change/", "admin"),
        ("admin/orders/order/<int:pk>/confirm/", "404"),
        ("admin/portal/user/<path:object_id>/change/", "admin"),
        ("admin/portal/outboxmail/<path:object_id>/change/", "admin"),
        ("orders/new/", "403"),
        ("orders/", "200"),
    ],
)
def test_superuser_in_another_tenant_sees_that_one_only(
    superuser_client: Client, other_tenant: Tenant, rows: dict[str, Any], route: str, expected: str
) -> None:
    session = superuser_client.session
    session[SESSION_KEY] = other_tenant.pk
    session.save()
    assert answer(superuser_client, "get", path_of(route, rows)) == expected
