from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.models import ApiKey, IdempotentResponse, Tenant, User
from tests.factories import ApiKeyFactory


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "EUX"),
        ("time_zone", "Mars/Olympus"),
        ("locale", "nowhere"),
        ("locale", "en-GB-oed-x"),
        ("vat_rate", "101"),
        ("default_contract_length", 0),
        ("slug", "two words"),
        ("confirm_limit", "-0.01"),
        ("first_order_limit", 0),
        ("lowest_price_share", "100.001"),
    ],
)
def test_tenant_setting_that_means_nothing_is_refused(
    tenant: Tenant, field: str, value: str
) -> None:
    setattr(tenant, field, value)
    with pytest.raises(ValidationError) as refused:
        tenant.full_clean()
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("currency", "zone", "locale"),
    [("EUR", "Europe/Amsterdam", "nl_NL"), ("JPY", "Asia/Tokyo", "ja"), ("BHD", "UTC", "ar_BH")],
)
def test_tenant_anywhere_is_accepted(tenant: Tenant, currency: str, zone: str, locale: str) -> None:
    tenant.currency, tenant.time_zone, tenant.locale = currency, zone, locale
    tenant.full_clean()
    assert (str(tenant), str(tenant.zone)) == ("Demo", zone)


def test_new_tenant_asks_for_four_eyes_and_mails_no_customer(tenant: Tenant) -> None:
    rules = (tenant.four_eyes, tenant.confirm_limit, tenant.first_order_limit)
    assert rules == (True, None, 50)
    assert (tenant.lowest_price_share, tenant.confirmation_mails) == (None, False)


def test_email_of_a_user_is_normalised(rep: User) -> None:
    rep.email = " Rep@Portal.Example "
    rep.clean()
    assert rep.email == "rep@portal.example"


@pytest.mark.parametrize("email", ["rep", "re\u200bp@portal.example"])
def test_email_of_a_user_has_to_be_one(rep: User, email: str) -> None:
    rep.email = email
    with pytest.raises(ValidationError) as refused:
        rep.clean()
    assert list(refused.value.message_dict) == ["email"]


def test_user_reads_numbers_as_they_or_their_tenant_chose(rep: User) -> None:
    assert rep.formats == rep.tenant.locale == "en_GB"
    rep.locale = "nl_NL"
    assert rep.formats == "nl_NL"


def test_user_is_loaded_with_their_tenant(rep: User) -> None:
    assert User.objects.get(pk=rep.pk)._state.fields_cache["tenant"] == rep.tenant


def test_token_is_the_public_id_and_a_secret_that_is_not_kept(api_key: ApiKey) -> None:
    public_id, secret = api_key.token.split(".")
    assert (public_id, len(secret)) == (api_key.public_id, 43)
    assert secret not in str(ApiKey.objects.values().get())
    assert str(api_key) == f"Shop ({public_id})"
    assert str(IdempotentResponse(key="k-1")) == "k-1"


def test_key_opens_with_its_own_secret_only(api_key: ApiKey) -> None:
    secret = api_key.token.split(".")[1]
    now = timezone.now()
    assert api_key.is_valid(secret, now)
    assert not api_key.is_valid("", now)
    assert not api_key.is_valid(secret[:-1], now)
    assert not ApiKeyFactory().is_valid(secret, now)


def test_key_opens_until_it_expires_or_is_revoked(api_key: ApiKey) -> None:
    secret, now = api_key.token.split(".")[1], timezone.now()
    api_key.expires_at = now + timedelta(seconds=1)
    assert api_key.is_valid(secret, now)
    api_key.expires_at = now
    assert not api_key.is_valid(secret, now)
    api_key.expires_at, api_key.revoked_at = None, now
    assert not api_key.is_valid(secret, now)


def test_new_secret_replaces_the_old_one(api_key: ApiKey) -> None:
    old = api_key.token.split(".")[1]
    new = api_key.set_secret().split(".")[1]
    now = timezone.now()
    assert (api_key.is_valid(old, now), api_key.is_valid(new, now)) == (False, True)


def test_scope_has_to_be_known(api_key: ApiKey) -> None:
    api_key.scopes = ["orders:read", "orders:everything"]
    with pytest.raises(ValidationError, match="orders:everything is not a scope"):
        api_key.full_clean()
