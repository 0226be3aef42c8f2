"""What is bound to a statement, and rows that come as one text."""

import sqlite3
from datetime import datetime, timezone

import pytest

pytest.importorskip("frappe")

from erpnext_zoho_integration.store.sql_lookups import unpacked
from erpnext_zoho_integration.store.sql_writes import _inserted

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6)
ROWS = [("Ada", "Opened", None, 0, "it's"), ("Bob", "Opened", None, 1, "fine")]


def test_only_what_is_the_same_in_all_rows_is_written() -> None:
	written, bound = _inserted(ROWS, (), "postgres")
	assert written == "VALUES " + ",".join(["(%s,'Opened',NULL,%s,%s)"] * 2)
	assert bound == ("Ada", 0, "it's", "Bob", 1, "fine")


def test_what_is_the_same_and_not_plain_is_bound_to_each() -> None:
	written, bound = _inserted(ROWS, ("Administrator", MOMENT, "50%", "Zoë"), "postgres")
	start = "'Administrator','2026-01-02 03:04:05.000006',%s,%s,"
	assert written == "VALUES " + ",".join([f"({start}%s,'Opened',NULL,%s,%s)"] * 2)
	assert bound == ("50%", "Zoë", "Ada", 0, "it's", "50%", "Zoë", "Bob", 1, "fine")


def test_times_of_the_site_are_bound_as_text() -> None:
	aware = MOMENT.replace(tzinfo=timezone.utc)
	_written, bound = _inserted([(MOMENT, aware), (None, None), (MOMENT, None)], (), "postgres")
	assert bound == ("2026-01-02 03:04:05.000006", aware, None, None, "2026-01-02 03:04:05.000006", None)


@pytest.mark.parametrize("value", ["it's", "50%", "%s", "a\\", "ifnull("])
def test_one_row_is_as_good_as_many(value: str) -> None:
	assert _inserted([(value, "fine")], (), "postgres") == ("VALUES (%s,'fine')", (value,))


@pytest.mark.parametrize(
	"rows", [ROWS, ROWS[:1], ROWS * 300, [("Ada", "50%", None, 1, "?")] * 2, [("it's",) * 5] * 3]
)
def test_sqlite_stores_what_it_is_given_and_updates_what_is_there(rows: list[tuple]) -> None:
	database = sqlite3.connect(":memory:")
	database.execute("create table t (shared, a, b, c, d, e, k integer primary key)")
	rows = [(*row, number) for number, row in enumerate(rows)]
	for shared in ("it's 50%", "a ? b", None, 7):
		written, bound = _inserted(rows, (shared,), "sqlite")
		database.execute(
			f"insert into t (shared, a, b, c, d, e, k) {written.replace('%s', '?')} "
			"on conflict (k) do update set shared = excluded.shared",
			bound,
		)
		assert database.execute("select * from t order by k").fetchall() == [(shared, *row) for row in rows]


PACKED = "Ada\x1f1\x1f\x1d\x1eBob, \nof all\x1f\x1d\x1f\x1e"
NUMBERS = [False, True, False]


def test_packed_rows_come_as_they_are_stored() -> None:
	assert unpacked(2, PACKED, NUMBERS) == [("Ada", 1, None), ("Bob, \nof all", None, "")]
	assert unpacked(0, None, NUMBERS) == []


@pytest.mark.parametrize(
	"text",
	[
		PACKED[:-1],  # cut off
		PACKED[:-8],
		PACKED[: len(PACKED) // 2],
		"",
		None,
		PACKED.replace("Ada", "A\x1fda"),
		PACKED.replace("Ada", "A\x1eda"),
	],
)
def test_rows_that_cannot_be_told_apart_are_asked_for_anew(text: str | None) -> None:
	assert unpacked(2, text, NUMBERS) is None
