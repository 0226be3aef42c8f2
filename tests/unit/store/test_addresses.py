"""Addresses: one normal form for everything by which a mail reaches the same mailbox, and never for two people."""

import pytest

from erpnext_zoho_integration.store.addresses import (
	address_key,
	addresses_in_field,
	normalize_email,
	person_address,
	spellings,
)


@pytest.mark.parametrize(
	"text",
	[
		"jane@example.com",
		" JANE@Example.com ",
		"jane@example.com\u200b",
		"\ufeffjane@example.com",
		"ja\u00adne@exam\u200dple.com",
		"jane@example.com.",
		"jane@ｅxample.com",
	],
)
def test_what_nobody_sees_does_not_make_another_person(text: str) -> None:
	assert person_address(text) == "jane@example.com"


@pytest.mark.parametrize(
	"text", ["info@müller.de", "INFO@MÜLLER.DE", "info@xn--mller-kva.de", "Info@XN--MLLER-KVA.de"]
)
def test_a_domain_has_one_form(text: str) -> None:
	assert person_address(text) == "info@xn--mller-kva.de"


def test_a_domain_is_found_in_both_spellings() -> None:
	assert spellings("info@xn--mller-kva.de") == {"info@xn--mller-kva.de", "info@müller.de"}
	assert spellings("jane@example.com") == {"jane@example.com"}


@pytest.mark.parametrize(
	("one", "other"),
	[
		("müller@example.com", "muller@example.com"),
		("straße@example.com", "strasse@example.com"),
		("a.b@example.com", "ab@example.com"),
		("a+news@example.com", "a@example.com"),
		("a@faß.de", "a@fass.de"),
	],
)
def test_look_alikes_stay_two_people(one: str, other: str) -> None:
	assert person_address(one) and person_address(one) != person_address(other)
	assert address_key(person_address(one)) != address_key(person_address(other))


@pytest.mark.parametrize(
	("text", "found"),
	[
		("jane@example.com, office@example.com", ["jane@example.com", "office@example.com"]),
		("Rob Poe <ROB@example.com>", ["rob@example.com"]),
		('"Poe, Rob" <rob@example.com>; a@b.example', ["rob@example.com", "a@b.example"]),
		("one@example.com\ntwo@example.com", ["one@example.com", "two@example.com"]),
		("twice@example.com, TWICE@example.com", ["twice@example.com"]),
		("no address", []),
		("@example.com", []),
		("", []),
		(None, []),
	],
)
def test_a_field_is_taken_apart(text: str | None, found: list[str]) -> None:
	assert addresses_in_field(text) == found


def test_a_domain_that_no_host_has_is_kept_as_it_is() -> None:
	assert person_address("a@under_score.example") == "a@under_score.example"
	assert person_address("a@" + "x" * 80 + ".example") == "a@" + "x" * 80 + ".example"


def test_rows_keep_the_identity_that_they_have() -> None:
	assert normalize_email(" Info@MÜLLER.de ") == "info@müller.de"
