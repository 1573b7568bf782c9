"""A program that knows nothing but our OpenAPI document: its client is generated from it."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from orders.models import Order
from portal.models import ApiKey, Tenant
from tests.factories import ApiKeyFactory, VariantFactory, order_body

pytestmark = pytest.mark.django_db(transaction=True)

PACKAGE = "generated_client"


@pytest.fixture
def generated(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the client."""
    (tmp_path / "openapi.json").write_bytes(client.get("/v1/openapi.json").content)
    (tmp_path / "config.json").write_text(json.dumps({"post_hooks": []}))
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", "openapi.json", "--config", "config.json", "--meta", "none"),
            *("--output-path", PACKAGE),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    warnings = [line for line in made.stderr.splitlines() if line.startswith("WARNING")]
    # The file may come as it is, too; the generator knows only the form.
    assert warnings == ["WARNING parsing POST /v1/products/csv within products."]
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_generated_client_takes_an_order_through_its_life(
    live_server: LiveServer, tenant: Tenant, api_key: ApiKey, generated: Callable[[str], Any]
) -> None:
    VariantFactory(sku="A")
    shop, reviewer = api_key, ApiKeyFactory()
    login = generated("client").AuthenticatedClient

    def call(name: str, *path: str, by: Any = shop, **arguments: Any) -> Any:
        operation = generated(f"api.orders.{name}")
        with login(base_url=live_server.url, token=by.token) as client:
            return operation.sync(*path, client=client, tenant_id="demo", **arguments)

    def ask() -> Any:
        return generated("models").OrderCreateRequest.from_dict(order_body("A"))

    created = call("create_order", body=ask(), idempotency_key="1")
    repeated = call("create_order", body=ask(), idempotency_key="1")
    assert created.to_dict() == repeated.to_dict()
    read = call("get_order", created.order_id)
    assert read.to_dict() == created.order.to_dict()
    listed = call("list_orders", status="pending", limit="1")
    assert ([order.order_id for order in listed.orders], listed.has_more) == (
        [created.order_id],
        False,
    )
    # Whoever created an order does not confirm it.
    refused = call("confirm_order", created.order_id)
    assert refused.error.code == "INSUFFICIENT_PERMISSIONS"
    confirmed = call("confirm_order", created.order_id, by=reviewer)
    assert confirmed.order_id == created.order_id
    assert call("get_order", created.order_id).status == "confirmed"
    assert call("cancel_order", created.order_id).success
    refused = call("cancel_order", created.order_id)
    assert refused.error.code == "ALREADY_CANCELLED"
    assert Order.objects.get().status == Order.Status.CANCELLED
