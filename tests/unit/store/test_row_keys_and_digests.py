"""Digests that are stored, and must be the same in every version."""

import hashlib
import hmac
from itertools import pairwise

import pytest

from erpnext_zoho_integration.store.row_keys_and_digests import keyed_digest, row_key


@pytest.mark.parametrize("key", [b"k", b"k" * 44, b"k" * 64, b"k" * 65, b"\x00\xff" * 100])
@pytest.mark.parametrize(
	"text", ["", "erased e-mail\nada@example.com", "müller@example.com", "half \ud83d a pair"]
)
def test_a_keyed_digest_is_hmac_sha256(key: bytes, text: str) -> None:
	expected = hmac.digest(key, text.encode("utf-8", "replace"), "sha256").hex()
	assert keyed_digest(text, key) == keyed_digest(text, key) == expected


def test_a_row_is_known_again_by_campaign_address_and_action() -> None:
	row = hashlib.sha256(b"3zkey\nada@example.com\nOpened").hexdigest()
	same_list = hashlib.sha256(b"3zkey\nOpened").hexdigest()
	assert row_key("3zkey", "ada@example.com", "Opened") == same_list[:8] + row[:32]


def test_the_keys_of_a_list_lie_together() -> None:
	keys = sorted(
		(row_key(campaign, f"p{number}@example.com", action), (campaign, action))
		for campaign in ("3za", "3zb")
		for action in ("Opened", "Sent")
		for number in range(50)
	)
	lists = [of for _key, of in keys]
	assert sum(one != other for one, other in pairwise(lists)) == 3
	assert len({key[-16:] for key, _list in keys}) == 200, "their ends tell them apart"
