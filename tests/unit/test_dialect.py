"""What is written into a statement instead of being bound to it."""

from datetime import datetime, timezone

import pytest

pytest.importorskip("frappe")

from erpnext_zoho_integration.sync.dialect import _places, _written

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
	("values", "literals"),
	[
		([None, None], ["NULL", "NULL"]),
		([0, -7, None], ["0", "-7", "NULL"]),
		(["", "Opened"], ["''", "'Opened'"]),
		(["sales@example.com", None], ["'sales@example.com'", "NULL"]),
		(["Müller", "佐藤", "𝒜da"], ["'Müller'", "'佐藤'", "'𝒜da'"]),
		(['[{"a": "b"}]', "a\nb", "x;-- #"], ['\'[{"a": "b"}]\'', "'a\nb'", "'x;-- #'"]),
		([MOMENT, None], ["'2026-01-02 03:04:05.000006'", "NULL"]),
	],
)
def test_harmless_values_are_written_as_they_are(values: list, literals: list[str]) -> None:
	assert _written(values) == literals


@pytest.mark.parametrize(
	"value",
	[
		"it's",
		"50%",
		"a\\",
		"a\r",
		"a\0",
		"\x1a",
		"x';--",
		"ifnull(",
		"%s",
		"’",
		"ʼ'",
		1.5,
		b"x",
		True,
		MOMENT.replace(tzinfo=timezone.utc),
	],
)
def test_anything_else_is_bound(value: object) -> None:
	assert _written([value]) == ["%s"]
	if isinstance(value, str):
		assert _written(["harmless", value, None]) == ["'harmless'", "%s", "NULL"]


def test_values_of_two_types_are_bound() -> None:
	assert _written(["1", 1]) == ["%s", "%s"]


ROWS = [("Ada", "Opened", None, 0, "it's"), ("Bob", "Opened", None, 1, "fine")]


def test_only_what_is_the_same_in_all_rows_is_written() -> None:
	places, bound = _places(ROWS, each=False)
	assert places == ["(%s, 'Opened', NULL, %s, %s)"] * 2
	assert bound == ("Ada", 0, "it's", "Bob", 1, "fine")


def test_every_harmless_value_is_written() -> None:
	places, bound = _places(ROWS, each=True)
	assert places == ["('Ada', 'Opened', NULL, 0, %s)", "('Bob', 'Opened', NULL, 1, 'fine')"]
	assert bound == ("it's",)


def test_what_all_rows_have_in_common_is_written_once_or_bound_to_each() -> None:
	places, bound = _places(ROWS, each=True, same=("Administrator", MOMENT, "it's"))
	start = "('Administrator', '2026-01-02 03:04:05.000006', %s, "
	assert places == [f"{start}'Ada', 'Opened', NULL, 0, %s)", f"{start}'Bob', 'Opened', NULL, 1, 'fine')"]
	assert bound == ("it's", "it's", "it's")
	places, bound = _places(ROWS, each=False, same=("50%",))
	assert places == ["(%s, %s, 'Opened', NULL, %s, %s)"] * 2
	assert bound == ("50%", "Ada", 0, "it's", "50%", "Bob", 1, "fine")


@pytest.mark.parametrize("value", ["it's", "50%", "%s", "a\\", "ifnull("])
def test_one_row_is_as_good_as_many(value: str) -> None:
	assert _places([(value, "fine")], each=True) == (["(%s, 'fine')"], (value,))
