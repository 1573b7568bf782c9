"""`manage.py create_api_key`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from portal.models import ApiKey, Tenant
from portal.permissions import SCOPES


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_api_key", *arguments, stdout=out)
    return out.getvalue()


def test_key_is_printed_alone_and_opens_the_api(tenant: Tenant) -> None:
    printed = create("--tenant", "demo", "--name", "Web shop")
    key = ApiKey.objects.get()
    public_id, secret = printed.removesuffix("\n").split(".")
    assert (public_id, key.name, key.tenant) == (key.public_id, "Web shop", tenant)
    assert key.is_valid(secret, timezone.now())
    assert key.scopes == list(SCOPES)


def test_key_has_the_scopes_that_were_named(tenant: Tenant) -> None:
    create("--tenant=demo", "--name=x", "--scope=orders:write", "--scope=orders:read")
    assert ApiKey.objects.get().scopes == ["orders:write", "orders:read"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tenant=nope", "--name=x"), "There is no tenant “nope”. There are: demo."),
        (("--tenant=demo", "--name= "), "This field cannot be blank."),
        (("--tenant=demo", "--name=x", "--scope=orders:burn"), "orders:burn is not a scope."),
    ],
)
def test_wrong_arguments_are_explained(
    tenant: Tenant, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        create(*arguments)
    assert not ApiKey.objects.exists()
