"""A stand-in for ERPNext: the parts of it that this project uses."""

__version__ = "16.0.0"
