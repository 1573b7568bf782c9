"""The contract's words for who orders and where devices go, for every door."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from customers.models import COMPANY_LENGTH, NAME_LENGTH, PHONE_LENGTH, Customer, CustomerType
from customers.services import Changes
from portal.shapes import OURS, ContractModel, Email, Omissible, Text

ADDRESS_LINE_LENGTH = 300

Name = Annotated[str, Text(NAME_LENGTH, required=True)]
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


class CustomerInput(ContractModel, title="OrderCustomerInput"):
    """Who orders, as said on the phone or sent by the shop; found or created by `email`."""

    email: Email
    first_name: Name
    last_name: Name
    company: Company = ""
    phone: Phone = ""
    customer_type: Annotated[CustomerType, Field(strict=False)] = CustomerType.INDIVIDUAL


ChangedName = Annotated[
    Name,
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH, "x-additive": ["maxLength"]}
    ),
]


class CustomerUpdate(ContractModel, title="CustomerUpdateRequest"):
    """What of a customer's record is to be otherwise: what is left out stays as it is.

    A blank company or phone is taken away. The addresses are those that are remembered for the
    next order.
    """

    customer_id: Annotated[
        str,
        WithJsonSchema({"type": "string", "minLength": 1}),
        Field(description="The same as in the address."),
    ]
    email: Annotated[
        Email, Field(description="One that no other customer has.", json_schema_extra=OURS)
    ] = ""
    first_name: ChangedName = ""
    last_name: ChangedName = ""
    company: Company = ""
    phone: Phone = ""
    customer_type: Annotated[Annotated[CustomerType, Field(strict=False)] | None, Omissible()] = (
        None
    )
    status: Annotated[Annotated[Customer.Status, Field(strict=False)] | None, Omissible()] = None
    billing_address: Annotated[Address | None, Omissible()] = None
    shipping_address: Annotated[Address | None, Omissible()] = None

    @property
    def changes(self) -> Changes:
        """What was sent, as the record has it."""
        sent: Any = self.model_dump(
            exclude={"customer_id", "billing_address", "shipping_address"}, exclude_unset=True
        )
        if self.billing_address:
            sent["last_billing_address"] = self.billing_address.stored()
        if self.shipping_address:
            sent["last_shipping_address"] = self.shipping_address.stored()
        changes: Changes = sent
        return changes
