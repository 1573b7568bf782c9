"""Rows by the million, written in the database by `INSERT … SELECT`: minutes, not hours.

`fill(Sizes(variants=…, customers=…, orders=…))` brings the tenant demo, as `seed_demo` leaves it,
to so many rows more: a catalogue of realistic names, SKUs and prices, each product in 40 variants,
one product in ten under its maker's part numbers; customers; and orders of one to three lines,
few of the variants ordered often and most never, the newest waiting for review. Beside it, tenants
with a smaller catalogue of the same names. The same sizes give the same rows. Indexes are dropped
for the length of a step and built again at its end.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.db import connection, models

from catalog.models import Price, Product, Variant
from customers.models import Customer
from orders.models import Order, OrderEvent, OrderItem
from portal.models import Tenant

PER_PRODUCT = 40
ROWS_PER_STATEMENT = 40_000

# Category, what its products come in, and their colours.
CATEGORIES = [
    ("Laptops", "256 512 1TB 2TB 32GB", "Silver|Space Grey|Midnight|Graphite"),
    ("Phones", "64 128 256 512 1TB", "Black|Blue|Starlight|Cobalt Violet"),
    ("Tablets", "64 128 256 512 5G", "Space Grey|Silver|Rose|Green"),
    ("Monitors", "STD KVM ARM HUB TOUCH", "Black|Silver|White|Titan Grey"),
    ("Docks", "90W 130W 180W TB4 DUAL", "Black|Grey|Silver|Dark Slate"),
    ("Headsets", "MONO STEREO UC TEAMS USB-C", "Black|White|Beige|Navy"),
    ("Printers", "STD DUPLEX WIFI TRAY FAX", "White|Black|Light Grey|Sand"),
    ("Servers", "64GB 128GB 256GB 512GB 1TB", "Black|Anthracite|Grey|Silver"),
    ("Networking", "8P 24P 48P POE SFP", "White|Black|Grey|Metallic"),
    ("Projectors", "STD SHORT LASER LENS WIFI", "White|Black|Silver|Pearl"),
]
# Category, brand, family, the lines of the family, what a specification says.
FAMILIES = [
    ("Laptops", "Apple", "MacBook Pro", "13/14/16", "Liquid Retina XDR, 140 W charger"),
    ("Laptops", "Apple", "MacBook Air", "13/15", "Liquid Retina, fanless"),
    ("Laptops", "Dell", "Latitude", "3/5/7/9", "FHD, Windows 11 Pro"),
    ("Laptops", "Dell", "XPS", "13/14/15/17", "OLED touch, Windows 11 Pro"),
    ("Laptops", "Dell", "Precision", "3/5/7", "mobile workstation, RTX graphics"),
    ("Laptops", "Lenovo", "ThinkPad", "T14/T16/X1 Carbon/X13/L14/E15/P16", "WUXGA, Windows 11 Pro"),
    ("Laptops", "Lenovo", "IdeaPad", "Slim/Flex/Pro", "FHD IPS"),
    ("Laptops", "Lenovo", "Yoga", "Slim/Book/Pro", "OLED touch, pen"),
    ("Laptops", "HP", "EliteBook", "630/640/830/840/860", "Wolf Pro Security"),
    ("Laptops", "HP", "ProBook", "440/450/460", "FHD, fingerprint reader"),
    ("Laptops", "HP", "ZBook", "Firefly/Fury/Power/Studio", "mobile workstation"),
    ("Laptops", "Microsoft", "Surface Laptop", "Go/13/15/Studio", "PixelSense touch"),
    ("Laptops", "ASUS", "ExpertBook", "B1/B5/B9", "military grade, light"),
    ("Laptops", "Acer", "TravelMate", "P2/P4/P6", "FHD IPS, LTE"),
    ("Laptops", "Acer", "Chromebook", "Spin/Plus/Vero", "ChromeOS, touch"),
    ("Phones", "Apple", "iPhone", "12/13/14/15/16/SE", "OLED, dual SIM"),
    ("Phones", "Samsung", "Galaxy", "S22/S23/S24/A54/A55/XCover", "AMOLED 120 Hz, dual SIM"),
    ("Phones", "Google", "Pixel", "6/7/8/9/Fold", "OLED, seven years of updates"),
    ("Phones", "Fairphone", "Fairphone", "3/4/5", "repairable, five-year warranty"),
    ("Phones", "Motorola", "Edge", "30/40/50", "pOLED, 144 Hz"),
    ("Phones", "Nokia", "XR", "20/21", "rugged, MIL-STD-810H"),
    ("Tablets", "Apple", "iPad Pro", "11/12.9/13", "Liquid Retina XDR, Wi-Fi"),
    ("Tablets", "Apple", "iPad Air", "11/13", "Liquid Retina, Wi-Fi"),
    ("Tablets", "Apple", "iPad", "9/10/mini", "Retina, Wi-Fi"),
    ("Tablets", "Samsung", "Galaxy Tab", "S8/S9/A9/Active5", "AMOLED, S Pen, IP68"),
    ("Tablets", "Microsoft", "Surface Pro", "8/9/10/11", "PixelSense, keyboard included"),
    ("Tablets", "Lenovo", "Tab", "M10/P11/P12/Extreme", "2K IPS"),
    ("Tablets", "Zebra", "ET", "40/45/60", "rugged, barcode scanner"),
    ("Monitors", "Dell", "UltraSharp", "24/27/32/34", "QHD IPS, USB-C hub"),
    ("Monitors", "Dell", "P series", "22/24/27", "FHD IPS, height adjustable"),
    ("Monitors", "LG", "UltraFine", "24/27/32", "4K IPS, USB-C 96 W, HDR400"),
    ("Monitors", "Samsung", "Odyssey", "27/32/49", "DQHD curved, 240 Hz"),
    ("Monitors", "Samsung", "ViewFinity", "24/27/32", "QHD, matte"),
    ("Monitors", "HP", "E series", "22/24/27", "FHD IPS, tilt"),
    ("Monitors", "EIZO", "FlexScan", "24/27/32", "IPS, auto brightness"),
    ("Monitors", "BenQ", "DesignVue", "25/27/32", "4K, colour calibrated"),
    ("Docks", "Dell", "Dock", "WD19/WD22/HD22", "USB-C, dual DisplayPort"),
    ("Docks", "Lenovo", "ThinkPad Dock", "Universal/Hybrid/Smart", "Thunderbolt 4"),
    ("Docks", "HP", "Dock", "G4/G5/G6", "USB-C, RJ45"),
    ("Docks", "CalDigit", "TS", "3/4/5", "Thunderbolt, 18 ports"),
    ("Headsets", "Jabra", "Evolve2", "30/40/55/65/75/85", "noise cancelling"),
    ("Headsets", "Poly", "Voyager", "Focus/Free/4320/5200", "noise cancelling microphone"),
    ("Headsets", "Poly", "Studio", "X30/X50/X70", "video bar, 4K camera"),
    ("Headsets", "Logitech", "Zone", "Vibe/Wired/True", "certified for meetings"),
    ("Headsets", "EPOS", "Adapt", "160/260/360/660", "adaptive noise cancelling"),
    ("Printers", "HP", "LaserJet", "M4/M5/E6", "A4 colour laser, duplex"),
    ("Printers", "Brother", "HL", "L5/L6/L9", "A4 mono laser"),
    ("Printers", "Epson", "WorkForce", "C5/C8/M5", "A3 business inkjet"),
    ("Printers", "Zebra", "ZD", "421/621", "label printer, 203 dpi"),
    ("Servers", "Dell", "PowerEdge", "R250/R450/R650/R750/T350", "2U rack, iDRAC 9"),
    ("Servers", "HPE", "ProLiant", "DL20/DL360/DL380/ML30", "1U rack, iLO 6"),
    ("Servers", "Lenovo", "ThinkSystem", "SR250/SR630/ST50", "rack, XClarity"),
    ("Servers", "Synology", "DiskStation", "DS4/DS9/RS1", "NAS, hot swap"),
    ("Networking", "Cisco", "Catalyst", "C9200/C9300/C9500", "managed switch, stackable"),
    ("Networking", "Cisco", "Meraki", "MR46/MR57/MX68/MS120", "cloud managed"),
    ("Networking", "Ubiquiti", "UniFi", "U6/USW/UDM", "access point, Wi-Fi 6"),
    ("Networking", "Aruba", "Instant On", "AP22/AP25/1930", "Wi-Fi 6, indoor"),
    ("Projectors", "Epson", "EB", "L200/L530/W52", "3LCD, 5000 lumen"),
    ("Projectors", "BenQ", "LU", "710/935/951", "WUXGA laser"),
    ("Projectors", "ViewSonic", "ViewBoard", "IFP55/IFP65/IFP75/IFP86", "4K touch display"),
]
# A model of the family: the maker's chip for Apple, else a processor or nothing.
CHIPS = "M1|M1 Pro|M1 Max|M2|M2 Pro|M2 Max|M3|M3 Pro|M3 Max|M4|M4 Pro|M4 Max"
PROCESSORS = "Core i5|Core i7|Core i9|Core Ultra 5|Core Ultra 7|Ryzen 5|Ryzen 7|Ryzen 9"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows are added to the tenant demo, and what stands beside it."""

    variants: int = 0
    customers: int = 0
    orders: int = 0
    others: int = 0
    """Tenants besides, with a hundredth of the variants each."""


