"""Smoke tests: the app is installed completely, and its main parts work together.

They call no server and leave nothing behind: each test is rolled back. The complete tests are in the clone's `tests/`.
"""

import importlib
import unittest
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import frappe

from erpnext_zoho_integration import hooks, zoho
from erpnext_zoho_integration.consent import rules
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.erpnext_zoho_integration.api import campaigns, oauth, sync
from erpnext_zoho_integration.erpnext_zoho_integration.api.custom_fields import get_custom_fields
from erpnext_zoho_integration.erpnext_zoho_integration.desk import settings
from erpnext_zoho_integration.store.doctypes import RECIPIENT, SETTINGS
from erpnext_zoho_integration.store.fields import SENT_TIME, ZOHO_CAMPAIGN_KEY, ZOHO_SENT_TIME
from erpnext_zoho_integration.sync.mapping.recipient_rows import Row, Times, recipient_row

APP = "erpnext_zoho_integration"
MODULE = "ERPNext Zoho Integration"
CAMPAIGN_KEY = "smoke-test-campaign-key"
EMAIL = "zoho-smoke-test@example.com"
# A recipient as Zoho lists one.
RECORD = {
	"contactid": "1234567000000000001",
	"contactemailaddress": f" {EMAIL.upper()} ",
	"contactfn": "Ada",
	"contactln": "Lovelace",
	"contactstatus": "active",
	SENT_TIME: "1790000000000",
}


class TestInstallation(unittest.TestCase):
	"""Tests for what `bench install-app` and `bench migrate` put on the site."""

	def test_every_doctype_has_its_table(self) -> None:
		doctypes = frappe.get_all("DocType", {"module": MODULE}, ["name", "issingle"])
		self.assertIn(RECIPIENT, [each.name for each in doctypes])
		for each in doctypes:
			self.assertTrue(each.issingle or frappe.db.table_exists(each.name), each.name)

	def test_every_custom_field_exists(self) -> None:
		declared = get_custom_fields()
		self.assertEqual(set(declared), {"Campaign", "Contact"})
		for doctype, fields in declared.items():
			meta = frappe.get_meta(doctype)
			for field in fields:
				self.assertTrue(meta.has_field(field["fieldname"]), f"{doctype}.{field['fieldname']}")

	def test_every_setting_has_a_stored_value_or_no_default(self) -> None:
		stored = frappe.db.get_singles_dict(SETTINGS)
		for field in frappe.get_meta(SETTINGS).fields:
			if field.default:
				self.assertIn(field.fieldname, stored)
		self.assertTrue(frappe.get_doc(SETTINGS).intervals)

	def test_new_settings_are_not_connected(self) -> None:
		new = frappe.new_doc(SETTINGS)
		self.assertEqual((new.connection_status, new.data_center), ("Not Connected", "in"))
		self.assertFalse(new.is_active)

	def test_every_hook_can_be_imported(self) -> None:
		paths = [hooks.after_install, hooks.after_migrate, hooks.before_uninstall, hooks.after_uninstall]
		paths += dotted_paths([hooks.doc_events, hooks.scheduler_events, hooks.additional_timeline_content])
		self.assertGreater(len(paths), 10)
		for path in paths:
			module, _, function = path.rpartition(".")
			self.assertTrue(callable(getattr(importlib.import_module(module), function)), path)

	def test_the_scheduler_knows_every_job(self) -> None:
		known = frappe.get_all("Scheduled Job Type", {"method": ("like", f"{APP}.%")}, pluck="method")
		self.assertEqual(set(known), set(dotted_paths(hooks.scheduler_events)))


