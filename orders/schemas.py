"""The contract of Create Order as types: the one shape that API and form are checked against.

Field names are the contract's, in camelCase on the wire. Unknown fields are ignored. A blank
optional string counts as absent and is kept as "". Everything here is shape; what needs the
catalogue, the customer or the tenant is checked by `orders.services`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from catalog.models import SKU_LENGTH
from customers.models import COMPANY_LENGTH, NAME_LENGTH, PHONE_LENGTH, CustomerType
from orders.models import MAX_LINES, MAX_QUANTITY, NOTES_LENGTH, Order
from portal import exact_json, money, text
from portal.errors import Detail
from portal.models import MAX_CONTRACT_LENGTH

ADDRESS_LINE_LENGTH = 300
DETAIL_LENGTH = 200
CUSTOM_FIELDS_BYTES = 64 * 1024
CUSTOM_FIELDS_DEPTH = 32


def _refusal(message: str) -> PydanticCustomError:
    return PydanticCustomError("portal", "{reason}", {"reason": message})


@dataclass(frozen=True, slots=True)
class Text:
    """A string: trimmed, NFC, nothing hidden in it, at most so long; blank only if optional."""

    max_length: int
    required: bool = False
    multiline: bool = False

    def check(self, value: str) -> str:
        try:
            value = text.clean(value, multiline=self.multiline)
        except ValueError as error:
            raise _refusal(str(error)) from error
        if self.required and not value:
            raise _refusal("This field is required.")
        if len(value) > self.max_length:
            raise _refusal(f"This may have {self.max_length} characters at most.")
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        limits = {"minLength": 1} if self.required else {}
        limits["maxLength"] = self.max_length
        return {**handler(schema), **limits, "x-additive": list(limits)}


def _email(value: Any) -> Any:
    if not isinstance(value, str):
        raise _refusal("Enter an e-mail address such as name@example.com.")
    try:
        text.normalize_email(value)
    except ValueError as error:
        raise _refusal(str(error)) from error
    return text.clean(value)


def _whole_number(value: Any) -> int:
    """An integer; 1.0 counts as one, true and "1" do not."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _refusal("Enter a whole number.")
    # Compared before it is converted: 1e300 would become an integer of 300 digits.
    number = Decimal(value)
    if abs(number) > 10**9:
        raise _refusal("This number is too large.")
    if number != int(number):
        raise _refusal("Enter a whole number.")
    return int(number)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _refusal("Enter a number.")
    return Decimal(value)


def _not_null(value: Any) -> Any:
    if value is None:
        raise _refusal("Leave this out instead of sending null.")
    return value


