"""A catalogue file in the admin: the dry run, the worker's import, and what is shown of both."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from catalog.imports import runs
from catalog.imports.reading import MAX_BYTES
from catalog.imports.report import ROWS_SHOWN
from catalog.models import CatalogImport, PriceChange, Product, Variant
from portal.models import Tenant, User
from portal.permissions import MANAGER, Actor, sync_roles
from portal.spreadsheets import BOM
from tests.catalog.csv_files import csv_file, row
from tests.factories import (
    CatalogImportFactory,
    ProductFactory,
    TenantFactory,
    UserFactory,
    VariantFactory,
)
from tests.mail_server import mail_server
from tests.permissions import grant
from tests.portal.test_worker import running_worker, wait_until

CHOOSE = reverse("admin:catalog_product_import")
PRODUCTS = reverse("admin:catalog_product_changelist")
BAD = row("BAD", List_Price="0", Product_SKU="Q", Product_Name="=1+1")


def choose(client: Client, content: bytes, name: str = "prices.csv") -> Any:
    return client.post(CHOOSE, {"file": SimpleUploadedFile(name, content)})


def plan(client: Client, *rows: dict[str, str], name: str = "prices.csv") -> str:
    """Has the file looked at; the address of its page."""
    answer = choose(client, csv_file(*rows), name)
    assert answer.status_code == 302
    return str(answer["Location"])


def start(client: Client, page: str) -> None:
    assert client.post(f"{page}start/").status_code == 302


def work() -> CatalogImport:
    """Has the worker do what waits."""
    call_command("worker", once=True)
    return CatalogImport.objects.get()


def figures(report: dict[str, Any]) -> tuple[int, int, int, int]:
    """New, changed, unchanged, refused."""
    return report["created"], report["updated"], report["unchanged"], len(report["errors"])


def test_dry_run_shows_what_would_change_and_changes_nothing(manager_client: Client) -> None:
    VariantFactory(sku="OLD", list_price=5, product=ProductFactory(sku="MBP-16", name="Mac"))
    page = plan(manager_client, row("NEW"), row("OLD"), BAD, {**row("X"), "Stock": "5"})
    answer = manager_client.get(page)
    context = answer.context
    assert figures(context["report"]) == (2, 1, 0, 1)
    assert [each["outcome"] for each in context["report"]["rows"]] == [
        "created", "updated", "created",
    ]  # fmt: skip
    changes = {c["field"]: (c["old"], c["new"]) for c in context["report"]["rows"][1]["changes"]}
    assert changes["Product Name"] == ("Mac", "MacBook Pro 16")
    assert changes["List Price"] == ("5.00", "2899.00")
    assert "List Price: Enter an amount above 0." in answer.text
    assert "leave out: Stock" in " ".join(answer.text.split())
    assert Product.objects.get().name == "Mac"
    assert Variant.objects.count() == 1


def test_import_does_what_the_dry_run_said(manager_client: Client, manager: User) -> None:
    page = plan(manager_client, row("A", **{"12mo_Price": "5"}), BAD)
    start(manager_client, page)
    answer = manager_client.get(page)
    assert answer.context["run"].status == "waiting"
    assert "1 row will be imported in a moment." in " ".join(answer.text.split())
    assert not Product.objects.exists()

    run = work()
    assert (run.status, run.done, run.total) == ("finished", 2, 2)
    assert run.result == run.planned
    assert figures(run.result) == (1, 0, 0, 1)
    change = PriceChange.objects.get()
    assert (change.actor_ref, change.actor) == (manager.actor_ref, manager.email)
    answer = manager_client.get(page)
    assert (answer.context["moved"], "Imported by" in answer.text) == (False, True)


def test_result_says_what_was_done_where_the_catalogue_was_changed_meanwhile(
    manager_client: Client,
) -> None:
    page = plan(manager_client, row("A"), row("B"))
    VariantFactory(sku="A", product=ProductFactory(sku="OTHER"))
    start(manager_client, page)
    run = work()
    assert run.result is not None
    assert (figures(run.planned), figures(run.result)) == ((2, 0, 0, 0), (1, 0, 0, 1))
    answer = manager_client.get(page)
    assert answer.context["moved"]
    assert "The catalogue was changed after the dry run" in answer.text


def test_started_twice_it_is_done_once(manager_client: Client) -> None:
    page = plan(manager_client, row("A", **{"12mo_Price": "5"}))
    start(manager_client, page)
    start(manager_client, page)
    work()
    start(manager_client, page)
    assert work().status == "finished"
    assert PriceChange.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        (None, ["This field is required."]),
        (b"", ["The submitted file is empty."]),
        (csv_file(), ["There is no row below the header."]),
        (b"\n" * (MAX_BYTES + 1), ["A file may have 10 MB at most. Split it."]),
        (
            csv_file({"Product SKU": "A", "Variant SKU": "B"}),
            [
                f"The column “{name}” is missing."
                for name in (
                    "Product Name", "Category", "Brand", "Specification",
                    "List Price", "Acquisition Cost",
                )
            ],
        ),
    ],
    ids=["none", "empty", "no rows", "too large", "columns"],
)  # fmt: skip
def test_file_that_cannot_be_read_is_refused_at_the_field(
    manager_client: Client, content: bytes | None, errors: list[str]
) -> None:
    sent = {} if content is None else {"file": SimpleUploadedFile("a.csv", content)}
    answer = manager_client.post(CHOOSE, sent)
    assert answer.status_code == 400
    assert answer.context["form"].errors["file"] == errors
    assert not CatalogImport.objects.exists()


def test_name_of_a_file_is_kept_as_it_can_be_shown(manager_client: Client) -> None:
    plan(manager_client, row(), name="<b>\u202e" + "x" * 300 + ".csv")
    name = CatalogImport.objects.get().file_name
    assert (len(name), name[:5]) == (254, "<b>xx")
    assert "\u202e" not in name


def test_refused_rows_are_a_file_that_can_be_imported_when_they_are_right(
    manager_client: Client,
) -> None:
    content = csv_file(
        row("A"), BAD, row("B", Product_SKU="R", Brand="a;b", List_Price="x"), separator=";"
    )
    page = str(choose(manager_client, content, "Prices 2026.csv")["Location"])
    answer = manager_client.get(f"{page}refused/")
    assert answer["Content-Disposition"] == 'attachment; filename="Prices 2026-refused.csv"'
    assert answer.text.startswith(BOM)
    rows = list(csv.DictReader(io.StringIO(answer.text[1:], newline=""), delimiter=";"))
    assert [(each["Variant SKU"], each["Error"]) for each in rows] == [
        ("BAD", "List Price: Enter an amount above 0."),
        ("B", "List Price: Enter an amount such as 1299.50, without currency or separators."),
    ]
    assert (rows[0]["Product Name"], rows[1]["Brand"]) == ("'=1+1", "a;b")

    right = answer.text.replace(";0;", ";5;").replace(";x;", ";5;").encode()
    start(manager_client, str(choose(manager_client, right)["Location"]))
    call_command("worker", once=True)
    assert set(Variant.objects.values_list("sku", "product__name")) == {
        ("BAD", "=1+1"), ("B", "MacBook Pro 16"),
    }  # fmt: skip


def test_refused_row_of_too_many_cells_keeps_them_all(manager_client: Client) -> None:
    content = csv_file(row("A")).replace(b"2899.00", b"2899,00")
    page = str(choose(manager_client, content)["Location"])
    answer = manager_client.get(f"{page}refused/")
    header, cells = list(csv.reader(io.StringIO(answer.text[1:], newline="")))
    assert header[-1] == "Error"
    assert cells[header.index("Error")].startswith("There are more cells than columns.")
    assert [*cells[: len(header) - 1], *cells[len(header) :]] == [
        *list(row("A").values())[:6], "2899", "00", "2310.50",
    ]  # fmt: skip


def test_long_tables_are_cut_and_say_so(manager_client: Client) -> None:
    number = ROWS_SHOWN + 5
    rows = [row(f"V-{n}", Product_SKU=f"P-{n}") for n in range(number)]
    bad = [row(f"W-{n}", Grade="X") for n in range(number)]
    answer = manager_client.get(plan(manager_client, *rows, *bad))
    assert "These are the first 300 of 305 rows." in answer.text
    assert "Below are the first 300." in answer.text
    assert "305 refused rows" in answer.text
    assert answer.text.count("<tr>") == 2 * (1 + ROWS_SHOWN)


@pytest.mark.parametrize("number", [1, 12])
def test_pages_take_the_same_queries_for_any_number(
    manager_client: Client, number: int, django_assert_num_queries: Any
) -> None:
    page = plan(manager_client, *[row(f"V-{n}") for n in range(number)])
    CatalogImportFactory.create_batch(number)
    with django_assert_num_queries(4):
        assert manager_client.get(page).status_code == 200
    with django_assert_num_queries(4):
        assert manager_client.get(CHOOSE).status_code == 200


# Who may


@pytest.mark.parametrize(
    "missing", ["add_product", "change_product", "add_variant", "change_variant", "add_price",
                "change_price", "view_costs"],
)  # fmt: skip
def test_import_is_for_those_only_who_may_do_all_of_it(
    tenant: Tenant, client_of: Callable[[User], Client], missing: str
) -> None:
    user = UserFactory(is_staff=True)
    names = {"view_product", "add_product", "change_product", "add_variant", "change_variant",
             "add_price", "change_price", "view_costs"} - {missing}  # fmt: skip
    grant(user, *(f"catalog.{name}" for name in names))
    client, run = client_of(user), CatalogImportFactory()
    assert CHOOSE not in client.get(PRODUCTS).text
    assert choose(client, csv_file(row())).status_code == 403
    for page in ("", "start/", "refused/"):
        address = f"{CHOOSE}{run.public_id}/{page}"
        assert client.generic("POST" if page == "start/" else "GET", address).status_code == 403
    grant(user, f"catalog.{missing}")
    assert CHOOSE in client.get(PRODUCTS).text
    assert choose(client, csv_file(row())).status_code == 302


def test_colleagues_see_the_import_and_other_tenants_do_not(
    manager_client: Client, client_of: Callable[[User], Client], other_tenant: Tenant
) -> None:
    page = plan(manager_client, row())
    colleague = client_of(UserFactory(role=MANAGER, is_staff=True))
    stranger = client_of(UserFactory(role=MANAGER, is_staff=True, tenant=other_tenant))
    assert colleague.get(page).status_code == 200
    assert page in colleague.get(CHOOSE).text
    assert stranger.get(page).status_code == 404
    assert stranger.post(f"{page}start/").status_code == 404
    assert page not in stranger.get(CHOOSE).text


# The worker


def test_import_that_fails_says_why_and_can_be_tried_again(
    manager_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    page = plan(manager_client, row("A"))
    start(manager_client, page)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_variant ADD CONSTRAINT no_more CHECK (sku <> 'A')")
    run = work()
    assert (run.status, run.done, Product.objects.count()) == ("failed", 0, 0)
    answer = manager_client.get(page)
    assert "Something went wrong here." in answer.text
    assert [f"Import {run.pk} failed."] == [
        each.message for each in caplog.records if each.levelname == "ERROR"
    ]

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_variant DROP CONSTRAINT no_more")
    start(manager_client, page)
    assert work().status == "finished"


def test_currency_that_changed_meanwhile_refuses_rows_and_not_the_worker(
    manager_client: Client, tenant: Tenant
) -> None:
    page = plan(manager_client, row("A"))
    tenant.currency = "JPY"
    tenant.save()
    start(manager_client, page)
    run = work()
    assert run.result is not None
    assert (run.status, figures(run.result)) == ("finished", (0, 0, 0, 1))


@pytest.mark.parametrize(("days", "left"), [(6, 1), (8, 0)])
@pytest.mark.parametrize("status", ["planned", "waiting"])
def test_files_are_deleted_after_a_week_unless_they_wait(
    tenant: Tenant, days: int, left: int, status: str
) -> None:
    run = CatalogImportFactory(created_at=timezone.now() - timedelta(days=days), status=status)
    runs.forget_old_imports()
    kept = CatalogImport.objects.filter(pk=run.pk).count()
    assert kept == (1 if status == "waiting" else left)


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    @pytest.fixture
    def tenant(self) -> Any:
        sync_roles()
        tenant = TenantFactory(slug="demo")
        with scope(tenant=tenant):
            yield tenant

    @pytest.fixture
    def run(self, tenant: Tenant) -> CatalogImport:
        rows = [row(f"V-{number}") for number in range(2_500)]
        run: CatalogImport = CatalogImportFactory(
            content=csv_file(*rows), total=2_500, status="waiting"
        )
        return run

    def test_progress_is_seen_while_the_import_is_not(self, run: CatalogImport) -> None:
        """A trigger asks, within the import, what others see."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                CREATE TABLE seen (done integer, variants bigint);
                CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO seen SELECT NEW.done, (SELECT count(*) FROM catalog_variant);
                    RETURN NEW;
                END $$;
                CREATE TRIGGER look BEFORE UPDATE OF done ON catalog_catalogimport
                FOR EACH ROW EXECUTE FUNCTION look()
                """
            )
        try:
            assert runs.run_waiting() == 1
            with connection.cursor() as cursor:
                cursor.execute("SELECT done, variants FROM seen")
                seen = cursor.fetchall()
        finally:
            with connection.cursor() as cursor:
                cursor.execute(
                    "DROP TRIGGER look ON catalog_catalogimport; DROP FUNCTION look();"
                    "DROP TABLE seen"
                )
        assert seen == [(0, 0), (1_000, 0), (2_000, 0), (2_500, 0), (2_500, 2_500)]

    def test_import_that_another_worker_does_is_left_to_it(self, run: CatalogImport) -> None:
        taken = connection.copy()
        try:
            with taken.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s, %s)", [runs._OURS, run.pk])
            assert runs.run_waiting() == 0
            # Closing would free it as well, but the server notices that in its own time.
            with taken.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [runs._OURS, run.pk])
        finally:
            taken.close()
        assert runs.run_waiting() == 1
        run.refresh_from_db()
        assert run.status == "finished"

    def test_import_of_a_worker_that_died_is_done_by_the_next(self, run: CatalogImport) -> None:
        with mail_server() as server, running_worker(server) as worker:
            wait_until(lambda: CatalogImport.objects.filter(done__gt=0).exists())
            worker.kill()
            worker.wait(timeout=20)
        run.refresh_from_db()
        assert (run.status, Variant.objects.exists()) == ("waiting", False)
        wait_until(lambda: runs.run_waiting() == 1)
        assert Variant.objects.count() == 2_500

    def test_import_that_the_database_always_breaks_off_fails_and_holds_up_nobody(
        self, tenant: Tenant
    ) -> None:
        """A trigger does what a limit to the time of statements would."""
        endless = CatalogImportFactory(content=csv_file(row("ENDLESS")), status="waiting")
        other = CatalogImportFactory(
            tenant=TenantFactory(), content=csv_file(row("OTHER")), status="waiting"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                """
                CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF NEW.sku = 'ENDLESS' THEN
                        RAISE 'canceling statement due to statement timeout'
                        USING ERRCODE = 'query_canceled';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER break_off BEFORE INSERT ON catalog_variant
                FOR EACH ROW EXECUTE FUNCTION break_off()
                """
            )
        try:
            for _ in range(runs.ATTEMPTS - 1):
                with pytest.raises(OperationalError):
                    runs.run_waiting()
            with scopes_disabled():
                other.refresh_from_db()
            assert other.status == "finished"
            assert runs.run_waiting() == 1
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER break_off ON catalog_variant; DROP FUNCTION break_off")
        endless.refresh_from_db()
        assert (endless.status, endless.problem) == ("failed", runs.BROKEN_OFF)
        manager = Actor.system("test")
        runs.start_import(tenant=tenant, actor=manager, import_id=endless.public_id)
        assert runs.run_waiting() == 1
        endless.refresh_from_db()
        assert (endless.status, endless.attempts) == ("finished", 1)
