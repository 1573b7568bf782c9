"""axe finds nothing to complain about, on any page, light and dark, wide and narrow."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from customers.models import Customer
from orders.models import Order
from portal.models import ApiKey, Tenant, User
from portal.permissions import Actor
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import ApiKeyFactory, CustomFieldFactory, DraftFactory, make_order

PAGES: dict[str, Callable[[], str]] = {
    "login": lambda: "/login/",
    "password": lambda: "/password/",
    "home": lambda: "/",
    "new order": lambda: "/orders/new/",
    "orders": lambda: "/orders/",
    "no orders": lambda: "/orders/?q=nothing+like+that",
    "order": lambda: f"/orders/{_order().public_id}/",
    "customers": lambda: "/customers/",
    "customer": lambda: f"/customers/{_customer().public_id}/",
    "customer record": lambda: f"/customers/{_customer().public_id}/edit/",
    "not found": lambda: "/orders/ord_NOTHING000/",
    "admin": lambda: "/admin/",
    "admin queue": lambda: "/admin/orders/order/",
    "admin review": lambda: f"/admin/orders/order/{_order().pk}/change/",
    "admin confirm": lambda: f"/admin/orders/order/{_order().pk}/confirm/",
    "admin cancel": lambda: f"/admin/orders/order/{_order().pk}/cancel/",
    "admin products": lambda: "/admin/catalog/product/",
    "admin variants": lambda: "/admin/catalog/variant/",
    "admin variant": lambda: f"/admin/catalog/variant/{_variant_pk()}/change/",
    "admin customer": lambda: f"/admin/customers/customer/{_customer().pk}/change/",
    "admin tenant": lambda: f"/admin/portal/tenant/{_customer().tenant_id}/change/",
    "admin users": lambda: "/admin/portal/user/",
    "admin new user": lambda: "/admin/portal/user/add/",
    "admin key": lambda: f"/admin/portal/apikey/{ApiKey.objects.get().pk}/change/",
    "admin custom field": lambda: "/admin/orders/customfield/add/",
    "API docs": lambda: "/v1/docs",
}


def _order() -> Order:
    return Order.objects.earliest("pk")


def _customer() -> Customer:
    return Customer.objects.get()


def _variant_pk() -> int | None:
    item = _order().items.get()
    return item.variant_id


@pytest.fixture
def busy_tenant(tenant: Tenant, rep: User, superuser: User) -> Tenant:
    """One of everything, so that no page is empty."""
    make_order(actor=Actor.from_user(rep), customFields={"costCenter": "IT"}, notes="Ring first.")
    make_order(status=Order.Status.CANCELLED)
    CustomFieldFactory(key="costCenter", label="Cost centre", required=True)
    DraftFactory(owner=superuser)
    ApiKeyFactory()
    return tenant


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(
    name: str,
    visit: Visit,
    page: Page,
    busy_tenant: Tenant,
    superuser: User,
    complaints: list[str],
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    visit(PAGES[name](), None if name == "login" else superuser)
    page.wait_for_load_state("networkidle")
    assert len(complaints) == (1 if name == "not found" else 0), complaints
    assert accessibility_problems(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.wait_for_load_state("networkidle")
    assert accessibility_problems(page) == []
    # axe tries out styles, which the policy refuses.
    complaints.clear()


def test_page_has_no_more_width_than_a_phone(
    visit: Visit, page: Page, busy_tenant: Tenant, superuser: User
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    wide = {}
    for name in ("home", "new order", "orders", "order", "customers", "customer"):
        visit(PAGES[name](), superuser)
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
    assert wide == dict.fromkeys(wide, 390)
