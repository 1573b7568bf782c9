"""What an import would do to the catalogue: found once, shown by the dry run, done by the import.

Product SKU finds the product, Variant SKU the variant; what is not there is made. A cell that may
be blank and is, or has no column, leaves what there is as it is. Nothing is revived: a product
that is discontinued and a variant that is inactive take the new details and stay so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from catalog.building import of_another_product
from catalog.imports.reading import (
    ACQUISITION_COST,
    COLOR,
    DEFAULT_GRADE,
    GRADE,
    LIST_PRICE,
    PRODUCT_COLUMNS,
    PRODUCT_SKU,
    VARIANT_SKU,
    Line,
    Sheet,
    price_column,
    read_lines,
)
from catalog.models import NAME_LENGTH, Price, Product, Variant
from catalog.services import PriceKey, prices_of
from portal.models import Tenant
from portal.money import round_money

VARIANT_COLUMNS = {
    GRADE: "grade",
    COLOR: "color",
    LIST_PRICE: "list_price",
    ACQUISITION_COST: "acquisition_cost",
}
VARIANT_NAME = "Variant name"
"""No column of the file: it is made of colour and grade."""
_COLUMNS = {VARIANT_NAME: "name", **VARIANT_COLUMNS}


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """What a field said and will say, as the file writes it; nothing before if it is new."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that is refused: its number as a spreadsheet shows it, and why, naming columns."""

    row: int
    error: str


@dataclass(slots=True)
class PlannedProduct:
    """A product with its new details, unsaved, and how they differ from the catalogue's."""

    product: Product
    changes: list[Change]

    @property
    def columns(self) -> set[str]:
        """The columns of the table that change."""
        return {PRODUCT_COLUMNS[change.field] for change in self.changes}


@dataclass(slots=True)
class PlannedRow:
    """A variant with its new details, unsaved, and those of its prices that change, by months."""

    number: int
    outcome: Outcome
    product: PlannedProduct
    variant: Variant
    columns: set[str]
    """The columns of the variant's table that change."""
    prices: dict[int, Decimal]
    changes: list[Change]
    remark: str
    """What the row does not change, though one might think so."""


