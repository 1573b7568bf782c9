"""What a plan comes to, as it is shown and stored: JSON, with as many rows as anybody reads."""

import json
from hashlib import sha256
from typing import TypedDict

from catalog.imports.planning import Outcome, Plan, PlannedRow

ROWS_SHOWN = 300


class ReportedChange(TypedDict):
    field: str
    old: str
    new: str


class ReportedRow(TypedDict):
    row: int
    sku: str
    product: str
    outcome: str
    changes: list[ReportedChange]
    remark: str


class ReportedError(TypedDict):
    row: int
    error: str


class Report(TypedDict):
    """`rows` are the first that create or update something; `errors` are all of them.

    `remarks` counts rows that say something of what cannot be ordered, and leave it so. Two
    reports of the same file with the same `digest` say the same of every row.
    """

    created: int
    updated: int
    unchanged: int
    remarks: int
    ignored: list[str]
    rows: list[ReportedRow]
    errors: list[ReportedError]
    digest: str


def report_of(plan: Plan) -> Report:
    changing = [row for row in plan.rows if row.outcome is not Outcome.UNCHANGED]
    rows = [_row(row) for row in changing]
    errors = [ReportedError(row=each.row, error=each.error) for each in plan.errors]
    said = json.dumps([rows, errors], ensure_ascii=False).encode()
    return Report(
        created=plan.count(Outcome.CREATED),
        updated=plan.count(Outcome.UPDATED),
        unchanged=plan.count(Outcome.UNCHANGED),
        remarks=sum(bool(row.remark) for row in plan.rows),
        ignored=plan.ignored,
        rows=rows[:ROWS_SHOWN],
        errors=errors,
        digest=sha256(said).hexdigest(),
    )


def _row(row: PlannedRow) -> ReportedRow:
    return ReportedRow(
        row=row.number,
        sku=row.variant.sku,
        product=row.product.product.name,
        outcome=row.outcome,
        changes=[
            ReportedChange(field=each.field, old=each.old, new=each.new) for each in row.changes
        ],
        remark=row.remark,
    )
