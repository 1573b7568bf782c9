"""The life of a file that is imported in the admin: looked at, then done by the worker.

The dry run and the import plan with the same function; what the import finds is what it does and
what it reports, whatever has happened to the catalogue since the dry run.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from catalog.imports.applying import PERMISSIONS, Progress, import_catalogue, require_import
from catalog.imports.planning import make_plan
from catalog.imports.reading import read_sheet
from catalog.imports.report import Report, report_of
from catalog.models import CatalogImport
from portal.errors import DomainError, NotFound
from portal.models import Tenant
from portal.permissions import Actor
from portal.spreadsheets import BOM, as_csv, undefuse

KEPT = timedelta(days=7)
SILENCE = timedelta(seconds=30)
"""After so long without progress, something is wrong with the worker."""

ATTEMPTS = 5
"""Of an import that the database broke off: after these, another one will not help."""

BROKEN_OFF = (
    f"The database broke it off {ATTEMPTS} times. Import the file in parts, try again later, or "
    "tell whoever runs the portal."
)

RECENT = 10

SEES_COSTS = "catalog.view_costs"
"""A dry run shows list prices and acquisition costs, those before as well."""

_OURS = 0x696D70
"""The first half of our advisory locks; the second is the import's number."""

logger = logging.getLogger(__name__)


def require_run(actor: Actor) -> None:
    """Raises PermissionRefused to whoever may not import, or not see costs."""
    require_import(actor)
    actor.require(SEES_COSTS, "You may not see what devices cost.")


@transaction.atomic
def plan_import(*, tenant: Tenant, actor: Actor, file_name: str, content: bytes) -> CatalogImport:
    """The dry run: keeps the file with what it would do now; the catalogue stays as it is.

    Raises PermissionRefused, and ValidationFailed at `csvFile` for a file that cannot be read.
    """
    require_run(actor)
    sheet = read_sheet(content)
    return CatalogImport.objects.create(
        tenant=tenant,
        asked_by_ref=actor.ref,
        asked_by=actor.label,
        file_name=file_name[-CatalogImport.FILE_NAME_LENGTH :],
        content=content,
        total=len(sheet.rows),
        planned=report_of(make_plan(tenant=tenant, sheet=sheet)),
    )


def find_import(*, tenant: Tenant, actor: Actor, import_id: str) -> CatalogImport:
    """An import of the tenant, whoever asked for it. Raises PermissionRefused, NotFound."""
    require_run(actor)
    found = CatalogImport.objects.filter(tenant=tenant, public_id=import_id)
    run = found.defer("content").first()
    if run is None:
        raise NotFound("There is no such import.")
    return run


def recent_imports(*, tenant: Tenant, actor: Actor) -> Sequence[CatalogImport]:
    """The last imports of the tenant, newest first, without their files and reports.

    Raises PermissionRefused.
    """
    require_run(actor)
    imports = CatalogImport.objects.filter(tenant=tenant)
    return list(imports.defer("content", "planned", "result")[:RECENT])


def refused_rows(run: CatalogImport) -> str:
    """The rows that are refused as a file to be put right and imported, with a column Error."""
    sheet = read_sheet(bytes(run.content))
    report: Report = run.result or run.planned
    why = {each["row"]: each["error"] for each in report["errors"]}
    width = len(sheet.header)
    rows = [[*sheet.header, "Error"]]
    for number, cells in sheet.rows:
        if number in why:
            under = cells[:width] + [""] * (width - len(cells))
            rows.append([*under, why[number], *cells[width:]])
    shown = [[undefuse(cell) for cell in row] for row in rows]
    return BOM + as_csv(shown, sheet.separator)


def start_import(*, tenant: Tenant, actor: Actor, import_id: str) -> CatalogImport:
    """Has the worker do what was looked at, or failed before; asked for twice, it is done once.

    It is done in the name of whoever starts it. Raises PermissionRefused, NotFound.
    """
    run = find_import(tenant=tenant, actor=actor, import_id=import_id)
    not_done = [CatalogImport.Status.PLANNED, CatalogImport.Status.FAILED]
    CatalogImport.objects.filter(pk=run.pk, status__in=not_done).update(
        status=CatalogImport.Status.WAITING,
        asked_by_ref=actor.ref,
        asked_by=actor.label,
        done=0,
        attempts=0,
        problem="",
        updated_at=timezone.now(),
    )
    return find_import(tenant=tenant, actor=actor, import_id=import_id)


