"""Logging in and out, and changing one's password."""

from django.contrib.auth import views
from django.urls import path

from portal.login import LoginView, PasswordView

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", views.LogoutView.as_view(next_page="login"), name="logout"),
    path("password/", PasswordView.as_view(), name="password_change"),
]
