"""The functions that Frappe calls, and when; docs/architecture.md describes the packages that the paths lead to."""

app_name = "erpnext_zoho_integration"
app_title = "ERPNext Zoho Integration"
app_publisher = "Yanky"
app_description = "See in ERPNext what your Zoho Campaigns e-mails did"
app_email = "maintainers@users.noreply.github.com"
app_license = "mit"

required_apps = ["frappe/erpnext"]

_MODULE = "erpnext_zoho_integration.erpnext_zoho_integration"
_CONSENT = "erpnext_zoho_integration.consent"

after_install = "erpnext_zoho_integration.install.after_install"
after_migrate = "erpnext_zoho_integration.install.after_migrate"
before_uninstall = "erpnext_zoho_integration.install.before_uninstall"
after_uninstall = "erpnext_zoho_integration.install.after_uninstall"

# Shared by the scripts below; loaded with their forms and lists only, not with the whole Desk.
_SHARED = "public/js/zoho.js"
_PEOPLE = [_SHARED, "public/js/contact.js", "public/js/consent.js"]
_MAILING = [_SHARED, "public/js/mail_preview.js"]
_PRIVACY = [_SHARED, "public/js/privacy.js"]

doctype_js = {
	"Campaign": [_SHARED, "public/js/campaign.js"],
	"Campaign Recipient": _PRIVACY,
	"Contact": [*_PEOPLE, "public/js/privacy.js"],
	"Customer": _PEOPLE,
	"Email Campaign": _MAILING,
	"Email Group": _MAILING,
	"Newsletter": _MAILING,
	"Lead": _PEOPLE,
	"Zoho Deleted Campaign": _SHARED,
	"Zoho Held Mail": _SHARED,
	"Zoho Settings": [*_PRIVACY, "public/js/consent_settings.js"],
	"Zoho Suppressed Address": _SHARED,
	"Zoho Sync Run": _SHARED,
}
doctype_list_js = {
	"Campaign": [_SHARED, "public/js/campaign_list.js"],
	"Campaign Recipient": _PRIVACY,
	"Zoho Deleted Campaign": _SHARED,
	"Zoho Sync Run": _SHARED,
}

additional_timeline_content = {
	doctype: [f"{_MODULE}.desk.people_timeline.timeline"] for doctype in ("Contact", "Customer", "Lead")
}

_PERSON_ONLOAD = [f"{_MODULE}.desk.people_timeline.onload", f"{_MODULE}.desk.consent.onload"]

doc_events = {
	"Campaign": {
		"onload": f"{_MODULE}.desk.campaign.onload",
		"on_trash": "erpnext_zoho_integration.sync.document_events.campaign_deleted",
		"on_change": "erpnext_zoho_integration.sync.document_events.campaign_changed",
		"after_rename": "erpnext_zoho_integration.sync.document_events.campaign_renamed",
	},
	"Contact": {
		"onload": _PERSON_ONLOAD,
		"before_validate": [
			"erpnext_zoho_integration.sync.document_events.before_contact_validate",
			f"{_CONSENT}.document_events.person_validated",
		],
		"validate": "erpnext_zoho_integration.sync.document_events.after_contact_validate",
		"on_update": [
			"erpnext_zoho_integration.sync.document_events.contact_saved",
			f"{_CONSENT}.document_events.person_saved",
		],
		"on_trash": "erpnext_zoho_integration.sync.document_events.contact_deleted",
		"after_rename": "erpnext_zoho_integration.sync.document_events.contact_renamed",
	},
	"Personal Data Deletion Request": {
		"on_update": "erpnext_zoho_integration.sync.privacy.erasure.erase_on_deletion_request",
	},
	"Customer": {"onload": _PERSON_ONLOAD},
	"Lead": {
		"onload": _PERSON_ONLOAD,
		"before_validate": f"{_CONSENT}.document_events.person_validated",
		"on_update": f"{_CONSENT}.document_events.person_saved",
	},
	"Email Group Member": {
		"before_validate": f"{_CONSENT}.document_events.person_validated",
		"on_update": f"{_CONSENT}.document_events.person_saved",
	},
	"Email Unsubscribe": {"after_insert": f"{_CONSENT}.document_events.unsubscribed"},
	"Email Queue": {
		"before_insert": f"{_CONSENT}.gate.before_queueing",
		"after_insert": f"{_CONSENT}.gate.after_queueing",
	},
	"Communication": {
		"before_insert": f"{_CONSENT}.gate.before_communication",
		"after_insert": f"{_CONSENT}.gate.after_communication",
	},
}

scheduler_events = {
	"cron": {
		"* * * * *": ["erpnext_zoho_integration.sync.runs.queue.resume_waiting"],
		"*/5 * * * *": [f"{_CONSENT}.tell_zoho.start"],
		"30 * * * *": ["erpnext_zoho_integration.sync.runs.notifications.check"],
		"15 * * * *": [f"{_CONSENT}.hourly.check"],
	},
	"hourly": [f"{_MODULE}.api.sync.sync_all_campaigns"],
	"daily_long": ["erpnext_zoho_integration.sync.privacy.retention.anonymise_old_campaigns"],
}

# Links from these records do not prevent a document from being deleted.
ignore_links_on_delete = [
	"Campaign Recipient",
	"Zoho Campaign State",
	"Zoho Sync Task",
	"Zoho Sync Run",
	"Zoho Sync Run Campaign",
	"Zoho Sync Run Error",
	"Zoho Deleted Campaign",
	"Zoho Consent Event",
	"Zoho Suppressed Address",
	"Zoho Held Mail",
]

# Locks and one-time states must survive frappe.clear_cache(), which every rename of a document calls.
persistent_cache_keys = ["zoho-*"]

default_log_clearing_doctypes = {"Zoho Sync Run": 90, "Zoho Held Mail": 90}

# For Frappe's requests to download or delete personal data. On a deletion request, the document event above has already
# anonymised the rows and kept their figures.
user_data_fields = [
	{"doctype": "Campaign Recipient", "filter_by": "email", "redact_fields": ["email", "full_name"]},
	{"doctype": "Zoho Consent Event", "filter_by": "email", "redact_fields": []},
]

export_python_type_annotations = True
require_type_annotated_api_methods = True
