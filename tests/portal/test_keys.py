"""API keys at work: what they open, until when, a new secret with overlap, their last use."""

import hashlib
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from portal.api import api
from portal.errors import Conflict, NotFound, PermissionRefused, ValidationFailed
from portal.keys import MAX_OVERLAP, key_of, revoke_key, rotate_key
from portal.models import ApiKey, Tenant, User
from portal.permissions import SCOPE_MEANINGS, SCOPES, Actor
from tests.api import post, problems
from tests.conftest import PortalClient
from tests.factories import ApiKeyFactory, VariantFactory, order_body

ADMIN = Actor.system("test")
HOUR = timedelta(hours=1)


def client_with(token: str, tenant: str = "demo") -> Client:
    return PortalClient(headers={"Authorization": f"Bearer {token}", "Tenant-ID": tenant})


def status(token: str) -> int:
    """400 for a key that opens the API: the body is empty."""
    code: int = post(client_with(token), b"").status_code
    return code


def secret_of(token: str) -> str:
    return token.partition(".")[2]


def reread(key: ApiKey) -> ApiKey:
    return ApiKey.objects.get(pk=key.pk)


def rotate(key: ApiKey, **changes: Any) -> str:
    known = {"tenant": key.tenant, "actor": ADMIN, "key_id": key.public_id}
    seen = {"seen": reread(key).rotated_at}
    return rotate_key(**{**known, **seen, **changes})[1]


# What a key is


def test_secret_has_256_bits_of_which_the_hash_is_kept(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    secret = secret_of(key.token)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)
    assert key.secret_hash == hashlib.sha256(secret.encode()).hexdigest()


def test_every_scope_is_said_in_words() -> None:
    assert list(SCOPE_MEANINGS) == list(SCOPES)
    assert list(SCOPES) == [
        "orders:read", "orders:write", "orders:confirm", "catalog:read", "catalog:write",
        "customers:read", "customers:write", "costs:read",
    ]  # fmt: skip


def test_no_scope_reaches_keys_or_people() -> None:
    granted = frozenset().union(*SCOPES.values())
    assert [name for name in granted if name.startswith(("portal.", "auth."))] == []


def test_no_operation_lists_or_makes_keys() -> None:
    operations = {
        name
        for path, methods in api.get_openapi_schema()["paths"].items()
        for name in (path.lower(), *(told["operationId"].lower() for told in methods.values()))
    }
    assert [name for name in operations if "key" in name or "token" in name] == []


