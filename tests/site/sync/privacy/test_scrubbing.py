"""Plain functions that remove a person from links and texts."""

import pytest

from erpnext_zoho_integration.sync.privacy import scrubbing
from erpnext_zoho_integration.sync.privacy.anonymised_rows import public_link


@pytest.mark.parametrize(
	("url", "public"),
	[
		(
			"https://example.com/a?utm_source=x&email=ada%40example.com#ada",
			"https://example.com/a?utm_source=x",
		),
		("https://ada:secret@example.com/", "https://example.com/"),
		("https://example.com/?id=1", "https://example.com/"),
		("https://[broken?x=1", "https://[broken"),
	],
)
def test_links_lose_the_parts_that_may_identify_a_person(url: str, public: str) -> None:
	assert public_link(url) == public


def test_texts_lose_an_address_in_every_spelling_and_no_other() -> None:
	text = "Ada-ada@example.com-07 ada@example.com, <ADA@Example.com>. ada%40example.com nada@example.com ada@example.com.au a.ada@example.com"
	assert scrubbing.redact(text, ["ada@example.com"]) == (
		"Ada-[erased]-07 [erased], <[erased]>. [erased] nada@example.com ada@example.com.au a.ada@example.com"
	)
