"""Logging in: who has to, the page, the dialog over an open page; and one's own account."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from portal.tenancy import API_PREFIX, PortalRequest

USERNAME_LENGTH = 150


class LoginMiddleware(LoginRequiredMiddleware):
    """Every page wants a login unless its view says otherwise; the API has its keys.

    A fragment gets 401 instead of a redirect, which would swap the login page into the page; the
    browser then shows the login dialog and sends the change again.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if f"{request.path}/".startswith(API_PREFIX):
            return None
        refused = super().process_view(request, view_func, view_args, view_kwargs)
        if refused is not None and request.htmx:  # type: ignore[attr-defined]
            return HttpResponse("Log in again.", status=401)
        return refused


class LoginForm(AuthenticationForm):
    # Django sets the length on the field only after its validators are made; the record of
    # failed logins cannot hold a longer name.
    username = UsernameField(
        max_length=USERNAME_LENGTH, widget=forms.TextInput(attrs={"autofocus": True})
    )
    error_messages = {
        "invalid_login": "This user name and password do not match. Is Caps Lock on?",
        "inactive": "This account is not in use any more. Ask your administrator.",
    }


class LoginView(views.LoginView):
    template_name = "account/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        """Where to go on to; not to the login itself, round and round."""
        url = str(super().get_redirect_url(*args, **kwargs) or "")
        return "" if url == self.request.path else url

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """From the dialog: an event for the page, which then sends again what was refused."""
        response = super().form_valid(form)
        if not self.request.htmx:  # type: ignore[attr-defined]
            return response
        user = str(form.get_user().pk)
        return trigger_client_event(HttpResponse(status=204), "loggedIn", {"user": user})

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if self.request.htmx:  # type: ignore[attr-defined]
            context = {"form": form, "in_dialog": True}
            return render(self.request, "account/_login_form.html", context, status=422)
        return super().form_invalid(form)


class PasswordView(views.PasswordChangeView):
    template_name = "account/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, "Your password is changed.")
        return response


@require_POST
def order_mails(request: PortalRequest) -> HttpResponse:
    """Switches the user's e-mails about their orders on or off."""
    request.user.order_mails = "order_mails" in request.POST
    request.user.save(update_fields=["order_mails"])
    state = "on" if request.user.order_mails else "off"
    messages.success(request, f"E-mails about your orders are {state}.")
    return redirect("password_change")
