"""A database engine for development: PostgreSQL from a Python package, started when first used."""
