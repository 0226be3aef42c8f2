"""What is written into a statement instead of being bound to it."""

from datetime import datetime

import pytest

pytest.importorskip("frappe")

from erpnext_zoho_integration.sync.dialect import _literal, _places


@pytest.mark.parametrize(
	("value", "literal"),
	[
		(None, "NULL"),
		(0, "0"),
		(-7, "-7"),
		("", "''"),
		("Opened", "'Opened'"),
		("sales@example.com", "'sales@example.com'"),
		(datetime(2026, 1, 2, 3, 4, 5, 6), "'2026-01-02 03:04:05.000006'"),
	],
)
def test_a_harmless_value_is_written_as_it_is(value: object, literal: str) -> None:
	assert _literal(value) == literal


@pytest.mark.parametrize("value", ["it's", 'a "b"', "50%", "a\\", "a\n", "ü", "x;--", "%s", 1.5, b"x", True])
def test_anything_else_is_bound(value: object) -> None:
	assert _literal(value) is None


def test_only_what_is_the_same_in_all_rows_is_written() -> None:
	rows = [("Ada", "Opened", None, 0), ("Bob", "Opened", None, 1)]
	places, bound = _places(rows)
	assert places == ["%s", "'Opened'", "NULL", "%s"]
	assert [list(each) for each in bound] == [["Ada", "Bob"], [0, 1]]
