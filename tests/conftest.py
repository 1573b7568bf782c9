"""What tests of every app share: a tenant with its people, and clients that act as them."""

from collections.abc import Callable, Iterator
from contextvars import copy_context
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client, override_settings
from django_scopes import scope
from django_scopes.state import state as open_scopes
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Playwright

from portal.models import MAX_RATE_LIMIT, ApiKey, Tenant, User
from portal.permissions import MANAGER, Actor
from tests.browser import chromium
from tests.factories import ApiKeyFactory, TenantFactory, UserFactory

# The same examples in every run, however busy the machine is.
hypothesis_settings.register_profile(
    "portal", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("portal")


class PortalClient(Client):
    """A client whose requests see nothing of the test's own tenant scope.

    As in a server's thread: a view that opens no scope fails.
    """

    def request(self, **request: Any) -> Any:
        context = copy_context()
        context.run(open_scopes.set, None)
        return context.run(super().request, **request)


@pytest.fixture(autouse=True)
def all_the_time_in_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search is given up when nobody waits for it; here a busy machine may take its time."""
    for module in ("catalog.views", "orders.views.new_order"):
        monkeypatch.setattr(f"{module}.KEYSTROKE", timedelta(seconds=30))


@pytest.fixture(autouse=True, scope="session")
def _test_settings() -> Iterator[None]:
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        # As in development: static files come from where they lie, none were collected.
        WHITENOISE_AUTOREFRESH=True,
        WHITENOISE_USE_FINDERS=True,
    ):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """No thread of the live server keeps a connection: the database could not be dropped."""
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0


@pytest.fixture
def tenant(db: None) -> Iterator[Tenant]:
    """A tenant in EUR without VAT; its scope is open for the length of the test."""
    tenant = TenantFactory(slug="demo", name="Demo")
    with scope(tenant=tenant):
        yield tenant


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    """A tenant whose rows nobody of `tenant` may see."""
    return TenantFactory(slug="other", name="Other", currency="USD")


@pytest.fixture
def rep(tenant: Tenant) -> User:
    return UserFactory(username="rep", tenant=tenant)


@pytest.fixture
def manager(tenant: Tenant) -> User:
    return UserFactory(username="manager", tenant=tenant, role=MANAGER, is_staff=True)


@pytest.fixture
def superuser(tenant: Tenant) -> User:
    return UserFactory(username="admin", tenant=tenant, is_superuser=True)


@pytest.fixture
def api_key(tenant: Tenant) -> ApiKey:
    """A key with all scopes and no limit that a test meets; its Bearer token is in `token`."""
    return ApiKeyFactory(tenant=tenant, rate_limit=MAX_RATE_LIMIT)


@pytest.fixture
def rep_actor(rep: User) -> Actor:
    return Actor.from_user(rep)


@pytest.fixture
def other_rep_actor(tenant: Tenant) -> Actor:
    return Actor.from_user(UserFactory(username="colleague", tenant=tenant))


@pytest.fixture
def manager_actor(manager: User) -> Actor:
    return Actor.from_user(manager)


@pytest.fixture
def client(db: None) -> Client:
    """Somebody who is not logged in."""
    return PortalClient()


@pytest.fixture
def client_of(db: None) -> Callable[[User], Client]:
    """Makes a client that is logged in as a user."""

    def log_in(user: User) -> Client:
        client = PortalClient()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.fixture
def rep_client(rep: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(rep)


@pytest.fixture
def manager_client(manager: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(manager)


@pytest.fixture
def superuser_client(superuser: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(superuser)


@pytest.fixture
def api_client(api_key: ApiKey) -> Client:
    """A program: Bearer key and `Tenant-ID` on every request."""
    return PortalClient(
        headers={
            "Authorization": f"Bearer {api_key.token}",
            "Tenant-ID": api_key.tenant.slug,
        }
    )


@pytest.fixture(scope="session")
def _unconnected() -> Iterator[None]:
    connections.close_all()
    yield
    connections.close_all()


@pytest.fixture(scope="session")
def playwright(_unconnected: None, playwright: Playwright) -> Iterator[Playwright]:
    """Django keeps other connections while Playwright's event loop runs than before and after.

    The ones that are left behind would stay open, and the test database could not be dropped.
    """
    yield playwright
    connections.close_all()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium that `make test` found, quiet, and able to run as root in a container."""
    quiet = ["gpu", "background-networking", "component-update", "sync"]
    return {
        **browser_type_launch_args,
        "executable_path": chromium.find(),
        "args": ["--no-sandbox", *(f"--disable-{what}" for what in quiet)],
    }
