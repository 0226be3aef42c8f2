"""Statements that write many rows: every value is bound, and no statement has more parameters than SQLite takes."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import pytest

pytest.importorskip("frappe")

from erpnext_zoho_integration.store import sql_writes

ROWS = [("Ada", "it's", None, 0), ("Bob", "50%", "%s", 1), ("Zoë", "a\\", "ifnull(", 2)]
COLUMNS = ("name", "a", "b", "c")


class Database:
	"""SQLite in memory, with the little of Frappe's interface that is needed here."""

	db_type = "sqlite"

	def __init__(self) -> None:
		self.connection = sqlite3.connect(":memory:")
		self.statements: list[tuple[str, tuple]] = []
		self.connection.execute("create table `tabThing` (shared, name primary key, a, b, c)")

	def sql(self, query: str, bound: tuple) -> None:
		self.statements.append((query, bound))
		self.connection.execute(query.replace("%s", "?"), bound)

	def rows(self) -> list[tuple]:
		return self.connection.execute("select shared, name, a, b, c from `tabThing` order by c").fetchall()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
	database = Database()
	monkeypatch.setattr(sql_writes, "frappe", SimpleNamespace(db=database))
	return database


@pytest.mark.parametrize("shared", ["it's 50%", "a ? b", None, 7])
def test_rows_are_stored_as_they_are_given(database: Database, shared: object) -> None:
	sql_writes.insert_rows("Thing", COLUMNS, ROWS, {"shared": shared})
	assert database.rows() == [(shared, *row) for row in ROWS]
	((query, bound),) = database.statements
	assert "Ada" not in query and "50%" not in query
	assert bound == tuple(value for row in ROWS for value in (shared, *row))


def test_no_rows_are_no_statement(database: Database) -> None:
	sql_writes.insert_rows("Thing", COLUMNS, [])
	sql_writes.set_by_name("Thing", "a", {})
	assert not database.statements


def test_existing_rows_take_over_the_given_columns_only(database: Database) -> None:
	sql_writes.upsert_rows("Thing", COLUMNS, ROWS[:2], "name", ("a",))
	sql_writes.upsert_rows("Thing", COLUMNS, [("Ada", "new", "other", 9), ROWS[2]], "name", ("a",))
	assert database.rows() == [(None, "Ada", "new", None, 0), (None, *ROWS[1]), (None, *ROWS[2])]


def test_many_rows_need_few_statements_of_limited_length(database: Database) -> None:
	rows = [(f"n{number}", "a", None, number) for number in range(20_000)]
	sql_writes.insert_rows("Thing", COLUMNS, rows, {"shared": 1})
	assert database.rows() == [(1, *row) for row in rows]
	assert len(database.statements) == 4
	assert all(len(bound) <= 32_766 for _query, bound in database.statements)


def test_one_column_of_many_documents_is_set_to_a_value_each(database: Database) -> None:
	sql_writes.insert_rows("Thing", COLUMNS, ROWS)
	sql_writes.set_by_name("Thing", "a", {"Ada": "x'", "Zoë": None})
	assert [row[2] for row in database.rows()] == ["x'", "50%", None]
