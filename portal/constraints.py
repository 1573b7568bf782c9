"""Foreign keys that include the tenant, which Django's ORM cannot declare.

The ORM side is `models.ForeignKey(..., db_constraint=False)`; `TenantForeignKey` in
`Meta.constraints` makes PostgreSQL refuse a reference into another tenant, raw SQL included.
"""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.constraints import BaseConstraint


class TenantForeignKey(BaseConstraint):
    """`FOREIGN KEY (tenant_id, field) REFERENCES target (tenant_id, id)`.

    `field` names a foreign key of the model, `to` the target as "app.Model"; the target needs
    a unique constraint on (tenant, id). A null in `field` is not checked. The target's tenant
    has `db_index=False`: before a table's first ANALYZE PostgreSQL would take an index on the
    tenant alone for the check, and each insert would read all rows of the tenant. With `cascade`
    the row goes with its target, for which the ORM side has `on_delete=models.DO_NOTHING`.
    """

    def __init__(self, *, field: str, to: str, name: str, cascade: bool = False) -> None:
        super().__init__(name=name)
        self.field = field
        self.to = to
        self.cascade = cascade

    def _sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> str:
        quote = schema_editor.quote_name
        target = model._meta.apps.get_model(self.to)
        column = str(getattr(model._meta.get_field(self.field), "column"))  # noqa: B009 (untyped)
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({quote('tenant_id')}, {quote(column)}) "
            f"REFERENCES {quote(target._meta.db_table)} ({quote('tenant_id')}, {quote('id')})"
            f"{' ON DELETE CASCADE' if self.cascade else ''}"
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        return self._sql(model, schema_editor)

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self._sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "") -> None:
        """Left to the database: forms offer only rows of the tenant, by scoped querysets."""

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        arguments = {"field": self.field, "to": self.to, "name": self.name}
        return path, (), arguments | ({"cascade": True} if self.cascade else {})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TenantForeignKey):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    __hash__ = BaseConstraint.__hash__
