"""Public identifiers: a prefix and ten random characters, speakable, telling nothing."""

import secrets

# Crockford's base 32: no I, L, O, U, which are misheard or misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
MAX_LENGTH = 64


def public_id(prefix: str) -> str:
    """A new id such as `ord_7K3M9QXT2B`, with 50 random bits behind the prefix."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def new_order_id() -> str:
    return public_id("ord")


def new_customer_id() -> str:
    return public_id("cust")


def new_product_id() -> str:
    return public_id("prod")


def new_variant_id() -> str:
    return public_id("var")


def new_draft_id() -> str:
    return public_id("drf")


def new_key_id() -> str:
    return public_id("key")


def new_export_id() -> str:
    return public_id("exp")


def new_import_id() -> str:
    return public_id("imp")
