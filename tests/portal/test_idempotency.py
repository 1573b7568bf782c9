"""`Idempotency-Key`: a retry is answered by the same bytes, and nothing happens twice."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from django_scopes import scope

from customers.models import Customer
from orders.models import Order
from portal.api_request import ApiError, ApiRequest
from portal.idempotency import KEPT, run_once
from portal.models import ApiKey, IdempotentResponse, Tenant
from tests.api import post, problems
from tests.factories import ApiKeyFactory, VariantFactory, order_body
from tests.locks import uncommitted


def test_retry_gets_the_same_bytes(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    first, again = (post(api_client, order_body("A"), Idempotency_Key="k") for _ in "12")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert again["Content-Type"] == "application/json"
    assert (Order.objects.count(), Customer.objects.count()) == (1, 1)


def test_without_a_key_two_orders_are_two(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    for _ in "12":
        assert post(api_client, order_body("A")).status_code == 201
    assert (Order.objects.count(), IdempotentResponse.objects.count()) == (2, 0)


@pytest.mark.parametrize("change", [{"notes": "Other"}, {"customFields": {}}])
def test_key_of_another_body_is_refused(
    api_client: Client, tenant: Tenant, change: dict[str, object]
) -> None:
    VariantFactory(sku="A")
    post(api_client, order_body("A"), Idempotency_Key="k")
    response = post(api_client, order_body("A", **change), Idempotency_Key="k")
    assert problems(response) == (422, "IDEMPOTENCY_KEY_REUSED", [])
    assert Order.objects.count() == 1


def test_answer_is_not_given_to_a_key_that_may_no_longer_see_it(
    api_client: Client, api_key: ApiKey, tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    assert post(api_client, order_body("A"), Idempotency_Key="k").status_code == 201
    ApiKey.objects.filter(pk=api_key.pk).update(scopes=["customers:read"])
    response = post(api_client, order_body("A"), Idempotency_Key="k")
    assert problems(response) == (422, "IDEMPOTENCY_KEY_REUSED", [])
    assert Order.objects.count() == 1


def test_refused_order_leaves_the_key_free(api_client: Client, tenant: Tenant) -> None:
    assert post(api_client, order_body("A"), Idempotency_Key="k").status_code == 400
    assert not IdempotentResponse.objects.exists()
    VariantFactory(sku="A")
    assert post(api_client, order_body("A"), Idempotency_Key="k").status_code == 201


def test_key_belongs_to_its_api_key(
    api_client: Client, client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="A", tenant=other_tenant)
    other = ApiKeyFactory(tenant=other_tenant)
    post(api_client, order_body("A"), Idempotency_Key="k")
    response = post(
        client,
        order_body("A"),
        Idempotency_Key="k",
        Authorization=f"Bearer {other.token}",
        Tenant_ID="other",
    )
    assert (response.status_code, "Idempotent-Replayed" in response) == (201, False)


@pytest.mark.parametrize(("age", "orders"), [(KEPT - timedelta(minutes=1), 1), (KEPT, 2)])
def test_response_is_kept_for_a_day(
    api_client: Client, tenant: Tenant, age: timedelta, orders: int
) -> None:
    VariantFactory(sku="A")
    post(api_client, order_body("A"), Idempotency_Key="k")
    IdempotentResponse.objects.update(created_at=timezone.now() - age)
    again = post(api_client, order_body("A"), Idempotency_Key="k")
    kept = IdempotentResponse.objects.get()
    assert (Order.objects.count(), bytes(kept.body)) == (orders, again.content)


@pytest.mark.parametrize("key", ["!", "x" * 255, "8e03978e-40d5-43e8-bc93-6894a57f9324", "~`{"])
def test_key_may_be_any_visible_ascii(api_client: Client, tenant: Tenant, key: str) -> None:
    VariantFactory(sku="A")
    assert post(api_client, order_body("A"), Idempotency_Key=key).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é", "a\x00b", "a\u00adb", "\x7f"])
def test_key_that_is_none_is_refused(api_client: Client, tenant: Tenant, key: str) -> None:
    VariantFactory(sku="A")
    response = post(api_client, order_body("A"), Idempotency_Key=key)
    assert problems(response) == (400, "VALIDATION_ERROR", ["Idempotency-Key"])
    assert not Order.objects.exists()


class Call(threading.Thread):
    """A request in a thread and a connection of its own, whose work takes `seconds`."""

    def __init__(self, api_key: ApiKey, fingerprint: str, seconds: float) -> None:
        super().__init__()
        self.request = RequestFactory(headers={"Idempotency-Key": "k"}).post("/v1/orders")
        self.request.auth = api_key
        self.fingerprint, self.seconds = fingerprint, seconds
        self.working = threading.Event()
        self.outcome: HttpResponse | ApiError | None = None

    def run(self) -> None:
        try:
            with scope(tenant=self.request.auth.tenant):
                self.outcome = run_once(
                    request=self.as_api_request(), fingerprint=self.fingerprint, work=self.work
                )
        except ApiError as error:
            self.outcome = error
        finally:
            connection.close()

    def as_api_request(self) -> ApiRequest:
        request: ApiRequest = self.request
        return request

    def work(self) -> HttpResponse:
        self.working.set()
        time.sleep(self.seconds)
        return HttpResponse(f"by {self.name}", status=201)


def race(api_key: ApiKey, seconds: float, fingerprints: str) -> list[Call]:
    calls = [Call(api_key, fingerprint, seconds) for fingerprint in fingerprints]
    calls[0].start()
    assert calls[0].working.wait(5)
    for call in calls[1:]:
        call.start()
    for call in calls:
        call.join(10)
    return calls


@pytest.mark.django_db(transaction=True)
def test_retry_waits_for_the_first_to_end(api_key: ApiKey) -> None:
    first, second = race(api_key, 0.5, "aa")
    assert isinstance(first.outcome, HttpResponse)
    assert isinstance(second.outcome, HttpResponse)
    assert second.outcome.content == first.outcome.content
    assert (second.outcome["Idempotent-Replayed"], second.working.is_set()) == ("true", False)


@pytest.mark.django_db(transaction=True)
def test_other_body_at_the_same_time_is_refused(api_key: ApiKey) -> None:
    _, second = race(api_key, 0.5, "ab")
    assert isinstance(second.outcome, ApiError)
    assert (second.outcome.status, second.outcome.code) == (422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.django_db(transaction=True)
def test_retry_gives_up_after_two_seconds(api_key: ApiKey) -> None:
    first, second = race(api_key, 3, "aa")
    assert isinstance(second.outcome, ApiError)
    assert (second.outcome.status, second.outcome.code) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert second.outcome.headers == {"Retry-After": "2"}
    assert isinstance(first.outcome, HttpResponse)
    assert first.outcome.status_code == 201


@pytest.mark.django_db(transaction=True)
def test_orders_sent_at_once_with_one_key_are_one(api_client: Client, tenant: Tenant) -> None:
    VariantFactory(sku="A")
    answers = []

    def send() -> None:
        try:
            answers.append(post(api_client, order_body("A"), Idempotency_Key="k"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 50
    created = [answer for answer in answers if answer.status_code == 201]
    assert {answer.content for answer in created} == {created[0].content}
    assert sum("Idempotent-Replayed" not in answer for answer in created) == 1
    # Whoever waited too long for the first is told to come back.
    late = [problems(answer) for answer in answers if answer.status_code != 201]
    assert late == [(409, "IDEMPOTENCY_IN_PROGRESS", [])] * len(late)
    assert Order.objects.count() == 1


@pytest.mark.parametrize("usual", ["0", "7s"])
def test_work_waits_for_its_rows_as_long_as_without_a_key(api_key: ApiKey, usual: str) -> None:
    def limit() -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return HttpResponse(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual])
    request = Call(api_key, "a", 0).as_api_request()
    answer = run_once(request=request, fingerprint="a", work=limit)
    assert answer.content.decode() == usual


@pytest.mark.django_db(transaction=True)
def test_request_that_waited_too_long_for_a_row_is_told_to_come_back(
    api_client: Client, tenant: Tenant
) -> None:
    VariantFactory(sku="A")
    post(api_client, order_body("A"))

    def hold() -> None:
        with scope(tenant=tenant):
            Customer.objects.select_for_update().get()

    with uncommitted(hold), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
        answer = post(api_client, order_body("A"), Idempotency_Key="k")
        cursor.execute("RESET lock_timeout")
    assert problems(answer) == (503, "UNAVAILABLE", [])
    assert "Somebody else" in answer.json()["error"]["message"]
    assert (Order.objects.count(), IdempotentResponse.objects.count()) == (1, 0)
