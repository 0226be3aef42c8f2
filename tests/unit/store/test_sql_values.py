"""What is written into a statement as it is, and what is left to the driver."""

from datetime import datetime, timezone

import pytest

pytest.importorskip("frappe")

from erpnext_zoho_integration.store.sql_values import is_plain, of_column, of_rows

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6)


def driver(value: object) -> str:
	return f"<{value!r}>"


@pytest.mark.parametrize(
	("values", "literals"),
	[
		([None, None], ["NULL", "NULL"]),
		([0, -7, None], ["0", "-7", "NULL"]),
		(["", "Opened"], ["''", "'Opened'"]),
		(["sales@example.com", None], ["'sales@example.com'", "NULL"]),
		(
			["Müller", "佐藤", "𝒜da", "😀", "Ada’s", "\x85"],
			["'Müller'", "'佐藤'", "'𝒜da'", "'😀'", "'Ada’s'", "'\x85'"],
		),
		(['[{"a": "b"}]', "a\nb", "x;-- #"], ['\'[{"a": "b"}]\'', "'a\nb'", "'x;-- #'"]),
		([MOMENT, None], ["'2026-01-02 03:04:05.000006'", "NULL"]),
	],
)
def test_harmless_values_are_written_as_they_are(values: list, literals: list[str]) -> None:
	assert of_column(values, driver) == literals


@pytest.mark.parametrize(
	"value",
	[
		"it's",
		"50%",
		"a\\",
		"a\r",
		"a\0",
		"\x1a",
		"\x7f",
		"x';--",
		"ifnull(",
		"%s",
		"ʼ'",
		"😀'",
		"\ud800",
		1.5,
		b"x",
		True,
		MOMENT.replace(tzinfo=timezone.utc),
	],
)
def test_anything_else_is_left_to_the_driver(value: object) -> None:
	assert of_column([value], driver) == [driver(value)]
	if isinstance(value, str):
		assert of_column(["harmless", value, None], driver) == ["'harmless'", driver(value), "NULL"]
	assert not is_plain(value)


def test_what_is_odd_is_found_among_others() -> None:
	values = ["", None, "a", "it's", "", "'", "Zoë's", "b", "''", None]
	odd = {3, 5, 6, 8}
	wanted = [
		"NULL" if value is None else driver(value) if place in odd else f"'{value}'"
		for place, value in enumerate(values)
	]
	assert of_column(values, driver) == wanted


def test_values_of_two_types_are_left_to_the_driver() -> None:
	assert of_column(["1", 1], driver) == ["<'1'>", "<1>"]


ROWS = [("Ada", "Opened", None, 0, "it's", "50%"), ("Bob", "Opened", None, 1, "fine", "50%")]


def test_a_row_has_what_all_have_in_common_and_its_own() -> None:
	start = "'Administrator', '2026-01-02 03:04:05.000006', <'100%'>, "
	assert of_rows(ROWS, ("Administrator", MOMENT, "100%"), driver) == (
		f"({start}'Ada', 'Opened', NULL, 0, <\"it's\">, <'50%'>), "
		f"({start}'Bob', 'Opened', NULL, 1, 'fine', <'50%'>)"
	)


@pytest.mark.parametrize("value", ["it's", "50%", "%s", "%(x)s", "a\\", "ifnull("])
def test_one_row_is_as_good_as_many(value: str) -> None:
	assert of_rows([(value, "fine")], (), driver) == f"({driver(value)}, 'fine')"
	assert of_rows([(value, "fine"), (value, "good")], (), driver).count(driver(value)) == 2