@dataclass(slots=True)
class Plan:
    """All rows of a file: those that would be done, and those that are refused.

    `before` are the prices that their variants have.
    """

    before: dict[PriceKey, Price]
    rows: list[PlannedRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Columns that we do not know."""

    def count(self, outcome: Outcome) -> int:
        return sum(row.outcome is outcome for row in self.rows)


def make_plan(*, tenant: Tenant, sheet: Sheet, lock: bool = False) -> Plan:
    """What importing the table would do now, in the same number of queries for any number of rows.

    With `lock`, inside a transaction, what it found stays so until the end of that.
    """
    lines = list(read_lines(sheet, tenant.currency))
    catalogue = _Catalogue.load(tenant, lines, lock=lock)
    planner, plan = _Planner(tenant, catalogue), Plan(catalogue.prices, ignored=sheet.ignored)
    for line in lines:
        if problems := [*line.problems, *planner.contradictions(line)]:
            plan.errors.append(RowError(line.number, " ".join(problems)))
        else:
            plan.rows.append(planner.plan(line))
    return plan


@dataclass(slots=True)
class _Catalogue:
    """What there is of what the file names: rows by their SKU, and the variants' prices."""

    products: dict[str, Product]
    variants: dict[str, Variant]
    prices: dict[PriceKey, Price]

    @classmethod
    def load(cls, tenant: Tenant, lines: Iterable[Line], *, lock: bool) -> "_Catalogue":
        said = [line.texts for line in lines]
        products = Product.objects.filter(
            tenant=tenant, sku__in={texts[PRODUCT_SKU] for texts in said if PRODUCT_SKU in texts}
        ).order_by("pk")
        variants = (
            Variant.objects.filter(
                tenant=tenant,
                sku__in={texts[VARIANT_SKU] for texts in said if VARIANT_SKU in texts},
            )
            .select_related("product")
            .order_by("pk")
        )
        if lock:
            # Orders refer to them meanwhile, as they may.
            products = products.select_for_update(no_key=True)
            variants = variants.select_for_update(of=("self",), no_key=True)
        # Products first, as everybody does who locks both.
        products_by_sku = {row.sku: row for row in products}
        by_sku = {row.sku: row for row in variants}
        return cls(products_by_sku, by_sku, prices_of(by_sku.values()))


class _Planner:
    """Plans row after row: what is one product for several rows is one row of ours."""

    def __init__(self, tenant: Tenant, catalogue: _Catalogue) -> None:
        self.tenant = tenant
        self.catalogue = catalogue
        self.products: dict[str, PlannedProduct] = {}
        self.first_of_variant: dict[str, int] = {}
        self.first_said: dict[tuple[str, str], tuple[int, str]] = {}

    def contradictions(self, line: Line) -> list[str]:
        """What the row says against rows above it, refused ones too, or against the catalogue.

        Of two rows that contradict each other nobody knows which is meant; the one below is
        refused, so that what happens does not depend on what else is wrong with the one above.
        """
        problems = []
        product_sku, sku = line.texts.get(PRODUCT_SKU), line.texts.get(VARIANT_SKU)
        if sku is not None:
            first = self.first_of_variant.setdefault(sku, line.number)
            known = self.catalogue.variants.get(sku)
            if first != line.number:
                problems.append(f"{VARIANT_SKU}: “{sku}” is in row {first} already.")
            if known and product_sku is not None and known.product.sku != product_sku:
                problems.append(f"{VARIANT_SKU}: {of_another_product(known)}")
        if product_sku is not None:
            for column in PRODUCT_COLUMNS:
                if (text := line.texts.get(column)) is None:
                    continue
                said = (line.number, text)
                row, first_text = self.first_said.setdefault((product_sku, column), said)
                if first_text != text:
                    problems.append(f"{column}: row {row} says “{first_text}” of the same product.")
        return problems

    def plan(self, line: Line) -> PlannedRow:
        product = self._product(line)
        known = self.catalogue.variants.get(line.texts[VARIANT_SKU])
        variant = known or self._new_variant(product.product, line)
        own_changes = self._describe(variant, line, is_new=known is None)
        prices = self._prices(line, variant)
        changes = [*product.changes, *own_changes, *self._price_changes(variant, prices)]
        outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
        return PlannedRow(
            number=line.number,
            outcome=outcome if known else Outcome.CREATED,
            product=product,
            variant=variant,
            columns={_COLUMNS[change.field] for change in own_changes},
            prices=prices,
            changes=changes,
            remark=_remark(variant, product.product),
        )

    def _product(self, line: Line) -> PlannedProduct:
        sku = line.texts[PRODUCT_SKU]
        if sku not in self.products:
            known = self.catalogue.products.get(sku)
            product = known or Product(tenant=self.tenant, sku=sku)
            changes = []
            for column, name in PRODUCT_COLUMNS.items():
                old, new = getattr(product, name), line.texts[column]
                if old != new:
                    changes.append(Change(column, old, new))
                    setattr(product, name, new)
            self.products[sku] = PlannedProduct(product, changes)
        return self.products[sku]

    def _new_variant(self, product: Product, line: Line) -> Variant:
        """Of a product that is discontinued no variant is active."""
        active = product.status == Product.Status.ACTIVE
        return Variant(
            tenant=self.tenant,
            product=product,
            sku=line.texts[VARIANT_SKU],
            grade="",
            status=Variant.Status.ACTIVE if active else Variant.Status.INACTIVE,
        )

    def _describe(self, variant: Variant, line: Line, *, is_new: bool) -> list[Change]:
        """Gives the variant its new details, and says what changed."""
        is_named_by_us = is_new or variant.name == name_of(variant.color, variant.grade)
        said = {**line.texts, **line.amounts}
        if is_new:
            said[GRADE] = said.get(GRADE) or DEFAULT_GRADE
        before = {name: getattr(variant, name) for name in _COLUMNS.values()}
        for column, name in VARIANT_COLUMNS.items():
            if said.get(column, "") != "":
                setattr(variant, name, said[column])
        if is_named_by_us:
            variant.name = name_of(variant.color, variant.grade)
        return [
            Change(column, self._written(before[name]), self._written(getattr(variant, name)))
            for column, name in _COLUMNS.items()
            if before[name] != getattr(variant, name)
        ]

    def _old_price(self, variant: Variant, months: int) -> Decimal | None:
        old = self.catalogue.prices.get((variant.pk, months))
        return old.monthly_price if old else None

    def _prices(self, line: Line, variant: Variant) -> dict[int, Decimal]:
        return {
            months: price
            for months, price in sorted(line.prices.items())
            if self._old_price(variant, months) != price
        }

    def _price_changes(self, variant: Variant, prices: dict[int, Decimal]) -> Iterable[Change]:
        for months, new in prices.items():
            old = self._old_price(variant, months)
            yield Change(price_column(months), self._written(old), self._written(new))

    def _written(self, value: str | Decimal | None) -> str:
        if isinstance(value, Decimal):
            return f"{round_money(value, self.tenant.currency):f}"
        return value or ""


def name_of(color: str, grade: str) -> str:
    """What a variant is called whose name nobody typed: Space Black, grade B."""
    if not color:
        return f"Grade {grade}"
    named = color if grade == DEFAULT_GRADE else f"{color}, grade {grade}"
    return named[:NAME_LENGTH]


def _remark(variant: Variant, product: Product) -> str:
    if product.status == Product.Status.DISCONTINUED:
        return "The product is discontinued, and stays so."
    if variant.status == Variant.Status.INACTIVE:
        return "The variant is inactive, and stays so."
    return ""
