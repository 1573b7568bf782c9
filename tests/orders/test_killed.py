"""Shops that send orders while the server is killed, and try again until they have an answer."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Any

import pytest
import simplejson

from orders.models import Order, OrderEvent
from portal.models import ApiKey, IdempotentResponse, Tenant
from tests.factories import VariantFactory, order_body
from tests.server import MortalServer

pytestmark = pytest.mark.django_db(transaction=True)

SHOPS = 4


class Shop(threading.Thread):
    """Sends orders one after another, each under its own key, until it has the answer to each."""

    def __init__(self, server: MortalServer, token: str, numbers: Iterator[int]) -> None:
        super().__init__()
        self.server, self.numbers = server, numbers
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Tenant-ID": "demo",
            "Content-Type": "application/json",
        }
        self.answers: dict[str, bytes] = {}

    def run(self) -> None:
        for number in self.numbers:
            key = f"order-{number}"
            while key not in self.answers:
                self.send(key, number)

    def send(self, key: str, number: int) -> None:
        # Each second one by a customer who is known already.
        email = f"customer{number // 2}@example.com"
        customer = {"email": email, "firstName": "Noor", "lastName": "el Idrissi"}
        body = simplejson.dumps(order_body("A", "B", customer=customer, notes=key))
        try:
            with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=20)) as connection:
                headers = self.headers | {"Idempotency-Key": key}
                connection.request("POST", "/v1/orders", body, headers)
                response = connection.getresponse()
                answer = response.read()
            if "Content-Length" not in response.headers:
                raise HTTPException("The answer was cut off in its head.")
        except (OSError, HTTPException):
            time.sleep(0.05)
            return
        if response.status == 201:
            self.answers[key] = answer
        else:
            assert response.status in (409, 503), answer
            time.sleep(0.1)


def sell(api_key: ApiKey, *, orders: int, deaths: int) -> None:
    """Has so many orders sent, kills the server so often meanwhile, and counts what is there."""
    VariantFactory(sku="A")
    VariantFactory(sku="B")
    numbers = count()
    remaining = iter(lambda: next(numbers), orders)
    # One at a time takes the next number.
    turn = threading.Lock()

    def shared() -> Iterator[int]:
        while True:
            with turn:
                number = next(remaining, None)
            if number is None:
                return
            yield number

    token = api_key.token
    with MortalServer() as server:
        shops = [Shop(server, token, shared()) for _ in range(SHOPS)]
        for shop in shops:
            shop.start()
        for death in range(deaths):
            goal = orders * (death + 1) // (deaths + 1)
            while sum(len(shop.answers) for shop in shops) < goal:
                time.sleep(0.005)
            server.restart()
        for shop in shops:
            shop.join(600)
    answers = {key: answer for shop in shops for key, answer in shop.answers.items()}
    assert len(answers) == orders
    check(answers)


def check(answers: dict[str, bytes]) -> None:
    """Each key has one whole order, which is the one that its shop was told of."""
    told = {key: json.loads(answer)["orderId"] for key, answer in answers.items()}
    placed = Order.objects.prefetch_related("items").order_by("pk")
    stored: dict[str, Any] = {order.notes: order for order in placed}
    assert len(placed) == len(stored) == len(answers)
    assert {key: order.public_id for key, order in stored.items()} == told
    for order in stored.values():
        assert [item.sku for item in order.items.all()] == ["A", "B"]
        assert order.total_devices == 2
    kinds = OrderEvent.objects.values_list("order", "kind")
    assert sorted(kinds) == sorted((order.pk, "created") for order in stored.values())
    kept = IdempotentResponse.objects.values_list("key", "status", "body")
    assert {key: (status, bytes(body)) for key, status, body in kept} == {
        key: (201, answer) for key, answer in answers.items()
    }


def test_every_order_is_there_once_though_the_server_was_killed(
    tenant: Tenant, api_key: ApiKey
) -> None:
    sell(api_key, orders=60, deaths=3)


@pytest.mark.soak
def test_three_thousand_orders_are_there_once_though_the_server_was_killed(
    tenant: Tenant, api_key: ApiKey
) -> None:
    sell(api_key, orders=3000, deaths=25)