def _custom_fields(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _refusal("Send an object.")
    for key, inner in value.items():
        _check_json(key, "A name", depth=1)
        _check_json(inner, f"“{key}”", depth=2)
    if len(exact_json.dumps(value).encode()) > CUSTOM_FIELDS_BYTES:
        raise _refusal("Custom fields may take 64 kB at most.")
    return value


def _check_json(value: Any, name: str, depth: int) -> None:
    """Refuses strings and keys with hidden characters, and nesting that nobody means."""
    if depth > CUSTOM_FIELDS_DEPTH:
        raise _refusal(f"{name} may be nested {CUSTOM_FIELDS_DEPTH} levels deep at most.")
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
            raise _refusal(f"{name} contains a character that cannot be seen ({found}).")


class Omissible:
    """An object that may be left out, but not sent as null: `Annotated[X | None, Omissible()]`.

    It is checked as X alone: what is wrong in a union, pydantic reports once per member, at
    paths that name the member.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        present = next(member for member in get_args(source) if member is not type(None))
        return core_schema.no_info_before_validator_function(
            _not_null, handler.generate_schema(present)
        )


MAXIMUM = {"x-additive": ["maximum"]}
"""Marks a limit of ours in the OpenAPI document."""

Name = Annotated[str, Text(NAME_LENGTH, required=True)]
Email = Annotated[
    str,
    BeforeValidator(_email),
    WithJsonSchema(
        {"type": "string", "format": "email", "maxLength": 254, "x-additive": ["maxLength"]}
    ),
]
Company = Annotated[str, Text(COMPANY_LENGTH)]
Phone = Annotated[str, Text(PHONE_LENGTH)]
AddressLine = Annotated[str, Text(ADDRESS_LINE_LENGTH)]
RequiredAddressLine = Annotated[str, Text(ADDRESS_LINE_LENGTH, required=True)]
PostalCode = Annotated[
    AddressLine | None,
    WithJsonSchema(
        {
            "type": ["string", "null"],
            "maxLength": ADDRESS_LINE_LENGTH,
            "x-additive": ["maxLength"],
        }
    ),
]
RequiredDetail = Annotated[str, Text(DETAIL_LENGTH, required=True)]
Reason = Annotated[str, Text(1000, multiline=True)]
Sku = Annotated[
    str,
    Text(SKU_LENGTH, required=True),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": SKU_LENGTH, "x-additive": ["maxLength"]}
    ),
]
Quantity = Annotated[
    int, Field(ge=1, le=MAX_QUANTITY, json_schema_extra=MAXIMUM), BeforeValidator(_whole_number)
]
Months = Annotated[
    int,
    Field(gt=0, le=MAX_CONTRACT_LENGTH, json_schema_extra=MAXIMUM),
    BeforeValidator(_whole_number),
]
Amount = Annotated[
    Decimal,
    Field(ge=0, le=money.MAX_UNIT_PRICE),
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": 9999999.999,
            "x-additive": ["minimum", "maximum"],
        }
    ),
]
# Any number has the right shape: which lengths there are, only the catalogue knows.
ContractLength = Annotated[
    Decimal | SkipJsonSchema[None],
    BeforeValidator(_not_null),
    BeforeValidator(_number),
    WithJsonSchema({"type": "number"}),
]
CustomFields = Annotated[
    dict[str, Any] | None,
    BeforeValidator(_custom_fields),
    WithJsonSchema({"type": ["object", "null"], "additionalProperties": {}}),
]


class ContractModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_alias=True, strict=True)

    def stored(self) -> dict[str, Any]:
        """The contract's object as it is kept and sent back: blank and absent fields left out."""
        values = self.model_dump(by_alias=True, exclude_unset=True)
        return {
            key: value
            for key, value in values.items()
            if value not in ("", None) or (key == "postalCode" and value is None)
        }


Shape = TypeVar("Shape", bound=ContractModel)


class Address(ContractModel):
    """A postal address, kept word for word. `country` is free text ("Netherlands", "US")."""

    contact_name: RequiredAddressLine
    company: AddressLine = ""
    building_info: AddressLine = ""
    street_address: RequiredAddressLine
    locality: AddressLine = ""
    city: RequiredAddressLine
    admin_area: AddressLine = ""
    postal_code: PostalCode = None
    country: RequiredAddressLine


class CustomerInput(ContractModel):
    """Who orders, as said on the phone or sent by the shop; found or created by `email`."""

    email: Email
    first_name: Name
    last_name: Name
    company: Company = ""
    phone: Phone = ""
    customer_type: Annotated[CustomerType, Field(strict=False)] = CustomerType.INDIVIDUAL


class ItemInput(ContractModel):
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


class NewOrder(ContractModel):
    """The body of `POST /v1/orders` (contract: Create Order), and what `create_order` takes."""

    order_type: Annotated[Order.Type, Field(strict=False)] = Order.Type.STANDARD
    extension_details: Annotated[ExtensionDetails | None, Omissible()] = None
    upgrade_details: Annotated[UpgradeDetails | None, Omissible()] = None
    customer: CustomerInput
    custom_fields: CustomFields = None
    billing_address: Address
    shipping_address: Annotated[Address | None, Omissible()] = None
    items: Annotated[
        list[ItemInput],
        Field(
            min_length=1,
            max_length=MAX_LINES,
            json_schema_extra={"x-additive": ["maxItems"]},
        ),
    ]
    notes: Annotated[str, Text(NOTES_LENGTH, multiline=True)] = ""

    def at(self, agreed_prices: Sequence[Decimal | None]) -> Self:
        """The same order with these prices agreed, by position; None leaves the catalogue's."""
        items = [item.at(price) for item, price in zip(self.items, agreed_prices, strict=True)]
        return self.model_copy(update={"items": items})


def parse(model: type[Shape], data: Any) -> tuple[Shape | None, list[Detail]]:
    """The data as the model and no details, or None and every field that has the wrong shape."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, [
            Detail(
                ".".join(str(part) for part in found["loc"]),
                "VALIDATION_ERROR",
                _message(found),
            )
            for found in error.errors(include_url=False)
        ]


_MESSAGES = {
    "missing": "This field is required.",
    "string_type": "Send a string.",
    "list_type": "Send a list.",
    "bool_type": "Send true or false.",
    "model_type": "Send an object.",
    "model_attributes_type": "Send an object.",
    "dict_type": "Send an object.",
    "string_unicode": "This contains a character that cannot be sent.",
    "too_short": "Add at least one item.",
    "too_long": f"There may be {MAX_LINES} items at most.",
}


def _message(found: Mapping[str, Any]) -> str:
    """In our own words; `found` is one of pydantic's errors."""
    match found["type"]:
        case "greater_than_equal":
            return f"Enter {found['ctx']['ge']:,} or more."
        case "greater_than":
            return f"Enter more than {found['ctx']['gt']:,}."
        case "less_than_equal":
            return f"Enter {found['ctx']['le']:,} at most."
        case "enum" | "literal_error":
            return f"Choose {found['ctx']['expected']}."
        case kind:
            message: str = _MESSAGES.get(kind, found["msg"])
            return message
