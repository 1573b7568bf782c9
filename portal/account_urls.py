"""Logging in and out, changing one's password, and which e-mails one gets."""

from django.contrib.auth import views
from django.urls import path

from portal.login import LoginView, PasswordView, order_mails

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("password/", PasswordView.as_view(), name="password_change"),
    path("password/mails/", order_mails, name="order_mails"),
]
