"""Row keys, pseudonyms and keyed digests.

Campaign, e-mail address and action type identify a row and are compared exactly. MariaDB's usual collation,
`utf8mb4_unicode_ci`, treats müller@ and muller@, ß and ss, and any two emoji as equal and ignores trailing blanks: a
unique index on the text would merge people. So a digest identifies the row.
"""

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache

from erpnext_zoho_integration.store.addresses import normalize_email, person_address

KEY_LENGTH = 40
LIST_LENGTH = 8  # characters of the key that stand for the list


def row_key(identity: str, email: str, action_type: str) -> str:
	"""Return the unique key of a recipient row: a digest of campaign and action, then a digest of all three.

	The common beginning keeps the keys of a page together in the index, so that the database reads few pages of it.

	Args:
		identity: of the campaign, see `campaigns.identity.campaign_identity`.
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
	"""Return the pseudonym that replaces an erased person's address: always the same one, and not reversible.

	It is keyed with the site's encryption key, so that nobody can simply try out a list of addresses.

	Args:
		email: the address, if it is known.
		zoho_contact_id: used instead of the address, if it is known: Zoho withholds the addresses of only some erased
			people.
	"""
	text = f"id:{zoho_contact_id}" if zoho_contact_id else normalize_email(email)
	return f"erased-{keyed_digest(text)[:24]}"


def keyed_digest(text: str, key: bytes | None = None) -> str:
	"""Return the HMAC-SHA256 of a text: 64 hexadecimal digits that only this site can compute.

	Args:
		text: is encoded as UTF-8.
		key: by default `site_key()`; given for many texts, or in a thread without a site.
	"""
	return hmac.digest(key or site_key(), text.encode("utf-8", "replace"), "sha256").hex()


def site_key() -> bytes:
	"""Return the key of all keyed digests: the site's encryption key."""
	from frappe.utils.password import get_encryption_key  # the only thing in here that needs Frappe

	return get_encryption_key().encode()


def address_row_name(email: str, key: bytes | None = None) -> str:
	"""Return the name of the Contact Email row in which a sync enters an address.

	The name is a primary key: when two workers create a Contact for one address at the same time, and neither sees the
	uncommitted Contact of the other, the database refuses the second one. That worker repeats its page and finds the
	Contact.

	Args:
		email: the address.
		key: as for `keyed_digest`.
	"""
	return keyed_digest(f"address:{normalize_email(email)}", key)[:24]


PersonKey = tuple[str | None, str | None]  # e-mail address, Zoho contact id


def digests_of(people: Iterable[PersonKey], key: bytes) -> dict[PersonKey, list[str]]:
	"""Return the digests under which the register of erased people would have these people. Needs no site.

	Args:
		people: address and Zoho contact id of each.
		key: see `site_key`.
	"""
	return {person: person_digests(*person, key) for person in people}


def person_digests(email: str | None, zoho_contact_id: str | None, key: bytes | None = None) -> list[str]:
	"""Return the digests of one person: of the address in both of its forms, and of Zoho's contact id, as far as known."""
	forms = dict.fromkeys((normalize_email(email), person_address(email)))
	digests = [keyed_digest(f"erased e-mail\n{form}", key)[:40] for form in forms if form]
	if zoho_contact_id:
		digests.append(keyed_digest(f"erased contact\n{zoho_contact_id}", key)[:40])
	return digests
