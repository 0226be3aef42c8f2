"""Values: every spelling of numbers, texts, counts, addresses and structures that Zoho uses."""

import pytest

from erpnext_zoho_integration.zoho.value_parsing import (
	count,
	counts_by_name,
	flag,
	number,
	structure,
	text,
	urls,
)


@pytest.mark.parametrize(
	"raw, value",
	[
		("90", 90),
		(" 90 ", 90),
		(90, 90),
		("50.3", 50.3),
		(50.3, 50.3),
		("50.3%", 50.3),
		("50 %", 50),
		("-3", -3),
		("+3", 3),
		("1,234", 1234),
		("1,234,567.5", 1234567.5),
		("12.", 12.0),
		("0", 0),
		("9223372036854775807", 2**63 - 1),
		("9223372036854775808", None),
		("9" * 500, None),
		(10**400, None),
		("1e400", None),
		("1e3", None),
		("50,3", None),
		("1,23", None),
		("٣", None),
		("²", None),
		("0x10", None),
		("null", None),
		("undefined", None),
		("", None),
		("n/a", None),
		("--1", None),
		("NaN", None),
		(float("nan"), None),
		(float("inf"), None),
		(True, None),
		(None, None),
		([], None),
		({}, None),
	],
)
def test_numbers(raw, value):
	found = number(raw)
	assert found == value
	assert type(found) is type(value)


@pytest.mark.parametrize("raw, value", [("3", 3), ("3.0", 3), ("3.5", None), ("-1", None), ("1,234", 1234)])
def test_counts_are_whole_and_not_negative(raw, value):
	assert count(raw) == value


@pytest.mark.parametrize(
	"raw, value",
	[
		(" Anna ", "Anna"),
		("Null", "Null"),  # a family name
		("null", None),
		("undefined", None),
		("  ", None),
		(1234567000001234567, "1234567000001234567"),
		(None, None),
		(True, None),
		(["x"], None),
	],
)
def test_texts(raw, value):
	assert text(raw) == value


@pytest.mark.parametrize("raw", ["1", 1, True, "true", "yes", "x"])
def test_values_that_mean_yes(raw):
	assert flag(raw) is True


@pytest.mark.parametrize("raw", ["0", 0, False, "false", "False", "", "null", "undefined", None])
def test_values_that_mean_no(raw):
	assert flag(raw) is False


@pytest.mark.parametrize(
	"raw, value",
	[
		({"India": 12, "Germany": "3"}, {"India": 12, "Germany": 3}),
		("{in=2}", {"in": 2}),
		("{in=2, us=1,234, Korea, Republic of=3}", {"in": 2, "us": 1234, "Korea, Republic of": 3}),
		("{in=2,us=3}", {"in": 2, "us": 3}),
		('{"India": 12}', {"India": 12}),
		([{"India": 12}, {"Germany": 3}], {"India": 12, "Germany": 3}),
		(["{in=2}", {"in": 1}], {"in": 3}),
		({"India": "many", "Germany": None, "Peru": -1}, {}),
		("{}", {}),
		("{in=two}", {}),
		("", {}),
		("null", {}),
		([], {}),
		(None, {}),
		(7, {}),
		("{" + "a" * 100_000, {}),
		("{" + "=" * 100_000 + "}", {}),
	],
)
def test_counts_by_country_in_every_shape(raw, value):
	assert counts_by_name(raw) == value


@pytest.mark.parametrize(
	"raw, value",
	[
		("[https://a.example/x, https://b.example]", ["https://a.example/x", "https://b.example"]),
		(
			"[https://a.example/?x=1,2, mailto:b@c.example]",
			["https://a.example/?x=1,2", "mailto:b@c.example"],
		),
		("[https://a.example/?u=1,http://b.example]", ["https://a.example/?u=1,http://b.example"]),
		("[www.a.example, b.example/x]", ["www.a.example", "b.example/x"]),
		("https://a.example", ["https://a.example"]),
		(["https://a.example", "null", None], ["https://a.example"]),
		("[]", []),
		("null", []),
		(None, []),
		(3.5, ["3.5"]),
	],
)
def test_clicked_addresses(raw, value):
	assert urls(raw) == value


@pytest.mark.parametrize(
	"raw, value",
	[
		('[{"time": "x"}]', [{"time": "x"}]),
		("[{'time': 'x', 'n': 1}]", [{"time": "x", "n": 1}]),
		(
			"{time=Feb 12, 2026 12:08 PM, url=https://a.example/?x=1}",
			{"time": "Feb 12, 2026 12:08 PM", "url": "https://a.example/?x=1"},
		),
		(
			"[{time=Feb 12, 2026 12:08 PM}, {time=Feb 13, 2026 1:08 AM}]",
			[{"time": "Feb 12, 2026 12:08 PM"}, {"time": "Feb 13, 2026 1:08 AM"}],
		),
		("[]", []),
		("{}", {}),
		("[a, b]", "[a, b]"),
		("[" * 50_000, "[" * 50_000),
		("{1, 2}", "{1, 2}"),
		("text", "text"),
		("", ""),
		(None, None),
		({"a": 1}, {"a": 1}),
	],
)
def test_structures_written_as_text(raw, value):
	assert structure(raw) == value
