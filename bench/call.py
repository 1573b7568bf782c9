"""The call in a browser: how long the first script takes, and how soon a new total is seen."""

import re
import time

from django.conf import settings
from django.test import Client
from django_scopes import scope
from playwright.sync_api import Page, expect, sync_playwright

from customers.models import Customer
from portal.models import Tenant, User
from tests.browser import chromium

PAUSE = 10
"""Milliseconds between keystrokes."""

CHANGES = 10
"""How often a quantity is typed anew for each call."""

EMAIL = "fatoumata@zorggroep.example"
"""Nobody else begins like this, among a million either."""
ADDRESS = {
    "contactName": "Fatoumata Diallo",
    "streetAddress": "Coolsingel 93",
    "city": "Rotterdam",
    "country": "Netherlands",
}

# Notes when a quantity is typed, and when after that another total has been painted.
WATCH = """() => {
    const totals = () => document.querySelector("#totals").innerText;
    let [typed, shown] = [0, totals()];
    window.seen = [];
    addEventListener("keydown", ({ target }) => {
        if (target.name.endsWith("-quantity")) typed = performance.now();
    }, true);
    const painted = (then) => requestAnimationFrame(() => setTimeout(then));
    new MutationObserver(() => {
        if (!typed || shown === totals()) return;
        const since = typed;
        [typed, shown] = [0, totals()];
        painted(() => window.seen.push(performance.now() - since));
    }).observe(document.querySelector(".totals"), { childList: true, subtree: true });
}"""


def measure_calls(origin: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of so many calls, and of new totals beyond the pause that the page waits for."""
    calls: list[float] = []
    totals: list[float] = []
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": _prepare(), "url": origin}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.context.add_cookies([cookie])  # type: ignore[list-item]  # a dict will do
        for number in range(-1, rounds):
            call, seen = _take_call(page, origin), _change_quantities(page, origin)
            if number >= 0:  # The first one warms up.
                calls.append(call)
                totals += seen
        pause = _pause(page)
        browser.close()
    return {
        "call, two lines": calls,
        "keystroke to total, beyond the pause": [total - pause for total in totals],
        "the pause": [pause, pause],
    }


def _prepare() -> str:
    """A customer with an address, lines for 24 months unless told, and the session of a rep."""
    rep = User.objects.get(username="rep")
    Tenant.objects.filter(pk=rep.tenant_id).update(default_contract_length=24)
    with scope(tenant=rep.tenant):
        Customer.objects.update_or_create(
            tenant=rep.tenant,
            email_key=EMAIL,
            defaults={
                "email": EMAIL,
                "first_name": "Fatoumata",
                "last_name": "Diallo",
                "last_billing_address": ADDRESS,
                "last_shipping_address": ADDRESS,
                "created_by": "bench",
            },
        )
    client = Client()
    client.force_login(rep, backend="django.contrib.auth.backends.ModelBackend")
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def _take_call(page: Page, origin: str) -> float:
    """From the empty page to the order of a known customer, who is read the total before."""
    press, quantity = page.keyboard.press, page.get_by_label("Quantity")
    start = time.perf_counter()
    page.goto(f"{origin}/orders/new/")
    page.keyboard.type("fato", delay=PAUSE)
    press("Enter")
    expect(page.get_by_label("Search SKU or product")).to_be_focused()
    page.keyboard.type("macbok", delay=PAUSE)
    press("Enter")
    expect(quantity).to_be_focused()
    page.keyboard.type("5", delay=PAUSE)
    press("Enter")
    page.keyboard.type("ipad", delay=PAUSE)
    press("Enter")
    expect(quantity.last).to_be_focused()
    page.keyboard.type("3", delay=PAUSE)
    expect(page.locator(".totals-devices dd")).to_have_text("8")
    press("Control+Enter")
    page.wait_for_url(re.compile("/orders/ord_"))
    return (time.perf_counter() - start) * 1000


def _change_quantities(page: Page, origin: str) -> list[float]:
    """From the last keystroke in a quantity to the new total on the screen, pauses included."""
    page.goto(f"{origin}/orders/new/")
    page.get_by_label("Search SKU or product").focus()
    page.keyboard.insert_text("5 MACBOOK-PRO-16-M3 24; 3 IPAD-PRO-12-M2 24")
    page.keyboard.press("Enter")
    expect(page.locator(".totals-devices dd")).to_have_text("8")
    page.evaluate(WATCH)
    for number in range(CHANGES):
        page.get_by_label("Quantity").nth(number % 2).select_text()
        page.keyboard.type(str(11 + number), delay=PAUSE)
        page.wait_for_function("count => seen.length === count", arg=number + 1)
    expect(page.locator("#save-state")).to_have_text("Saved")
    return list(page.evaluate("seen"))


def _pause(page: Page) -> float:
    """The pause in typing that the page waits for, as it stands in its markup."""
    trigger = page.locator("#order-form").get_attribute("hx-trigger") or ""
    [milliseconds] = re.findall(r"delay:(\d+)ms", trigger)
    return float(milliseconds)
