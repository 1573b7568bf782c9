"""The contract's words for who orders and where devices go, for every door."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from customers.models import COMPANY_LENGTH, NAME_LENGTH, PHONE_LENGTH, CustomerType
from portal.shapes import ContractModel, Email, Text

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
