"""Errors of the connection itself; the `zoho` package has those of Zoho."""

import frappe


class NotConnected(frappe.ValidationError):
	"""The site has no usable connection to Zoho."""


class ConnectionPaused(NotConnected):
	"""The connection was made on another site, with another key or for another organisation; a person has to decide."""


class WritingStopped(frappe.ValidationError):
	"""Writing to Zoho is stopped, in Zoho Settings or in site_config.json."""


class ScopesMissing(frappe.ValidationError):
	"""A feature needs scopes that Zoho has not granted; everything else works. `scopes` are the missing ones."""

	def __init__(self, message: str, scopes: tuple[str, ...] = ()) -> None:
		super().__init__(message)
		self.scopes = scopes
