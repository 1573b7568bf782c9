"""The contract of Create Order as types: the one shape that API and form are checked against.

Everything here is shape; what needs the catalogue, the customer or the tenant is checked by
`orders.services`.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PrivateAttr, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from catalog.schemas import Sku
from customers.schemas import Address, CustomerInput
from orders.models import MAX_LINES, MAX_QUANTITY, NOTES_LENGTH, REASON_LENGTH, Order
from portal import exact_json, text
from portal.shapes import (
    MAXIMUM,
    OURS,
    Amount,
    ContractModel,
    Months,
    Omissible,
    Text,
    not_null,
    number,
    refusal,
    whole_number,
)

DETAIL_LENGTH = 200
CUSTOM_FIELDS_BYTES = 64 * 1024
CUSTOM_FIELDS_DEPTH = 32


def _custom_fields(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise refusal("Send an object.")
    for key, inner in value.items():
        _check_json(key, "A name", depth=1)
        _check_json(inner, f"“{key}”", depth=2)
    value = _as_stored(value)
    if len(exact_json.dumps(value).encode()) > CUSTOM_FIELDS_BYTES:
        raise refusal("Custom fields may take 64 kB at most.")
    return value


def _as_stored(value: Any) -> Any:
    """With numbers as the database writes them: 1.5e3 takes the room of 1500, and is shown so."""
    if isinstance(value, dict):
        return {key: _as_stored(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_stored(inner) for inner in value]
    if isinstance(value, Decimal):
        return Decimal(f"{value or abs(value):f}")
    return value


def _check_json(value: Any, name: str, depth: int) -> None:
    """Refuses strings and keys with hidden characters, and nesting that nobody means."""
    if depth > CUSTOM_FIELDS_DEPTH:
        raise refusal(f"{name} may be nested {CUSTOM_FIELDS_DEPTH} levels deep at most.")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_json(key, name, depth)
            _check_json(inner, name, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_json(inner, name, depth + 1)
    elif isinstance(value, str):
        # Lines may end as they do on Windows; what is sent is kept as it is.
        shown = value.replace("\r\n", "\n")
        if found := text.hidden_character(shown, multiline=True):
            raise refusal(f"{name} contains a character that cannot be seen ({found}).")


RequiredDetail = Annotated[str, Text(DETAIL_LENGTH, required=True)]
Reason = Annotated[str, Text(REASON_LENGTH, multiline=True)]
Quantity = Annotated[
    int, Field(ge=1, le=MAX_QUANTITY, json_schema_extra=MAXIMUM), BeforeValidator(whole_number)
]
ContractLength = Annotated[
    Decimal | SkipJsonSchema[None],
    BeforeValidator(not_null),
    BeforeValidator(number),
    WithJsonSchema({"type": "number"}),
]
CustomFields = Annotated[
    dict[str, Any] | None,
    BeforeValidator(_custom_fields),
    WithJsonSchema({"type": ["object", "null"], "additionalProperties": {}}),
]
Notes = Annotated[str, Text(NOTES_LENGTH, multiline=True)]
SeenVersion = Annotated[
    Annotated[int, Field(ge=1), BeforeValidator(whole_number)] | None,
    Omissible(),
    Field(
        description="The `version` that was seen. If the order moved on, nothing is changed and "
        "the answer is 409 `STATE_CONFLICT`.",
        json_schema_extra=OURS,
    ),
]


class ItemInput(ContractModel, title="OrderItemInput"):
    """Devices of one SKU. `contractLength` in months; without one the tenant's default applies."""

    sku: Sku
    quantity: Quantity
    contract_length: ContractLength = None
    # Private: pydantic reads no name of a body into it, however it is spelled.
    _agreed_price: Decimal | None = PrivateAttr(default=None)

    @property
    def agreed_price(self) -> Decimal | None:
        """The monthly price per device that our own people said or decided, if they did."""
        return self._agreed_price

    def at(self, agreed_price: Decimal | None) -> Self:
        """The same item at that price instead of the catalogue's."""
        item = self.model_copy()
        item._agreed_price = agreed_price
        return item


Items = Annotated[
    list[ItemInput],
    Field(min_length=1, max_length=MAX_LINES, json_schema_extra={"x-additive": ["maxItems"]}),
]


class ExtensionDetails(ContractModel):
    """Which rental is kept longer, and by how many months."""

    original_order_id: RequiredDetail
    extension_months: Months
    previous_end_date: RequiredDetail
    new_end_date: RequiredDetail
    reason: Reason = ""


class UpgradeDetails(ContractModel):
    """Which device is replaced. `previousMonthlyAmount` in the tenant's currency."""

    previous_device: RequiredDetail
    previous_serial_number: RequiredDetail
    previous_monthly_amount: Amount
    previous_rental_id: RequiredDetail
    upgrade_reason: Reason = ""


class NewOrder(ContractModel, title="OrderCreateRequest"):
    """The body of `POST /v1/orders` (contract: Create Order), and what `create_order` takes."""

    order_type: Annotated[Order.Type, Field(strict=False)] = Order.Type.STANDARD
    extension_details: Annotated[ExtensionDetails | None, Omissible()] = None
    upgrade_details: Annotated[UpgradeDetails | None, Omissible()] = None
    customer: CustomerInput
    custom_fields: CustomFields = None
    billing_address: Address
    shipping_address: Annotated[Address | None, Omissible()] = None
    items: Items
    notes: Notes = ""

    def at(self, agreed_prices: Sequence[Decimal | None]) -> Self:
        """The same order with these prices agreed, by position; None leaves the catalogue's."""
        items = [item.at(price) for item, price in zip(self.items, agreed_prices, strict=True)]
        return self.model_copy(update={"items": items})


class OrderUpdate(ContractModel, title="OrderUpdateRequest"):
    """What of an order is to be otherwise. A field that is sent replaces the whole of it, one
    that is left out stays; null takes extension or upgrade details and custom fields away.
    """

    order_type: Annotated[Annotated[Order.Type, Field(strict=False)] | None, Omissible()] = None
    extension_details: ExtensionDetails | None = None
    upgrade_details: UpgradeDetails | None = None
    customer: Annotated[CustomerInput | None, Omissible()] = None
    custom_fields: CustomFields = None
    billing_address: Annotated[Address | None, Omissible()] = None
    shipping_address: Annotated[Address | None, Omissible()] = None
    items: Annotated[Items | None, Omissible()] = None
    notes: Notes = ""
    version: SeenVersion = None
    reason: Annotated[Reason, Field(description="Why, for the order's history.")] = ""

    @property
    def changes(self) -> dict[str, Any]:
        """The fields of the order that were sent."""
        sent = self.model_fields_set - {"version", "reason"}
        return {name: getattr(self, name) for name in sent}


class OrderConfirm(ContractModel, title="OrderConfirmRequest"):
    version: SeenVersion = None
    reason: Reason = ""


class OrderCancel(ContractModel, title="OrderCancelRequest"):
    reason: Annotated[Reason, WithJsonSchema({"type": "string", "maxLength": REASON_LENGTH})] = ""


class NotesUpdate(ContractModel):
    """The whole text, at most 5,000 characters, instead of what is there; blank for none."""

    notes: Annotated[Notes, WithJsonSchema({"type": "string", "maxLength": NOTES_LENGTH})]
