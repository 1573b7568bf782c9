"""The catalogue as a CSV file over the API."""

from http import HTTPStatus
from typing import Annotated, Any, NotRequired

from django.http import HttpResponse
from ninja import Router
from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from catalog.examples import RACE
from catalog.imports.applying import import_catalogue
from catalog.imports.planning import Outcome, Plan
from catalog.imports.reading import FIELD, MAX_BYTES, OPTIONAL, REQUIRED
from portal.api_request import ApiRequest, FileBody, json_response
from portal.idempotency import run_once
from portal.openapi import operation, schema_of
from portal.refusals import invalid, other_media, too_large

Number = Annotated[int, WithJsonSchema({"type": "number"})]
Ours = Field(json_schema_extra={"x-additive": True})


class CsvImportRequest(TypedDict):
    """A form with the file, in UTF-8, in its field `csvFile`."""

    csvFile: Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]


class CsvRowError(TypedDict):
    """A row that was refused: its number, the header being row 1, and why, naming columns."""

    row: Number
    error: str


class CsvRowRemark(TypedDict):
    """A row that changed what cannot be ordered, and left it so."""

    row: Number
    remark: str


class CsvImportResponse(TypedDict):
    """How many rows were imported, and which were not. `success`: not all of them were refused."""

    success: bool
    message: str
    created: Number
    updated: Number
    unchanged: NotRequired[Annotated[Number, Ours]]
    errors: NotRequired[list[CsvRowError]]
    remarks: NotRequired[Annotated[list[CsvRowRemark], Ours]]
    ignoredColumns: NotRequired[Annotated[list[str], Ours]]


EXAMPLE = (
    "Product Name,Product SKU,Category,Brand,Specification,Grade,Color,Variant SKU,"
    "List Price,Acquisition Cost,12mo_Price,24mo_Price\r\n"
    'MacBook Pro 16,MBP-16,Laptops,Apple,"M3 Pro, 16.2 inch",A,Silver,MBP-16-SILVER,'
    "2899.00,2310.50,182.95,111.95\r\n"
)
COLUMNS = [{"name": name, "required": name in REQUIRED} for name in (*REQUIRED, *OPTIONAL)]
MEDIA = {
    "multipart/form-data": {
        "schema": schema_of(CsvImportRequest),
        "example": {FIELD: EXAMPLE},
        "x-csv-columns": COLUMNS,
    },
    "text/csv": {
        "schema": {"type": "string", "description": "The file itself, in UTF-8."},
        "example": EXAMPLE,
        "x-csv-columns": COLUMNS,
    },
}

IMPORTED = {
    "success": True,
    "message": "Rows: 1 created, 0 updated, 0 unchanged, 1 refused.",
    "created": 1,
    "updated": 0,
    "unchanged": 0,
    "errors": [{"row": 3, "error": "List Price: Enter an amount above 0."}],
    "remarks": [],
    "ignoredColumns": [],
}
REFUSALS = (
    invalid(
        FIELD,
        "The column “Brand” is missing.",
        "the file as a whole: no CSV in UTF-8, a column is missing, over 10,000 rows.",
    ),
    RACE,
    too_large("file", "10 MB"),
    other_media("multipart/form-data, or text/csv in UTF-8"),
)

router = Router(tags=["Products"])


@router.post(
    "/products/csv",
    url_name="products_csv",
    **operation(
        "importProductsCSV",
        "Import the catalogue from CSV",
        scope="catalog:write",
        without_scope="You may not import the catalogue.",
        media=MEDIA,
        response=CsvImportResponse,
        example=IMPORTED,
        status=HTTPStatus.CREATED,
        refusals=REFUSALS,
        keyed=True,
    ),
)
def import_products_csv(request: ApiRequest) -> HttpResponse:
    """Creates and updates products, variants and prices: each row is a variant and its product.

    Rows that are not right are reported and skipped, the others are imported together. A blank
    optional cell leaves what there is as it is. Nothing is deleted, and nothing is revived. The
    price for any contract length is in a column such as `18mo_Price`, 1 to 120 months.
    """
    sent = FileBody(request, name=FIELD, kind="csv", limit=MAX_BYTES)

    def work() -> HttpResponse:
        plan = import_catalogue(tenant=request.tenant, actor=request.actor, content=sent.content)
        return json_response(import_body(plan), status=HTTPStatus.CREATED)

    return run_once(request=request, fingerprint=sent.fingerprint, work=work)


def import_body(plan: Plan) -> dict[str, Any]:
    """The contract's answer: CsvImportResponse."""
    numbers = {outcome.value: plan.count(outcome) for outcome in Outcome}
    refused = len(plan.errors)
    said = ", ".join(f"{number:,} {outcome}" for outcome, number in numbers.items())
    return {
        "success": bool(plan.rows),
        "message": f"Rows: {said}, {refused:,} refused.",
        **numbers,
        "errors": [{"row": each.row, "error": each.error} for each in plan.errors],
        "remarks": [{"row": row.number, "remark": row.remark} for row in plan.rows if row.remark],
        "ignoredColumns": plan.ignored,
    }
