"""Queries of the framework that the app relies on, on the embedded site and on any bench.

If one fails on the embedded site only, its copy of the framework needs an edit (embedded/framework/source_edits.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

import frappe
from frappe.query_builder.functions import Count, Max, Sum

from tests.site.embedded.probe import AWKWARD, CHILD, PROBE, new
from tests.site.server import TestSite

pytestmark = pytest.mark.usefixtures("empty_probe")


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
