"""A first tenant from the command line."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from portal.models import Tenant, User
from tests.factories import TenantFactory, UserFactory

pytestmark = pytest.mark.django_db


def create_tenant(slug: str = "acme", **options: object) -> str:
    out = StringIO()
    given = {"currency": "EUR", "admin": "boss@acme.example", **options}
    call_command("create_tenant", slug, stdout=out, **given)
    return out.getvalue()


def printed_password(out: str) -> str:
    [line] = [line for line in out.splitlines() if line.startswith("Password: ")]
    return line.removeprefix("Password: ")


def test_tenant_and_administrator_are_made() -> None:
    out = create_tenant(name="Acme", vat_rate="21", default_contract_length=24)
    tenant = Tenant.objects.get()
    assert (tenant.slug, tenant.name, tenant.currency) == ("acme", "Acme", "EUR")
    assert (tenant.vat_rate, tenant.default_contract_length) == (21, 24)
    user = User.objects.get()
    assert (user.username, user.email, user.tenant) == ("boss@acme.example",) * 2 + (tenant,)
    assert user.is_superuser
    assert user.is_staff
    assert user.check_password(printed_password(out))


def test_administrator_can_log_in_to_the_admin(client: Client) -> None:
    password = printed_password(create_tenant())
    client.post("/login/", {"username": "boss@acme.example", "password": password})
    assert client.get("/admin/").status_code == 200


def test_second_tenant_is_made_likewise() -> None:
    first = create_tenant()
    second = create_tenant("acme-us", currency="usd", admin="boss@acme.us.example")
    assert list(Tenant.objects.values_list("slug", "currency")) == [
        ("acme", "EUR"),
        ("acme-us", "USD"),
    ]
    assert printed_password(first) != printed_password(second)


@pytest.mark.parametrize(
    ("slug", "options", "message"),
    [
        ("taken", {}, "slug: Tenant with this Slug already exists."),
        ("no spaces", {}, "slug: Enter a valid “slug” consisting of letters"),
        ("acme", {"currency": "XYZ"}, "currency: XYZ is not an ISO 4217 currency code."),
        ("acme", {"admin": "taken@acme.example"}, "email: User with this E-mail already exists."),
        ("acme", {"admin": "nobody"}, "admin: Enter an e-mail address"),
        ("acme", {"vat_rate": "much"}, "vat-rate: Enter a number."),
        ("acme", {"vat_rate": "101"}, "vat-rate: Ensure this value is less than or equal to 100"),
        ("acme", {"time_zone": "Mars"}, "time-zone: Mars is not an IANA time zone"),
        ("acme", {"default_contract_length": 0}, "default-contract-length: Ensure this value"),
    ],
)
def test_refused_and_nothing_is_made(slug: str, options: dict[str, object], message: str) -> None:
    taken = TenantFactory(slug="taken")
    UserFactory(username="taken", email="taken@acme.example", tenant=taken)
    with pytest.raises(CommandError) as refused:
        create_tenant(slug, **options)
    assert message in str(refused.value)
    assert Tenant.objects.count() == 1
    assert User.objects.count() == 1
