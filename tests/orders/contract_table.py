"""The operations of orders as the contract has them, a line for each field.

`*` marks what is required; what follows the type is promised too. Written down here so that the
OpenAPI document cannot lose, rename or loosen one unnoticed. `X` stands for where an order is.
"""

from tests.contract import Operation

HEADERS = "header.Tenant-ID* string"
PAGE = """
query.limit string
query.startAfter string
"""
ORDER_ID = "path.orderId* string"
ACK = """
body* object
body.success* boolean enum=True
body.message* string
body.orderId* string
"""

# What any operation may be refused for.
REFUSALS = (
    "\n".join(
        f"""
{status}.body* object
{status}.body.error* object
{status}.body.error.code* string
{status}.body.error.message* string
"""
        for status in (401, 403, 429, 500)
    )
    + """
401 AUTH_REQUIRED
401 INVALID_TOKEN
403 NO_TENANT_ACCESS
403 INSUFFICIENT_PERMISSIONS
429 RATE_LIMITED
429.Retry-After string
500 INTERNAL_ERROR
"""
)

ORDER = """
X* object
X.orderId* string
X.tenantId* string
X.status* string enum=pending|confirmed|partial|fulfilled|cancelled
X.orderType* string enum=standard|extension|upgrade
X.customer* object
X.customer.customerId* string minLength=1
X.customer.email* string format=email
X.customer.firstName* string minLength=1
X.customer.lastName* string minLength=1
X.customer.company string
X.customer.phone string
X.customer.customerType string enum=individual|business default=individual
X.billingAddress* object
X.billingAddress.contactName* string
X.billingAddress.company string
X.billingAddress.buildingInfo string
X.billingAddress.streetAddress* string
X.billingAddress.locality string
X.billingAddress.city* string
X.billingAddress.adminArea string
X.billingAddress.postalCode string|null
X.billingAddress.country* string
X.shippingAddress* object
X.shippingAddress.contactName* string
X.shippingAddress.company string
X.shippingAddress.buildingInfo string
X.shippingAddress.streetAddress* string
X.shippingAddress.locality string
X.shippingAddress.city* string
X.shippingAddress.adminArea string
X.shippingAddress.postalCode string|null
X.shippingAddress.country* string
X.items* array
X.items[] object
X.items[].productId string
X.items[].productImageUrl string format=uri
X.items[].variantId string
X.items[].sku* string minLength=1
X.items[].productName* string minLength=1
X.items[].quantity* integer minimum=1
X.items[].unitPrice* number minimum=0
X.items[].contractLength* number
X.items[].listPrice number minimum=0
X.items[].listPriceSource string enum=variant|manual|unknown default=unknown
X.items[].acquisitionCost number minimum=0
X.items[].acquisitionCostSource string enum=variant|manual|list_price|unknown default=unknown
X.items[].listPriceOverride number minimum=0
X.items[].acquisitionCostOverride number minimum=0
X.items[].usedListPriceAsAcquisition boolean default=False
X.items[].rentalIds array default=[]
X.items[].rentalIds[] string
X.items[].rentalStatus string enum=pending|partial|completed default=pending
X.totals* object
X.totals.subtotal* number minimum=0
X.totals.taxAmount number default=0 minimum=0
X.totals.total* number minimum=0
X.totals.currency* string minLength=3 maxLength=3
X.totals.totalDevices* integer minimum=1
X.payment object
X.payment.status string enum=pending|paid|failed
X.payment.method string enum=stripe|manual
X.payment.transactionId string
X.payment.paidAmount number minimum=0
X.payment.manuallyMarked boolean default=False
X.customFields object|null additionalProperties={}
X.rentalProgress* object
X.rentalProgress.totalDevices* integer minimum=0
X.rentalProgress.rentedDevices* integer minimum=0
X.rentalIds* array
X.rentalIds[] string
X.billingGroupId string
X.trackingNumber string
X.shippedAt string
X.createdAt* string
X.updatedAt* string
X.createdBy* string
X.notes string
X.extensionDetails object
X.extensionDetails.originalOrderId* string
X.extensionDetails.extensionMonths* integer exclusiveMinimum=0
X.extensionDetails.previousEndDate* string
X.extensionDetails.newEndDate* string
X.extensionDetails.reason string
X.upgradeDetails object
X.upgradeDetails.previousDevice* string
X.upgradeDetails.previousSerialNumber* string
X.upgradeDetails.previousMonthlyAmount* number
X.upgradeDetails.previousRentalId* string
X.upgradeDetails.upgradeReason string
"""


