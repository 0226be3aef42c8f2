"""What makes two rows the same: campaign, e-mail address and action type, compared exactly.

`utf8mb4_unicode_ci`, MariaDB's usual collation, holds müller@ and muller@, ß and ss, one emoji and another for equal and
ignores trailing spaces. A unique index over the text itself would merge people, so a digest carries the identity.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from erpnext_zoho_integration.store.addresses import normalize_email

KEY_LENGTH = 40
LIST_LENGTH = 8  # of it


def row_key(identity: str, email: str, action_type: str) -> str:
	"""Return the unique key of a recipient row: what stands for the list, then a digest of all three.

	So the keys of a page lie together in the index, and the database need not fetch a part of it for every row.

	Args:
		identity: of the campaign, see `campaign_identity`.
		email: normalized.
		action_type: such as `Opened`.
	"""
	text = f"{identity}\n{email}\n{action_type}"
	digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
	return (_list_part(identity, action_type) + digest)[:KEY_LENGTH]


@lru_cache(maxsize=64)
def _list_part(identity: str, action_type: str) -> str:
	return hashlib.sha256(f"{identity}\n{action_type}".encode("utf-8", "replace")).hexdigest()[:LIST_LENGTH]


def pseudonym(email: str, zoho_contact_id: str | None = None) -> str:
	"""Return the stand-in for an erased person's address: always the same one, and not to be turned back.

	Keyed with the site's encryption key, so that a list of addresses cannot simply be tried out.

	Args:
		email: the address, where it is known.
		zoho_contact_id: decides, where it is known: Zoho withholds the address of some erased people and not of others.
	"""
	text = f"id:{zoho_contact_id}" if zoho_contact_id else normalize_email(email)
	return f"erased-{keyed_digest(text)[:24]}"


def keyed_digest(text: str, key: bytes | None = None) -> str:
	"""Return a digest that only this site can make (64 hexadecimal digits).

	Args:
		text: what is digested.
		key: by default `site_key()`; given where there are many, or where no site is at hand.
	"""
	inner, outer = _keyed(key or site_key())
	inner, outer = inner.copy(), outer.copy()
	inner.update(text.encode("utf-8", "replace"))
	outer.update(inner.digest())
	return outer.hexdigest()


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
	"""Return both hashes of HMAC-SHA256 as the key leaves them: `hmac` begins anew with every text, for thrice the time.

	ref: https://www.rfc-editor.org/rfc/rfc2104
	"""
	block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
	return hashlib.sha256(bytes(b ^ 0x36 for b in block)), hashlib.sha256(bytes(b ^ 0x5C for b in block))


def site_key() -> bytes:
	"""Return what digests are keyed with: the site's encryption key."""
	from frappe.utils.password import get_encryption_key

	return get_encryption_key().encode()


def address_row_name(email: str, key: bytes | None = None) -> str:
	"""Return the name of the Contact Email row in which a sync enters an address; `key` as for `keyed_digest`.

	It is a primary key: of two workers that make a Contact of one address at the same moment, neither of which sees what
	the other has not committed, the second one is refused, and finds the Contact when it does its page again.
	"""
	return keyed_digest(f"address:{normalize_email(email)}", key)[:24]


PersonKey = tuple[str | None, str | None]  # e-mail address, Zoho contact id


def digests_of(people: Iterable[PersonKey], key: bytes) -> dict[PersonKey, list[str]]:
	"""Return the digests under which people would be registered; a plain function.

	Args:
		people: address and Zoho's contact id of each.
		key: see `identity.site_key`.
	"""
	return {person: _person_digests(*person, key) for person in people}


def _person_digests(email: str | None, zoho_contact_id: str | None, key: bytes | None = None) -> list[str]:
	found = []
	if email := normalize_email(email):
		found.append(keyed_digest(f"erased e-mail\n{email}", key)[:40])
	if zoho_contact_id:
		found.append(keyed_digest(f"erased contact\n{zoho_contact_id}", key)[:40])
	return found
