"""Demo data: two tenants of a company that rents out devices, with a past that looks lived."""
