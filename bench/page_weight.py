"""What the new-order page weighs over the wire: `python -m bench.page_weight URL USER PASSWORD`.

Against a running `make serve`, in a browser with an empty cache; prints each response with its
transferred bytes, headers included, and the sum. Ends with 1 if it is over the budget, or if
anything came from another origin.
"""

import sys
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.browser import chromium

BUDGET = 120 * 1000
PAGE = "/orders/new/"


def measure(origin: str, user: str, password: str) -> list[tuple[int, str]]:
    """Bytes and address of every response of the page, redirects and login left out."""
    urls: dict[str, str] = {}
    sizes: list[tuple[int, str]] = []

    def received(event: dict[str, Any]) -> None:
        urls[event["requestId"]] = event["response"]["url"]

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in urls:
            sizes.append((int(event["encodedDataLength"]), urls[event["requestId"]]))

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(f"{origin}/login/")
        page.get_by_label("User name").fill(user)
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")
        network = page.context.new_cdp_session(page)
        network.on("Network.responseReceived", received)
        network.on("Network.loadingFinished", finished)
        network.send("Network.enable")
        network.send("Network.clearBrowserCache")
        page.goto(origin + PAGE)
        page.wait_for_load_state("networkidle")
        browser.close()
    return sizes


def main(origin: str, user: str, password: str) -> int:
    sizes = measure(origin, user, password)
    for size, url in sorted(sizes, reverse=True):
        print(f"{size:>8,} {url}")
    total = sum(size for size, _ in sizes)
    print(f"{total:>8,} of {BUDGET:,} bytes")
    foreign = [url for _, url in sizes if urlsplit(url).netloc not in ("", urlsplit(origin).netloc)]
    return 1 if total > BUDGET or foreign else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