def run_waiting() -> int:
    """Does the imports that wait, of all tenants, the oldest first; returns how many.

    Those that the database broke off before come last, so that they hold up nobody else. Raises
    OperationalError or InterfaceError when it breaks off another.

    Several workers share them. One whose worker dies is done by the next, from the beginning:
    nothing of it was kept.
    """
    with scopes_disabled():
        waiting = CatalogImport.objects.filter(status=CatalogImport.Status.WAITING)
        numbers = list(waiting.order_by("attempts", "pk").values_list("pk", flat=True))
        return sum(_run(number) for number in numbers)


def _run(number: int) -> bool:
    """Whether the import was ours to do. What it did and that it did it is one transaction."""
    try:
        with transaction.atomic(durable=True):
            run = _take(number)
            if run is None:
                return False
            with scope(tenant=run.tenant), _progress_of(run) as progress:
                plan = import_catalogue(
                    tenant=run.tenant,
                    actor=Actor(run.asked_by_ref, run.asked_by, frozenset(PERMISSIONS)),
                    content=bytes(run.content),
                    progress=progress,
                )
            _finish(run, report_of(plan))
    except (OperationalError, InterfaceError) as error:
        # The database may be away for everybody; as long as it is, this is raised as well.
        tried = CatalogImport.objects.filter(pk=number, attempts__gte=ATTEMPTS)
        if not tried.exists():
            raise
        _fail(number, error)
    except Exception as error:
        _fail(number, error)
    return True


def _take(number: int) -> CatalogImport | None:
    """The import, if it still waits and no other worker is at it.

    The row itself stays free: how far the import is, is written to it meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_OURS, number % 2**31])
        if not cursor.fetchone()[0]:
            return None
    waiting = CatalogImport.objects.filter(status=CatalogImport.Status.WAITING)
    return waiting.select_related("tenant").filter(pk=number).first()


@contextmanager
def _progress_of(run: CatalogImport) -> Iterator[Progress]:
    """Notes how far it is, over a connection of its own: the import's transaction is still open.

    And that it was begun, which stays noted whatever becomes of the worker.
    """
    aside = connection.copy()

    def note(done: int, begun: int = 0) -> None:
        try:
            with aside.cursor() as cursor:
                cursor.execute(
                    "UPDATE catalog_catalogimport"
                    " SET done = %s, attempts = attempts + %s, updated_at = now() WHERE id = %s",
                    [done, begun, run.pk],
                )
        except DatabaseError:
            logger.warning("The progress of import %s was not noted.", run.pk, exc_info=True)

    try:
        note(0, begun=1)
        yield note
    finally:
        aside.close()


def _finish(run: CatalogImport, result: Report) -> None:
    CatalogImport.objects.filter(pk=run.pk).update(
        status=CatalogImport.Status.FINISHED,
        result=result,
        done=run.total,
        updated_at=timezone.now(),
    )


def _fail(number: int, error: Exception) -> None:
    """Says why in the import's row; what is nobody's fault but ours, in the log."""
    if isinstance(error, DomainError):
        problem = error.words
    else:
        logger.error("Import %s failed.", number, exc_info=error)
        problem = (
            BROKEN_OFF
            if isinstance(error, OperationalError | InterfaceError)
            else "Something went wrong here. Try again, or tell whoever runs the portal."
        )
    CatalogImport.objects.filter(pk=number, status=CatalogImport.Status.WAITING).update(
        status=CatalogImport.Status.FAILED, problem=problem, done=0, updated_at=timezone.now()
    )


def forget_old_imports() -> int:
    """Deletes what is a week old and not being imported, of all tenants; returns how many."""
    old = CatalogImport.objects.filter(created_at__lte=timezone.now() - KEPT)
    return old.exclude(status=CatalogImport.Status.WAITING).delete()[0]
