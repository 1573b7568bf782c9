"""The demo catalogue: the price list in products.csv, and as many lots of it as are wanted."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

from catalog.models import Price, PriceChange, Product, Variant
from orders.demo.people import Unit
from portal.models import Tenant
from portal.permissions import Actor

ROWS_PER_INSERT = 5_000
CONTRACT_SKUS = frozenset({"MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"})

# What a month costs, as a share of the list price, by contract length in months.
MONTHLY_SHARE = {
    6: Decimal("0.098"),
    12: Decimal("0.063"),
    24: Decimal("0.0385"),
    36: Decimal("0.0295"),
}
GRADE_VALUE = {"A": Decimal(1), "B": Decimal("0.82"), "C": Decimal("0.64")}
CONDITIONS = {"A": "As new", "B": "Good", "C": "Fair"}
# Worn devices are not let for long.
GRADE_LENGTHS = {"A": {6, 12, 24, 36}, "B": {6, 12, 24}, "C": {6, 12}}


class Option(NamedTuple):
    name: str
    suffix: str
    surcharge: int


@dataclass(frozen=True, slots=True)
class Model:
    """A row of the price list: a product with the options, colours and lengths it comes in."""

    sku: str
    name: str
    brand: str
    category: str
    specification: str
    list_price: int
    options: list[Option]
    colors: list[str]
    lengths: list[int]
    status: str

    def forms(self) -> Iterator[tuple[Option, str, str, str]]:
        """Option, colour, grade and SKU of each variant; the first bears the model's own SKU."""
        first, color = self.options[0], self.colors[0]
        yield first, color, "A", self.sku
        for option in self.options[1:]:
            yield option, color, "A", f"{self.sku}-{option.suffix}"
        for other in self.colors[1:]:
            yield first, other, "A", f"{self.sku}-{other.upper().replace(' ', '-')}"
        if self.list_price >= 400:
            yield first, color, "B", f"{self.sku}-B"
        if self.list_price >= 800 and min(self.lengths) <= 12:
            yield first, color, "C", f"{self.sku}-C"


@dataclass(slots=True)
class _Lot:
    products: list[Product]
    variants: list[Variant]
    prices: list[Price]


def models(unit: Unit) -> list[Model]:
    """The models that the unit rents out."""
    with (Path(__file__).parent / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = [_model(row) for row in csv.DictReader(file, delimiter=";")]
    return [row for row in rows if unit.categories is None or row.category in unit.categories]


def _model(row: dict[str, str]) -> Model:
    return Model(
        sku=row["sku"],
        name=row["name"],
        brand=row["brand"],
        category=row["category"],
        specification=row["specification"],
        list_price=int(row["list_price"]),
        options=[_option(option) for option in row["options"].split("|")],
        colors=row["colors"].split(","),
        lengths=[int(length) for length in row["lengths"].split(",")],
        status=row["status"],
    )


def _option(text: str) -> Option:
    """`36 GB / 1 TB:1TB:600`; the first option of a model has a name only."""
    name, _, rest = text.partition(":")
    suffix, _, surcharge = rest.partition(":")
    return Option(name, suffix, int(surcharge or 0))


def create_variants(tenant: Tenant, unit: Unit, wanted: int) -> Iterator[int]:
    """Brings the catalogue to at least `wanted` variants, lot after lot; yields the count.

    The first lot is the price list as it is, whole; later ones repeat it, numbered.
    """
    priced = models(unit)
    have = Variant.objects.filter(tenant=tenant).count()
    first = Product.objects.filter(tenant=tenant).count() // len(priced)
    for lot in count(first):
        if lot and have >= wanted:
            return
        rows = _lot(tenant, unit, priced, lot)
        if lot:
            rows = _first(rows, wanted - have)
        _save(rows)
        have += len(rows.variants)
        yield have


def _lot(tenant: Tenant, unit: Unit, priced: list[Model], number: int) -> _Lot:
    lot = _Lot([], [], [])
    for model in priced:
        suffix = f"-LOT{number}" if number else ""
        product = Product(
            tenant=tenant,
            sku=f"{model.sku}{suffix}",
            name=f"{model.name}, lot {number}" if number else model.name,
            brand=model.brand,
            category=model.category,
            specification=model.specification,
            status=model.status,
        )
        lot.products.append(product)
        for option, color, grade, sku in model.forms():
            _add_variant(lot, unit, model, product, option, color, grade, f"{sku}{suffix}")
    return lot


def _add_variant(
    lot: _Lot,
    unit: Unit,
    model: Model,
    product: Product,
    option: Option,
    color: str,
    grade: str,
    sku: str,
) -> None:
    chance = Random(sku)  # noqa: S311 (the same on every run)
    worth = (model.list_price + option.surcharge) * GRADE_VALUE[grade] * unit.price_level
    worth = worth.quantize(Decimal(1))
    complete = sku in CONTRACT_SKUS
    bought_for = (worth * Decimal(chance.randint(70, 88)) / 100).quantize(Decimal("0.01"))
    cost_known = complete or chance.random() > 0.15
    variant = Variant(
        tenant=product.tenant,
        product=product,
        sku=sku,
        name=f"{option.name}, {color}" + ("" if grade == "A" else f", grade {grade}"),
        grade=grade,
        condition=CONDITIONS[grade],
        color=color,
        list_price=worth if complete or chance.random() > 0.04 else None,
        acquisition_cost=bought_for if cost_known else None,
        status="active" if complete or chance.random() > 0.06 else "inactive",
    )
    lot.variants.append(variant)
    lengths = [length for length in model.lengths if length in GRADE_LENGTHS[grade]]
    if not complete and chance.random() < 0.12:
        lengths.remove(chance.choice(lengths))
    for length in lengths:
        price = _monthly(worth * MONTHLY_SHARE[length])
        lot.prices.append(
            Price(
                tenant=product.tenant, variant=variant, contract_length=length, monthly_price=price
            )
        )


def _monthly(amount: Decimal) -> Decimal:
    """The next amount that looks like a price: 12.45, 12.95."""
    return (amount * 2).to_integral_value(ROUND_CEILING) / 2 - Decimal("0.05")


def _first(lot: _Lot, variants: int) -> _Lot:
    """The lot without the variants, and their prices, after the first so many."""
    kept = lot.variants[:variants]
    known = {variant.sku for variant in kept}
    return _Lot(lot.products, kept, [price for price in lot.prices if price.variant.sku in known])


def _save(lot: _Lot) -> None:
    actor = Actor.system("demo")
    Product.objects.bulk_create(lot.products, ROWS_PER_INSERT)
    Variant.objects.bulk_create(lot.variants, ROWS_PER_INSERT)
    Price.objects.bulk_create(lot.prices, ROWS_PER_INSERT)
    PriceChange.objects.bulk_create(
        [
            PriceChange(
                tenant=price.tenant,
                variant=price.variant,
                contract_length=price.contract_length,
                new_price=price.monthly_price,
                actor_ref=actor.ref,
                actor=actor.label,
            )
            for price in lot.prices
        ],
        ROWS_PER_INSERT,
    )
