"""Who may call what: the roles of the app, and the checks that every whitelisted function begins with."""

import frappe
from frappe import _
from frappe.permissions import has_user_permission
from frappe.rate_limiter import rate_limit

SYSTEM_MANAGER = "System Manager"
SALES_MANAGERS = ("Sales Manager", "Sales Master Manager")
MAY_SYNC = (SYSTEM_MANAGER, *SALES_MANAGERS)

# What asks Zoho at once, and so takes from the calls that the whole site shares: at most so often from one address.
# A person at a form stays far below; Python and the scheduler are not counted.
reads_live = rate_limit(limit=60, seconds=300)
reads_everything = rate_limit(limit=10, seconds=300)
# Zoho gives ten tokens in ten minutes, and locks out who asks for more.
asks_for_token = rate_limit(limit=8, seconds=600)


def require(*roles: str) -> None:
	"""Raise `frappe.PermissionError` unless the user has one of these roles."""
	frappe.only_for(roles, message=True)


def require_campaign_key(campaign_key: str) -> str | None:
	"""Check that the user may read the Campaign with this Zoho key, and return its name.

	Campaigns that have not been synced belong to the System Manager.

	Raises:
		frappe.PermissionError: the user may not.
	"""
	from erpnext_zoho_integration.sync.campaigns.documents import find_campaign

	campaign = find_campaign(campaign_key)
	if not campaign:
		require(SYSTEM_MANAGER)
	else:
		_check(frappe.get_doc("Campaign", campaign), "read")
	return campaign


def require_campaign(campaign: str, permission: str) -> str:
	"""Check a permission on a Campaign and return its name.

	Raises:
		frappe.DoesNotExistError: there is no such Campaign.
		frappe.PermissionError: the user may not.
	"""
	document = frappe.get_doc("Campaign", campaign)
	_check(document, permission)
	if not document.get("zoho_campaign_key"):
		frappe.throw(
			_("{0} does not come from Zoho Campaigns.").format(
				frappe.bold(frappe.utils.escape_html(campaign))
			)
		)
	return document.name


def over_http() -> bool:
	"""Return whether a web request is being answered: tokens are masked then."""
	return bool(getattr(frappe.local, "request", None))


def mask(token: str | None) -> str | None:
	"""Return what may be shown of a token over HTTP: that there is one."""
	if not token:
		return token
	return f"{token[:4]}…{'*' * 8}" if over_http() else token


def _check(campaign, permission: str) -> None:
	"""Check a permission on a Campaign.

	On a stock site Campaign gives System Manager none, so the role itself suffices; User Permissions hold all the same.
	"""
	if SYSTEM_MANAGER not in frappe.get_roles():
		campaign.check_permission(permission)
	elif not has_user_permission(campaign):
		raise frappe.PermissionError
