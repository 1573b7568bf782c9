import pytest
from django.contrib.auth.models import Group, Permission
from pytest_django import DjangoAssertNumQueries

from portal.errors import PermissionRefused
from portal.models import ApiKey, User
from portal.permissions import ROLES, SCOPES, Actor, sync_roles
from tests.factories import ApiKeyFactory, UserFactory
from tests.permissions import grant

MANAGER_ONLY = [
    "orders.confirm_order",
    "orders.cancel_order",
    "orders.view_insight",
    "catalog.view_costs",
    "catalog.change_price",
    "orders.change_customfield",
    "portal.change_tenant",
    "portal.view_outboxmail",
    "portal.retry_outboxmail",
]
SUPERUSER_ONLY = ["portal.add_user", "portal.add_apikey", "portal.add_tenant", "auth.change_group"]
OWN = "orders.confirm_own_order"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.django_db
def test_role_has_exactly_its_permissions(role: str) -> None:
    granted = Group.objects.get(name=role).permissions.values_list(
        "content_type__app_label", "codename"
    )
    assert {".".join(permission) for permission in granted} == ROLES[role]


@pytest.mark.django_db
def test_role_loses_what_it_was_given_besides() -> None:
    group = Group.objects.get(name="rep")
    group.permissions.add(Permission.objects.get(codename="confirm_order"))
    sync_roles()
    assert not group.permissions.filter(codename="confirm_order").exists()


def test_permission_follows_role(rep: User, manager: User, superuser: User) -> None:
    actors = [Actor.from_user(user) for user in (rep, manager, superuser)]
    for permission in MANAGER_ONLY:
        assert [actor.can(permission) for actor in actors] == [False, True, True]
    for permission in SUPERUSER_ONLY:
        assert [actor.can(permission) for actor in actors] == [False, False, True]


def test_confirming_own_orders_is_granted_even_to_superusers(
    rep: User, manager: User, superuser: User
) -> None:
    for user in (rep, manager, superuser):
        assert not Actor.from_user(user).can(OWN)
        user.user_permissions.add(Permission.objects.get(codename="confirm_own_order"))
        assert Actor.from_user(User.objects.get(pk=user.pk)).can(OWN)


def test_superuser_is_granted_it_by_a_group_too(superuser: User) -> None:
    group = Group.objects.create(name="trusted")
    group.permissions.add(Permission.objects.get(codename="confirm_own_order"))
    superuser.groups.add(group)
    assert Actor.from_user(superuser).can(OWN)


def test_what_a_user_may_do_is_asked_once(
    rep: User, superuser: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    grant(rep, "catalog.view_costs")
    with django_assert_num_queries(1):
        assert rep.has_perms(["orders.add_order", "catalog.view_costs"])
        assert not rep.has_perm("orders.confirm_order")
        assert rep.has_module_perms("orders")
        assert not rep.has_module_perms("order")
        assert Actor.from_user(rep).can("catalog.view_costs")
    with django_assert_num_queries(0):
        assert superuser.has_perm("orders.confirm_order")
        assert superuser.has_module_perms("auth")


def test_nobody_is_given_anything_for_a_single_object(rep: User) -> None:
    assert rep.has_perm("orders.add_order")
    assert not rep.has_perm("orders.add_order", rep)


def test_user_who_left_may_do_nothing(tenant: object) -> None:
    for left in (UserFactory(is_active=False), UserFactory(is_superuser=True, is_active=False)):
        assert not Actor.from_user(left).can("orders.view_order")
        assert not left.has_perm("orders.view_order")
        assert not left.has_module_perms("orders")


@pytest.mark.parametrize("scope", SCOPES)
def test_key_may_do_what_its_scopes_say(tenant: object, scope: str) -> None:
    assert Actor.from_key(ApiKeyFactory(scopes=[scope])).permissions == SCOPES[scope]


def test_key_without_scopes_may_do_nothing(tenant: object) -> None:
    assert Actor.from_key(ApiKeyFactory(scopes=[])).permissions == frozenset()


def test_key_ignores_a_scope_that_is_gone(tenant: object) -> None:
    assert Actor.from_key(ApiKeyFactory(scopes=["gone:read"])).permissions == frozenset()


def test_actor_is_named_for_good_and_for_people(rep: User, api_key: ApiKey) -> None:
    actors = [Actor.from_user(rep), Actor.from_key(api_key), Actor.system("import")]
    assert [(actor.ref, actor.label) for actor in actors] == [
        (f"user:{rep.pk}", rep.email),
        (f"key:{api_key.public_id}", api_key.public_id),
        ("system:import", "import"),
    ]


def test_system_may_do_everything() -> None:
    assert Actor.system("import").can(OWN)


def test_refusal_says_why(rep_actor: Actor) -> None:
    rep_actor.require("orders.view_order", "No.")
    with pytest.raises(PermissionRefused, match="You may not") as refused:
        rep_actor.require("orders.confirm_order", "You may not confirm orders.")
    assert (refused.value.status, refused.value.code) == (403, "INSUFFICIENT_PERMISSIONS")
