"""Digests that are stored, and must be the same in every version."""

import hashlib
import hmac

import pytest

from erpnext_zoho_integration.sync.identity import keyed_digest, row_key


@pytest.mark.parametrize("key", [b"k", b"k" * 44, b"k" * 64, b"k" * 65, b"\x00\xff" * 100])
@pytest.mark.parametrize(
	"text", ["", "erased e-mail\nada@example.com", "müller@example.com", "half \ud83d a pair"]
)
def test_a_keyed_digest_is_hmac_sha256(key: bytes, text: str) -> None:
	expected = hmac.digest(key, text.encode("utf-8", "replace"), "sha256").hex()
	assert keyed_digest(text, key) == keyed_digest(text, key) == expected


def test_a_row_is_known_again_by_campaign_address_and_action() -> None:
	expected = hashlib.sha256(b"3zkey\nada@example.com\nOpened").hexdigest()[:40]
	assert row_key("3zkey", "ada@example.com", "Opened") == expected
