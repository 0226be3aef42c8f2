"""What the app relies on of the framework: documents, queries, transactions, permissions.

These hold on the embedded site and on any bench. Where one fails on the embedded site only, the framework's copy
needs a repair there (embedded/repairs.py), not the app.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest
import requests

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields
from frappe.query_builder.functions import Count, Max, Sum
from frappe.utils.password import get_decrypted_password

from tests.site.server import Session, TestSite, Web

PROBE, CHILD = "Zoho Test Probe", "Zoho Test Probe Row"
AWKWARD = "50% of 'quoted', \"double\", back\\slash, `tick`, ?, :name, %s, %(x)s, ü ß 😀 – end "


@pytest.fixture(scope="session", autouse=True)
def probe(site: TestSite) -> Iterator[None]:
	"""A DocType with a field of each kind, and a child table."""
	kinds = ["Data", "Int", "Float", "Check", "Date", "Datetime", "Time", "Text", "Small Text", "Password"]
	fields = [
		{"fieldname": kind.lower().replace(" ", "_"), "fieldtype": kind, "label": kind} for kind in kinds
	]
	fields += [
		{"fieldname": "short", "fieldtype": "Data", "label": "Short", "length": 64},
		{"fieldname": "code", "fieldtype": "Data", "label": "Code", "unique": 1},
		{"fieldname": "indexed", "fieldtype": "Data", "label": "Indexed", "search_index": 1},
		{"fieldname": "probe", "fieldtype": "Link", "options": PROBE, "label": "Probe"},
		{"fieldname": "campaign", "fieldtype": "Link", "options": "Campaign", "label": "Campaign"},
		{"fieldname": "rows", "fieldtype": "Table", "options": CHILD, "label": "Rows"},
	]
	row = [{"fieldname": "value", "fieldtype": "Data", "label": "Value"}]
	permission = {
		"role": "Sales User",
		"read": 1,
		"report": 1,
		"write": 0,
		"create": 0,
		"delete": 0,
		"share": 0,
	}
	drop_probe()
	for name, more in (
		(CHILD, {"istable": 1, "fields": row}),
		(PROBE, {"fields": fields, "permissions": [permission]}),
	):
		frappe.get_doc(
			{"doctype": "DocType", "name": name, "module": "Custom", "custom": 1, "autoname": "hash", **more}
		).insert()
	frappe.db.commit()
	yield
	frappe.db.rollback()
	drop_probe()


def drop_probe() -> None:
	for name in (PROBE, CHILD):
		frappe.delete_doc("DocType", name, force=True, ignore_missing=True)
		frappe.db.commit()
		frappe.db.sql_ddl(f"drop table if exists `tab{name}`")


@pytest.fixture(autouse=True)
def empty_probe(clean_slate: None) -> Iterator[None]:
	yield
	frappe.db.rollback()
	frappe.db.delete(PROBE)
	frappe.db.delete(CHILD)
	frappe.db.commit()


def new(**values: object) -> frappe.model.document.Document:
	return frappe.get_doc({"doctype": PROBE, **values}).insert()


# Apps, hooks, customisations


def test_apps_are_installed_in_the_order_they_need(site: TestSite) -> None:
	installed = frappe.get_installed_apps()
	assert installed[0] == "frappe"
	assert installed.index("erpnext") < installed.index("erpnext_zoho_integration")


def test_hooks_of_all_apps_are_merged_and_can_be_told_apart(site: TestSite) -> None:
	assert {"frappe", "erpnext", "erpnext_zoho_integration"} <= set(frappe.get_hooks("app_name"))
	assert frappe.get_hooks("app_name", app_name="erpnext") == ["erpnext"]


def test_our_doctypes_belong_to_our_module_and_app(site: TestSite) -> None:
	module = frappe.db.get_value("DocType", "Zoho Settings", "module")
	assert frappe.db.get_value("Module Def", module, "app_name") == "erpnext_zoho_integration"
	assert frappe.get_meta("Zoho Settings").issingle


def test_customisations_shipped_with_the_app_are_there(site: TestSite) -> None:
	fields = frappe.get_all(
		"Custom Field", {"dt": "Campaign", "module": "ERPNext Zoho Integration"}, pluck="fieldname"
	)
	assert fields
	stored = [
		field
		for field in fields
		if frappe.get_meta("Campaign").get_field(field).fieldtype in ("Data", "Datetime")
	]
	assert stored and all(frappe.db.has_column("Campaign", field) for field in stored)


def test_a_custom_field_gets_a_column_with_its_default_and_goes_again(site: TestSite) -> None:
	first = new(data="before")
	create_custom_fields(
		{PROBE: [{"fieldname": "extra", "fieldtype": "Int", "label": "Extra", "default": "7"}]}
	)
	try:
		assert frappe.db.get_value(PROBE, first.name, "extra") == 7
		frappe.local.new_doc_templates = {}  # as in a new request
		assert new().extra == 7
	finally:
		frappe.delete_doc("Custom Field", f"{PROBE}-extra")
		frappe.clear_cache(doctype=PROBE)
	assert not frappe.get_meta(PROBE).has_field("extra")


def test_a_listener_in_hooks_hears_of_documents(site: TestSite) -> None:
	# ERPNext copies a Contact's numbers to the Lead it is linked to.
	lead = frappe.get_doc({"doctype": "Lead", "lead_name": "Ada Lovelace"}).insert()
	contact = frappe.get_doc({"doctype": "Contact", "first_name": "Ada"})
	contact.append("links", {"link_doctype": "Lead", "link_name": lead.name})
	contact.append("phone_nos", {"phone": "+1 555 0100", "is_primary_phone": 1})
	contact.insert()
	assert frappe.db.get_value("Lead", lead.name, "phone") == "+1 555 0100"


# Documents


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


# Queries


def test_values_reach_the_database_as_they_are(site: TestSite) -> None:
	name = new(text=AWKWARD).name
	table = frappe.qb.DocType(PROBE)
	queries: dict[str, Callable] = {
		"sql": lambda: frappe.db.sql(f"select name from `tab{PROBE}` where text=%s", AWKWARD)[0][0],
		"sql by name": lambda: frappe.db.sql(
			f"select name from `tab{PROBE}` where text=%(x)s", {"x": AWKWARD}
		)[0][0],
		"sql in": lambda: frappe.db.sql(f"select name from `tab{PROBE}` where text in %s", [(AWKWARD, "b")])[
			0
		][0],
		"query builder": lambda: (
			frappe.qb.from_(table).select(table.name).where(table.text == AWKWARD).run()[0][0]
		),
		"get_all": lambda: frappe.get_all(PROBE, {"text": AWKWARD}, pluck="name")[0],
		"get_value": lambda: frappe.db.get_value(PROBE, {"text": ("in", ["a", AWKWARD])}),
		"exists": lambda: frappe.db.exists(PROBE, {"text": AWKWARD}),
	}
	assert {how: query() for how, query in queries.items()} == dict.fromkeys(queries, name)
	frappe.db.set_value(PROBE, name, "text", AWKWARD + AWKWARD)
	assert frappe.db.get_value(PROBE, name, "text") == AWKWARD + AWKWARD


def test_filters_by_date_list_and_absence(site: TestSite) -> None:
	old = new(datetime="2026-01-01 10:00:00", data="a").name
	late = new(datetime="2026-01-02 10:00:00.5").name
	assert frappe.get_all(PROBE, {"datetime": (">", datetime(2026, 1, 1, 12))}, pluck="name") == [late]
	assert frappe.get_all(PROBE, {"datetime": ("between", ["2026-01-01", "2026-01-01"])}, pluck="name") == [
		old
	]
	assert frappe.get_all(PROBE, {"data": ("is", "not set")}, pluck="name") == [late]
	assert (
		frappe.get_all(PROBE, {"data": ("not in", ["b", "c"])}, pluck="name", order_by="datetime")[0] == old
	)
	assert frappe.get_all(PROBE, {"name": ("in", [])}) == []


def test_the_query_builder_joins_groups_and_orders(site: TestSite) -> None:
	for index, data in enumerate(["a", "a", "b"]):
		new(data=data, int=index, rows=[{"value": data}])
	table, rows = frappe.qb.DocType(PROBE), frappe.qb.DocType(CHILD)
	found = (
		frappe.qb.from_(table)
		.inner_join(rows)
		.on(rows.parent == table.name)
		.select(
			table.data, Count(rows.name).as_("count"), Sum(table.int).as_("sum"), Max(table.int).as_("max")
		)
		.groupby(table.data)
		.orderby(table.data, order=frappe.qb.desc)
		.run(as_dict=True)
	)
	assert [tuple(row.values()) for row in found] == [("b", 1, 2, 2), ("a", 2, 1, 1)]


def test_a_misspelt_column_is_an_error(site: TestSite) -> None:
	table = frappe.qb.DocType(PROBE)
	for query in (
		lambda: frappe.db.sql(f"select `no_such_column` from `tab{PROBE}`"),
		lambda: frappe.qb.from_(table).select(table.no_such_column).run(),
	):
		with pytest.raises(Exception) as refused:
			query()
		assert frappe.db.is_missing_column(refused.value)


def test_bulk_insert_takes_thousands_of_rows_and_skips_duplicates_if_told(site: TestSite) -> None:
	fields = ["name", "creation", "modified", "owner", "modified_by", "code", "text", "datetime", "int"]
	at = datetime(2026, 1, 1, 12, 0, 0, 5)
	rows = [
		(f"row-{i}", at, at, "Administrator", "Administrator", f"c{i}", AWKWARD, at, i) for i in range(6000)
	]
	frappe.db.bulk_insert(PROBE, fields, iter(rows))
	frappe.db.bulk_insert(
		PROBE, fields, [*rows[:3], ("new", *rows[0][1:5], "new", None, None, 1)], ignore_duplicates=True
	)
	assert frappe.db.count(PROBE) == 6001
	assert frappe.db.get_value(PROBE, "row-5999", ["text", "datetime", "int"]) == (AWKWARD, at, 5999)
	with pytest.raises(Exception) as refused:
		frappe.db.bulk_insert(PROBE, fields, rows[:1])
	assert frappe.db.is_duplicate_entry(refused.value) or frappe.db.is_primary_key_violation(refused.value)


def test_a_statement_takes_tens_of_thousands_of_values(site: TestSite) -> None:
	name = new(data="needle'").name
	values = [f"value {i} 'x'" for i in range(40_000)]
	assert frappe.get_all(PROBE, {"data": ("in", [*values, "needle'"])}, pluck="name") == [name]


def test_bulk_update_changes_each_row_its_own_way(site: TestSite) -> None:
	names = [new(data="old").name for _ in range(3)]
	frappe.db.bulk_update(PROBE, {name: {"data": f"'{name}'"} for name in names[:2]}, update_modified=False)
	assert [frappe.db.get_value(PROBE, name, "data") for name in names] == [
		f"'{names[0]}'",
		f"'{names[1]}'",
		"old",
	]


# Transactions


def test_a_rollback_undoes_and_a_savepoint_undoes_in_part(site: TestSite) -> None:
	new(data="kept")
	frappe.db.savepoint("here")
	new(data="dropped")
	frappe.db.rollback(save_point="here")
	frappe.db.savepoint("there")
	new(data="also kept")
	frappe.db.release_savepoint("there")
	frappe.db.commit()
	new(data="undone")
	frappe.db.rollback()
	assert sorted(frappe.get_all(PROBE, pluck="data")) == ["also kept", "kept"]


def test_a_transaction_sees_one_state_and_the_next_one_the_newest(web: Web) -> None:
	session = web.session("Administrator")
	name = new(data="before").name
	frappe.db.commit()
	assert frappe.db.get_value(PROBE, name, "data") == "before"
	plainly(session, "PUT", f"/api/resource/{PROBE}/{name}", {"data": "after"})
	assert frappe.db.get_value(PROBE, name, "data") == "before"
	assert frappe.get_all(PROBE, {"data": "after"}) == []
	assert frappe.db.get_value(PROBE, name, "data", for_update=True) == "after"
	frappe.db.rollback()
	assert frappe.db.get_value(PROBE, name, "data") == "after"


def plainly(session: Session, method: str, path: str, values: dict) -> requests.Response:
	"""Send a request as it is, without committing for it or looking at its effects here."""
	answer = requests.request(
		method,
		session.base_url + path,
		json=values,
		cookies=session.cookies,
		headers={"X-Frappe-CSRF-Token": session.csrf_token, "Accept": "application/json"},
		timeout=120,
	)
	assert answer.ok, answer.text[:500]
	return answer


def test_callbacks_wait_for_the_commit_and_a_rollback_drops_them(site: TestSite) -> None:
	heard = []
	frappe.db.after_commit.add(lambda: heard.append("dropped"))
	frappe.db.rollback()
	frappe.db.after_commit.add(lambda: heard.append("committed"))
	assert heard == []
	frappe.db.commit()
	assert heard == ["committed"]


def test_single_values_follow_the_transaction(site: TestSite) -> None:
	def read() -> str:
		return frappe.db.get_single_value("CRM Settings", "campaign_naming_by", cache=False)

	before = read()
	frappe.db.commit()
	frappe.db.set_single_value("CRM Settings", "campaign_naming_by", "Naming Series")
	assert read() == "Naming Series"
	frappe.db.rollback()
	assert read() == before


def test_processes_that_write_at_once_wait_for_each_other(web: Web) -> None:
	refused, sessions = [], [web.session("Administrator") for _ in range(3)]

	def write(session: Session) -> None:
		for _ in range(8):
			try:
				plainly(session, "POST", f"/api/resource/{PROBE}", {"data": "theirs"})
			except AssertionError as error:
				refused.append(str(error))

	threads = [threading.Thread(target=write, args=(session,)) for session in sessions]
	for thread in threads:
		thread.start()
	for _ in range(24):
		new(data="ours")
		frappe.db.commit()
	for thread in threads:
		thread.join()
	assert refused == []
	frappe.db.rollback()
	assert (frappe.db.count(PROBE, {"data": "theirs"}), frappe.db.count(PROBE, {"data": "ours"})) == (24, 24)


# Permissions


def test_roles_decide_what_a_user_may_do(make_user: Callable[..., str]) -> None:
	name = new(data="a").name
	reader, nobody = make_user("Sales User"), make_user()
	frappe.set_user(reader)
	assert frappe.get_list(PROBE, pluck="name") == [name]
	assert not frappe.has_permission(PROBE, "write", doc=name)
	with pytest.raises(frappe.PermissionError):
		new(data="b")
	frappe.set_user(nobody)
	assert not frappe.has_permission(PROBE, "read")
	with pytest.raises(frappe.PermissionError):
		frappe.get_list(PROBE)
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc(PROBE, name).check_permission("read")


def test_only_for_refuses_users_without_the_role(make_user: Callable[..., str]) -> None:
	frappe.set_user(make_user("Sales User"))
	frappe.only_for(("Sales User", "System Manager"))
	with pytest.raises(frappe.PermissionError):
		frappe.only_for("System Manager")


def test_user_permissions_narrow_lists_and_documents(make_user: Callable[..., str]) -> None:
	user = make_user("Sales User")
	for name in ("Spring", "Autumn"):
		frappe.get_doc({"doctype": "Campaign", "campaign_name": name}).insert()
	mine, theirs = new(campaign="Spring").name, new(campaign="Autumn").name
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": "Spring"}
	).insert()
	frappe.set_user(user)
	assert frappe.get_list("Campaign", pluck="name") == ["Spring"]
	assert frappe.get_list(PROBE, pluck="name") == [mine]
	assert frappe.has_permission(PROBE, "read", doc=mine) and not frappe.has_permission(
		PROBE, "read", doc=theirs
	)
