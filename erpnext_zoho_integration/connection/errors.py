"""Errors of the connection itself; the `zoho` package has those of Zoho."""

import frappe


class NotConnected(frappe.ValidationError):
	"""The site has no usable connection to Zoho."""
