"""Does what a plan says, all of it or nothing."""

from collections.abc import Callable, Sequence

from django.db import connection
from django.db.models import Model

from catalog.imports.planning import Plan, PlannedRow, make_plan
from catalog.imports.reading import Sheet, read_sheet
from catalog.models import Price, Product, Variant
from catalog.services import again_if_taken, save_rows, write_prices
from portal.models import Tenant
from portal.permissions import Actor

PERMISSIONS = (
    *("catalog.add_product", "catalog.change_product"),
    *("catalog.add_variant", "catalog.change_variant"),
    *("catalog.add_price", "catalog.change_price"),
)
"""What an import may need of each; it is asked for before anything is read."""

ROWS_AT_ONCE = 1_000

Progress = Callable[[int], None]


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
    return again_if_taken(lambda: _import(tenant, actor, sheet, progress or _tell_nobody))


def _tell_nobody(done: int) -> None:
    """Progress that nobody asked for."""


def _import(tenant: Tenant, actor: Actor, sheet: Sheet, progress: Progress) -> Plan:
    """Products come first, and new rows in the order of their SKUs, as `catalog.services` does it:
    nobody who does the same waits for us while we wait for them.
    """
    plan = make_plan(tenant=tenant, sheet=sheet, lock=True)
    _write_products(plan)
    rows = sorted(plan.rows, key=lambda row: row.variant.sku)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        _write_variants(some)
        _count_rows_of_new_table()
        _write_prices(tenant, actor, plan, some)
        progress(start + len(some))
    return plan


def _write_products(plan: Plan) -> None:
    planned = {row.product.product.sku: row.product for row in plan.rows}.values()
    changed = [(each.product, each.columns) for each in planned if each.columns]
    save_rows(Product.objects.all(), changed, _columns(changed))


def _write_variants(rows: Sequence[PlannedRow]) -> None:
    changed = [(row.variant, row.columns) for row in rows if row.columns]
    save_rows(Variant.objects.all(), changed, _columns(changed))


def _columns(changed: Sequence[tuple[Model, set[str]]]) -> set[str]:
    """Those that change at all: where no name does, no search text has to be made anew."""
    return set().union(*(columns for _, columns in changed))


def _write_prices(tenant: Tenant, actor: Actor, plan: Plan, rows: Sequence[PlannedRow]) -> None:
    """What else a price has, a setup fee or a discount, stays with it."""
    wanted = []
    for row in rows:
        for months, amount in row.prices.items():
            price = Price(
                tenant=tenant, variant=row.variant, contract_length=months, monthly_price=amount
            )
            if old := plan.before.get((row.variant.pk, months)):
                for name in _STAYING:
                    setattr(price, name, getattr(old, name))
            wanted.append(price)
    keys = [(price.variant_id, price.contract_length) for price in wanted]
    before = {key: plan.before[key] for key in keys if key in plan.before}
    write_prices(tenant, actor, before, wanted)


_STAYING = ("setup_fee", "discount_type", "discount_value", "discount_description")


def _count_rows_of_new_table() -> None:
    """Has PostgreSQL count a table of variants that it has never counted.

    Until then it takes any index that begins with the tenant to find a variant: the check of each
    price would read all of the tenant's variants, and 10,000 rows take minutes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'catalog_variant'::regclass")
        if cursor.fetchone()[0] <= 0:
            cursor.execute("ANALYZE catalog_variant")
