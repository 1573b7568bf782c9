"""Prices and totals: the one function behind live totals, previews and orders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Protocol

from django.db import connection

from catalog.models import Product, Variant
from portal.errors import Detail
from portal.models import Tenant
from portal.money import round_money

VARIANT_NOT_FOUND = "VARIANT_NOT_FOUND"
VARIANT_INACTIVE = "VARIANT_INACTIVE"
INVALID_CONTRACT_LENGTH = "INVALID_CONTRACT_LENGTH"


@dataclass(frozen=True, slots=True)
class LineRequest:
    """What is asked for: devices of a SKU. No contract length means the default applies.

    `agreed_price`, per device and month, is one that the tenant's people already said or decided;
    it never comes from an API body or a posted form. Without one the catalogue's price holds.
    `kept` is the line as an order has it already: it keeps its price, even if the catalogue has
    nothing like it any more.
    """

    sku: str
    quantity: int
    contract_length: Decimal | int | None = None
    agreed_price: Decimal | None = None
    kept: "PricedLine | None" = None


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line that can be ordered, in the tenant's currency.

    `unit_price` is per device per month: the agreed price if there is one, or else the
    `catalogue_price`, which is what the catalogue says now. `prices` has the monthly price at
    every contract length (months) of the variant; `list_price` and `acquisition_cost` are for one
    device.
    """

    position: int
    variant_pk: int | None
    variant_public_id: str
    product_public_id: str
    sku: str
    product_name: str
    variant_name: str
    image_url: str
    quantity: int
    contract_length: int
    unit_price: Decimal
    catalogue_price: Decimal
    prices: dict[int, Decimal]
    list_price: Decimal | None
    acquisition_cost: Decimal | None

    @property
    def monthly_total(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def contract_value(self) -> Decimal:
        return self.monthly_total * self.contract_length


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over lines. All amounts are per month, but `contract_value`, over the whole terms."""

    currency: str
    vat_rate: Decimal
    prices_include_vat: bool
    subtotal: Decimal
    tax_amount: Decimal
    total: Decimal
    total_devices: int
    contract_value: Decimal


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant as the catalogue has it. `prices`: monthly, by contract length in months.

    `list_price` and `acquisition_cost` are for one device.
    """

    variant_pk: int
    sku: str
    variant_public_id: str
    variant_name: str
    variant_status: str
    list_price: Decimal | None
    acquisition_cost: Decimal | None
    images: Sequence[str]
    product_public_id: str
    product_name: str
    product_status: str
    product_images: Sequence[str]
    prices: dict[int, Decimal] = field(default_factory=dict)

    @property
    def image_url(self) -> str:
        """The first picture of the variant, or else of its product."""
        return next(iter(self.images or self.product_images), "")

    @property
    def is_active(self) -> bool:
        """Whether it is rented out: a variant of a product that is not discontinued."""
        statuses = (self.variant_status, self.product_status)
        return statuses == (Variant.Status.ACTIVE, Product.Status.ACTIVE)


@dataclass(frozen=True)
class Quote:
    """Prices for lines, nothing saved. A line that cannot be ordered is in `problems` instead.

    `problems` paths are `items.<position>.<field>`, codes those of the contract. `offers` has,
    by position, what every line asks for whose SKU is known, whether it can be ordered or not.
    """

    tenant: Tenant
    lines: Sequence[PricedLine]
    problems: Sequence[Detail] = ()
    offers: dict[int, Offer] = field(default_factory=dict)

    @cached_property
    def totals(self) -> Totals:
        return sum_up(
            self.lines,
            currency=self.tenant.currency,
            vat_rate=self.tenant.vat_rate,
            prices_include_vat=self.tenant.prices_include_vat,
        )


class Summed(Protocol):
    """A line of a quote, or of an order."""

    @property
    def quantity(self) -> int: ...
    @property
    def monthly_total(self) -> Decimal: ...
    @property
    def contract_value(self) -> Decimal: ...


def sum_up(
    lines: Sequence[Summed], *, currency: str, vat_rate: Decimal, prices_include_vat: bool
) -> Totals:
    """The totals of the lines at that VAT rate (percent). VAT is rounded once, on the subtotal."""
    subtotal = round_money(sum((line.monthly_total for line in lines), Decimal(0)), currency)
    tax_amount = _tax(subtotal, vat_rate, prices_include_vat, currency)
    return Totals(
        currency=currency,
        vat_rate=vat_rate,
        prices_include_vat=prices_include_vat,
        subtotal=subtotal,
        tax_amount=tax_amount,
        total=subtotal if prices_include_vat else subtotal + tax_amount,
        total_devices=sum(line.quantity for line in lines),
        contract_value=round_money(
            sum((line.contract_value for line in lines), Decimal(0)), currency
        ),
    )


def _tax(subtotal: Decimal, vat_rate: Decimal, prices_include_vat: bool, currency: str) -> Decimal:
    divisor = 100 + vat_rate if prices_include_vat else Decimal(100)
    return round_money(subtotal * vat_rate / divisor, currency)


def implied_vat_rate(
    *,
    subtotal: Decimal,
    tax_amount: Decimal,
    prices_include_vat: bool,
    currency: str,
    usual: Decimal,
) -> Decimal | None:
    """The VAT rate (percent) that was charged, of an order that tells the amount only.

    The usual one if that comes to the amount, or else the one with the fewest decimals that does.
    With three decimals it may miss a large amount, or one that was rounded line by line: it is
    the nearest then. None where no rate up to 100 comes near.
    """
    net = subtotal - tax_amount if prices_include_vat else subtotal
    if net <= 0:
        return usual if subtotal == tax_amount == 0 else None
    exact = tax_amount * 100 / net
    rounded = [exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) for places in range(4)]
    if rounded[-1] > 100:
        return None
    for rate in (usual, *rounded):
        if _tax(subtotal, rate, prices_include_vat, currency) == tax_amount:
            return rate
    return rounded[-1]


