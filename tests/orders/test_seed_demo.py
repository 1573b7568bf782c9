from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, Max, Min
from django.test import override_settings
from django.utils import timezone
from django_scopes import scope, scopes_disabled
from pytest_django import DjangoDbBlocker

from catalog.models import Price, Product, Variant
from customers.models import Customer
from orders.draft_life import summaries
from orders.models import CustomField, Draft, Order, OrderEvent, OrderItem
from portal.models import ApiKey, Tenant, User

MODELS = [
    Tenant, User, ApiKey, CustomField, Product, Variant, Price, Customer, Order, OrderItem,
    OrderEvent, Draft,
]  # fmt: skip


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Tenant]:
    """The tenant `demo`, in scope; seeded once for this module, and taken back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        _seed()
        tenant = Tenant.objects.get(slug="demo")
        with scope(tenant=tenant):
            yield tenant
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _database(demo: Tenant, db: None) -> None:
    """Each test on top of the seeded data, in a transaction of its own."""


def _seed(*args: str) -> None:
    with override_settings(DEBUG=True):
        call_command("seed_demo", *args, verbosity=0)


def _rows() -> dict[str, list[object]]:
    with scopes_disabled():
        return {
            model.__name__: list(model.objects.order_by("pk").values_list()) for model in MODELS
        }


def test_seed_demo_again_changes_nothing() -> None:
    before = _rows()
    _seed()
    assert _rows() == before


def test_seed_demo_outside_debug_is_refused() -> None:
    with pytest.raises(CommandError, match="only made in development"):
        call_command("seed_demo")


def test_tenants_have_their_currency_and_settings() -> None:
    assert list(
        Tenant.objects.filter(slug__startswith="demo").values_list(
            "slug", "currency", "vat_rate", "prices_include_vat", "default_contract_length"
        )
    ) == [("demo", "EUR", Decimal(21), False, 24), ("demo-us", "USD", Decimal(0), False, 24)]
    assert not CustomField.objects.filter(required=True).exists()


@pytest.mark.parametrize(
    ("username", "group", "is_staff", "is_superuser"),
    [
        ("rep", "rep", False, False),
        ("manager", "manager", True, False),
        ("admin", None, True, True),
        ("us-rep", "rep", False, False),
        ("us-manager", "manager", True, False),
    ],
)
def test_user_can_log_in_with_their_role(
    username: str, group: str | None, is_staff: bool, is_superuser: bool
) -> None:
    user = User.objects.get(username=username)
    assert user.check_password("demo")
    assert (user.is_staff, user.is_superuser) == (is_staff, is_superuser)
    assert user.groups.values_list("name", flat=True).first() == group


def test_catalogue_is_large_and_varied() -> None:
    assert Product.objects.count() >= 40
    assert Product.objects.values("category").distinct().count() >= 8
    assert Variant.objects.count() >= 150
    assert set(Variant.objects.values_list("grade", flat=True)) == {"A", "B", "C"}
    assert set(Price.objects.values_list("contract_length", flat=True)) == {6, 12, 24, 36}
    lengths = Variant.objects.annotate(lengths=Count("prices")).values_list("lengths", flat=True)
    assert set(lengths) >= {1, 2, 3, 4}
    assert Product.objects.filter(status=Product.Status.DISCONTINUED).exists()
    assert Variant.objects.filter(status=Variant.Status.INACTIVE).exists()
    assert Variant.objects.filter(acquisition_cost=None).exists()


def test_monthly_price_falls_with_contract_length() -> None:
    previous: tuple[int, Decimal] | None = None
    for variant, price in Price.objects.order_by("variant", "contract_length").values_list(
        "variant", "monthly_price"
    ):
        if previous is not None and previous[0] == variant:
            assert price < previous[1]
        previous = variant, price


@pytest.mark.parametrize("sku", ["MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"])
def test_sku_of_the_contract_can_be_ordered_for_12_24_36_months(sku: str) -> None:
    variant = Variant.objects.select_related("product").get(sku=sku)
    assert variant.is_orderable
    assert [price.contract_length for price in variant.prices.all()] == [12, 24, 36]


def test_customers_are_of_every_kind_and_from_several_countries() -> None:
    assert Customer.objects.count() == 60
    assert set(Customer.objects.values_list("customer_type", "status")) == {
        ("individual", "active"),
        ("individual", "inactive"),
        ("business", "active"),
        ("business", "inactive"),
    }
    assert Customer.objects.values("last_billing_address__country").distinct().count() >= 10


def test_orders_are_in_every_status_and_of_every_type() -> None:
    assert Order.objects.count() == 200
    assert set(Order.objects.values_list("status", "order_type")) == {
        (status, order_type) for status in Order.Status for order_type in Order.Type
    }
    assert set(Order.objects.values_list("source", flat=True)) == {"portal", "api"}
    assert Order.objects.filter(status=Order.Status.PENDING).count() == 12


def test_orders_go_back_for_months_and_none_lies_ahead() -> None:
    span = Order.objects.aggregate(first=Min("created_at"), last=Max("updated_at"))
    assert (timezone.now() - span["first"]).days > 180
    assert span["last"] <= timezone.now()


def test_details_belong_to_the_type_of_order() -> None:
    for order in Order.objects.all():
        assert bool(order.extension_details) == (order.order_type == Order.Type.EXTENSION)
        assert bool(order.upgrade_details) == (order.order_type == Order.Type.UPGRADE)
        if order.extension_details:
            original = Order.objects.get(public_id=order.extension_details["originalOrderId"])
            assert original.created_at < order.created_at


def test_totals_are_the_sum_of_the_items() -> None:
    for order in Order.objects.prefetch_related("items"):
        items = order.items.all()
        assert order.subtotal == sum(item.monthly_total for item in items)
        assert order.contract_value == sum(item.contract_value for item in items)
        assert order.total_devices == sum(item.quantity for item in items)
        assert order.rented_devices == sum(item.rented_devices for item in items)


def test_events_tell_how_the_order_got_where_it_is() -> None:
    last_kind = {
        "pending": "created",
        "confirmed": "confirmed",
        "partial": "progressed",
        "fulfilled": "progressed",
        "cancelled": "cancelled",
    }
    for order in Order.objects.prefetch_related("events"):
        events = list(order.events.all())
        assert [event.version for event in events] == list(range(1, order.version + 1))
        assert (events[0].kind, events[0].at) == ("created", order.created_at)
        assert (events[-1].kind, events[-1].at) == (last_kind[order.status], order.updated_at)


def test_rep_has_drafts_to_go_on_with() -> None:
    open_drafts = summaries(owner=User.objects.get(username="rep"))
    assert [draft.devices for draft in open_drafts] == [2, 12]
    assert all(draft.total > 0 for draft in open_drafts)


def test_tenant_of_the_other_currency_has_orders_of_its_own() -> None:
    with scope(tenant=Tenant.objects.get(slug="demo-us")):
        assert set(Order.objects.values_list("currency", flat=True)) == {"USD"}
        assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)


def test_seed_demo_enlarges_to_what_is_asked_for() -> None:
    _seed("--variants", "400", "--orders", "560")
    assert Variant.objects.count() == 400
    assert Order.objects.count() == 560
    assert Customer.objects.count() == 70
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
