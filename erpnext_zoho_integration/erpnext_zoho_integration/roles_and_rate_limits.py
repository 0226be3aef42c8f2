"""Roles and permission checks; every whitelisted function begins with one."""

import frappe
from frappe import _
from frappe.permissions import has_user_permission
from frappe.rate_limiter import rate_limit

from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.sync.campaigns.documents import find_campaign

SYSTEM_MANAGER = "System Manager"
SALES_MANAGERS = ("Sales Manager", "Sales Master Manager")
MAY_SYNC = (SYSTEM_MANAGER, *SALES_MANAGERS)

# Limits per IP address for functions that call Zoho directly, because the whole site shares Zoho's call budget.
# A person at a form stays far below; calls from Python and the scheduler do not count.
reads_live = rate_limit(limit=60, seconds=300)
reads_everything = rate_limit(limit=10, seconds=300)
# Zoho issues ten tokens in ten minutes and blocks clients that ask for more.
asks_for_token = rate_limit(limit=8, seconds=600)


def require(*roles: str) -> None:
	"""Raise `frappe.PermissionError` unless the user has one of these roles."""
	frappe.only_for(roles, message=True)


def require_campaign_key(campaign_key: str) -> str | None:
	"""Check that the user may read the Campaign with this Zoho key, and return its name.

	Only a System Manager may read campaigns that have not been synced.

	Raises:
		frappe.PermissionError: the user may not read it.
	"""
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
		frappe.PermissionError: the user lacks the permission.
		frappe.ValidationError: the Campaign does not come from Zoho.
	"""
	document = frappe.get_doc("Campaign", campaign)
	_check(document, permission)
	if not document.get(ZOHO_CAMPAIGN_KEY):
		frappe.throw(
			_("{0} does not come from Zoho Campaigns.").format(
				frappe.bold(frappe.utils.escape_html(campaign))
			)
		)
	return document.name


def over_http() -> bool:
	"""Return whether this runs in a web request, where tokens are masked."""
	return bool(getattr(frappe.local, "request", None))


def mask(token: str | None) -> str | None:
	"""Return the token, over HTTP only its first characters."""
	if not token:
		return token
	return f"{token[:4]}…{'*' * 8}" if over_http() else token


def _check(campaign, permission: str) -> None:
	"""Check a permission on a Campaign.

	A stock site gives System Manager no permission on Campaign, so the role itself suffices; User Permissions still apply.
	"""
	if SYSTEM_MANAGER not in frappe.get_roles():
		campaign.check_permission(permission)
	elif not has_user_permission(campaign):
		raise frappe.PermissionError
