"""The listeners to saved Contacts and Campaign Recipients, and why a bulk write may skip each of them.

`KNOWN` holds the listeners of Frappe and ERPNext, with the reason. Anything else that a site has (another app's document
events, Server Scripts, Webhooks, Notifications …) switches the DocType to the Document API, so that the site's own
listeners are always called. A test compares the table with the hooks of the installed version.
"""

from collections.abc import Callable

import frappe
from frappe.model import default_fields

from erpnext_zoho_integration.store.fields import ACTION_TYPE, IS_ACTIVE

# The events that inserting and saving a document fires.
EVENTS = (
	"before_insert",
	"before_naming",
	"autoname",
	"before_validate",
	"validate",
	"before_save",
	"before_change",
	"after_insert",
	"on_update",
	"on_change",
)

# Listener → why a bulk write need not call it.
KNOWN = {
	# frappe, for every DocType
	"frappe.desk.notifications.clear_doctype_notifications": "drops cached counts of open documents; contacts and recipients are in no such count",
	"frappe.workflow.doctype.workflow_action.workflow_action.process_workflow_actions": "does nothing without an active Workflow, which is checked below",
	"frappe.core.doctype.file.utils.attach_files_to_document": "moves files that a form has attached; we attach none",
	"frappe.automation.doctype.assignment_rule.assignment_rule.apply": "does nothing without an Assignment Rule, which is checked below",
	"frappe.automation.doctype.assignment_rule.assignment_rule.update_due_date": "does nothing without an Assignment Rule, which is checked below",
	"frappe.core.doctype.user_type.user_type.apply_permissions_for_non_standard_user_type": "concerns documents that name a User as owner of a portal",
	"frappe.social.doctype.energy_point_rule.energy_point_rule.process_energy_points": "does nothing without an Energy Point Rule, which is checked below",
	"frappe.automation.doctype.milestone_tracker.milestone_tracker.evaluate_milestone": "does nothing without a Milestone Tracker, which is checked below",
	"frappe.core.doctype.permission_log.permission_log.make_perm_log": "logs changes of permissions",
	"frappe.core.doctype.permission_log.permission_log.log_permission_change": "logs changes of permissions",
	"frappe.search.sqlite_search.update_doc_index": "indexes the DocTypes that a `sqlite_search` hook names, which is checked below",
	# frappe, for Contact
	"frappe.integrations.doctype.google_contacts.google_contacts.insert_contacts_to_google_contacts": "does nothing unless the contact has Sync with Google Contacts, which new ones do not",
	"frappe.integrations.doctype.google_contacts.google_contacts.update_contacts_to_google_contacts": "sends names, numbers and links; a bulk write changes none of them",
	# erpnext, for every DocType
	"erpnext.support.doctype.service_level_agreement.service_level_agreement.apply": "does nothing without a Service Level Agreement, which is checked below",
	"erpnext.setup.doctype.transaction_deletion_record.transaction_deletion_record.check_for_running_deletion_job": "refuses documents with a company while its transactions are deleted; these have none",
	# erpnext, for Contact
	"erpnext.telephony.doctype.call_log.call_log.link_existing_conversations": "links calls from the contact's numbers; checked below",
	"erpnext.crm.utils.update_lead_phone_numbers": "concerns contacts linked to a Lead; new ones are linked to nothing",
	# ours
	"erpnext_zoho_integration.sync.document_events.before_contact_validate": "ours",
	"erpnext_zoho_integration.sync.document_events.after_contact_validate": "ours",
	"erpnext_zoho_integration.sync.document_events.contact_saved": "ours: a batch links its rows itself",
	"erpnext_zoho_integration.consent.document_events.person_validated": "ours: a batch looks the addresses of new Contacts up itself",
	"erpnext_zoho_integration.consent.document_events.person_saved": "ours: records boxes that users tick; a batch ticks none",
}

# DocTypes that react to documents of another one: DocType → (field that names it, further filters).
REACTING: dict[str, tuple[str, dict]] = {
	"Server Script": ("reference_doctype", {"script_type": "DocType Event", "disabled": 0}),
	"Webhook": ("webhook_doctype", {"enabled": 1}),
	"Notification": (
		"document_type",
		{"enabled": 1, "event": ("in", ["New", "Save", "Value Change", "Method"])},
	),
	"Assignment Rule": ("document_type", {"disabled": 0}),
	"Document Naming Rule": ("document_type", {"disabled": 0}),
	"Milestone Tracker": ("document_type", {"disabled": 0}),
	"Energy Point Rule": ("reference_doctype", {"enabled": 1}),
	"Workflow": ("document_type", {IS_ACTIVE: 1}),
	"Service Level Agreement": ("document_type", {"enabled": 1}),
}


def reasons_for_documents(doctype: str) -> list[str]:
	"""Return what on this site listens to each saved document of a DocType; empty if nothing does."""
	checks: tuple[Callable[[str], list[str]], ...] = (
		_hooks,
		records,
		_classes,
		_fields,
		_calls,
		_followers,
		_search,
	)
	return [reason for check in checks for reason in check(doctype)]


def hooked(doctype: str) -> set[str]:
	"""Return the listeners that the installed apps register for inserting and saving a DocType."""
	events = frappe.get_doc_hooks()
	listeners = set()
	for key in (doctype, "*"):
		for event in EVENTS:
			listeners.update(events.get(key, {}).get(event, []))
	return listeners


def _hooks(doctype: str) -> list[str]:
	return sorted(hooked(doctype) - KNOWN.keys())


def records(doctype: str) -> list[str]:
	"""Return the documents of `REACTING` that concern a DocType."""
	found = []
	for kind, (fieldname, filters) in REACTING.items():
		if frappe.db.table_exists(kind):
			names = frappe.get_all(kind, filters={fieldname: doctype, **filters}, pluck="name")
			found += [f"{kind} {name}" for name in names]
	return found


def _classes(doctype: str) -> list[str]:
	found = []
	for hook in ("override_doctype_class", "extend_doctype_class"):
		classes = frappe.get_hooks(hook).get(doctype, []) if isinstance(frappe.get_hooks(hook), dict) else []
		found += [f"{hook}: {path}" for path in classes]
	return found


def _fields(doctype: str) -> list[str]:
	"""Return fields that the Document API would refuse to leave empty, and whether it would record changes."""
	meta = frappe.get_meta(doctype)
	ours = {"campaign", "email", ACTION_TYPE, *default_fields}
	required = [f.fieldname for f in meta.fields if f.reqd and not f.default and f.fieldname not in ours]
	return [f"mandatory field {fieldname}" for fieldname in required] + (
		["track changes"] if meta.track_changes else []
	)


def _calls(doctype: str) -> list[str]:
	"""Return Call Log if the site has any: Frappe links past calls to new Contacts by number."""
	if doctype == "Contact" and frappe.db.table_exists("Call Log") and frappe.get_all("Call Log", limit=1):
		return ["Call Log"]
	return []


def _followers(doctype: str) -> list[str]:
	user = frappe.session.user
	if frappe.get_cached_value("User", user, "follow_created_documents"):
		return [f"{user} follows what they create"]
	return []


def _search(doctype: str) -> list[str]:
	"""Return the full-text searches of Frappe 16 that index the DocType when a document is saved."""
	found = []
	for path in frappe.get_hooks("sqlite_search"):
		if doctype in getattr(frappe.get_attr(path), "INDEXABLE_DOCTYPES", {}):
			found.append(path)
	return found
