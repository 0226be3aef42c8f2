"""Documents of the framework that the app relies on, on the embedded site and on any bench.

If one fails on the embedded site only, its copy of the framework needs an edit (embedded/framework/source_edits.py).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

import frappe
from frappe.utils.password import get_decrypted_password

from tests.site.embedded.probe import AWKWARD, CHILD, PROBE, new
from tests.site.server import TestSite

pytestmark = pytest.mark.usefixtures("empty_probe")


def test_values_of_every_kind_come_back_as_they_went(site: TestSite) -> None:
	values = {
		"data": AWKWARD.strip(),
		"text": AWKWARD,
		"int": -5,
		"float": 0.125,
		"check": 1,
		"date": date(2026, 3, 29),
		"datetime": datetime(2026, 3, 29, 1, 59, 59, 123456),
		"time": timedelta(hours=13, minutes=5),
	}
	read = frappe.get_doc(PROBE, new(**values).name)
	assert {name: read.get(name) for name in values} == values


def test_empty_numbers_are_zero_and_other_empty_values_none(site: TestSite) -> None:
	row = frappe.db.get_value(PROBE, new().name, ["int", "float", "check", "data", "date"], as_dict=True)
	assert (row["int"], row["float"], row["check"], row["data"], row["date"]) == (0, 0, 0, None, None)


def test_a_save_moves_modified_and_keeps_creation(site: TestSite) -> None:
	document = new(data="a")
	created = frappe.get_doc(PROBE, document.name)
	document.data = "b"
	document.save()
	saved = frappe.get_doc(PROBE, document.name)
	assert saved.creation == created.creation and saved.modified > created.modified
	assert isinstance(saved.creation, datetime) and saved.owner == "Administrator"


def test_a_save_over_a_newer_version_is_refused(site: TestSite) -> None:
	mine = new(data="a")
	theirs = frappe.get_doc(PROBE, mine.name)
	theirs.data = "b"
	theirs.save()
	with pytest.raises(frappe.TimestampMismatchError):
		mine.save()


def test_child_rows_are_written_numbered_and_removed_with_their_parent(site: TestSite) -> None:
	document = new(rows=[{"value": value} for value in "abc"])
	document.remove(document.rows[1])
	document.append("rows", {"value": "d"})
	document.save()
	assert [(row.idx, row.value) for row in frappe.get_doc(PROBE, document.name).rows] == [
		(1, "a"),
		(2, "c"),
		(3, "d"),
	]
	document.delete()
	assert not frappe.db.count(CHILD)


def test_a_second_document_with_a_unique_value_is_refused(site: TestSite) -> None:
	new(code="one")
	with pytest.raises(frappe.UniqueValidationError):
		new(code="one")
	new(code=None)
	new(code=None)


def test_text_that_is_too_long_is_refused_by_the_document_and_by_the_database(site: TestSite) -> None:
	with pytest.raises(frappe.CharacterLengthExceededError):
		new(short="x" * 65)
	name = new(short="é" * 64).name
	with pytest.raises(Exception) as refused:
		frappe.db.sql(f"update `tab{PROBE}` set short=%s where name=%s", ("x" * 65, name))
	assert frappe.db.is_data_too_long(refused.value)


def test_text_compares_without_regard_to_case(site: TestSite) -> None:
	name = new(data="Ada@Example.com").name
	assert frappe.db.get_value(PROBE, {"data": "ada@example.COM"}) == name
	assert frappe.get_all(PROBE, {"data": ("like", "%EXAMPLE%")}, pluck="name") == [name]


def test_renaming_and_merging_take_links_along(site: TestSite) -> None:
	target, other, link = new(), new(), new()
	link.db_set("probe", other.name)
	renamed = frappe.rename_doc(PROBE, other.name, "Other Name", force=True)
	assert frappe.db.get_value(PROBE, link.name, "probe") == renamed == "Other Name"
	frappe.rename_doc(PROBE, renamed, target.name, merge=True, force=True)
	assert frappe.db.get_value(PROBE, link.name, "probe") == target.name
	assert not frappe.db.exists(PROBE, renamed)


def test_a_linked_document_cannot_be_deleted(site: TestSite) -> None:
	target = new()
	new(probe=target.name)
	with pytest.raises(frappe.LinkExistsError):
		frappe.delete_doc(PROBE, target.name)


def test_campaigns_are_named_by_name_or_by_series(site: TestSite) -> None:
	frappe.db.set_single_value("CRM Settings", "campaign_naming_by", "Campaign Name")
	frappe.db.set_default("campaign_naming_by", "Campaign Name")
	assert frappe.get_doc({"doctype": "Campaign", "campaign_name": "Spring"}).insert().name == "Spring"
	frappe.db.set_default("campaign_naming_by", "Naming Series")
	campaign = frappe.get_doc(
		{"doctype": "Campaign", "campaign_name": "Spring", "naming_series": "SAL-CAM-.YYYY.-"}
	).insert()
	assert campaign.name.startswith("SAL-CAM-20")


def test_contacts_keep_their_addresses_in_rows_and_the_primary_one_beside(site: TestSite) -> None:
	contact = frappe.get_doc({"doctype": "Contact", "first_name": "Grace", "last_name": "Hopper"})
	contact.append("email_ids", {"email_id": "first@example.com"})
	contact.append("email_ids", {"email_id": "second@example.com", "is_primary": 1})
	contact.insert()
	namesake = frappe.get_doc({"doctype": "Contact", "first_name": "Grace", "last_name": "Hopper"}).insert()
	assert contact.email_id == "second@example.com"
	assert frappe.db.get_value("Contact Email", {"email_id": "first@example.com"}, "parent") == contact.name
	assert (contact.name, namesake.name) == ("Grace Hopper", "Grace Hopper-1")


def test_passwords_are_encrypted_and_apart(site: TestSite) -> None:
	document = new(password="s3cret %")
	assert frappe.db.get_value(PROBE, document.name, "password") == "*" * len("s3cret %")
	assert get_decrypted_password(PROBE, document.name, "password") == "s3cret %"
	stored = frappe.db.sql("select password, encrypted from `__Auth` where name=%s", document.name)
	assert stored[0][1] == 1 and "s3cret" not in stored[0][0]


def test_an_error_log_keeps_title_and_traceback(site: TestSite) -> None:
	try:
		raise ValueError("told 50% 'so'")
	except ValueError:
		log = frappe.log_error(title="Zoho Sync: campaign failed")
	read = frappe.get_doc("Error Log", log.name)
	assert read.method == "Zoho Sync: campaign failed" and "told 50% 'so'" in read.error
