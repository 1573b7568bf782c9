"""Settings follow from the environment. Each test reads them in a process of its own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

SECRET = {"SECRET_KEY": "a-secret-of-fifty-characters-" * 2}
SERVER = {"DATABASE_URL": "postgres://portal@db.example.com/portal"}
PUBLIC = {"PUBLIC_URL": "https://portal.example.com"} | SECRET | SERVER
OURS = ("PUBLIC_URL", "SECRET_KEY", "DATABASE_URL", "ALLOW_EMBEDDED")


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def read(*names: str, **environment: str) -> list[Any]:
    values_of = f"[getattr(settings, name) for name in {names}]"
    done = run(
        f"import json; from portal import settings; print(json.dumps({values_of}))", environment
    )
    assert done.returncode == 0, done.stderr
    values: list[Any] = json.loads(done.stdout)
    return values


def refusal(**environment: str) -> str:
    done = run("import portal.settings", environment)
    assert done.returncode == 1
    return done.stderr.strip().rsplit("\n", 1)[-1]


SECURITY = (
    "DEBUG",
    "ALLOWED_HOSTS",
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SECURE_HSTS_SECONDS",
)


def test_nothing_set_is_development_on_loopback() -> None:
    hosts = ["127.0.0.1", "localhost", "[::1]"]
    assert read(*SECURITY) == [True, hosts, False, False, False, 0]


def test_https_address_makes_everything_secure() -> None:
    hosts = ["portal.example.com"]
    assert read(*SECURITY, **PUBLIC) == [False, hosts, True, True, True, 31536000]
    assert read("CSRF_TRUSTED_ORIGINS", **PUBLIC) == [["https://portal.example.com"]]


def test_links_in_mails_lead_to_the_public_address_or_to_this_machine() -> None:
    assert read("LINK_URL", **PUBLIC) == ["https://portal.example.com"]
    assert read("LINK_URL", PORT="8001") == ["http://127.0.0.1:8001"]


def test_http_address_on_loopback_is_production_without_https() -> None:
    local = PUBLIC | {"PUBLIC_URL": "http://127.0.0.1:8000"}
    assert read(*SECURITY, **local) == [False, ["127.0.0.1"], False, False, False, 0]


def test_http_address_elsewhere_is_refused() -> None:
    assert "loopback" in refusal(**PUBLIC | {"PUBLIC_URL": "http://portal.example.com"})


@pytest.mark.parametrize("address", ["portal.example.com", "https://", "https://a.example/portal"])
def test_address_that_is_no_origin_is_refused(address: str) -> None:
    assert "is an origin, such as" in refusal(**PUBLIC | {"PUBLIC_URL": address})


def test_production_without_a_long_secret_is_refused() -> None:
    assert "Set SECRET_KEY" in refusal(**PUBLIC | {"SECRET_KEY": ""})
    assert "Set SECRET_KEY" in refusal(**PUBLIC | {"SECRET_KEY": "short"})


def test_production_on_the_embedded_server_is_refused_unless_asked() -> None:
    embedded = PUBLIC | {"DATABASE_URL": ""}
    assert "Set DATABASE_URL" in refusal(**embedded)
    (databases,) = read("DATABASES", **embedded, ALLOW_EMBEDDED="1")
    assert databases["default"]["ENGINE"] == "portal.localdb"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL"])
def test_commands_say_in_one_line_what_is_not_set(name: str) -> None:
    code = "import runpy, sys; sys.argv = {}; runpy.run_path('manage.py', run_name='__main__')"
    done = run(code.format(["manage.py", "check"]), PUBLIC | {name: ""})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Set {name} to ")
    asked = run(code.format(["manage.py", "check", "--traceback"]), PUBLIC | {name: ""})
    assert asked.stderr.startswith("Traceback")


def test_database_url_names_the_server_and_keeps_connections() -> None:
    (databases,) = read("DATABASES", **SERVER)
    database = databases["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert database["HOST"] == "db.example.com"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)


def test_development_keeps_its_secret() -> None:
    assert read("SECRET_KEY") == read("SECRET_KEY")


def test_production_server_refuses_development_settings() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    assert "Set PUBLIC_URL" in run("import portal.wsgi", environment).stderr
    assert run("import portal.wsgi", PUBLIC | environment).returncode == 0
