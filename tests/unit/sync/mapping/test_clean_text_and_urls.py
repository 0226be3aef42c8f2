"""Text from Zoho, made fit for fields and views."""

from __future__ import annotations

import pytest

from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import MAX_DATA, clean, clean_url


@pytest.mark.parametrize(
	("written", "kept"),
	[
		(None, None),
		("", None),
		("   ", None),
		("  Ada  ", "Ada"),
		(12, "12"),
		("Tab\tand\nline", "Tab and line"),
		("Zürich 東京 😀", "Zürich 東京 😀"),
		("no\xa0break", "no break"),
		("50 % & more 'quoted' \"text\"", "50 % & more 'quoted' \"text\""),
		("{{ frappe.session.user }}", "{{ frappe.session.user }}"),
	],
)
def test_a_line_of_text(written: object, kept: str | None) -> None:
	assert clean(written) == kept


def test_nothing_can_be_markup() -> None:
	assert clean("<script>alert('x')</script>") == "‹script›alert('x')‹/script›"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\u202e", "\u2067", "\ufeff", "\ud83d", "\u2028"])
def test_what_controls_or_breaks_is_dropped(character: str) -> None:
	cleaned = clean(f"a{character}b")
	assert character not in cleaned
	cleaned.encode()


@pytest.mark.parametrize(
	"written",
	[
		"👩‍👩‍👧",  # one family, held together by zero-width joiners
		"می‌خواهم",  # Persian, with a zero-width non-joiner
		"ക്‍ഷ",  # Malayalam
		"❤️",  # with a variation selector
	],
)
def test_joiners_that_belong_to_a_script_stay(written: str) -> None:
	assert clean(written) == written


def test_characters_newer_than_this_python_stay() -> None:
	assert clean("a\U0003fffdb") == "a\U0003fffdb"


def test_what_is_too_long_ends_in_an_ellipsis() -> None:
	assert clean("x" * MAX_DATA) == "x" * MAX_DATA
	cut = clean("x" * (MAX_DATA + 1))
	assert len(cut) == MAX_DATA and cut.endswith("x…")
	assert clean("word " * 40, length=10) == "word word…"


def test_an_invisible_text_is_no_text() -> None:
	assert clean("\u200d") is None
	assert clean("\u202e \u202c") is None


@pytest.mark.parametrize(
	("written", "kept"),
	[
		(None, None),
		("", None),
		("acme.example/x", None),
		("javascript:alert(1)", None),
		("data:text/html,x", None),
		(" https://acme.example/a?b=1&c=2 ", "https://acme.example/a?b=1&c=2"),
		("HTTP://ACME.example", "HTTP://ACME.example"),
		("https://acme.example/über", "https://acme.example/über"),
		("https://acme.example/a b", "https://acme.example/a%20b"),
		("https://acme.example/\"><script>'", "https://acme.example/%22%3E%3Cscript%3E%27"),
		("https://acme.example/\nx", None),
		("https://acme.example/\ud83d", None),
	],
)
def test_addresses_are_web_addresses_that_end_no_attribute(written: object, kept: str | None) -> None:
	assert clean_url(written) == kept


def test_an_address_too_long_for_its_field_is_none() -> None:
	assert clean_url("https://acme.example/" + "x" * 70_000) is None
