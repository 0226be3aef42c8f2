"""What the app relies on of the framework; it must hold on the embedded site and on any bench."""

import frappe

from tests.site.server import TestSite, Web


def test_apps_are_installed_in_order(site: TestSite) -> None:
	installed = frappe.get_installed_apps()
	assert installed[0] == "frappe"
	assert installed.index("erpnext") < installed.index("erpnext_zoho_integration")


def test_log_in_gives_a_csrf_token(web: Web) -> None:
	assert web.session("Administrator").csrf_token
