"""A Frappe site from package registries alone, for the demo and the tests; production is a bench."""