class TestPermissions(unittest.TestCase):
	"""A guest can call nothing but the two addresses of the OAuth flow, which send the guest to log in."""

	def setUp(self) -> None:
		self.addCleanup(frappe.db.rollback)
		self.addCleanup(frappe.set_user, frappe.session.user)
		self.addCleanup(frappe.flags.update, {"in_test": frappe.flags.in_test})
		frappe.flags.in_test = False  # in tests, `frappe.only_for` of Frappe 15 lets everybody pass
		frappe.set_user("Guest")

	def test_a_guest_may_call_only_the_oauth_flow(self) -> None:
		functions = [each for each in frappe.whitelisted if each.__module__.startswith(f"{APP}.")]
		self.assertGreater(len(functions), 10)
		open_to_guests = {each.__name__ for each in functions if each in frappe.guest_methods}
		self.assertEqual(open_to_guests, {"authorize", "callback"})

	def test_a_guest_is_refused(self) -> None:
		for function in (sync.forecast, campaigns.test_connection, oauth.take_failure, settings.get_overview):
			for refusing in (lambda call=function: frappe.is_whitelisted(call), function):
				with self.assertRaises(frappe.PermissionError, msg=function.__name__):
					refusing()


class TestRecipients(unittest.TestCase):
	"""A record of Zoho becomes a row, the row finds its Contact, and the reports count it."""

	def setUp(self) -> None:
		self.addCleanup(frappe.db.rollback)
		self.addCleanup(frappe.set_user, frappe.session.user)
		frappe.set_user("Administrator")
		self.campaign = frappe.get_doc(
			{
				"doctype": "Campaign",
				"campaign_name": "Zoho smoke test",
				ZOHO_CAMPAIGN_KEY: CAMPAIGN_KEY,
				ZOHO_SENT_TIME: "2026-01-01 12:00:00",
			}
		).insert()
		self.contact = frappe.new_doc("Contact")
		# Without an image Frappe would ask gravatar.com for one.
		self.contact.update({"first_name": "Ada", "image": "/assets/frappe/images/default-avatar.png"})
		self.contact.append("email_ids", {"email_id": EMAIL, "is_primary": 1})
		self.contact.insert()

	def insert_row(self, action_type: str) -> tuple[Row, "frappe.model.document.Document"]:
		"""Map `RECORD` and insert it; return the mapped row and the document."""
		times = Times(zoho.Clock(), ZoneInfo("UTC"))
		row = recipient_row(zoho.Recipient.from_zoho(RECORD), action_type, CAMPAIGN_KEY, times)
		document = frappe.get_doc({"doctype": RECIPIENT, "campaign": self.campaign.name, **row.values})
		return row, document.insert()

	def test_a_record_becomes_a_row_of_its_contact(self) -> None:
		row, document = self.insert_row("Opened")
		self.assertEqual((document.email, document.full_name), (EMAIL, "Ada Lovelace"))
		self.assertEqual(document.row_key, row.key)
		self.assertEqual(document.contact, self.contact.name)

	def test_a_second_row_of_the_same_action_is_refused(self) -> None:
		self.insert_row("Opened")
		self.insert_row("Clicked")
		with self.assertRaises(frappe.DuplicateEntryError):
			self.insert_row("Opened")

	def test_opting_out_marks_the_contact(self) -> None:
		self.assertFalse(self.contact.unsubscribed)
		moment = frappe.utils.now_datetime()
		fact = Fact(EMAIL, rules.OPTED_OUT, moment, rules.EXACT, "Zoho", f"Zoho\n{CAMPAIGN_KEY}")
		self.assertEqual(record([fact]).marked, 1)
		self.assertTrue(frappe.db.get_value("Contact", self.contact.name, "unsubscribed"))
		self.assertEqual(record([fact]).facts, [])

	def test_every_report_runs(self) -> None:
		for action_type in ("Sent", "Opened", "Clicked", "Unsubscribed"):
			self.insert_row(action_type)
		reports = frappe.get_all("Report", {"module": MODULE}, pluck="name")
		self.assertEqual(len(reports), 6)
		for name in reports:
			columns, rows = frappe.get_doc("Report", name).get_data(
				filters={"campaign": self.campaign.name}, ignore_prepared_report=True
			)
			self.assertTrue(columns, name)
			self.assertIsInstance(rows, list, name)


def dotted_paths(hook: object) -> list[str]:
	"""Return the dotted paths in a hook, however nested."""

	def walk(value: object) -> Iterator[str]:
		if isinstance(value, str):
			yield value
		else:
			for each in value.values() if isinstance(value, dict) else value:
				yield from walk(each)

	return list(walk(hook))
