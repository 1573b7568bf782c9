"""How many requests a minute a key may make."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.models import ApiKey, Tenant
from portal.rate_limit import RateLimit, rate_limit
from tests.api import post, problems
from tests.conftest import PortalClient
from tests.factories import ApiKeyFactory, VariantFactory, order_body


def client_of(key: ApiKey, tenant: str = "demo") -> Client:
    token = key.token
    return PortalClient(headers={"Authorization": f"Bearer {token}", "Tenant-ID": tenant})


def key_with(limit: int | None, pk: int = 1) -> ApiKey:
    return ApiKey(pk=pk, rate_limit=limit)


# Over HTTP


def test_request_beyond_the_limit_is_told_when_to_come_back(tenant: Tenant) -> None:
    VariantFactory(sku="A")
    client = client_of(ApiKeyFactory(rate_limit=2))
    answers = [post(client, order_body("A")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert problems(answers[2]) == (429, "RATE_LIMITED", [])
    assert answers[2]["Content-Type"] == "application/json"
    assert 58 <= int(answers[2]["Retry-After"]) <= 60


def test_request_beyond_the_limit_costs_no_work(tenant: Tenant) -> None:
    client = client_of(ApiKeyFactory(rate_limit=1))
    assert post(client, b"").status_code == 400
    with CaptureQueriesContext(connection) as statements:
        assert post(client, b"x" * 100).status_code == 429
    assert len(statements) == 1


def test_each_key_has_its_own_count(tenant: Tenant) -> None:
    first, second = client_of(ApiKeyFactory(rate_limit=1)), client_of(ApiKeyFactory(rate_limit=1))
    assert [post(client, b"").status_code for client in (first, first, second)] == [400, 429, 400]


def test_key_may_make_600_requests_a_minute_unless_set(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    assert [rate_limit.wait(key) for _ in range(599)] == [0] * 599
    client = client_of(key)
    assert [post(client, b"").status_code for _ in range(2)] == [400, 429]


def test_limit_that_is_changed_holds_at_the_next_request(tenant: Tenant) -> None:
    key = ApiKeyFactory(rate_limit=1)
    client = client_of(key)
    assert [post(client, b"").status_code for _ in range(2)] == [400, 429]
    ApiKey.objects.update(rate_limit=2)
    assert [post(client, b"").status_code for _ in range(2)] == [400, 429]


def test_requests_for_another_tenant_count(tenant: Tenant, other_tenant: Tenant) -> None:
    client = client_of(ApiKeyFactory(rate_limit=1), "other")
    assert [post(client, b"").status_code for _ in range(2)] == [403, 429]


def test_keys_that_are_none_are_not_counted(tenant: Tenant) -> None:
    key = ApiKeyFactory(rate_limit=1)
    before = len(rate_limit)
    for number in range(20):
        wrong = {"Authorization": f"Bearer key_{number}.x", "Tenant-ID": "demo"}
        assert post(PortalClient(headers=wrong), b"").status_code == 401
    wrong = {"Authorization": f"Bearer {key.public_id}.x", "Tenant-ID": "demo"}
    assert post(PortalClient(headers=wrong), b"").status_code == 401
    assert len(rate_limit) == before
    assert post(client_of(key), b"").status_code == 400


# The count


def test_window_slides() -> None:
    limit, key = RateLimit(), key_with(3)
    assert [limit.wait(key, now) for now in (100, 130, 159, 159)] == [0, 0, 0, 1]
    assert [limit.wait(key, now) for now in (160, 160, 189, 190)] == [0, 30, 1, 0]
    assert [limit.wait(key, now) for now in (190, 219)] == [29, 0]


def test_refused_requests_do_not_count() -> None:
    limit, key = RateLimit(), key_with(1)
    assert [limit.wait(key, now) for now in (0, 1, 30, 59, 60)] == [0, 59, 30, 1, 0]


@pytest.mark.parametrize("rate", [1, 600, 1_000_000])
def test_key_costs_sixty_numbers_at_most(rate: int) -> None:
    limit, key = RateLimit(), key_with(rate)
    for second in range(1000):
        for _ in range(3):
            limit.wait(key, second)
    assert len(limit._counts[1]) == min(rate, 60)


def test_key_that_rests_is_forgotten() -> None:
    limit = RateLimit()
    for pk in range(1000):
        limit.wait(key_with(5, pk), 100)
    assert len(limit) == 1000
    limit.wait(key_with(5, 1), 159)
    limit.wait(key_with(5, 2), 200)
    assert len(limit) == 2


def test_threads_are_counted_together() -> None:
    limit, key = RateLimit(), key_with(500)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: limit.wait(key, 7), range(2000)))
    assert answers.count(0) == 500
