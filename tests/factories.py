"""The smallest valid objects. A row belongs to the tenant whose scope is open, or to `tenant=`.

Orders are made by the services, so a test never meets an order that could not exist.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import factory
from django.contrib.auth.models import Group
from django.utils import timezone
from django_scopes import get_scope, scope

from catalog.models import CatalogImport, Price, Product, Variant
from customers.models import Customer
from orders.bulk import OrderRecord, Step, write_orders
from orders.models import CustomField, Draft, Export, Notice, Order, OrderEvent
from orders.schemas import NewOrder
from orders.services import cancel_order, confirm_order, create_order, read_new_order
from portal.ids import new_order_id
from portal.models import ApiKey, OutboxMail, Tenant, User
from portal.permissions import REP, Actor

PASSWORD = "correct horse battery"
PRICES = {12: "30.00", 24: "25.00", 36: "20.00"}
"""Monthly prices by contract length of a variant that names none."""

SYSTEM = Actor.system("test")


def open_tenant() -> Tenant:
    """The tenant whose scope is open."""
    tenant: Tenant = get_scope()["tenant"]
    return tenant


class TenantFactory(factory.django.DjangoModelFactory[Tenant]):
    class Meta:
        model = Tenant

    slug = factory.Sequence(lambda n: f"tenant-{n}")
    name = factory.SelfAttribute("slug")
    currency = "EUR"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A rep, unless `role` (portal.permissions) or `is_superuser` says otherwise."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    tenant = factory.LazyFunction(open_tenant)
    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@portal.example")
    password = factory.django.Password(PASSWORD)
    is_staff = factory.SelfAttribute("is_superuser")
    is_superuser = False

    @factory.post_generation
    def role(self: Any, create: bool, extracted: str | None, **kwargs: Any) -> None:
        if not self.is_superuser:
            self.groups.add(Group.objects.get(name=extracted or REP))


class TenantOwned(factory.django.DjangoModelFactory[Any]):
    class Meta:
        abstract = True
        skip_postgeneration_save = True

    tenant = factory.LazyFunction(open_tenant)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        with scope(tenant=kwargs["tenant"]):
            return super()._create(model_class, *args, **kwargs)


class ApiKeyFactory(TenantOwned):
    """A key with all scopes, in use: its use was noted just now. Its Bearer token is in `token`.

    `revoked_at` is enough to have it revoked.
    """

    class Meta:
        model = ApiKey

    name = "Shop"
    last_used_at = factory.LazyFunction(timezone.now)
    revoked_at = None
    revoked_by = factory.LazyAttribute(lambda key: "admin@portal.example" * bool(key.revoked_at))

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> ApiKey:
        key = ApiKey(**kwargs)
        token = key.set_secret()
        with scope(tenant=key.tenant):
            key.save()
        key.token = token
        return key


class OutboxMailFactory(TenantOwned):
    """A mail of plain text and HTML that is due."""

    class Meta:
        model = OutboxMail

    key = factory.Sequence(lambda n: f"mail:{n}")
    recipient = "noor@example.com"
    subject = "Confirmed"
    text = "It is confirmed."
    html = "<p>It is confirmed.</p>"


class ProductFactory(TenantOwned):
    class Meta:
        model = Product

    # One word: as a number of its own it would be found by it.
    sku = factory.Sequence(lambda n: f"PRODUCT{n}")
    name = factory.Sequence(lambda n: f"Product {n}")
    brand = "Acme"
    category = "Laptops"


class VariantFactory(TenantOwned):
    """A variant with PRICES, or with the `prices` given: contract length → monthly price."""

    class Meta:
        model = Variant

    product = factory.SubFactory(ProductFactory, tenant=factory.SelfAttribute("..tenant"))
    sku = factory.Sequence(lambda n: f"SKU-{n}")
    name = "Silver"

    @factory.post_generation
    def prices(self: Any, create: bool, extracted: Mapping[int, Any] | None, **kw: Any) -> None:
        for months, price in (PRICES if extracted is None else extracted).items():
            PriceFactory(
                tenant=self.tenant, variant=self, contract_length=months, monthly_price=price
            )


class PriceFactory(TenantOwned):
    class Meta:
        model = Price

    variant = factory.SubFactory(
        VariantFactory, tenant=factory.SelfAttribute("..tenant"), prices={}
    )
    contract_length = 24
    monthly_price = "25.00"


class CatalogImportFactory(TenantOwned):
    """A file of one row that was looked at, and would change nothing."""

    class Meta:
        model = CatalogImport

    asked_by_ref = "user:0"
    asked_by = "manager@portal.example"
    file_name = "prices.csv"
    content = b""
    total = 1
    planned = factory.LazyFunction(
        lambda: {
            **{"created": 0, "updated": 0, "unchanged": 1, "remarks": 0},
            **{"ignored": [], "rows": [], "errors": [], "digest": ""},
        }
    )


class CustomerFactory(TenantOwned):
    class Meta:
        model = Customer

    email = factory.Sequence(lambda n: f"customer{n}@example.com")
    email_key = factory.LazyAttribute(lambda customer: customer.email.lower())
    first_name = "Noor"
    last_name = "el Idrissi"
    created_by = "test"


class DraftFactory(TenantOwned):
    class Meta:
        model = Draft

    owner = factory.SubFactory(UserFactory, tenant=factory.SelfAttribute("..tenant"))


class NoticeFactory(TenantOwned):
    """An unread notice to a rep that an order was confirmed."""

    class Meta:
        model = Notice

    user = factory.SubFactory(UserFactory, tenant=factory.SelfAttribute("..tenant"))
    event = factory.LazyAttribute(lambda notice: confirmation(notice.tenant))


class CustomFieldFactory(TenantOwned):
    class Meta:
        model = CustomField

    key = factory.Sequence(lambda n: f"field{n}")
    label = factory.SelfAttribute("key")


class ExportFactory(TenantOwned):
    class Meta:
        model = Export

    asked_by_ref = "user:0"
    door = Export.Door.PORTAL
    total = 1


def address(**changes: Any) -> dict[str, Any]:
    return {
        "contactName": "Noor el Idrissi",
        "streetAddress": "Coolsingel 93",
        "city": "Rotterdam",
        "country": "Netherlands",
        **changes,
    }


def order_body(*skus: str, **changes: Any) -> dict[str, Any]:
    """The smallest valid body of `POST /v1/orders`: one device of each SKU, for 24 months."""
    return {
        "customer": {
            "email": "noor@example.com",
            "firstName": "Noor",
            "lastName": "el Idrissi",
        },
        "billingAddress": address(),
        "items": [{"sku": sku, "quantity": 1, "contractLength": 24} for sku in skus],
        **changes,
    }


def variant_body(
    sku: str, prices: Mapping[int, Any] = MappingProxyType({24: 25}), **changes: Any
) -> dict[str, Any]:
    """A variant in the body of `POST /v1/products`; `prices`: contract length → per month."""
    pricing = [{"contractLength": n, "monthlyPrice": price} for n, price in prices.items()]
    required = {"variantSku": sku, "variantName": "Silver", "grade": "A", "pricing": pricing}
    return {**required, **changes}


def product_body(sku: str, *variants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The smallest valid body of `POST /v1/products`; the variant, unless told, is `<sku>-1`."""
    return {
        "productSku": sku,
        "name": "MacBook Pro 16",
        "specification": "M3 Pro",
        "category": "Laptops",
        "brand": "Apple",
        "variants": list(variants) or [variant_body(f"{sku}-1")],
        **changes,
    }


