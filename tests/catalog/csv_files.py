"""CSV files of a catalogue, as tests write them."""

import csv
import io
from typing import Any

REQUIRED = {
    "Product Name": "MacBook Pro 16",
    "Product SKU": "MBP-16",
    "Category": "Laptops",
    "Brand": "Apple",
    "Specification": "M3 Pro",
    "Variant SKU": "MBP-16-SILVER",
    "List Price": "2899.00",
    "Acquisition Cost": "2310.50",
}


def row(sku: str = "MBP-16-SILVER", **columns: Any) -> dict[str, str]:
    """A row with all that is required; `Product_SKU="X"` and `12mo_Price` say otherwise."""
    said = {name.replace("_", " ", 1) if "mo_" not in name else name: value
            for name, value in columns.items()}  # fmt: skip
    return {**REQUIRED, "Variant SKU": sku, **{name: str(value) for name, value in said.items()}}


def csv_file(*rows: dict[str, str], separator: str = ",", encoding: str = "utf-8") -> bytes:
    """The rows as a file, under every column that one of them has."""
    columns = list(dict.fromkeys(name for each in rows for name in each)) or list(REQUIRED)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)
