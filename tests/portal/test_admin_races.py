"""Two people save the same at once: the slower one reads about it at the field."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from catalog.models import Product, Variant
from portal.models import User
from portal.permissions import MANAGER, sync_roles
from tests.factories import ProductFactory, TenantFactory, UserFactory, VariantFactory, make_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def manager() -> User:
    sync_roles()
    tenant = TenantFactory(slug="demo")
    return UserFactory(username="manager", tenant=tenant, role=MANAGER, is_staff=True)


def post_meanwhile(client: Client, url: str, data: dict[str, Any], hurry: Callable[[], Any]) -> Any:
    """What the page answers to a POST that began while `hurry`'s transaction was open."""
    answers: list[Any] = []

    def post() -> None:
        answers.append(client.post(url, data))
        connection.close()

    with transaction.atomic():
        hurry()
        slower = threading.Thread(target=post)
        slower.start()
        slower.join(timeout=1)
        assert not answers, "the request should wait"
    slower.join(timeout=10)
    return answers[0]


def test_same_sku_at_once(manager: User, client_of: Callable[[User], Client]) -> None:
    sent = {"name": "A", "sku": "A", "brand": "A", "category": "A", "specification": "A"}
    with scope(tenant=manager.tenant):
        page = post_meanwhile(
            client_of(manager),
            reverse("admin:catalog_product_add"),
            sent,
            lambda: ProductFactory(sku="A"),
        )
        assert page.context["adminform"].form.errors == {
            "sku": ["There is a product of this SKU already."]
        }
        assert Product.objects.count() == 1


def test_variant_is_ordered_while_it_is_deactivated(
    manager: User, client_of: Callable[[User], Client]
) -> None:
    with scope(tenant=manager.tenant):
        variant = VariantFactory(prices={24: "10"})
        price = variant.prices.get()
        sent = {
            "product": variant.product_id, "sku": variant.sku, "name": "Silver", "grade": "A",
            "status": "inactive", "prices-TOTAL_FORMS": 1, "prices-INITIAL_FORMS": 1,
            "prices-0-id": price.pk, "prices-0-variant": variant.pk,
            "prices-0-contract_length": 24, "prices-0-monthly_price": "10",
            "prices-0-source": "manual",
        }  # fmt: skip
        page = post_meanwhile(
            client_of(manager),
            reverse("admin:catalog_variant_change", args=[variant.pk]),
            sent,
            lambda: make_order(variant.sku),
        )
        assert list(page.context["adminform"].form.errors) == ["status"]
        assert Variant.objects.get().status == "active"
