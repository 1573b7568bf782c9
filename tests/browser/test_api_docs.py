"""The API's own page: read and tried in a real browser, from this origin alone."""

from typing import Literal

import pytest
from playwright.sync_api import Request, expect

from orders.models import Order
from portal.models import ApiKey, Tenant
from tests.browser.conftest import Visit, accessibility_problems
from tests.factories import VariantFactory

CREATE_ORDER = "#operations-Orders-createOrder"


def test_integrator_tries_an_order_on_the_api_page(
    visit: Visit, live_server: object, tenant: Tenant, api_key: ApiKey
) -> None:
    VariantFactory(sku="MACBOOK-PRO-16-M3", prices={24: "111.95"})
    page = visit("/healthz")
    asked: list[str] = []

    def listen(request: Request) -> None:
        asked.append(request.url)

    page.on("request", listen)
    visit("/v1/docs")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-bearer-value").fill(api_key.token)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    page.locator(f"{CREATE_ORDER} .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("Tenant-ID").fill("demo")
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("Order created.")
    assert Order.objects.get().created_by == api_key.public_id
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {
        str(live_server).split("/")[2]
    }


@pytest.mark.parametrize("look", ["light", "dark"])
def test_api_page_is_accessible_folded_and_unfolded(
    visit: Visit, complaints: list[str], look: Literal["light", "dark"]
) -> None:
    page = visit("/v1/docs")
    page.emulate_media(color_scheme=look)
    expect(page.get_by_role("heading", name="Orders What customers")).to_be_visible()
    assert accessibility_problems(page) == []
    page.locator(f"{CREATE_ORDER} .opblock-summary-control").click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    assert accessibility_problems(page) == []
    # What the checker itself does to forms, the page's policy refuses.
    complaints.clear()
