"""Logging in and out, and changing one's password."""

from django.contrib.auth import views as auth
from django.urls import path

urlpatterns = [
    path(
        "login/",
        auth.LoginView.as_view(template_name="account/login.html"),
        name="login",
    ),
    path("logout/", auth.LogoutView.as_view(next_page="login"), name="logout"),
    path(
        "password/",
        auth.PasswordChangeView.as_view(
            template_name="account/password.html", success_url="/password/done/"
        ),
        name="password_change",
    ),
    path(
        "password/done/",
        auth.PasswordChangeDoneView.as_view(template_name="account/password_done.html"),
        name="password_change_done",
    ),
]
