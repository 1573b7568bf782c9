"""What customers get by e-mail has in common: to whom, which devices at what price, from whom."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from django.template.loader import render_to_string

from catalog.pricing import PricedLine, Totals
from orders.models import Order, OrderItem
from portal.models import User

_ADDRESS = (
    ("contact_name",),
    ("company",),
    ("street_address",),
    ("building_info",),
    ("postal_code", "city"),
    ("locality",),
    ("admin_area",),
    ("country",),
)


class Letter(Protocol):
    """What `orders/_letter_email` shows. `rep` signs it and gets the answers.

    The customer and the addresses are written line by line; `shipping` is empty if it ships to
    the billing address.
    """

    @property
    def subject(self) -> str: ...

    @property
    def rep(self) -> User | None: ...

    @property
    def customer(self) -> list[str]: ...

    @property
    def billing(self) -> list[str]: ...

    @property
    def shipping(self) -> list[str]: ...

    @property
    def lines(self) -> Sequence[PricedLine | OrderItem]: ...

    @property
    def totals(self) -> Totals | Order: ...


def address_lines(part: Callable[[str], str]) -> list[str]:
    """An address as on an envelope; `part` finds each part by its name: `street_address`."""
    lines = [" ".join(part(name) for name in names).strip() for names in _ADDRESS]
    return [line for line in lines if line]


def one_line(address: Mapping[str, Any]) -> str:
    """An address, as the contract names its parts, on one line: street, town and country."""
    names = ("streetAddress", "buildingInfo", "postalCode", "city", "country")
    return ", ".join(str(address[name]) for name in names if address.get(name))


def written(letter: Letter, template: str) -> tuple[str, str]:
    """The letter as plain text and as HTML, in the formats that are in use."""
    context = {"letter": letter}
    return (
        render_to_string(f"{template}.txt", context),
        render_to_string(f"{template}.html", context),
    )
