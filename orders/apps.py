from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from portal.permissions import sync_roles

        # The last app to migrate: every permission that a role names exists by then.
        post_migrate.connect(sync_roles, sender=self)
