"""The catalogue from a CSV file: read, planned, and then done as planned, for API and admin."""
