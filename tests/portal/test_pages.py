"""What every page has in common: who gets in, the frame around it, errors, health."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection
from django.test import Client, RequestFactory, override_settings
from django.views import defaults

from portal.models import User

PAGES = ["/", "/orders/", "/orders/new/", "/customers/", "/password/"]


@pytest.mark.parametrize("path", [*PAGES, "/orders/ord_X/", "/customers/cust_X/"])
def test_page_wants_a_login(client: Client, path: str) -> None:
    assert client.get(path).url == f"/login/?next={path}"


@pytest.mark.parametrize("path", ["/", "/orders/", "/customers/", "/password/"])
def test_page_has_landmarks_language_and_skip_link(rep_client: Client, path: str) -> None:
    text = rep_client.get(path).text

    assert '<html lang="en-GB">' in text
    assert '<a class="skip-link" href="#main">' in text
    assert text.count('<main id="main"') == text.count("<h1") == 1
    assert text.count('<nav class="nav-main" aria-label="Main">') == 1


def test_navigation_marks_where_one_is(rep_client: Client) -> None:
    text = " ".join(rep_client.get("/orders/").text.split())

    assert '<a href="/orders/" aria-current="page">Orders</a>' in text
    assert text.count("aria-current") == 1


def test_admin_is_offered_to_staff_alone(rep_client: Client, manager_client: Client) -> None:
    assert 'href="/admin/"' not in rep_client.get("/").text
    assert 'href="/admin/"' in manager_client.get("/").text


def test_pages_hold_no_inline_code(rep_client: Client) -> None:
    text = rep_client.get("/orders/").text

    assert "<style" not in text
    assert " style=" not in text
    assert text.count("<script") == text.count("<script src=")


@pytest.mark.parametrize(
    "path", ["/nothing/", "/orders/ord_X/", "/customers/cust_X/", "/orders/%00/"]
)
def test_unknown_address_has_a_page_of_its_own(rep_client: Client, path: str) -> None:
    response = rep_client.get(path)

    assert response.status_code == 404
    assert "There is no such page" in response.text
    assert 'aria-label="Main"' in response.text


def test_missing_permission_has_a_page_of_its_own(rep: User, rep_client: Client) -> None:
    rep.groups.clear()
    response = rep_client.get("/orders/")

    assert response.status_code == 403
    assert "You may not do this" in response.text
    assert rep_client.get("/").status_code == 200


def test_stale_form_has_a_page_of_its_own(rep: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(rep, "django.contrib.auth.backends.ModelBackend")
    response = client.post("/logout/")

    assert response.status_code == 403
    assert "This page was out of date" in response.text


def test_broken_page_says_so_without_a_database() -> None:
    request = RequestFactory().get("/")
    broken = defaults.server_error(request)
    unreadable = defaults.bad_request(request, ValueError())

    assert broken.status_code == 500
    assert b"Something went wrong on our side" in broken.content
    assert unreadable.status_code == 400
    assert b"This request could not be read" in unreadable.content


def test_health_is_200_without_a_login(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_health_is_503_when_the_database_is_gone(client: Client) -> None:
    def refuse(*args: object) -> None:
        raise DatabaseError

    with connection.execute_wrapper(refuse):
        response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "database unavailable"}


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "elsewhere.example", "no host"])
def test_health_is_told_under_any_host_and_nothing_else_is(client: Client, host: str) -> None:
    with override_settings(ALLOWED_HOSTS=["portal.example.com"], SECURE_SSL_REDIRECT=True):
        assert client.get("/healthz", headers={"host": host}).status_code == 200
        for address in ("/", "/login/", "/healthz/", "/v1/orders", "/favicon.ico"):
            assert client.get(address, headers={"host": host}).status_code == 400, address


def test_icon_is_where_browsers_look_for_it(client: Client) -> None:
    assert client.get("/favicon.ico").url == "/static/img/icon.svg"


@pytest.mark.parametrize("path", ["/nothing/", "/orders/ord_N0THERE000/"])
def test_missing_page_looks_the_same_in_development(
    path: str, rep: User, client_of: Callable[[User], Client]
) -> None:
    with override_settings(DEBUG=True):
        answer = client_of(rep).get(path)
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)