def new_order(*skus: str, **changes: Any) -> NewOrder:
    return read_new_order(tenant=open_tenant(), data=order_body(*skus, **changes))


def make_order(
    *skus: str,
    tenant: Tenant | None = None,
    actor: Actor = SYSTEM,
    status: str = Order.Status.PENDING,
    source: Order.Source = Order.Source.PORTAL,
    draft: Draft | None = None,
    **changes: Any,
) -> Order:
    """An order in that status, of these SKUs or of two devices of a new variant.

    `changes` are fields of the contract's body, in camelCase.
    """
    with scope(tenant=tenant or open_tenant()):
        if not skus and "items" not in changes:
            changes["items"] = [{"sku": VariantFactory().sku, "quantity": 2, "contractLength": 24}]
        placed = new_order(*skus, **changes)
        if status in (Order.Status.PARTIAL, Order.Status.FULFILLED):
            return _with_rented_devices(placed, actor, source, status)
        order = create_order(
            tenant=open_tenant(), actor=actor, new_order=placed, source=source, draft=draft
        )
        change = {Order.Status.CONFIRMED: confirm_order, Order.Status.CANCELLED: cancel_order}
        if status in change:
            change[Order.Status(status)](
                tenant=open_tenant(), actor=SYSTEM, order_id=order.public_id
            )
        return Order.objects.get(pk=order.pk)


def confirmation(tenant: Tenant) -> OrderEvent:
    order = make_order(tenant=tenant, status=Order.Status.CONFIRMED)
    with scope(tenant=tenant):
        return OrderEvent.objects.get(order=order, kind=OrderEvent.Kind.CONFIRMED)


def _with_rented_devices(
    placed: NewOrder, actor: Actor, source: Order.Source, status: str
) -> Order:
    quantities = [item.quantity for item in placed.items]
    some = [1] + [0] * (len(quantities) - 1)
    rented = quantities if status == Order.Status.FULFILLED else some
    order_id, at = new_order_id(), datetime.now(UTC) - timedelta(days=1)
    record = OrderRecord(
        order_id=order_id,
        new_order=placed,
        customer=CustomerFactory(),
        source=source,
        actor=actor,
        at=at,
        steps=[
            Step(kind=OrderEvent.Kind.CONFIRMED, at=at, actor=SYSTEM),
            Step(kind=OrderEvent.Kind.PROGRESSED, at=at, actor=SYSTEM, rented=rented),
        ],
    )
    write_orders(tenant=open_tenant(), records=[record])
    return Order.objects.get(public_id=order_id)