def test_unknown_id_is_compared_like_a_known_one(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same statements and the same comparisons, for whatever is wrong with the token."""
    compared: list[tuple[int, int]] = []
    compare = secrets.compare_digest

    def counting(sent: str, kept: str) -> bool:
        compared.append((len(sent), len(kept)))
        answer: bool = compare(sent, kept)
        return answer

    monkeypatch.setattr("secrets.compare_digest", counting)
    key = ApiKeyFactory()
    revoked = ApiKeyFactory(revoked_at=timezone.now())
    rotate(key)
    work = []
    for token in (f"key_NOBODY.{secret_of(key.token)}", f"{key.public_id}.x", revoked.token):
        compared.clear()
        with CaptureQueriesContext(connection) as statements:
            assert key_of(token) is None
        work.append((len(statements), *compared))
    assert work == [(1, (64, 64), (64, 64))] * 3


# A new secret


def test_old_secret_works_on_for_the_overlap(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    new = rotate(key, overlap=HOUR)
    assert new.startswith(f"{key.public_id}.")
    assert [status(new), status(key.token)] == [400, 400]
    changed, ends = reread(key), reread(key).previous_expires_at
    assert ends is not None
    just_before = ends - timedelta(microseconds=1)
    assert changed.is_valid(secret_of(key.token), just_before)
    assert not changed.is_valid(secret_of(key.token), ends)
    assert changed.is_valid(secret_of(new), ends)


def test_overlap_is_a_day_unless_told(tenant: Tenant) -> None:
    key, before = ApiKeyFactory(), timezone.now()
    rotate(key)
    ends = reread(key).previous_expires_at
    assert ends is not None
    assert before <= ends - timedelta(hours=24) <= timezone.now()


def test_old_secret_is_refused_after_the_overlap(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    new = rotate(key)
    ApiKey.objects.update(previous_expires_at=timezone.now())
    assert [status(new), status(key.token)] == [400, 401]


def test_no_overlap_ends_the_old_secret_at_once(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    new = rotate(key, overlap=timedelta())
    assert [status(new), status(key.token)] == [400, 401]
    assert (reread(key).previous_secret_hash, reread(key).previous_expires_at) == ("", None)


def test_second_new_secret_drops_the_oldest(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    second = rotate(key)
    third = rotate(key)
    assert [status(key.token), status(second), status(third)] == [401, 400, 400]


def test_revoked_key_opens_with_neither_secret(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    new = rotate(key)
    assert revoke_key(tenant=tenant, actor=ADMIN, key_id=key.public_id)
    assert [status(key.token), status(new)] == [401, 401]


def test_what_the_key_may_do_stays(tenant: Tenant) -> None:
    key = ApiKeyFactory(scopes=["orders:read"], rate_limit=7)
    rotate(key)
    assert (reread(key).scopes, reread(key).rate_limit) == (["orders:read"], 7)


def test_who_gave_a_secret_or_revoked_is_kept(tenant: Tenant, superuser: User) -> None:
    key, actor = ApiKeyFactory(), Actor.from_user(superuser)
    rotate(key, actor=actor)
    assert revoke_key(tenant=tenant, actor=actor, key_id=key.public_id)
    assert not revoke_key(tenant=tenant, actor=ADMIN, key_id=key.public_id)
    kept = reread(key)
    assert (kept.rotated_by, kept.revoked_by) == (superuser.email, superuser.email)
    assert kept.rotated_at is not None
    assert kept.revoked_at is not None
    assert kept.rotated_at <= kept.revoked_at <= timezone.now()


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), MAX_OVERLAP + timedelta(seconds=1)])
def test_overlap_has_a_limit(tenant: Tenant, overlap: timedelta) -> None:
    key = ApiKeyFactory()
    with pytest.raises(ValidationFailed) as refused:
        rotate(key, overlap=overlap)
    assert [detail.path for detail in refused.value.details] == ["overlap"]
    assert reread(key).secret_hash == key.secret_hash


def test_longest_overlap_is_thirty_days(tenant: Tenant) -> None:
    rotate(ApiKeyFactory(), overlap=timedelta(days=30))
    assert ApiKey.objects.get().rotated_by == "test"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"revoked_at": timezone.now()}, "This key is revoked: it gets no new secret."),
        ({"expires_at": timezone.now()}, "This key is expired: it gets no new secret."),
    ],
)
def test_key_that_is_over_gets_no_secret(
    tenant: Tenant, state: dict[str, Any], message: str
) -> None:
    key = ApiKeyFactory(**state)
    with pytest.raises(Conflict, match=message):
        rotate(key)
    assert reread(key).secret_hash == key.secret_hash


def test_asking_twice_gives_one_secret(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    new = rotate(key)
    with pytest.raises(Conflict, match="in the meantime"):
        rotate(key, seen=None)
    assert [status(key.token), status(new)] == [400, 400]


def test_key_of_another_tenant_is_not_there(tenant: Tenant, other_tenant: Tenant) -> None:
    key = ApiKeyFactory(tenant=other_tenant)
    with pytest.raises(NotFound):
        rotate_key(tenant=tenant, actor=ADMIN, key_id=key.public_id, seen=None)
    with pytest.raises(NotFound):
        revoke_key(tenant=tenant, actor=ADMIN, key_id=key.public_id)


def test_programs_and_managers_change_no_key(tenant: Tenant, manager_actor: Actor) -> None:
    key = ApiKeyFactory()
    for actor in (manager_actor, Actor.from_key(key)):
        with pytest.raises(PermissionRefused):
            rotate(key, actor=actor)
        with pytest.raises(PermissionRefused):
            revoke_key(tenant=tenant, actor=actor, key_id=key.public_id)
    assert reread(key).revoked_at is None


# The last use


@pytest.mark.parametrize(
    ("ago", "noted"),
    [(None, True), (timedelta(seconds=61), True), (timedelta(seconds=30), False)],
)
def test_use_is_noted_once_a_minute(tenant: Tenant, ago: timedelta | None, noted: bool) -> None:
    before = timezone.now()
    used = before - ago if ago else None
    key = ApiKeyFactory(last_used_at=used)
    with CaptureQueriesContext(connection) as statements:
        assert status(key.token) == 400
    last = reread(key).last_used_at
    assert (len(statements), last != used) == (1 + noted, noted)
    assert not noted or (last is not None and before <= last <= timezone.now())


def test_use_in_vain_is_no_use(tenant: Tenant) -> None:
    key = ApiKeyFactory(last_used_at=None, revoked_at=timezone.now())
    assert [status(key.token), status(f"{key.public_id}.x")] == [401, 401]
    assert reread(key).last_used_at is None


def test_use_for_another_tenant_is_noted(tenant: Tenant, other_tenant: Tenant) -> None:
    key = ApiKeyFactory(last_used_at=None)
    response = post(client_with(key.token, "other"), b"")
    assert problems(response) == (403, "NO_TENANT_ACCESS", [])
    assert reread(key).last_used_at is not None


def test_use_is_noted_after_the_order_is_written(tenant: Tenant) -> None:
    VariantFactory(sku="A")
    key = ApiKeyFactory(last_used_at=None)
    with CaptureQueriesContext(connection) as statements:
        response = post(client_with(key.token), order_body("A"), Idempotency_Key="k")
    assert response.status_code == 201
    told = [statement["sql"] for statement in statements]
    ended = max(n for n, sql in enumerate(told) if sql.startswith("RELEASE SAVEPOINT"))
    assert [n for n, sql in enumerate(told) if "SET last_used_at" in sql] == [len(told) - 1]
    assert ended < len(told) - 1


@pytest.fixture
def kept_key(transactional_db: None) -> Iterator[ApiKey]:
    """A key that was never used, which other connections see too."""
    tenant = Tenant.objects.create(slug="demo", name="Demo", currency="EUR")
    with scope(tenant=tenant):
        yield ApiKeyFactory(last_used_at=None)


def test_use_waits_for_nobody_who_holds_the_key(kept_key: ApiKey) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE portal_apikey SET name = 'Held'")
            assert status(kept_key.token) == 400
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert reread(kept_key).last_used_at is None


def test_use_that_cannot_be_noted_breaks_no_answer(
    kept_key: ApiKey, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE portal_apikey ADD CONSTRAINT unused CHECK (last_used_at IS NULL)"
        )
        try:
            assert status(kept_key.token) == 400
        finally:
            cursor.execute("ALTER TABLE portal_apikey DROP CONSTRAINT unused")
    assert f"The use of {kept_key.public_id} could not be noted: IntegrityError." in caplog.text
    assert kept_key.secret_hash not in caplog.text
    assert reread(kept_key).last_used_at is None


def test_revoking_holds_from_the_next_request_on(kept_key: ApiKey) -> None:
    client = client_with(kept_key.token)
    assert post(client, b"").status_code == 400
    with transaction.atomic():
        revoke_key(tenant=kept_key.tenant, actor=ADMIN, key_id=kept_key.public_id)
    assert problems(post(client, b"")) == (401, "INVALID_TOKEN", [])


# The commands


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue().removesuffix("\n")


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("2031-01-31", datetime(2031, 1, 31, 22, 59, 59, tzinfo=UTC)),
        ("2031-07-31", datetime(2031, 7, 31, 21, 59, 59, tzinfo=UTC)),
    ],
)
def test_made_key_works_to_the_end_of_its_last_day(
    tenant: Tenant, expires: str, expected: datetime
) -> None:
    run("create_api_key", "--tenant=demo", "--name=x", f"--expires={expires}")
    assert ApiKey.objects.get().expires_at == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [("90d", timedelta(days=90)), ("24h", timedelta(days=1)), ("5m", timedelta(minutes=5))],
)
def test_made_key_works_for_a_while(tenant: Tenant, length: str, expected: timedelta) -> None:
    before = timezone.now()
    run("create_api_key", "--tenant=demo", "--name=x", f"--expires={length}")
    expires = ApiKey.objects.get().expires_at
    assert expires is not None
    assert before + expected <= expires <= timezone.now() + expected


def test_made_key_has_a_limit_and_a_maker(tenant: Tenant) -> None:
    run("create_api_key", "--tenant=demo", "--name=x", "--rate-limit=1200")
    key = ApiKey.objects.get()
    assert (key.rate_limit, key.created_by, key.expires_at) == (1200, "command line", None)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--expires=2020-01-01", "expires: This is in the past."),
        ("--expires=0", "expires: This is in the past."),
        ("--expires=soon", "expires: Enter a number of minutes, hours or days"),
        ("--expires=2031-02-30", "expires: Enter a number"),
        ("--expires=3000-01-01", "Choose a day before the year 3000."),
        ("--rate-limit=0", "greater than or equal to 1."),
        ("--rate-limit=1000001", "less than or equal to 1000000."),
    ],
)
def test_wrong_expiry_or_limit_is_explained(tenant: Tenant, argument: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("create_api_key", "--tenant=demo", "--name=x", argument)
    assert not ApiKey.objects.exists()


def test_command_prints_the_new_key_alone(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    new = run("rotate_api_key", key.public_id)
    assert [status(new), status(key.token)] == [400, 400]
    assert reread(key).rotated_by == "command line"


@pytest.mark.parametrize(
    ("overlap", "length"),
    [("90m", timedelta(minutes=90)), ("24h", timedelta(days=1)), ("30d", timedelta(days=30))],
)
def test_command_takes_an_overlap(tenant: Tenant, overlap: str, length: timedelta) -> None:
    key = ApiKeyFactory()
    run("rotate_api_key", key.public_id, f"--overlap={overlap}")
    changed = reread(key)
    assert changed.previous_expires_at is not None
    assert changed.rotated_at is not None
    assert changed.previous_expires_at - changed.rotated_at == length


def test_command_ends_the_old_key_at_once(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    new = run("rotate_api_key", key.public_id, "--overlap=0")
    assert [status(new), status(key.token)] == [400, 401]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--overlap=31d", "The old secret may work on for 30 days at most."),
        ("--overlap=long", "overlap: Enter a number of minutes, hours or days"),
        ("--overlap=-1h", "overlap: Enter a number of minutes, hours or days"),
    ],
)
def test_wrong_overlap_is_explained(tenant: Tenant, argument: str, message: str) -> None:
    key = ApiKeyFactory()
    with pytest.raises(CommandError, match=message):
        run("rotate_api_key", key.public_id, argument)
    assert reread(key).secret_hash == key.secret_hash


def test_unknown_and_revoked_keys_are_explained(tenant: Tenant) -> None:
    with pytest.raises(CommandError) as refused:
        run("rotate_api_key", "key_X.secret")
    assert "secret" not in str(refused.value)
    assert "the part of the key before the dot" in str(refused.value)
    with pytest.raises(CommandError, match="This key is revoked"):
        run("rotate_api_key", ApiKeyFactory(revoked_at=timezone.now()).public_id)


def test_whoever_shows_the_whole_key_means_its_id(tenant: Tenant) -> None:
    key = ApiKeyFactory()
    assert run("rotate_api_key", key.token).startswith(f"{key.public_id}.")


# The admin


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:portal_apikey_{name}", args=args)


def history(client: Client, key: ApiKey) -> list[str]:
    entries = client.get(page("history", key.pk)).context["action_list"]
    return [entry.get_change_message() for entry in entries]


def test_new_key_in_the_admin_may_do_nothing_until_ticked(superuser_client: Client) -> None:
    form = superuser_client.get(page("add")).context["adminform"].form
    assert form["scopes"].value() == []
    text = superuser_client.get(page("add")).content.decode()
    assert all(meaning in text for meaning in SCOPE_MEANINGS.values())
    shown = superuser_client.post(page("add"), {"name": "Shop"})
    assert "Nothing: no scope is ticked." in shown.content.decode()
    assert ApiKey.objects.get().scopes == []


def test_key_made_in_the_admin_says_by_whom(superuser_client: Client, superuser: User) -> None:
    superuser_client.post(page("add"), {"name": "Shop", "rate_limit": "50"})
    key = ApiKey.objects.get()
    assert (key.created_by, key.rate_limit) == (superuser.email, 50)


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("rate_limit", {"rate_limit": "0"}),
        ("rate_limit", {"rate_limit": "1000001"}),
        ("rate_limit", {"rate_limit": "many"}),
        ("expires_at", {"expires_at_0": "2020-01-01", "expires_at_1": "12:00"}),
        ("expires_at", {"expires_at_0": "9999-12-31", "expires_at_1": "23:59"}),
    ],
)
def test_wrong_limit_or_expiry_is_refused_at_its_field(
    superuser_client: Client, field: str, sent: dict[str, str]
) -> None:
    answer = superuser_client.post(page("add"), {"name": "Shop", **sent})
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not ApiKey.objects.exists()


def test_expired_key_can_be_renamed(superuser_client: Client) -> None:
    key = ApiKeyFactory(expires_at=datetime(2020, 1, 1, 12, tzinfo=UTC))
    sent = {"name": "Till", "expires_at_0": "2020-01-01", "expires_at_1": "13:00:00"}
    assert superuser_client.post(page("change", key.pk), sent).status_code == 302
    assert reread(key).name == "Till"


def test_new_secret_is_made_and_shown_once(superuser_client: Client, superuser: User) -> None:
    key = ApiKeyFactory()
    asked = superuser_client.get(page("rotate", key.pk))
    assert asked.context["form"]["overlap"].value() == 24
    shown = superuser_client.post(page("rotate", key.pk), {"overlap": "1", "seen": ""})
    new = shown.context["token"]
    assert shown.content.decode().count(new) == 1
    assert "no-store" in shown["Cache-Control"]
    assert [status(new), status(key.token)] == [400, 400]
    assert reread(key).rotated_by == superuser.email
    assert history(superuser_client, key) == ["New secret. Overlap: 1 hour."]
    assert secret_of(new) not in superuser_client.get(page("change", key.pk)).content.decode()


def test_reloading_the_shown_key_makes_no_other(superuser_client: Client) -> None:
    key = ApiKeyFactory()
    sent = {"overlap": "24", "seen": ""}
    new = superuser_client.post(page("rotate", key.pk), sent).context["token"]
    again = superuser_client.post(page("rotate", key.pk), sent)
    assert again.status_code == 409
    assert "This key was given a new secret in the meantime." in again.content.decode()
    assert [status(key.token), status(new)] == [400, 400]
    sent["seen"] = again.context["seen"]
    assert superuser_client.post(page("rotate", key.pk), sent).status_code == 200
    assert [status(key.token), status(new)] == [401, 400]


@pytest.mark.parametrize(
    "sent", [{}, {"overlap": "2"}, {"overlap": "24", "seen": "x"}, {"overlap": "-1"}]
)
def test_wrong_form_makes_no_secret(superuser_client: Client, sent: dict[str, str]) -> None:
    key = ApiKeyFactory()
    assert superuser_client.post(page("rotate", key.pk), sent).status_code == 400
    assert reread(key).rotated_at is None


def test_key_is_revoked_after_a_question(superuser_client: Client, superuser: User) -> None:
    key = ApiKeyFactory()
    assert superuser_client.get(page("revoke", key.pk)).status_code == 200
    assert reread(key).revoked_at is None
    answer = superuser_client.post(page("revoke", key.pk), follow=True)
    assert "is revoked. It no longer opens the API." in answer.content.decode()
    assert status(key.token) == 401
    assert reread(key).revoked_by == superuser.email
    assert history(superuser_client, key) == ["Revoked."]


def test_several_keys_are_revoked_with_a_trace(superuser_client: Client) -> None:
    shops = [ApiKeyFactory(), ApiKeyFactory()]
    sent = {"action": "revoke", "_selected_action": [key.pk for key in shops]}
    superuser_client.post(page("changelist"), sent)
    assert [status(key.token) for key in shops] == [401, 401]
    assert [history(superuser_client, key) for key in shops] == [["Revoked."]] * 2


def test_revoked_key_can_only_be_looked_at(superuser_client: Client) -> None:
    key = ApiKeyFactory(revoked_at=timezone.now())
    shown = superuser_client.get(page("change", key.pk))
    text = shown.content.decode()
    assert (shown.status_code, "by admin@portal.example" in text) == (200, True)
    assert (page("rotate", key.pk) in text, page("revoke", key.pk) in text) == (False, False)
    assert superuser_client.post(page("change", key.pk), {"name": "Till"}).status_code == 403
    answer = superuser_client.post(page("rotate", key.pk), {"overlap": "24", "seen": ""})
    assert answer.status_code == 409


def test_saving_a_key_never_brings_a_revoked_one_back(superuser_client: Client) -> None:
    """Somebody else revokes it between its being read and written."""
    key = ApiKeyFactory()
    with CaptureQueriesContext(connection) as statements:
        superuser_client.post(page("change", key.pk), {"name": "Till"})
    written = [s["sql"] for s in statements if s["sql"].startswith('UPDATE "portal_apikey"')]
    assert len(written) == 1
    assert not {"revoked_at", "secret_hash", "last_used_at"} & set(re.findall(r"\w+", written[0]))


def test_list_says_what_a_key_may_do_and_when_it_was_used(superuser_client: Client) -> None:
    ApiKeyFactory(name="Shop", scopes=["orders:write", "orders:read"])
    ApiKeyFactory(name="Script", last_used_at=None)
    ApiKeyFactory(name="Idle", scopes=[], last_used_at=timezone.now() - timedelta(days=3))
    changes = superuser_client.get(page("changelist")).context["cl"]
    table = changes.model_admin
    assert {key.name: (table.may_do(key), table.last_used(key)) for key in changes.queryset} == {
        "Shop": ("orders:write, orders:read", "just now"),
        "Script": ("everything", "never"),
        "Idle": ("nothing", "3 d ago"),
    }


@pytest.mark.parametrize("number", [1, 12])
def test_list_of_keys_takes_the_same_queries_for_any_number(
    superuser_client: Client, number: int, django_assert_num_queries: Any
) -> None:
    for _ in range(number):
        ApiKeyFactory()
    with django_assert_num_queries(5):
        superuser_client.get(page("changelist"))
