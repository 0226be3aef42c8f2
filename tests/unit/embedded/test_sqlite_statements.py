"""Statements and values that Frappe makes for MariaDB, on SQLite."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from embedded.framework.overlay.database.sqlite.statements import (
	Kind,
	bind,
	read_date,
	read_datetime,
	read_time,
	to_sqlite,
	translate,
)


def test_values_are_bound_never_pasted() -> None:
	assert bind("a=%s and b='50%%' and c in %s", ["it's", ("x", 2)]) == (
		"a=? and b='50%' and c in (?, ?)",
		["it's", "x", 2],
	)
	assert bind("a=%(a)s or b=%(a)s", {"a": None}) == ("a=? or b=?", [None, None])
	assert bind("a like '50%%' and b='%s'", None) == ("a like '50%%' and b='%s'", [])
	assert bind("a in %s", [[]]) == ("a in (NULL)", [])


def test_more_values_than_sqlite_takes_are_written_into_the_statement() -> None:
	statement, parameters = bind("a in %s", [[f"it's {i}" for i in range(30_002)]])
	assert len(parameters) == 30_000
	assert statement.endswith("?, 'it''s 30000', 'it''s 30001')")


@pytest.mark.parametrize(
	("query", "statement", "kind"),
	[
		("select a from b", "select a from b", Kind.READ),
		("select a from b for update skip locked", "select a from b", Kind.WRITE),
		("SELECT `a` FROM `b` FOR UPDATE /* trace */", "SELECT `a` FROM `b`", Kind.WRITE),
		("insert ignore into b values (1)", "INSERT OR IGNORE into b values (1)", Kind.WRITE),
		("select locate('x', a) from b", "select instr( a, 'x') from b", Kind.READ),
		("savepoint x", "savepoint x", Kind.WRITE),
		("with a as (select 1) select * from a", "with a as (select 1) select * from a", Kind.READ),
		("with a as (select 1) delete from b", "with a as (select 1) delete from b", Kind.WRITE),
		("update a set b=' for update'", "update a set b=' for update'", Kind.WRITE),
		("alter table a add column b", "alter table a add column b", Kind.SCHEMA),
		("rollback to savepoint x", "rollback to savepoint x", Kind.OTHER),
	],
)
def test_statements_are_translated(query: str, statement: str, kind: Kind) -> None:
	assert translate(query) == (statement, kind)


def test_dates_and_times_are_stored_as_mariadb_prints_them_and_read_back() -> None:
	moment, day, span = datetime(2026, 3, 29, 1, 5, 9), date(2026, 3, 29), timedelta(hours=13, seconds=1.5)
	assert to_sqlite(moment) == "2026-03-29 01:05:09.000000"
	assert (to_sqlite(span), to_sqlite(time(13, 0, 1))) == ("13:00:01.500000", "13:00:01.000000")
	assert (to_sqlite(Decimal("1.5")), to_sqlite(True)) == (1.5, True)
	assert read_datetime(to_sqlite(moment).encode()) == moment
	assert read_datetime(b"2026-03-29 01:05:09") == moment and read_datetime(b"2026-03-29") == datetime(
		2026, 3, 29
	)
	assert read_date(b"2026-03-29") == read_date(b"2026-03-29 10:00:00") == day
	assert read_time(to_sqlite(span).encode()) == span
	assert read_datetime(b"never") == "never"