# By hand: for every order and at every change of a draft, the ORM would take longer to write this
# down than the database to answer it. The columns are those of `Offer`, and a price.
_OFFERS = """
    SELECT variant.id, variant.sku, variant.public_id, variant.name, variant.status,
        variant.list_price, variant.acquisition_cost,
        variant.images, product.public_id, product.name, product.status, product.images,
        price.contract_length, price.monthly_price
    FROM catalog_variant variant
    JOIN catalog_product product ON product.id = variant.product_id
    LEFT JOIN catalog_price price ON price.variant_id = variant.id
    WHERE variant.tenant_id = %s AND variant.sku = ANY(%s)
    ORDER BY variant.id, price.contract_length
"""
# What the foreign key of an item does anyway, before the status is looked at instead of after.
_KEPT = " FOR KEY SHARE OF variant"


def quote(*, tenant: Tenant, lines: Iterable[LineRequest], to_order: bool = False) -> Quote:
    """Prices every line from the catalogue as it is now, in one query for any number of lines.

    `to_order`, inside a transaction: until its end no variant of them is taken out of the
    catalogue. Never raises for a bad line: live totals show what can be priced and say what cannot.
    Contract section: Create Order, `items`, and the errors of its table.
    """
    lines = list(lines)
    # A draft prices what is typed as it is; no SKU contains a NUL, and none can be asked for.
    skus = {line.sku for line in lines if "\0" not in line.sku}
    offers = _offers(tenant, skus, to_order)
    priced: list[PricedLine] = []
    problems: list[Detail] = []
    known: dict[int, Offer] = {}
    for position, line in enumerate(lines):
        offer = offers.get(line.sku)
        if offer is not None:
            known[position] = offer
        outcome = _price(tenant, position, line, offer)
        if isinstance(outcome, Detail):
            problems.append(outcome)
        else:
            priced.append(outcome)
    return Quote(tenant=tenant, lines=priced, problems=problems, offers=known)


def _offers(tenant: Tenant, skus: set[str], to_order: bool) -> dict[str, Offer]:
    offers: dict[str, Offer] = {}
    if not skus:
        return offers
    with connection.cursor() as cursor:
        cursor.execute(_OFFERS + _KEPT * to_order, [tenant.pk, list(skus)])
        for *columns, contract_length, monthly_price in cursor.fetchall():
            offer = Offer(*columns)
            offer = offers.setdefault(offer.sku, offer)
            if contract_length is not None:
                offer.prices[contract_length] = monthly_price
    return offers


def _price(
    tenant: Tenant, position: int, line: LineRequest, offer: Offer | None
) -> PricedLine | Detail:
    if line.kept is not None:
        prices = offer.prices if offer else {}
        return replace(line.kept, position=position, quantity=line.quantity, prices=prices)
    if offer is None:
        return Detail(f"items.{position}.sku", VARIANT_NOT_FOUND, f"There is no SKU “{line.sku}”.")
    if not offer.is_active:
        return Detail(
            f"items.{position}.sku",
            VARIANT_INACTIVE,
            f"“{line.sku}” is no longer rented out.",
        )
    length = _contract_length(tenant, line.contract_length, offer.prices)
    if length is None:
        return Detail(
            f"items.{position}.contractLength",
            INVALID_CONTRACT_LENGTH,
            _no_such_length(line, offer.prices),
        )
    catalogue_price = offer.prices[length]
    return PricedLine(
        position=position,
        variant_pk=offer.variant_pk,
        variant_public_id=offer.variant_public_id,
        product_public_id=offer.product_public_id,
        sku=offer.sku,
        product_name=offer.product_name,
        variant_name=offer.variant_name,
        image_url=offer.image_url,
        quantity=line.quantity,
        contract_length=length,
        unit_price=catalogue_price if line.agreed_price is None else line.agreed_price,
        catalogue_price=catalogue_price,
        prices=offer.prices,
        list_price=offer.list_price,
        acquisition_cost=offer.acquisition_cost,
    )


def _contract_length(
    tenant: Tenant, wanted: Decimal | int | None, prices: dict[int, Decimal]
) -> int | None:
    """The priced length in months that is meant, or None. 24.0 is 24; 24.5 is none."""
    if wanted is not None:
        return next((length for length in prices if length == wanted), None)
    if tenant.default_contract_length in prices:
        return tenant.default_contract_length
    return next(iter(prices)) if len(prices) == 1 else None


def _no_such_length(line: LineRequest, prices: dict[int, Decimal]) -> str:
    if not prices:
        return f"“{line.sku}” has no price yet."
    have = ", ".join(map(str, prices))
    if line.contract_length is None:
        return f"Choose a contract length for “{line.sku}”: {have} months."
    return f"“{line.sku}” is not offered for {line.contract_length} months, but for {have}."