def order_at(path: str) -> str:
    """The lines of an order object that stands at this path."""
    return "\n".join(line.replace("X", path, 1) for line in ORDER.strip().splitlines())


OPERATIONS = {
    "POST /v1/orders": Operation(
        "createOrder",
        parameters=HEADERS,
        request="""
body* object
body.orderType string enum=standard|extension|upgrade default=standard
body.extensionDetails object
body.extensionDetails.originalOrderId* string
body.extensionDetails.extensionMonths* integer exclusiveMinimum=0
body.extensionDetails.previousEndDate* string
body.extensionDetails.newEndDate* string
body.extensionDetails.reason string
body.upgradeDetails object
body.upgradeDetails.previousDevice* string
body.upgradeDetails.previousSerialNumber* string
body.upgradeDetails.previousMonthlyAmount* number
body.upgradeDetails.previousRentalId* string
body.upgradeDetails.upgradeReason string
body.customer* object
body.customer.email* string format=email
body.customer.firstName* string
body.customer.lastName* string
body.customer.company string
body.customer.phone string
body.customer.customerType string enum=individual|business default=individual
body.customFields object|null additionalProperties={}
body.billingAddress* object
body.billingAddress.contactName* string
body.billingAddress.company string
body.billingAddress.buildingInfo string
body.billingAddress.streetAddress* string
body.billingAddress.locality string
body.billingAddress.city* string
body.billingAddress.adminArea string
body.billingAddress.postalCode string|null
body.billingAddress.country* string
body.shippingAddress object
body.shippingAddress.contactName* string
body.shippingAddress.company string
body.shippingAddress.buildingInfo string
body.shippingAddress.streetAddress* string
body.shippingAddress.locality string
body.shippingAddress.city* string
body.shippingAddress.adminArea string
body.shippingAddress.postalCode string|null
body.shippingAddress.country* string
body.items* array minItems=1
body.items[] object
body.items[].sku* string minLength=1
body.items[].quantity* integer minimum=1
body.items[].contractLength number
body.notes string
""",
        status=201,
        response="body* object\nbody.success* boolean enum=True\nbody.message* string\n"
        "body.orderId* string\n" + order_at("body.order"),
        refusals="""
400 VALIDATION_ERROR
400 VARIANT_NOT_FOUND
400 VARIANT_INACTIVE
400 INVALID_CONTRACT_LENGTH
""",
    ),
    "GET /v1/orders": Operation(
        "listOrders",
        parameters=f"""
{HEADERS}
{PAGE}
query.status string
query.customerId string
query.sortBy string enum=createdAt|updatedAt|orderId|status|totals.total default=createdAt
query.sortDir string enum=asc|desc default=desc
""",
        response="""
body* object
body.orders* array
body.count* number
body.limit* number
body.hasMore* boolean
body.nextCursor* string|null
"""
        + order_at("body.orders[]").replace("body.orders[]*", "body.orders[]"),
    ),
    "GET /v1/orders/{orderId}": Operation(
        "getOrder",
        parameters=f"{HEADERS}\n{ORDER_ID}",
        response=order_at("body"),
        refusals="404 NOT_FOUND",
    ),
    "POST /v1/orders/{orderId}/cancel": Operation(
        "cancelOrder",
        parameters=f"{HEADERS}\n{ORDER_ID}",
        request="body* object\nbody.reason string maxLength=1000",
        response=ACK,
        refusals="400 ORDER_NOT_CANCELLABLE\n400 ALREADY_CANCELLED\n404 NOT_FOUND",
    ),
    "PATCH /v1/orders/{orderId}/notes": Operation(
        "updateOrderNotes",
        parameters=f"{HEADERS}\n{ORDER_ID}",
        request="body* object\nbody.notes* string maxLength=5000",
        response=ACK,
        refusals="400 VALIDATION_ERROR\n404 NOT_FOUND",
    ),
}
