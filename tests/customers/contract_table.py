"""The operations of customers as the contract has them, a line for each field.

`*` marks what is required; what follows the type is promised too. `X` stands for where an object
is.
"""

from tests.contract import Operation

HEADERS = "header.Tenant-ID* string"
PATH = f"{HEADERS}\npath.customerId* string"

ADDRESS = """
X object
X.contactName* string
X.company string
X.buildingInfo string
X.streetAddress* string
X.locality string
X.city* string
X.adminArea string
X.postalCode string|null
X.country* string
"""
CUSTOMER = """
X.customerId* string
X.tenantId* string
X.email* string
X.firstName* string
X.lastName* string
X.company string
X.phone string
X.customerType* string enum=individual|business
X.customFields object additionalProperties={}
X.totalOrders* number
X.totalDevicesRented* number
X.totalMonthlyRevenue* number
X.status* string enum=active|inactive
X.orderIds* array
X.orderIds[] string
X.rentalIds* array
X.rentalIds[] string
X.createdAt any
X.updatedAt any
X.createdBy* string
X.lifetimeCollected number
X.totalAcquisitionCost number
X.customerMargin number
X.customerMarginPercent number
X.subscriptionsTracked number
"""
ACK = """
body* object
body.success* boolean enum=True
body.message* string
body.customerId* string
"""


def at(path: str, lines: str) -> str:
    """The lines of an object that stands at this path."""
    return lines.replace("\nX", f"\n{path}")


def customer_at(path: str) -> str:
    addresses = [at(f"{path}.last{kind}Address", ADDRESS) for kind in ("Billing", "Shipping")]
    return at(path, CUSTOMER) + "".join(addresses)


OPERATIONS = {
    "GET /v1/customers": Operation(
        "listCustomers",
        parameters=HEADERS
        + """
query.limit string
query.startAfter string
query.status string
query.customerType string
query.email string
query.hasActiveRentals string
query.sortBy string enum=createdAt|firstName|lastName|email|totalMonthlyRevenue|totalDevicesRented \
default=createdAt
query.sortDir string enum=asc|desc default=desc
""",
        response="""
body* object
body.customers* array
body.customers[] object
body.count* number
body.limit* number
body.hasMore* boolean
body.nextCursor* string|null
"""
        + customer_at("body.customers[]"),
    ),
    "GET /v1/customers/{customerId}": Operation(
        "getCustomer",
        parameters=PATH,
        response="body* object" + customer_at("body"),
        refusals="404 NOT_FOUND",
    ),
    "PUT /v1/customers/{customerId}": Operation(
        "updateCustomer",
        parameters=PATH,
        request="""
body* object
body.customerId* string minLength=1
body.firstName string minLength=1
body.lastName string minLength=1
body.company string
body.phone string
body.customerType string enum=individual|business
body.status string enum=active|inactive
"""
        + at("body.billingAddress", ADDRESS)
        + at("body.shippingAddress", ADDRESS),
        response=f"{ACK}\nbody.customer* object" + customer_at("body.customer"),
        refusals="400 VALIDATION_ERROR\n404 NOT_FOUND",
    ),
    "DELETE /v1/customers/{customerId}": Operation(
        "deleteCustomer",
        parameters=PATH,
        response=ACK,
        refusals="""
404 NOT_FOUND
409 CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS
409 CUSTOMER_HAS_PENDING_ORDERS
""",
    ),
}
