"""Translations: the template has every text of the app, and German has all of them but those that Frappe translates.

After texts have changed, `ZOHO_WRITE_TRANSLATIONS=1 ./dev test tests/site/test_translations.py` writes the template
and takes new texts over into the translations, as `bench generate-pot-file` and `bench update-po-files` do on a bench.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import frappe

pytest.importorskip("babel.messages")
translate = pytest.importorskip("frappe.gettext.translate")

from babel.messages.catalog import Catalog, Message  # noqa: E402
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir  # noqa: E402
from babel.messages.pofile import read_po, write_po  # noqa: E402

APP = "erpnext_zoho_integration"
ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / APP / "locale"
EXTRACTORS = (
	("**/doctype/*/*.json", "doctype"),
	("**/workspace/*/*.json", "workspace"),
	("**/onboarding_step/*/*.json", "onboarding_step"),
	("**/module_onboarding/*/*.json", "module_onboarding"),
	("**/report/*/*.json", "report"),
	("**/custom/*.json", "customization"),  # since version 16
	("**.py", "python"),
	("**.js", "javascript"),
)
PLACEHOLDER = re.compile(r"\{\d*\}|<[^>]+>|\*\*")


# Frappe and ERPNext have translated these; whatever an app says of them would hold for the whole Desk.
SHARED = (
	'<span class="h4"><b>Shortcuts</b></span>',
	"Access Token",
	"Action Type",
	"Active",
	"Addresses",
	"All",
	"Authorization Code",
	"Campaign Name",
	"Campaign",
	"Cancel",
	"Cancelled",
	"City",
	"Clicked",
	"Client ID",
	"Client Secret",
	"Code",
	"Communication",
	"Company Name",
	"Complete",
	"Contact",
	"Contacts",
	"Content Hash",
	"Country",
	"Deleted",
	"Delivered",
	"Details",
	"Difference",
	"Document Type",
	"Document",
	"Done",
	"Duration",
	"Email Group",
	"Email Queue",
	"Email Unsubscribe",
	"Email",
	"Error",
	"Errors",
	"Event",
	"Everyone",
	"Failed",
	"Finished At",
	"From Date",
	"Full Name",
	"Full",
	"Job Title",
	"Key",
	"Keys",
	"Lead",
	"Link",
	"Links",
	"List",
	"Lists",
	"Merged",
	"Message",
	"Name",
	"New",
	"Note",
	"Opened",
	"Page Size",
	"Partial",
	"Pending",
	"Percentage",
	"Plan",
	"Position",
	"Preview",
	"Progress",
	"Python",
	"Queued",
	"Reason",
	"Recipients",
	"Redirect URI",
	"Refresh Token",
	"Report",
	"Reports",
	"Restore",
	"Retry",
	"Rows Removed",
	"Running",
	"Sales Manager",
	"Sales Master Manager",
	"Sales User",
	"Saving...",
	"Schedule",
	"Sent",
	"Skipped",
	"Source",
	"Stage",
	"Started At",
	"State",
	"Status",
	"Subject",
	"Success",
	"Summary",
	"System Manager",
	"To Date",
	"Unchanged",
	"Unknown",
	"Unsubscribed",
	"User",
	"Value",
	"View Report",
	"Working",
	"Write",
)


def catalog(name: str) -> Catalog:
	return read_po((LOCALE / name).open("rb"))


def texts(source: Catalog) -> dict[tuple, Message]:
	return {(message.id, message.context): message for message in source if message.id}


def in_the_code() -> Iterator[tuple]:
	"""Yield what Frappe's extractors find in the app: file, line, text, comments, context."""
	keywords = {**DEFAULT_KEYWORDS, "_lt": None}
	for found in extract_from_dir(str(ROOT), extractors(), directory_filter=is_ours, keywords=keywords):
		if found[2]:
			yield found


def extractors() -> list[tuple[str, str]]:
	"""Return which extractor reads which files, as Frappe's babel_extractors.csv says, which its package lacks."""
	return [
		(pattern, f"frappe.gettext.extractors.{module}.extract")
		for pattern, module in EXTRACTORS
		if find_spec(f"frappe.gettext.extractors.{module}")
	]


def is_ours(folder: str) -> bool:
	relative = Path(folder).resolve().relative_to(ROOT)
	return relative.parts[:1] in ((), (APP,)) and not relative.name.startswith((".", "_"))


@pytest.fixture(scope="module", autouse=True)
def written(site) -> None:
	if not os.environ.get("ZOHO_WRITE_TRANSLATIONS"):
		return
	template = translate.new_catalog(APP)
	for file, line, text, comments, context in in_the_code():
		template.add(text, locations=[(file, line)], auto_comments=comments, context=context)
	options = {"sort_output": True, "ignore_obsolete": True, "width": None}
	with (LOCALE / "main.pot").open("wb") as file:
		write_po(file, template, **options)
	for path in LOCALE.glob("*.po"):
		translation = catalog(path.name)
		translation.update(template, no_fuzzy_matching=True)
		with path.open("wb") as file:
			write_po(file, translation, **options)


def test_the_template_has_the_texts_of_the_code() -> None:
	found = {(text, context) for _file, _line, text, _comments, context in in_the_code()}
	known = set(texts(catalog("main.pot")))
	assert len(found) > 400
	assert sorted(found - known, key=str) == []
	if len(extractors()) == len(EXTRACTORS):
		assert sorted(known - found, key=str) == []


def test_german_has_every_text_that_frappe_and_erpnext_do_not_have() -> None:
	template, german = texts(catalog("main.pot")), texts(catalog("de.po"))
	assert set(german) == set(template)
	untranslated = {text for (text, _context), message in german.items() if not message.string}
	assert sorted(untranslated - set(SHARED)) == []


def test_translations_keep_what_is_filled_in_and_marked_up() -> None:
	for (text, _context), message in texts(catalog("de.po")).items():
		if message.string:
			assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(message.string)), text
			assert text.endswith(" ") == message.string.endswith(" "), text


def test_no_text_of_erpnext_gets_another_meaning() -> None:
	"""Frappe keeps one translation of a text for all apps; the last app's wins, whatever its context."""
	german = texts(catalog("de.po"))
	translated = {text for (text, _context), message in german.items() if message.string}
	assert (
		translated & {"Delivered", "Change", "Name", "Schedule", "Cancelled", "State", "Retry", "Open"}
		== set()
	)


def test_a_user_reads_the_desk_in_german(site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
	monkeypatch.setattr(translate, "get_locale_dir", lambda: tmp_path)
	translate._compile_translation(APP, "de", force=True)
	frappe.clear_cache()
	found = translate.get_translations_from_mo("de", APP)
	assert found["Sync All Campaigns"] == "Alle Kampagnen synchronisieren"
	assert found["{0} of {1} calls left"] == "noch {0} von {1} Aufrufen"
