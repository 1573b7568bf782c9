"""Permissions beyond those of a role."""

from django.contrib.auth.models import Permission

from portal.models import User


def grant(user: User, *names: str) -> None:
    """Gives the user permissions named `app.codename`."""
    for name in names:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
