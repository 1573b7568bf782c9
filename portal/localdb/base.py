"""Django's PostgreSQL engine, with a server of its own behind it."""

from typing import Any

from django.db.backends.postgresql import base

from portal.localdb import server


class DatabaseWrapper(base.DatabaseWrapper):
    """Starts the embedded server on the first connection, so that checks and linters start none."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        server.ensure_running()
        return super().get_new_connection(conn_params)
