"""Telling people what `health` finds: once, and again only after it was in order meanwhile."""

import json
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.desk.doctype.notification_settings.notification_settings import is_notifications_enabled
from frappe.model.document import Document
from frappe.utils import escape_html, get_url_to_form
from frappe.utils.user import get_users_with_role

from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.shared_locks import shared_lock
from erpnext_zoho_integration.store.doctypes import SETTINGS
from erpnext_zoho_integration.sync.runs.health import CONNECTION, FAILING, PAUSED, STALE, Problem, problems


def check() -> None:
	"""Look at the connection and the sync, and tell those concerned what is new. Commits.

	Called after each run and every hour. It never raises: whoever calls it has done its work.
	"""
	with shared_lock("notify", seconds=60, wait=0) as lock:
		if not lock:
			return
		try:
			_check()
			frappe.db.commit()  # nosemgrep - what was told is remembered
		except Exception:
			frappe.db.rollback()
			frappe.log_error("Zoho: nobody could be notified")


def _check() -> None:
	settings = get_settings()
	found = problems()
	told = set(json.loads(settings.notified_problems or "[]"))
	kinds = {problem.kind for problem in found}
	# Behind a lost or paused connection the rest cannot be seen, and may still be as it was.
	known = told | kinds if kinds & {CONNECTION, PAUSED} else kinds
	new = [problem for problem in found if problem.kind not in told]
	people = _people(settings) if new else []
	for problem in new:
		for user in people:
			_tell(user, problem, by_email=bool(settings.notify_by_email))
	if not people:
		known &= told  # whoever is named later hears of it then
	if known != told:
		frappe.db.set_single_value(
			SETTINGS, "notified_problems", json.dumps(sorted(known)), update_modified=False
		)


def _people(settings: Document) -> list:
	"""Return the enabled ones of those whom the setting names, or else who connected the site, or else System Managers."""
	named = _enabled([row.user for row in settings.notify]) or _enabled([settings.connected_by])
	return named or _enabled(get_users_with_role("System Manager")) or _enabled(["Administrator"])


def _enabled(names: list[str]) -> list:
	known = [name for name in names if name]
	if not known:
		return []
	return frappe.get_all("User", {"name": ("in", known), "enabled": 1}, ["name", "email", "language"])


def _tell(user: frappe._dict, problem: Problem, *, by_email: bool) -> None:
	lang = user.language or frappe.db.get_default("lang") or "en"
	url = get_url_to_form(problem.doctype, problem.name)
	subject, advice = _subject(problem.kind, lang), _advice(problem.kind, lang)
	reason = escape_html(problem.reason or "")
	log = frappe.new_doc("Notification Log")
	log.update(
		{
			"type": "Alert",
			"for_user": user.name,
			"from_user": "Administrator",
			"subject": subject,
			"email_content": f"<p>{reason}</p><p>{advice}</p>" if reason else f"<p>{advice}</p>",
			"document_type": problem.doctype,
			"document_name": problem.name,
			"link": urlsplit(url).path,
		}
	)
	if is_notifications_enabled(user.name):
		log.insert(ignore_permissions=True)
	if by_email and user.email:
		_send(
			user.email,
			subject,
			f'{log.email_content}<p><a href="{escape_html(url)}">{escape_html(url)}</a></p>',
		)


def _send(email: str, subject: str, message: str) -> None:
	"""Queue an e-mail; a site that cannot send any has told its Desk all the same."""
	frappe.db.savepoint("zoho_mail")
	try:
		frappe.sendmail(recipients=[email], subject=subject, message=message)
	except Exception:
		frappe.db.rollback(save_point="zoho_mail")
		frappe.clear_last_message()
		frappe.log_error("Zoho: e-mail not sent")


def _subject(kind: str, lang: str) -> str:
	return {
		CONNECTION: _("Zoho Campaigns needs attention: the connection is lost", lang),
		PAUSED: _("Zoho Campaigns needs attention: everything is paused", lang),
		FAILING: _("Zoho Campaigns needs attention: the sync fails", lang),
		STALE: _("Zoho Campaigns needs attention: nothing has been synced for long", lang),
	}[kind]


def _advice(kind: str, lang: str) -> str:
	return {
		CONNECTION: _("Open Zoho Settings, see what to do there, and click Authorize with Zoho.", lang),
		PAUSED: _("Open Zoho Settings and decide how to go on.", lang),
		FAILING: _("Open the sync run: it lists what went wrong, with a way to try again.", lang),
		STALE: _(
			"Open Zoho Settings and click Sync All Campaigns. If nothing happens, see whether the background workers and the scheduler of this site are running.",
			lang,
		),
	}[kind]
