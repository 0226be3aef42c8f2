"""Errors of the connection itself, apart from those of Zoho."""

import frappe


class NotConnected(frappe.ValidationError):
	"""The site has no usable connection to Zoho."""
