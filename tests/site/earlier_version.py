"""The earlier public app of the same name, version 0.0.1, rebuilt from its description for tests of the upgrade.

`write_app(folder)` writes it. A process that has the folder before this repository in PYTHONPATH installs it by its name.
"""

from __future__ import annotations

import json
from pathlib import Path

APP = "erpnext_zoho_integration"
MODULE = "ERPNext Zoho Integration"
ACTIONS = ("Sent", "Opened", "Clicked", "Hard Bounced", "Soft Bounced", "Unsubscribed", "Complaint")

# (fieldname, fieldtype, options, further properties)
RECIPIENT_FIELDS = [
	("campaign", "Link", "Campaign", {"reqd": 1}),
	("contact", "Link", "Contact", {}),
	("email", "Data", "Email", {"reqd": 1}),
	("zoho_contact_id", "Data", None, {"read_only": 1}),
	("action_type", "Select", "\n".join(ACTIONS), {"reqd": 1}),
	("action_date", "Datetime", None, {}),
	("sent_time", "Datetime", None, {}),
	("open_count", "Int", None, {}),
	("country", "Data", None, {}),
	("city", "Data", None, {}),
	("state", "Data", None, {}),
	("is_spam", "Check", None, {}),
	("is_optout", "Check", None, {}),
	("contact_status", "Data", None, {}),
	("full_name", "Data", None, {}),
	("company_name", "Data", None, {}),
	("job_title", "Data", None, {}),
	("open_reports", "Long Text", None, {}),
	# A text in 0.0.1; the new column holds numbers.
	("click_count", "Data", None, {}),
	("clicked_links", "Long Text", None, {}),
	("url_clicks", "Long Text", None, {}),
]
ANALYTICS_FIELDS = [
	("metric", "Data", None, {"reqd": 1}),
	("value", "Data", None, {}),
	("percentage", "Percent", None, {}),
]
SETTINGS_FIELDS = [
	("client_id", "Data", None, {}),
	("client_secret", "Password", None, {}),
	("redirect_uri", "Data", None, {}),
	("access_token", "Password", None, {"read_only": 1}),
	("refresh_token", "Password", None, {"read_only": 1}),
	("token_expiry", "Datetime", None, {"read_only": 1}),
	("api_domain", "Data", None, {"read_only": 1, "default": "https://www.zohoapis.in"}),
	("code", "Data", None, {}),
	("is_active", "Check", None, {"read_only": 1}),
]
CUSTOM_FIELDS = {
	"Campaign": [
		("zoho_section", "Section Break", None, {}),
		("zoho_campaign_id", "Data", None, {"unique": 1, "read_only": 1}),
		("zoho_campaign_key", "Data", None, {"read_only": 1}),
		("zoho_subject", "Data", None, {"read_only": 1}),
		("zoho_from_email", "Data", None, {"read_only": 1}),
		("zoho_sent_time", "Datetime", None, {"read_only": 1}),
		("zoho_campaign_status", "Data", None, {"read_only": 1}),
		("zoho_campaign_type", "Data", None, {"read_only": 1}),
		("zoho_reply_to", "Data", None, {"read_only": 1}),
		("zoho_preview_url", "Small Text", None, {"read_only": 1}),
		("campaign_analytics", "Table", "Campaign Analytics", {}),
		("last_synced", "Datetime", None, {"read_only": 1}),
	],
	"Contact": [
		("zoho_contact_id", "Data", None, {"unique": 1, "read_only": 1}),
		("zoho_status", "Data", None, {"read_only": 1}),
		("zoho_last_synced", "Datetime", None, {"read_only": 1}),
	],
}


def write_app(folder: Path) -> None:
	"""Write the app's package into a folder."""
	package = folder / APP
	module = package / APP
	_write(package / "__init__.py", '__version__ = "0.0.1"\n')
	_write(package / "modules.txt", MODULE + "\n")
	_write(package / "patches.txt", "[pre_model_sync]\n\n[post_model_sync]\n")
	hooks = {"app_name": APP, "app_title": MODULE, "app_publisher": "Yanky", "app_email": "x@example.com"}
	hooks |= {"app_description": "0.0.1", "app_license": "mit"}
	hooks["scheduler_events"] = {"hourly": [f"{APP}.{APP}.api.sync.sync_all_campaigns"]}
	_write(package / "hooks.py", "".join(f"{name} = {value!r}\n" for name, value in hooks.items()))
	_write(module / "__init__.py", "")
	_write(module / "api" / "__init__.py", "")
	_write(module / "api" / "sync.py", "def sync_all_campaigns():\n\tpass\n")
	_doctype(module, "Zoho Settings", SETTINGS_FIELDS, issingle=1)
	_doctype(module, "Campaign Analytics", ANALYTICS_FIELDS, istable=1)
	_doctype(module, "Campaign Recipient", RECIPIENT_FIELDS, autoname="format:{contact}-{email}-{##}")
	_report(module)
	for doctype, fields in CUSTOM_FIELDS.items():
		_custom(module, doctype, fields)


def _doctype(module: Path, name: str, fields: list, **properties: object) -> None:
	scrubbed = name.lower().replace(" ", "_")
	folder = module / "doctype" / scrubbed
	system_manager = {"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}
	record = {
		"doctype": "DocType",
		"name": name,
		"module": MODULE,
		"engine": "InnoDB",
		"creation": "2025-01-01 00:00:00.000000",
		"modified": "2025-06-01 00:00:00.000000",
		"owner": "Administrator",
		"modified_by": "Administrator",
		"fields": [_field(*field) for field in fields],
		"permissions": [] if properties.get("istable") else [system_manager],
		**properties,
	}
	_write(folder / "__init__.py", "")
	_write(folder / f"{scrubbed}.json", json.dumps(record))
	class_name = name.replace(" ", "")
	_write(
		folder / f"{scrubbed}.py",
		f"from frappe.model.document import Document\n\n\nclass {class_name}(Document):\n\tpass\n",
	)


def _report(module: Path) -> None:
	record = {
		"doctype": "Report",
		"name": "Campaign Performance",
		"report_name": "Campaign Performance",
		"ref_doctype": "Campaign",
		"report_type": "Query Report",
		"is_standard": "Yes",
		"module": MODULE,
		"query": "select name as `Campaign:Link/Campaign:200` from `tabCampaign`",
		"creation": "2025-01-01 00:00:00.000000",
		"modified": "2025-06-01 00:00:00.000000",
		"roles": [{"role": "System Manager"}],
	}
	folder = module / "report" / "campaign_performance"
	_write(module / "report" / "__init__.py", "")
	_write(folder / "__init__.py", "")
	_write(folder / "campaign_performance.json", json.dumps(record))


def _custom(module: Path, doctype: str, fields: list) -> None:
	records = [
		{
			"doctype": "Custom Field",
			"dt": doctype,
			"name": f"{doctype}-{field[0]}",
			"module": MODULE,
			**_field(*field),
		}
		for field in fields
	]
	declared = {"doctype": doctype, "custom_fields": records, "property_setters": [], "sync_on_migrate": 1}
	_write(module / "custom" / f"{doctype.lower()}.json", json.dumps(declared))


def _field(fieldname: str, fieldtype: str, options: str | None, more: dict) -> dict:
	label = fieldname.replace("_", " ").title()
	return {"fieldname": fieldname, "fieldtype": fieldtype, "label": label, "options": options, **more}


def _write(path: Path, text: str) -> None:
	path.parent.mkdir(parents=True, exist_ok=True)
	path.write_text(text)