def fill(sizes: Sizes) -> None:
    """Writes all of it, and lets the search and the planner know."""
    with connection.cursor() as cursor:
        cursor.execute(REFERENCE)
        cursor.executemany(
            "INSERT INTO seed_category VALUES (%s, %s, %s)",
            [(name, kinds.split(), colors.split("|")) for name, kinds, colors in CATEGORIES],
        )
        cursor.executemany(
            "INSERT INTO seed_family VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (number, category, brand, family, lines.split("/"), about)
                for number, (category, brand, family, lines, about) in enumerate(FAMILIES)
            ],
        )
    tenant = Tenant.objects.get(slug="demo").pk
    _add_catalogue(tenant, sizes.variants)
    for number in range(sizes.others):
        other, _ = Tenant.objects.get_or_create(
            slug=f"beside-{number}", defaults={"name": f"Beside {number}", "currency": "EUR"}
        )
        _add_catalogue(other.pk, sizes.variants // 100)
    _add_customers(tenant, sizes.customers)
    _add_orders(tenant, sizes)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    call_command("refresh_search")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE catalog_searchentry, catalog_searchword")


REFERENCE = """
CREATE TEMP TABLE seed_category (category text, kinds text[], colors text[]);
CREATE TEMP TABLE seed_family
    (number int, category text, brand text, family text, lines text[], about text);
CREATE FUNCTION pg_temp.upper_case(value text) RETURNS text LANGUAGE sql IMMUTABLE
AS $$ SELECT upper(regexp_replace(value, '[^[:alnum:]]+', '-', 'g')) $$;
"""


def _add_catalogue(tenant: int, variants: int) -> None:
    """Products, variants, and prices for 12, 24 and 36 months."""
    products = -(-variants // PER_PRODUCT)
    _insert(Product, PRODUCT, PRODUCTS, tenant, "products", products)
    _insert(Variant, VARIANT, VARIANTS, tenant, "variants", products, PER_PRODUCT)
    _insert(Price, PRICE, PRICES, tenant, "prices", products, PER_PRODUCT)


# The number of a product decides on all of it: its family, which line of it, chip and model.
PRODUCT = {
    "public_id": "'prod_S' || n",
    "sku": "'S' || n || '-' || pg_temp.upper_case(family)",
    "name": "concat_ws(' ', family, line, chip, model)",
    "brand": "brand",
    "category": "category",
    "specification": "concat_ws(', ', processor, about)",
    "aliases": "CASE WHEN n % 500 = 0 THEN 'fleet, standard issue' ELSE '' END",
    "status": "CASE WHEN n % 50 = 49 THEN 'discontinued' ELSE 'active' END",
}
PRODUCTS = f"""
    SELECT n, family, brand, category, about,
        lines[1 + k % cardinality(lines)] AS line,
        CASE WHEN brand = 'Apple' AND category <> 'Phones'
            THEN (string_to_array('{CHIPS}', '|'))[1 + k / cardinality(lines) % 12] END AS chip,
        CASE WHEN category IN ('Laptops', 'Servers') AND brand <> 'Apple'
            THEN (string_to_array('{PROCESSORS}', '|'))[1 + k % 8] END AS processor,
        CASE
            WHEN brand = 'Apple' THEN (2019 + k / (cardinality(lines) * 12) % 8)::text
            WHEN category IN ('Laptops', 'Docks') THEN 'Gen ' || 1 + k / cardinality(lines) % 14
                || ' ' || chr(65 + k % 26) || (1000 + k * 37 % 8999)
            ELSE chr(65 + k % 26) || (1000 + k * 53 % 8999) || chr(65 + k / 7 % 26)
        END AS model
    FROM (SELECT n, n / {len(FAMILIES)} AS k FROM generate_series(:first, :last) n) AS numbered
    JOIN seed_family ON number = n % {len(FAMILIES)}
"""

VARIANT = {
    "product_id": "id",
    "public_id": "'var_S' || n || '-' || v",
    "sku": """
        CASE
            WHEN n / 7 % 10 = 9
            THEN translate(upper(substr(md5(n || '/' || v), 1, 10)), 'ABCDEF', 'HKMNRT')
            ELSE concat_ws('-', pg_temp.upper_case(name), kind, pg_temp.upper_case(color), n,
                nullif(grade, 'A'))
        END
    """,
    "name": r"""
        concat_ws(', ', CASE WHEN kind ~ '^[0-9]+$' THEN kind || ' GB'
            ELSE regexp_replace(kind, '([0-9])([GT]B)', '\1 \2') END, color)
    """,
    "grade": "grade",
    "condition": "CASE grade WHEN 'A' THEN 'As new' ELSE 'Good' END",
    "color": "color",
    "list_price": "200 + (n * 7 + v * 31) % 2800",
    "acquisition_cost": "150 + (n * 7 + v * 31) % 2000",
    "status": "CASE WHEN (n + v * 7) % 16 = 0 THEN 'inactive' ELSE 'active' END",
}
VARIANTS = f"""
    SELECT n, v, product.id, product.name, kinds[1 + v % 5] AS kind,
        colors[1 + v / 5 % 4] AS color,
        CASE WHEN v < 20 THEN 'A' WHEN n % 3 = 0 THEN 'C' ELSE 'B' END AS grade
    FROM generate_series(:first, :last) n
    JOIN catalog_product AS product ON tenant_id = :tenant AND public_id = 'prod_S' || n
    JOIN seed_category USING (category)
    CROSS JOIN generate_series(0, {PER_PRODUCT - 1}) v
"""

PRICE = {
    "variant_id": "id",
    "contract_length": "length",
    "monthly_price": "round(list_price * share, 2)",
}
PRICES = """
    SELECT variant.id, list_price, length, share
    FROM generate_series(:first, :last) n
    JOIN catalog_product AS product ON tenant_id = :tenant AND product.public_id = 'prod_S' || n
    JOIN catalog_variant AS variant ON product_id = product.id
    CROSS JOIN (VALUES (12, 0.063), (24, 0.0385), (36, 0.0295)) AS lengths(length, share)
"""


def _add_customers(tenant: int, customers: int) -> None:
    _insert(Customer, CUSTOMER, CUSTOMERS, tenant, "customers", customers)


NAMES = "Sanne Daan Fatima Lars Noor Emma Lucas Mila Jonas Clara Hugo Lea Nils Ines Marco Elif"
SURNAMES = (
    "Bakker Jansen Yilmaz Schmidt Schröder Müller Dubois Laurent Rossi Novák Kowalski Andersen"
    " Nielsen Peeters Visser Mulder Hofmann Fischer Garcia Silva Moreau Weber Berg Lindqvist"
)
COMPANIES = "Zorggroep Bouwbedrijf Ingenieure Logistik Kliniek Studio Brasserie Advies Energie"
CUSTOMER = {
    "public_id": "'cust_S' || n",
    "email": "email",
    "email_key": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "company": "company",
    "phone": "'+31 ' || 10 + n % 80 || ' ' || 1000000 + n * 7919::bigint % 8999999",
    "customer_type": "CASE WHEN company = '' THEN 'individual' ELSE 'business' END",
    "created_by": "'seed'",
}
CUSTOMERS = f"""
    SELECT *, lower(public.unaccent(first_name || '.' || last_name)) || n || '@' || CASE
        WHEN company = '' THEN 'mail.example'
        ELSE replace(lower(company), ' ', '-') || '.example' END AS email
    FROM (
        SELECT n, names[1 + n % cardinality(names)] AS first_name,
            surnames[1 + n / 7 % cardinality(surnames)] AS last_name,
            CASE WHEN n % 3 = 0 THEN '' ELSE concat_ws(' ',
                companies[1 + n / 11 % cardinality(companies)],
                surnames[1 + n / 170 % cardinality(surnames)], n / 40) END AS company
        FROM generate_series(:first, :last) n CROSS JOIN (SELECT
            string_to_array('{NAMES}', ' ') AS names,
            string_to_array('{SURNAMES}', ' ') AS surnames,
            string_to_array('{COMPANIES}', ' ') AS companies) AS lists
    ) AS named
"""


def _add_orders(tenant: int, sizes: Sizes) -> None:
    """Orders over two years up to now, with their lines and that they were created."""
    if not sizes.orders:
        return
    with connection.cursor() as cursor:
        cursor.execute(ORDERABLE, [tenant])
        cursor.execute("ANALYZE seed_orderable")
    given = {"orders": sizes.orders, "customers": sizes.customers}
    _insert(Order, ORDER, ORDERS, tenant, "orders", sizes.orders, **given)
    _insert(OrderItem, ITEM, ITEMS, tenant, "lines", sizes.orders, 2, **given)
    _insert(OrderEvent, EVENT, EVENTS, tenant, "events", sizes.orders, **given)


ORDERABLE = """
CREATE TEMP TABLE seed_orderable AS
SELECT row_number() OVER (ORDER BY hashint8(variant.id)) - 1 AS number, variant.id, variant.sku,
    variant.public_id, product.public_id AS product_public_id, variant.name,
    product.name AS product_name, list_price, acquisition_cost, monthly_price
FROM catalog_variant AS variant
JOIN catalog_product AS product ON product.id = product_id
JOIN catalog_price AS price ON price.variant_id = variant.id AND contract_length = 24
WHERE variant.tenant_id = %s AND variant.status = 'active' AND product.status = 'active'
    AND list_price IS NOT NULL AND acquisition_cost IS NOT NULL;
ALTER TABLE seed_orderable ADD PRIMARY KEY (number);
"""
# A line, by the number of its order: few variants are in many of them.
LINES = """
    SELECT n, position, orderable.*, 1 + (n + position) % 5 AS quantity,
        now() - (:orders - n)::float / :orders * interval '730 days' AS at
    FROM generate_series(:first, :last) n
    CROSS JOIN LATERAL generate_series(0, n % 3) AS position
    JOIN seed_orderable AS orderable ON number = floor((SELECT count(*) FROM seed_orderable)
        * power((hashint4(n * 3 + position) & 2147483647) / 2147483648.0, 3))
"""
# The newest two in a thousand wait, a thousand at least; three in a hundred of the others were
# cancelled.
STATUS = """
    CASE WHEN n >= :orders - greatest(:orders / 500, 1000) THEN 'pending'
        WHEN n % 33 = 0 THEN 'cancelled' ELSE 'fulfilled' END
"""
ADDRESS = """
    jsonb_build_object('contactName', first_name || ' ' || last_name,
        'streetAddress', 'Coolsingel ' || n % 300, 'city', 'Rotterdam', 'country', 'Netherlands')
"""
ORDER = {
    "public_id": "'ord_S' || n",
    "status": "status",
    "source": "CASE WHEN n % 4 = 0 THEN 'api' ELSE 'portal' END",
    "customer_id": "customer_id",
    "customer_email": "email",
    "customer_first_name": "first_name",
    "customer_last_name": "last_name",
    "customer_company": "company",
    "customer_phone": "phone",
    "customer_type": "customer_type",
    "billing_address": ADDRESS,
    "shipping_address": ADDRESS,
    "currency": "currency",
    "vat_rate": "vat_rate",
    "prices_include_vat": "false",
    "subtotal": "subtotal",
    "tax_amount": "round(subtotal * vat_rate / 100, 2)",
    "total": "subtotal + round(subtotal * vat_rate / 100, 2)",
    "contract_value": "subtotal * 24",
    "total_devices": "devices",
    "rented_devices": "CASE status WHEN 'fulfilled' THEN devices ELSE 0 END",
    "created_at": "at",
    "updated_at": "at",
    "created_by_ref": "'user:' || rep_id",
    "created_by": "rep_email",
    "rep_ref": "'user:' || rep_id",
    "rep": "rep_email",
    "confirmed_at": "CASE status WHEN 'fulfilled' THEN at END",
    "confirmed_by_ref": "CASE status WHEN 'fulfilled' THEN 'system:seed' ELSE '' END",
    "confirmed_by": "CASE status WHEN 'fulfilled' THEN 'seed' ELSE '' END",
    "cancelled_at": "CASE status WHEN 'cancelled' THEN at END",
    "cancelled_by_ref": "CASE status WHEN 'cancelled' THEN 'system:seed' ELSE '' END",
    "cancelled_by": "CASE status WHEN 'cancelled' THEN 'seed' ELSE '' END",
}
ORDERS = f"""
    SELECT together.*, customer.id AS customer_id, customer.email, customer.first_name,
        customer.last_name, company, phone, customer_type, currency, vat_rate, rep.id AS rep_id,
        rep.email AS rep_email, {STATUS} AS status
    FROM (
        SELECT n, at, sum(quantity) AS devices, sum(quantity * monthly_price) AS subtotal
        FROM ({LINES}) AS line GROUP BY n, at
    ) AS together
    JOIN customers_customer AS customer ON customer.tenant_id = :tenant
        AND customer.public_id = 'cust_S' || (n * 7919::bigint % :customers)
    JOIN portal_tenant AS tenant ON tenant.id = :tenant
    JOIN portal_user AS rep ON username = 'rep'
"""
ITEM = {
    "order_id": "order_id",
    "position": "position",
    "variant_id": "id",
    "product_public_id": "product_public_id",
    "variant_public_id": "public_id",
    "sku": "sku",
    "product_name": "product_name",
    "variant_name": "name",
    "quantity": "quantity",
    "contract_length": "24",
    "unit_price": "monthly_price",
    "catalogue_price": "monthly_price",
    "list_price": "list_price",
    "list_price_source": "'variant'",
    "acquisition_cost": "acquisition_cost",
    "acquisition_cost_source": "'variant'",
    "rented_devices": "CASE status WHEN 'fulfilled' THEN quantity ELSE 0 END",
    "priced_at": "at",
}
ITEMS = f"""
    SELECT line.*, placed.id AS order_id, status
    FROM ({LINES}) AS line
    JOIN orders_order AS placed ON tenant_id = :tenant AND placed.public_id = 'ord_S' || n
"""
EVENT = {
    "order_id": "id",
    "kind": "'created'",
    "version": "1",
    "at": "created_at",
    "actor_ref": "created_by_ref",
    "actor": "created_by",
    "data": "jsonb_build_object('total', total)",
}
EVENTS = """
    SELECT placed.* FROM generate_series(:first, :last) n
    JOIN orders_order AS placed ON tenant_id = :tenant AND placed.public_id = 'ord_S' || n
"""


def _insert(
    model: type[models.Model],
    values: Mapping[str, str],
    rows: str,
    tenant: int,
    what: str,
    total: int,
    rows_each: int = 1,
    **given: int,
) -> None:
    """Writes rows of the model, `values` by column out of the query `rows`, for the numbers 0 to
    `total`. What is not named is what the model says it is.
    """
    others = [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.generated or field.column in {*values, "tenant_id"})
    ]
    columns = [*values, "tenant_id", *(str(field.column) for field in others)]
    cells = [*values.values(), ":tenant", *("%s" for _ in others)]
    statement = f"""
        INSERT INTO {model._meta.db_table} ({", ".join(columns)})
        SELECT {", ".join(cell if cell == "%s" else cell.replace("%", "%%") for cell in cells)}
        FROM ({rows.replace("%", "%%")}) AS given
    """
    defaults = [_default(field) for field in others]
    given |= {"tenant": tenant}
    with without_indexes(model._meta.db_table), connection.cursor() as cursor:
        for first, last in _batches(what, total, rows_each):
            sql = statement
            for name, number in (given | {"first": first, "last": last}).items():
                sql = sql.replace(f":{name}", str(number))
            cursor.execute(sql, defaults)
    with connection.cursor() as cursor:
        # The next step reads what this one wrote.
        cursor.execute(f"ANALYZE {model._meta.db_table}")


def _default(field: "models.Field[Any, Any]") -> Any:
    value = field.pre_save(field.model(), add=True) if hasattr(field, "auto_now") else None
    return field.get_db_prep_save(value or field.get_default(), connection)


def _batches(what: str, total: int, rows_each: int) -> Iterator[tuple[int, int]]:
    """First and last number of each statement's share, with a bar that shows how far it is."""
    start, each = time.monotonic(), max(ROWS_PER_STATEMENT // rows_each, 1)
    for first in range(0, total, each):
        yield first, min(first + each, total) - 1
        done = min(first + each, total)
        bar, seconds = "█" * (done * 30 // total), time.monotonic() - start
        told = f"\r{what:12}{bar:30}{done * rows_each:>12,} {seconds:5.0f} s"
        print(told, end="", file=sys.stderr)
    if total:
        print(file=sys.stderr)


@contextmanager
def without_indexes(table: str) -> Iterator[None]:
    """The table, and what the search keeps of it, without indexes, which come back in the end.

    Those that are constraints stay.
    """
    tables = [table, *ENTRIES.get(table, [])]
    with connection.cursor() as cursor:
        cursor.execute(INDEXES, [tables])
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        try:
            yield
        finally:
            for _, definition in indexes:
                cursor.execute(definition)


ENTRIES = {
    "catalog_variant": ["catalog_searchentry"],
    "customers_customer": ["customers_searchentry"],
}
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY (%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
