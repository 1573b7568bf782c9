"""The fields of Create Order as the contract has them, a line each.

`*` marks a required field; what follows the type is promised too. Written down here so that the
OpenAPI document cannot lose or loosen one unnoticed.
"""
# ruff: noqa: E501

REQUEST = """
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
"""

RESPONSE = """
body* object
body.success* boolean enum=True
body.message* string
body.orderId* string
body.order* object
body.order.orderId* string
body.order.tenantId* string
body.order.status* string enum=pending|confirmed|partial|fulfilled|cancelled
body.order.orderType* string enum=standard|extension|upgrade
body.order.customer* object
body.order.customer.customerId* string minLength=1
body.order.customer.email* string format=email
body.order.customer.firstName* string minLength=1
body.order.customer.lastName* string minLength=1
body.order.customer.company string
body.order.customer.phone string
body.order.customer.customerType string enum=individual|business default=individual
body.order.billingAddress* object
body.order.billingAddress.contactName* string
body.order.billingAddress.company string
body.order.billingAddress.buildingInfo string
body.order.billingAddress.streetAddress* string
body.order.billingAddress.locality string
body.order.billingAddress.city* string
body.order.billingAddress.adminArea string
body.order.billingAddress.postalCode string|null
body.order.billingAddress.country* string
body.order.shippingAddress* object
body.order.shippingAddress.contactName* string
body.order.shippingAddress.company string
body.order.shippingAddress.buildingInfo string
body.order.shippingAddress.streetAddress* string
body.order.shippingAddress.locality string
body.order.shippingAddress.city* string
body.order.shippingAddress.adminArea string
body.order.shippingAddress.postalCode string|null
body.order.shippingAddress.country* string
body.order.items* array
body.order.items[] object
body.order.items[].productId string
body.order.items[].productImageUrl string format=uri
body.order.items[].variantId string
body.order.items[].sku* string minLength=1
body.order.items[].productName* string minLength=1
body.order.items[].quantity* integer minimum=1
body.order.items[].unitPrice* number minimum=0
body.order.items[].contractLength* number
body.order.items[].listPrice number minimum=0
body.order.items[].listPriceSource string enum=variant|manual|unknown default=unknown
body.order.items[].acquisitionCost number minimum=0
body.order.items[].acquisitionCostSource string enum=variant|manual|list_price|unknown default=unknown
body.order.items[].listPriceOverride number minimum=0
body.order.items[].acquisitionCostOverride number minimum=0
body.order.items[].usedListPriceAsAcquisition boolean default=False
body.order.items[].rentalIds array default=[]
body.order.items[].rentalIds[] string
body.order.items[].rentalStatus string enum=pending|partial|completed default=pending
body.order.totals* object
body.order.totals.subtotal* number minimum=0
body.order.totals.taxAmount number default=0 minimum=0
body.order.totals.total* number minimum=0
body.order.totals.currency* string minLength=3 maxLength=3
body.order.totals.totalDevices* integer minimum=1
body.order.payment object
body.order.payment.status string enum=pending|paid|failed
body.order.payment.method string enum=stripe|manual
body.order.payment.transactionId string
body.order.payment.paidAmount number minimum=0
body.order.payment.manuallyMarked boolean default=False
body.order.customFields object|null additionalProperties={}
body.order.rentalProgress* object
body.order.rentalProgress.totalDevices* integer minimum=0
body.order.rentalProgress.rentedDevices* integer minimum=0
body.order.rentalIds* array
body.order.rentalIds[] string
body.order.billingGroupId string
body.order.trackingNumber string
body.order.shippedAt string
body.order.createdAt* string
body.order.updatedAt* string
body.order.createdBy* string
body.order.notes string
body.order.extensionDetails object
body.order.extensionDetails.originalOrderId* string
body.order.extensionDetails.extensionMonths* integer exclusiveMinimum=0
body.order.extensionDetails.previousEndDate* string
body.order.extensionDetails.newEndDate* string
body.order.extensionDetails.reason string
body.order.upgradeDetails object
body.order.upgradeDetails.previousDevice* string
body.order.upgradeDetails.previousSerialNumber* string
body.order.upgradeDetails.previousMonthlyAmount* number
body.order.upgradeDetails.previousRentalId* string
body.order.upgradeDetails.upgradeReason string
"""
