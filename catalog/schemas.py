"""The contract's words for what can be ordered, for every door.

Here is shape; whether amounts fit the currency, lengths stand once and SKUs are free is checked
by `catalog.services`. What is not sent stays as it is: `model_fields_set` tells it from a blank.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from catalog.models import (
    BRAND_LENGTH,
    CATEGORY_LENGTH,
    COLOR_LENGTH,
    CONDITION_LENGTH,
    DESCRIPTION_LENGTH,
    GRADE_LENGTH,
    IMAGE_URL_LENGTH,
    MAX_IMAGES,
    NAME_LENGTH,
    PRESET_LENGTH,
    REMARK_LENGTH,
    SKU_LENGTH,
    SPECIFICATION_LENGTH,
    Price,
    Product,
    Variant,
    is_image_url,
)
from portal.ids import MAX_LENGTH as ID_LENGTH
from portal.models import MAX_CONTRACT_LENGTH
from portal.shapes import ContractModel, Omissible, Text, number, refusal, whole_number

MAX_VARIANTS = 500
"""Variants of a product that one request may have."""


@dataclass(frozen=True, slots=True)
class Named(Text):
    """A text that may not be blank; the contract says so too."""

    required: bool = True

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        limits = {"minLength": 1, "maxLength": self.max_length}
        return {**handler(schema), **limits, "x-additive": ["maxLength"]}


def image_url(value: str) -> str:
    """The address of an image, if it is one of http or https."""
    try:
        is_image_url(value)
    except ValidationError as error:
        raise refusal(str(error.message)) from error
    return value


def _told(value: Any) -> str:
    """The contract leaves open what it is, and answers with text: nothing else is kept."""
    return Text(PRESET_LENGTH).check(value) if isinstance(value, str) else ""


def Several(most: int) -> Any:  # noqa: N802 (reads as a part of a type)
    """Of a list: at least one, and so many at most."""
    extra: Any = {"x-additive": ["maxItems"]}
    return Field(min_length=1, max_length=most, json_schema_extra=extra)


Sku = Annotated[str, Named(SKU_LENGTH)]
ImageUrl = Annotated[
    str,
    Text(IMAGE_URL_LENGTH),
    AfterValidator(image_url),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
            "maxLength": IMAGE_URL_LENGTH,
            "x-additive": ["pattern", "maxLength"],
        }
    ),
]
Images = Annotated[
    list[ImageUrl],
    Field(max_length=MAX_IMAGES, json_schema_extra={"x-additive": ["maxItems"]}),
]
Money = Annotated[
    Decimal,
    Field(ge=0),
    BeforeValidator(number),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": 9999999.999,
            "x-additive": ["maximum"],
        }
    ),
]
Length = Annotated[
    int,
    Field(ge=1),
    BeforeValidator(whole_number),
    WithJsonSchema(
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_CONTRACT_LENGTH,
            "x-additive": ["maximum"],
        }
    ),
]


class DiscountInput(ContractModel):
    """Off the monthly price: a percentage, or an amount. Kept and shown, not applied."""

    type: Annotated[Price.DiscountType, Field(strict=False)]
    value: Money
    description: Annotated[str, Text(REMARK_LENGTH)] = ""


class PricingTierInput(ContractModel):
    """What one device costs per month at a contract length, in whole months."""

    contract_length: Length
    monthly_price: Money
    setup_fee: Annotated[Money | None, Omissible()] = None
    discount: Annotated[DiscountInput | None, Omissible()] = None
    source: Annotated[
        Price.Source,
        Field(strict=False),
        WithJsonSchema({"type": "string", "enum": Price.Source.values, "x-additive": ["default"]}),
    ] = Price.Source.MANUAL
    calculated_at: Annotated[str, BeforeValidator(_told), WithJsonSchema({})] = ""
    preset_used: Annotated[str, Text(PRESET_LENGTH)] = ""


Pricing = Annotated[list[PricingTierInput], Several(MAX_CONTRACT_LENGTH)]


class VariantUpdate(ContractModel):
    """What changes about the variant of this SKU; where there is none, it is added.

    With `variantId` the variant is found by that, and `variantSku` may be a new one. `pricing` is
    the whole list: a contract length that is not on it is no longer offered.
    """

    variant_id: Annotated[str, Text(ID_LENGTH)] = ""
    variant_sku: Sku
    variant_name: Annotated[str, Named(NAME_LENGTH)] = ""
    grade: Annotated[str, Named(GRADE_LENGTH)] = ""
    condition: Annotated[str, Text(CONDITION_LENGTH)] = ""
    color_name: Annotated[str, Text(COLOR_LENGTH)] = ""
    images: Images = []
    list_price: Annotated[Money | None, Omissible()] = None
    acquisition_cost: Annotated[Money | None, Omissible()] = None
    pricing: Pricing = []


class VariantInput(VariantUpdate):
    """A whole variant, found by its SKU or added."""

    variant_name: Annotated[str, Named(NAME_LENGTH)]
    grade: Annotated[str, Named(GRADE_LENGTH)]
    pricing: Pricing


class _ProductFields(ContractModel):
    product_sku: Sku = ""
    name: Annotated[str, Named(NAME_LENGTH)] = ""
    specification: Annotated[str, Named(SPECIFICATION_LENGTH)] = ""
    category: Annotated[str, Named(CATEGORY_LENGTH)] = ""
    brand: Annotated[str, Named(BRAND_LENGTH)] = ""
    description: Annotated[str, Text(DESCRIPTION_LENGTH, multiline=True)] = ""
    images: Images = []


class ProductInput(_ProductFields):
    """A whole product, found by its SKU or added (contract: Create Product)."""

    product_sku: Sku
    name: Annotated[str, Named(NAME_LENGTH)]
    specification: Annotated[str, Named(SPECIFICATION_LENGTH)]
    category: Annotated[str, Named(CATEGORY_LENGTH)]
    brand: Annotated[str, Named(BRAND_LENGTH)]
    variants: Annotated[list[VariantInput], Several(MAX_VARIANTS)]


class ProductUpdate(_ProductFields):
    """What changes about a product (contract: Update Product); nothing is required."""

    variants: Annotated[list[VariantUpdate], Several(MAX_VARIANTS)] = []
    status: Annotated[
        Annotated[Product.Status, Field(strict=False, json_schema_extra={"x-additive": True})]
        | None,
        Omissible(),
    ] = None


class VariantStatusUpdate(ContractModel):
    """Whether a variant can be ordered."""

    status: Annotated[Variant.Status, Field(strict=False)]
