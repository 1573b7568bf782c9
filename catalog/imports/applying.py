"""Does what a plan says: with `catalog.services` the only writer of products, variants, prices."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import IntegrityError, connection, models, transaction
from psycopg.errors import UniqueViolation

from catalog.imports.planning import Plan, PlannedRow, make_plan
from catalog.imports.reading import Sheet, read_sheet
from catalog.models import Price, PriceChange, Product, Variant
from portal.errors import Conflict
from portal.models import Tenant
from portal.permissions import Actor

PERMISSIONS = (
    *("catalog.add_product", "catalog.change_product"),
    *("catalog.add_variant", "catalog.change_variant"),
    *("catalog.add_price", "catalog.change_price"),
)
"""What an import may need of each; it is asked for before anything is read."""

ROWS_AT_ONCE = 1_000
ATTEMPTS = 3

Progress = Callable[[int], None]
Row = TypeVar("Row", bound=models.Model)


def require_import(actor: Actor) -> None:
    """Raises PermissionRefused."""
    for permission in PERMISSIONS:
        actor.require(permission, "You may not import the catalogue.")


def import_catalogue(
    *, tenant: Tenant, actor: Actor, content: bytes, progress: Progress | None = None
) -> Plan:
    """Brings products, variants and monthly prices to what the file says, row by row or not at all.

    All rows that can be done are, in one transaction, and every changed price is recorded; what
    the others are refused for stands in the answer. `progress` is told how many rows are written
    so far, inside the transaction. Contract: Import Products CSV. Raises PermissionRefused,
    ValidationFailed at `csvFile` for a file that is none, and Conflict `STATE_CONFLICT` if others
    keep on adding the same SKUs.
    """
    require_import(actor)
    sheet = read_sheet(content)
    for _ in range(ATTEMPTS):
        try:
            return _import(tenant, actor, sheet, progress or _tell_nobody)
        except IntegrityError as error:
            # Somebody added one of the SKUs after we had looked: it is there to be found now.
            if not isinstance(error.__cause__, UniqueViolation):
                raise
    raise Conflict("STATE_CONFLICT", "Others change the same products. Try again in a moment.")


def _tell_nobody(done: int) -> None:
    """Progress that nobody asked for."""


@transaction.atomic
def _import(tenant: Tenant, actor: Actor, sheet: Sheet, progress: Progress) -> Plan:
    plan = make_plan(tenant=tenant, sheet=sheet, lock=True)
    writer = _Writer(tenant, actor)
    for start in range(0, len(plan.rows), ROWS_AT_ONCE):
        rows = plan.rows[start : start + ROWS_AT_ONCE]
        writer.write(rows)
        progress(start + len(rows))
    return plan


class _Writer:
    """Writes some rows at a time, in the same number of statements however many they are."""

    def __init__(self, tenant: Tenant, actor: Actor) -> None:
        self.tenant = tenant
        self.actor = actor
        self.written: set[str] = set()
        """SKUs of products that have been written, with the first of their rows."""

    def write(self, rows: Sequence[PlannedRow]) -> None:
        self._write_products(rows)
        Variant.objects.bulk_create([row.variant for row in rows if row.is_new])
        self._count_rows_of_new_table()
        known = [row.variant for row in rows if not row.is_new and row.own_changes]
        _overwrite(Variant, known, "name", "grade", "color", "list_price", "acquisition_cost")
        self._write_prices(rows)

    def _count_rows_of_new_table(self) -> None:
        """Has PostgreSQL count a table of variants that it has never counted.

        Until then it takes any index that begins with the tenant to find a variant: the check of
        each price would read all of the tenant's variants, and 10,000 rows take minutes.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'catalog_variant'::regclass")
            if cursor.fetchone()[0] <= 0:
                cursor.execute("ANALYZE catalog_variant")

    def _write_products(self, rows: Sequence[PlannedRow]) -> None:
        planned = {row.product.product.sku: row.product for row in rows}
        todo = [each for sku, each in planned.items() if sku not in self.written]
        self.written |= planned.keys()
        Product.objects.bulk_create([each.product for each in todo if each.is_new])
        known = [each.product for each in todo if not each.is_new and each.changes]
        _overwrite(Product, known, "name", "category", "brand", "specification")

    def _write_prices(self, rows: Sequence[PlannedRow]) -> None:
        changed = [
            (row.variant, months, old, new)
            for row in rows
            for months, (old, new) in row.prices.items()
        ]
        Price.objects.bulk_create(
            [
                Price(
                    tenant=self.tenant, variant=variant, contract_length=months, monthly_price=new
                )
                for variant, months, _, new in changed
            ],
            update_conflicts=True,
            unique_fields=["variant", "contract_length"],
            update_fields=["monthly_price", "source", "updated_at"],
        )
        PriceChange.objects.bulk_create(
            [
                PriceChange(
                    tenant=self.tenant,
                    variant=variant,
                    contract_length=months,
                    old_price=old,
                    new_price=new,
                    actor_ref=self.actor.ref,
                    actor=self.actor.label,
                )
                for variant, months, old, new in changed
            ]
        )


def _overwrite(model: type[Row], rows: Sequence[Row], *fields: str) -> None:
    """Saves these fields of rows that exist. One statement: an insert that always meets its row."""
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[*fields, "updated_at"],
    )
