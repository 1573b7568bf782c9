"""Logging in and out, the login dialog, lockout, and one's password."""

import pytest
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.models import User
from tests.factories import PASSWORD

NEW_PASSWORD = "another horse 42"
HTMX = {"HX-Request": "true"}


def _log_in(client: Client, password: str = PASSWORD, **kwargs: object) -> object:
    data = {"username": "rep", "password": password}
    return client.post(reverse("login"), data | kwargs.pop("data", {}), **kwargs)


def test_login_leads_to_the_page_asked_for(client: Client, rep: User) -> None:
    asked = client.get("/orders/?status=pending")
    assert asked.url == "/login/?next=/orders/%3Fstatus%3Dpending"

    assert client.get(asked.url).status_code == 200
    response = _log_in(client, data={"next": "/orders/?status=pending"})

    assert response.url == "/orders/?status=pending"


def test_login_never_leads_to_another_site(client: Client, rep: User) -> None:
    response = _log_in(client, data={"next": "https://evil.example/"})

    assert response.url == "/"


@pytest.mark.parametrize("password", ["wrong", "", "\0"])
def test_wrong_password_is_explained_and_the_name_kept(
    client: Client, rep: User, password: str
) -> None:
    response = _log_in(client, password)

    assert response.status_code == 200
    assert 'value="rep"' in response.text
    assert password != "wrong" or "Is Caps Lock on?" in response.text


def test_lockout_has_a_page_of_its_own(client: Client, rep: User) -> None:
    responses = [_log_in(client, "wrong") for _ in range(5)]

    assert responses[-1].status_code == 429
    assert "Too many failed attempts" in responses[-1].text
    assert "for 15 minutes" in responses[-1].text
    assert _log_in(client).status_code == 429


def test_who_logs_in_from_where_is_not_kept(client: Client, rep: User) -> None:
    _log_in(client)
    client.post(reverse("logout"))
    assert not AccessLog.objects.exists()


def test_failed_logins_are_kept_while_they_count(client: Client, rep: User) -> None:
    for name in ("noor", "maria"):
        _log_in(client, "wrong", data={"username": name})
    past = timezone.now() - settings.AXES_COOLOFF_TIME
    AccessAttempt.objects.filter(username="noor").update(attempt_time=past)
    _log_in(client)
    assert AccessAttempt.objects.get().username == "maria"


def test_logged_in_user_needs_no_login_page(rep_client: Client) -> None:
    assert rep_client.get("/login/").url == "/"


def test_logged_in_user_does_not_go_round_and_round(rep_client: Client) -> None:
    response = rep_client.get(reverse("login"), {"next": reverse("login")})
    assert (response.status_code, response.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("length", [151, 300, 10_000])
def test_endless_user_name_is_refused(client: Client, rep: User, length: int) -> None:
    response = client.post(reverse("login"), {"username": "n" * length, "password": "x"})
    assert response.status_code == 200
    assert response.context["form"].errors["username"]


def test_fragment_for_an_expired_login_is_401(client: Client, rep: User) -> None:
    response = client.get("/orders/", headers=HTMX)

    assert (response.status_code, response.text) == (401, "Log in again.")


def test_dialog_login_tells_the_page_who_logged_in(client: Client, rep: User) -> None:
    response = _log_in(client, headers=HTMX)

    assert response.status_code == 204
    assert response.headers["HX-Trigger"] == f'{{"loggedIn": {{"user": "{rep.pk}"}}}}'
    assert client.get("/orders/").status_code == 200


def test_dialog_login_refused_answers_the_form_alone(client: Client, rep: User) -> None:
    response = _log_in(client, "wrong", headers=HTMX)

    assert response.status_code == 422
    assert response.text.lstrip().startswith("<form")
    assert "Is Caps Lock on?" in response.text


def test_logout_wants_a_post(rep_client: Client) -> None:
    assert rep_client.get("/logout/").status_code == 405
    assert rep_client.post("/logout/").url == "/login/"
    assert rep_client.get("/").url == "/login/?next=/"


def test_password_is_changed_and_the_login_stays(rep_client: Client, rep: User) -> None:
    data = {
        "old_password": PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    }
    response = rep_client.post("/password/", data, follow=True)

    assert response.redirect_chain == [("/", 302)]
    assert "Your password is changed." in response.text
    rep.refresh_from_db()
    assert rep.check_password(NEW_PASSWORD)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"old_password": "wrong"}, "Your old password was entered incorrectly"),
        ({"new_password1": "x", "new_password2": "x"}, "This password is too short"),
        ({"new_password2": "different 4242"}, "password fields didn’t match"),
    ],
)
def test_password_refused_says_why(
    rep_client: Client, rep: User, changes: dict[str, str], message: str
) -> None:
    data = {
        "old_password": PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    }
    response = rep_client.post("/password/", data | changes)

    assert message in response.text
    rep.refresh_from_db()
    assert rep.check_password(PASSWORD)


def test_mails_about_ones_orders_are_switched_off_and_on(rep_client: Client, rep: User) -> None:
    off = rep_client.post("/password/mails/", follow=True)
    assert off.redirect_chain == [("/password/", 302)]
    assert "E-mails about your orders are off." in off.text
    assert "checked" not in off.text
    rep.refresh_from_db()
    assert rep.order_mails is False
    on = rep_client.post("/password/mails/", {"order_mails": "on"}, follow=True)
    assert "E-mails about your orders are on." in on.text
    rep.refresh_from_db()
    assert rep.order_mails is True
