"""A stand-in for ERPNext, with what this project touches of it."""

__version__ = "16.0.0"
