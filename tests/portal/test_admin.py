"""The admin site: who comes in, in which tenant; tenants, users, groups, API keys, fields."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import CustomField
from portal.models import ApiKey, Tenant, User
from portal.permissions import MANAGER
from tests.factories import (
    ApiKeyFactory,
    CustomerFactory,
    CustomFieldFactory,
    UserFactory,
    make_order,
)
from tests.shown import shown_form

INDEX = reverse("admin:index")
SWITCH = reverse("admin:tenant")


def url(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:{model}_{page}", args=args)


def tables(client: Client) -> set[str]:
    apps = client.get(INDEX).context["app_list"]
    return {model["object_name"] for app in apps for model in app["models"]}


# Who comes in


def test_managers_see_the_tables_of_their_work(manager_client: Client) -> None:
    assert tables(manager_client) == {
        "Product", "Variant", "PriceChange", "Customer", "Order", "CustomField", "Tenant",
        "OutboxMail",
    }  # fmt: skip


def test_superusers_also_see_who_may_come_in(superuser_client: Client) -> None:
    assert tables(superuser_client) == {
        "Product", "Variant", "PriceChange", "Customer", "Order", "CustomField", "Tenant",
        "OutboxMail", "User", "Group", "ApiKey",
    }  # fmt: skip


def test_anonymous_is_sent_to_the_login_page_and_back(client: Client) -> None:
    wanted = reverse("admin:orders_order_changelist")
    answer = client.get(wanted, follow=True)
    assert answer.redirect_chain[-1] == (f"/login/?next={wanted}", 302)


def test_rep_is_refused_and_staff_led_on(rep_client: Client, manager_client: Client) -> None:
    assert rep_client.get(INDEX, follow=True).status_code == 403
    assert manager_client.get(reverse("admin:login"))["Location"] == INDEX


@pytest.mark.parametrize("model", ["portal_user", "auth_group", "portal_apikey"])
def test_managers_are_kept_from_users_groups_and_keys(
    manager: User, manager_client: Client, model: str
) -> None:
    manager.user_permissions.set(Permission.objects.all())
    row = {"portal_user": manager, "auth_group": Group.objects.first()}.get(model)
    row = row or ApiKeyFactory()
    for page, args in (("changelist", []), ("add", []), ("change", [row.pk]), ("delete", [row.pk])):
        assert manager_client.get(url(model, page, *args)).status_code == 403
        assert manager_client.post(url(model, page, *args), {"post": "yes"}).status_code == 403


# The tenant


def test_superuser_works_in_one_tenant_and_changes_it(
    superuser_client: Client, other_tenant: Tenant
) -> None:
    here, there = CustomerFactory(), CustomerFactory(tenant=other_tenant)
    customers = url("customers_customer", "changelist")
    assert list(superuser_client.get(customers).context["cl"].result_list) == [here]
    answer = superuser_client.post(SWITCH, {"tenant": "other"})
    assert answer["Location"] == INDEX
    assert list(superuser_client.get(customers).context["cl"].result_list) == [there]


def test_new_rows_belong_to_the_chosen_tenant(
    superuser_client: Client, other_tenant: Tenant
) -> None:
    superuser_client.post(SWITCH, {"tenant": "other"})
    superuser_client.post(
        url("catalog_product", "add"),
        {"name": "A", "sku": "A", "brand": "A", "category": "A", "specification": "A"},
    )
    assert (
        superuser_client.get(url("catalog_product", "changelist")).context["cl"].result_count == 1
    )


def test_orders_are_not_typed_in_a_chosen_tenant_and_the_page_says_why(
    superuser_client: Client, other_tenant: Tenant
) -> None:
    superuser_client.post(SWITCH, {"tenant": "other"})
    page = superuser_client.get("/orders/new/")
    assert page.status_code == 403
    assert "You chose another one in the admin." in page.text
    assert "Your role does not include it" not in page.text


def test_unknown_tenant_and_get_are_refused(superuser_client: Client) -> None:
    assert superuser_client.post(SWITCH, {"tenant": "nowhere"}).status_code == 404
    assert superuser_client.post(SWITCH).status_code == 404
    assert superuser_client.get(SWITCH).status_code == 405


def test_managers_have_no_choice(manager_client: Client, other_tenant: Tenant) -> None:
    assert 'id="tenant-choice"' not in manager_client.get(INDEX).content.decode()
    assert manager_client.post(SWITCH, {"tenant": "other"}).status_code == 403
    assert "tenant_id" not in manager_client.session


# Tenants


def tenant_form(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    names = ("name", "vat_rate", "time_zone", "locale", "first_order_limit")
    return {**{name: getattr(tenant, name) for name in names}, **changes}


def test_manager_changes_the_rules_of_their_tenant_only(
    manager_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    listed = manager_client.get(url("portal_tenant", "changelist")).context["cl"].result_list
    assert list(listed) == [tenant]
    sent = tenant_form(tenant, vat_rate="21", default_contract_length="24")
    assert manager_client.post(url("portal_tenant", "change", tenant.pk), sent).status_code == 302
    tenant.refresh_from_db()
    assert (tenant.vat_rate, tenant.default_contract_length) == (21, 24)
    sent = tenant_form(other_tenant, name="Mine")
    answer = manager_client.post(url("portal_tenant", "change", other_tenant.pk), sent)
    assert answer["Location"] == INDEX
    other_tenant.refresh_from_db()
    assert other_tenant.name == "Other"
    assert manager_client.post(url("portal_tenant", "add"), sent).status_code == 403


def test_manager_changes_the_rules_of_review(manager_client: Client, tenant: Tenant) -> None:
    page = url("portal_tenant", "change", tenant.pk)
    fieldsets = manager_client.get(page).context["adminform"].fieldsets
    assert [name for name, _ in fieldsets] == [
        None, "Prices", "Review rules", "E-mail to customers",
    ]  # fmt: skip
    sent = {"confirm_limit": "5000", "first_order_limit": "10", "lowest_price_share": "2.5"}
    manager_client.post(page, tenant_form(tenant, **sent, confirmation_mails="on"))
    tenant.refresh_from_db()
    assert (tenant.four_eyes, tenant.confirmation_mails) == (False, True)
    assert (tenant.confirm_limit, tenant.first_order_limit) == (5000, 10)
    assert tenant.lowest_price_share == Decimal("2.5")
    assert 'value="5000.00"' in manager_client.get(page).content.decode()


def test_tenant_that_was_opened_before_undoes_no_change(
    manager_client: Client, tenant: Tenant
) -> None:
    tenant.confirm_limit = Decimal(500)
    tenant.save()
    change = url("portal_tenant", "change", tenant.pk)
    form = shown_form(manager_client.get(change), "tenant_form")
    Tenant.objects.update(vat_rate=21, confirm_limit=900, prices_include_vat=True, four_eyes=False)
    assert manager_client.post(change, form | {"name": "New name"}).status_code == 302
    tenant.refresh_from_db()
    assert (tenant.name, tenant.vat_rate, tenant.confirm_limit) == ("New name", 21, 900)
    assert (tenant.prices_include_vat, tenant.four_eyes) == (True, False)


def test_currency_and_slug_stay(superuser_client: Client, tenant: Tenant) -> None:
    sent = tenant_form(tenant, currency="USD", slug="else")
    superuser_client.post(url("portal_tenant", "change", tenant.pk), sent)
    tenant.refresh_from_db()
    assert (tenant.currency, tenant.slug) == ("EUR", "demo")


def test_superuser_adds_a_tenant_and_deletes_none(superuser_client: Client) -> None:
    sent = tenant_form(Tenant(), name="New", slug="new", currency="JPY")
    assert superuser_client.post(url("portal_tenant", "add"), sent).status_code == 302
    made = Tenant.objects.get(slug="new")
    assert made.currency == "JPY"
    answer = superuser_client.post(url("portal_tenant", "delete", made.pk), {"post": "yes"})
    assert answer.status_code == 403


def test_rates_and_limits_take_a_comma(manager_client: Client, tenant: Tenant) -> None:
    page = url("portal_tenant", "change", tenant.pk)
    sent = tenant_form(tenant, vat_rate="8,1", confirm_limit="1.500,50", lowest_price_share="2,5")
    assert manager_client.post(page, sent).status_code == 302
    tenant.refresh_from_db()
    told = (tenant.vat_rate, tenant.confirm_limit, tenant.lowest_price_share)
    assert told == (Decimal("8.1"), Decimal("1500.5"), Decimal("2.5"))
    assert 'value="1500.5' in manager_client.get(page).text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vat_rate", "101"),
        ("time_zone", "Mars"),
        ("locale", "xx_YY"),
        ("name", ""),
        ("confirm_limit", "-1"),
        ("confirm_limit", "0.005"),
        ("first_order_limit", "0"),
        ("first_order_limit", ""),
        ("lowest_price_share", "100.5"),
    ],
)
def test_bad_rule_is_refused_at_its_field(
    manager_client: Client, tenant: Tenant, field: str, value: str
) -> None:
    page = manager_client.post(
        url("portal_tenant", "change", tenant.pk), tenant_form(tenant, **{field: value})
    )
    assert list(page.context["adminform"].form.errors) == [field]


# Users and groups


def test_user_is_made_in_the_tenant_of_the_request(
    superuser_client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    password = "correct horse battery"
    superuser_client.post(
        url("portal_user", "add"),
        {
            "username": "new", "email": "New@Portal.example", "usable_password": "true",
            "password1": password, "password2": password, "tenant": other_tenant.pk,
            "groups": Group.objects.get(name=MANAGER).pk, "is_staff": "on",
        },
    )  # fmt: skip
    user = User.objects.get(username="new")
    assert (user.tenant, user.email) == (tenant, "new@portal.example")
    assert (user.groups.get().name, user.is_staff) == (MANAGER, True)
    assert user.check_password(password)


def test_taken_email_is_refused_at_its_field(superuser_client: Client, rep: User) -> None:
    page = superuser_client.post(
        url("portal_user", "add"),
        {"username": "new", "email": rep.email.upper(), "usable_password": "false"},
    )
    assert list(page.context["adminform"].form.errors) == ["email"]


def test_user_gets_a_role_and_keeps_the_tenant(
    superuser_client: Client, rep: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    group = Group.objects.get(name=MANAGER)
    superuser_client.post(
        url("portal_user", "change", rep.pk),
        {
            "username": "rep", "email": rep.email, "is_active": "on", "is_staff": "on",
            "groups": group.pk, "locale": "nl_NL", "tenant": other_tenant.pk,
        },
    )  # fmt: skip
    rep = User.objects.get(pk=rep.pk)
    assert (rep.tenant, rep.is_staff, rep.locale) == (tenant, True, "nl_NL")
    assert list(rep.groups.all()) == [group]


def test_user_who_left_while_their_page_was_open_stays_away(
    superuser_client: Client, rep: User
) -> None:
    change = url("portal_user", "change", rep.pk)
    form = shown_form(superuser_client.get(change), "user_form")
    User.objects.filter(pk=rep.pk).update(is_active=False, locale="nl_NL")
    rep.groups.clear()
    assert superuser_client.post(change, form | {"first_name": "Sanne"}).status_code == 302
    rep = User.objects.get(pk=rep.pk)
    assert (rep.first_name, rep.is_active, rep.locale) == ("Sanne", False, "nl_NL")
    assert not rep.groups.exists()


def test_user_keeps_the_first_role_that_they_got_while_their_page_was_open(
    superuser_client: Client, rep: User
) -> None:
    rep.groups.clear()
    change = url("portal_user", "change", rep.pk)
    form = shown_form(superuser_client.get(change), "user_form")
    rep.groups.add(Group.objects.get(name=MANAGER))
    assert superuser_client.post(change, form | {"first_name": "Sanne"}).status_code == 302
    assert rep.groups.get().name == MANAGER


def test_role_that_is_ticked_beside_an_error_is_given_once_that_is_put_right(
    superuser_client: Client, rep: User
) -> None:
    rep.groups.clear()
    change = url("portal_user", "change", rep.pk)
    form = shown_form(superuser_client.get(change), "user_form")
    ticked = form | {"groups": Group.objects.get(name=MANAGER).pk}
    page = superuser_client.post(change, ticked | {"email": "none"})
    assert list(page.context["adminform"].form.errors) == ["email"]
    superuser_client.post(change, shown_form(page, "user_form") | {"email": rep.email})
    assert rep.groups.get().name == MANAGER
    form = shown_form(superuser_client.get(change), "user_form")
    superuser_client.post(change, {name: value for name, value in form.items() if name != "groups"})
    assert not rep.groups.exists()


def test_page_of_a_user_does_not_hold_their_password(superuser_client: Client, rep: User) -> None:
    page = superuser_client.get(url("portal_user", "change", rep.pk))
    assert rep.password not in page.text
    assert superuser_client.post(
        url("portal_user", "change", rep.pk), shown_form(page, "user_form")
    ).status_code == 302  # fmt: skip
    assert User.objects.get(pk=rep.pk).password == rep.password


@pytest.mark.parametrize("codename", ["confirm_own_order", "confirm_large_order"])
def test_user_is_given_a_permission_beyond_the_role(
    superuser_client: Client, rep: User, codename: str
) -> None:
    own = Permission.objects.get(codename=codename)
    pointless = Permission.objects.get(codename="delete_order")
    sent = {"username": "rep", "email": rep.email, "is_active": "on"}
    change = url("portal_user", "change", rep.pk)
    superuser_client.post(change, {**sent, "user_permissions": [own.pk]})
    assert list(rep.user_permissions.all()) == [own]
    page = superuser_client.post(change, {**sent, "user_permissions": [pointless.pk]})
    assert list(page.context["adminform"].form.errors) == ["user_permissions"]


def test_users_of_another_tenant_are_never_shown(
    superuser_client: Client, superuser: User, other_tenant: Tenant
) -> None:
    foreign = UserFactory(tenant=other_tenant)
    listed = superuser_client.get(url("portal_user", "changelist")).context["cl"].result_list
    assert list(listed) == [superuser]
    for page in ("change", "history"):
        answer = superuser_client.get(url("portal_user", page, foreign.pk))
        assert answer["Location"] == INDEX
    answer = superuser_client.get(reverse("admin:auth_user_password_change", args=[foreign.pk]))
    assert answer.status_code == 404


@pytest.mark.parametrize("number", [1, 12])
def test_list_of_users_takes_the_same_queries_for_any_number(
    superuser_client: Client, number: int, django_assert_num_queries: Any
) -> None:
    for _ in range(number):
        UserFactory()
    with django_assert_num_queries(8):
        superuser_client.get(url("portal_user", "changelist"))


def test_roles_are_fixed_and_other_groups_are_not(superuser_client: Client) -> None:
    role = Group.objects.get(name=MANAGER)
    before = role.permissions.count()
    answer = superuser_client.post(url("auth_group", "change", role.pk), {"name": "x"})
    assert answer.status_code == 403
    answer = superuser_client.post(url("auth_group", "delete", role.pk), {"post": "yes"})
    assert answer.status_code == 403
    assert Group.objects.get(name=MANAGER).permissions.count() == before
    superuser_client.post(url("auth_group", "add"), {"name": "team"})
    team = Group.objects.get(name="team")
    superuser_client.post(url("auth_group", "delete", team.pk), {"post": "yes"})
    assert not Group.objects.filter(name="team").exists()


def test_group_that_was_opened_before_undoes_no_change(superuser_client: Client) -> None:
    team = Group.objects.create(name="team")
    change = url("auth_group", "change", team.pk)
    form = shown_form(superuser_client.get(change), "group_form")
    own = Permission.objects.get(codename="confirm_own_order")
    team.permissions.add(own)
    assert superuser_client.post(change, form | {"name": "night team"}).status_code == 302
    team.refresh_from_db()
    assert (team.name, team.permissions.get()) == ("night team", own)


# API keys


def make_key(client: Client, **changes: Any) -> Any:
    sent = {"name": "Shop", "scopes": ["orders:write", "orders:read"], **changes}
    return client.post(url("portal_apikey", "add"), sent)


def test_new_key_is_shown_once_and_opens_the_api(superuser_client: Client, tenant: Tenant) -> None:
    page = make_key(superuser_client)
    key = ApiKey.objects.get()
    token = page.context["token"]
    public_id, _, secret = token.partition(".")
    assert (key.tenant, key.name, key.public_id) == (tenant, "Shop", public_id)
    assert key.scopes == ["orders:write", "orders:read"]
    assert key.is_valid(secret, timezone.now())
    assert page.content.decode().count(token) == 1
    assert "no-store" in page["Cache-Control"]
    for again in (
        url("portal_apikey", "change", key.pk),
        url("portal_apikey", "changelist"),
        INDEX,
    ):
        text = superuser_client.get(again).content.decode()
        assert secret not in text
        assert key.secret_hash not in text


def test_expiry_is_typed_in_the_time_of_the_tenant(superuser_client: Client) -> None:
    make_key(superuser_client, expires_at_0="2031-07-01", expires_at_1="12:00")
    assert ApiKey.objects.get().expires_at == datetime(2031, 7, 1, 10, tzinfo=UTC)


def test_key_needs_known_scopes_and_a_name(superuser_client: Client) -> None:
    page = make_key(superuser_client, scopes=["everything"], name="")
    assert set(page.context["adminform"].form.errors) == {"scopes", "name"}
    assert ApiKey.objects.count() == 0


def test_secret_is_never_edited(superuser_client: Client) -> None:
    key = ApiKeyFactory()
    before = key.secret_hash
    superuser_client.post(
        url("portal_apikey", "change", key.pk),
        {"name": "Till", "scopes": ["orders:read"], "secret_hash": "0" * 64, "public_id": "x"},
    )
    key.refresh_from_db()
    assert (key.name, key.scopes, key.secret_hash) == ("Till", ["orders:read"], before)
    assert key.public_id != "x"


def test_keys_are_listed_by_status(superuser_client: Client) -> None:
    now = timezone.now()
    keys = {
        "valid": ApiKeyFactory(expires_at=now + timedelta(days=1)),
        "expired": ApiKeyFactory(expires_at=now - timedelta(days=1)),
        "revoked": ApiKeyFactory(revoked_at=now, expires_at=now - timedelta(days=1)),
    }
    for status, key in keys.items():
        page = superuser_client.get(url("portal_apikey", "changelist"), {"status": status})
        assert list(page.context["cl"].result_list) == [key]
        assert f"badge-{status}" in page.content.decode()


def test_keys_are_revoked_and_stay_so(superuser_client: Client) -> None:
    key = ApiKeyFactory()
    for _ in range(2):
        superuser_client.post(
            url("portal_apikey", "changelist"),
            {"action": "revoke", "_selected_action": key.pk},
        )
    first = ApiKey.objects.get().revoked_at
    assert first is not None
    assert not ApiKey.objects.get().is_valid(key.token.split(".")[1], timezone.now())
    answer = superuser_client.post(url("portal_apikey", "delete", key.pk), {"post": "yes"})
    assert answer.status_code == 403


# Custom fields


def test_manager_configures_custom_fields(manager_client: Client, tenant: Tenant) -> None:
    add = url("orders_customfield", "add")
    sent = {"key": "costCentre", "label": "Cost centre", "type": "select", "position": 1}
    page = manager_client.post(add, sent)
    assert page.context["adminform"].form.errors == {
        "options": ["Give a select at least one value."]
    }
    manager_client.post(add, {**sent, "options": "A,B"})
    field = CustomField.objects.get()
    assert (field.tenant, field.key, field.options) == (tenant, "costCentre", ["A", "B"])
    page = manager_client.post(add, {**sent, "options": "A"})
    assert list(page.context["adminform"].form.errors) == ["key"]
    manager_client.post(
        url("orders_customfield", "change", field.pk), {**sent, "key": "x", "type": "text"}
    )
    field.refresh_from_db()
    assert (field.key, field.type) == ("costCentre", "text")
    manager_client.post(url("orders_customfield", "delete", field.pk), {"post": "yes"})
    assert CustomField.objects.count() == 0


def test_foreign_custom_field_and_key_are_never_shown(
    superuser_client: Client, other_tenant: Tenant
) -> None:
    field, key = CustomFieldFactory(tenant=other_tenant), ApiKeyFactory(tenant=other_tenant)
    for model, row in (("orders_customfield", field), ("portal_apikey", key)):
        assert superuser_client.get(url(model, "change", row.pk))["Location"] == INDEX
        assert not superuser_client.get(url(model, "changelist")).context["cl"].result_list


# Every page


def test_pages_keep_to_the_content_security_policy(superuser_client: Client) -> None:
    order = make_order()
    variant = order.items.get().variant
    assert variant is not None
    for page in (
        INDEX,
        reverse("admin:orders_order_change", args=[order.pk]),
        reverse("admin:orders_order_cancel", args=[order.pk]),
        reverse("admin:catalog_variant_change", args=[variant.pk]),
    ):
        text = superuser_client.get(page).content.decode()
        for forbidden in (" style=", "<style", "<script>", " onclick="):
            assert forbidden not in text


# What no page sends


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("admin:orders_order_changelist", {"status": "\0"}),
        ("admin:orders_order_changelist", {"order_type__exact": "\0"}),
        ("admin:orders_order_changelist", {"rep": "a\0b"}),
        ("admin:catalog_product_changelist", {"brand": "\0"}),
        ("admin:customers_customer_changelist", {"\0": "x"}),
        (
            "admin:autocomplete",
            {
                "app_label": "catalog",
                "model_name": "variant",
                "field_name": "product",
                "term": "\0",
            },
        ),
    ],
)
def test_nul_in_an_address_is_a_bad_request(
    manager_client: Client, path: str, query: dict[str, str]
) -> None:
    assert manager_client.get(reverse(path), query).status_code == 400


def test_nul_in_a_form_is_a_bad_request(superuser_client: Client) -> None:
    order = make_order()
    queue = reverse("admin:orders_order_changelist")
    action = {"action": "cancel_selected", "_selected_action": "\0"}
    assert superuser_client.post(SWITCH, {"tenant": "\0"}).status_code == 400
    assert superuser_client.post(queue, action).status_code == 400
    bulk = reverse("admin:orders_order_bulk_cancel")
    assert superuser_client.post(bulk, {"order": "a\0b:1"}).status_code == 400
    order.refresh_from_db()
    assert order.status == "pending"
