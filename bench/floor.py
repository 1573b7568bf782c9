"""The floor: an order of five lines as five plain statements in one transaction."""

from typing import Any

import psycopg
from django.db.models import QuerySet
from psycopg.types.json import Jsonb

from customers.models import Customer
from orders.models import Order, OrderEvent, OrderItem
from portal.exact_json import dumps

STATEMENTS = 7
"""That an order takes, BEGIN and COMMIT included."""

PRICES = """
    SELECT variant.id, variant.sku, price.contract_length, price.monthly_price
    FROM catalog_variant variant JOIN catalog_price price ON price.variant_id = variant.id
    WHERE variant.tenant_id = %s AND variant.sku = ANY(%s)
"""
KNOWN = """
    ON CONFLICT (tenant_id, email_key) DO UPDATE
    SET last_billing_address = excluded.last_billing_address RETURNING id
"""


class Floor:
    """Writes copies of one order, over one connection, with nothing else around it."""

    def __init__(self, connection: psycopg.Connection[Any], order: Order) -> None:
        self.connection = connection
        [self.order] = _cells(Order.objects.filter(pk=order.pk))
        [self.customer] = _cells(Customer.objects.filter(pk=order.customer_id))
        [self.event] = _cells(OrderEvent.objects.filter(order=order))
        self.items = _cells(OrderItem.objects.filter(order=order))
        self.skus = [item["sku"] for item in self.items]

    def place_order(self, number: str, email: str) -> None:
        own = {"public_id": f"cust_F{number}", "email": email, "email_key": email}
        with self.connection.transaction():
            self.connection.execute(PRICES, [self.order["tenant_id"], self.skus]).fetchall()
            [customer_id] = self._insert("customers_customer", [self.customer | own], KNOWN)
            order = self.order | {"public_id": f"ord_F{number}", "customer_id": customer_id}
            [order_id] = self._insert("orders_order", [order], "RETURNING id")
            self._insert("orders_orderitem", [item | {"order_id": order_id} for item in self.items])
            self._insert("orders_orderevent", [self.event | {"order_id": order_id}])

    def _insert(self, table: str, rows: list[dict[str, Any]], ending: str = "") -> list[int]:
        names = ", ".join(f'"{name}"' for name in rows[0])
        row = f"({', '.join(['%s'] * len(rows[0]))})"
        done = self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * len(rows))} {ending}",
            [cell for cells in rows for cell in cells.values()],
        )
        return [row[0] for row in done] if ending else []


def _cells(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    """The rows as they would be sent, without what the database fills in."""
    return [
        {
            name: Jsonb(cell, dumps=dumps) if isinstance(cell, dict) else cell
            for name, cell in row.items()
            if name not in ("id", "search_text")
        }
        for row in rows.values()
    ]
