"""How e-mail addresses are compared.

Rows of Campaign Recipient are identified by `normalize_email`, which stays as it is: another form would give every stored
row a new key. People are compared by `person_address`: consent, matching, search and erasure.
"""

import hashlib
import unicodedata
from email.utils import getaddresses
from functools import lru_cache

import idna

KEY_LENGTH = 32
_ORDINARY = frozenset("abcdefghijklmnopqrstuvwxyz0123456789@.-_+")
# Characters that a list of addresses, or an address with a name, contains.
LIST_CHARACTERS = (",", ";", "<", "\n")


def normalize_email(email: str | None) -> str:
	"""Return the address trimmed and in lower case: how rows are identified."""
	return (email or "").strip().lower()


def visible(text: str | None) -> str:
	"""Return a text without the characters that nobody sees: zero-width ones, soft hyphens, byte order marks."""
	if not text or text.isascii():
		return text or ""
	return "".join(c for c in text if unicodedata.category(c) != "Cf")


def person_address(text: str | None) -> str:
	"""Return the normal form of one address: the same for all texts by which a mail reaches the same mailbox.

	Invisible characters are left out, letters are lower-case, and the domain is in ASCII (UTS 46, non-transitional, see
	https://www.unicode.org/reports/tr46/). The part before the @ keeps its accents, dots and plus signs: müller@ and
	muller@ are two people.

	Args:
		text: one address without a name, see `addresses_in_field` for others.

	Returns:
		An empty text if there is no address in it.
	"""
	email = normalize_email(text)
	if _ORDINARY.issuperset(email) and "xn--" not in email:
		local, _at, domain = email.rpartition("@")
		return email.rstrip(".") if local and domain else ""
	local, _at, domain = unicodedata.normalize("NFC", normalize_email(visible(email))).rpartition("@")
	domain = _ascii_domain(domain)
	return f"{local.strip()}@{domain}" if local.strip() and domain else ""


def addresses_in_field(text: str | None) -> list[str]:
	"""Return the normal forms of all addresses in a field, such as `Rob Poe <rob@example.com>, office@example.com`."""
	if not text:
		return []
	if not any(character in text for character in LIST_CHARACTERS):
		address = person_address(text)
		return [address] if address else []
	parts = visible(text.replace("\n", ",")).replace(";", ",")
	found = (person_address(address) for _name, address in getaddresses([parts]))
	return list(dict.fromkeys(address for address in found if address))


def spellings(address: str) -> set[str]:
	"""Return the texts by which a field may hold an address, given in its normal form: the domain in ASCII or Unicode."""
	local, _at, domain = address.rpartition("@")
	if "xn--" not in domain:
		return {address}
	return {address, f"{local}@{_unicode_domain(domain)}"}


def address_key(address: str) -> str:
	"""Return the key of an address in its normal form: a digest that needs no key of the site.

	MariaDB's usual collation treats müller@ and muller@ as equal, so that the text itself cannot be a key.
	"""
	return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()[:KEY_LENGTH]


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
	domain = domain.strip().rstrip(".")
	try:
		return idna.encode(domain, uts46=True, transitional=False).decode()
	except (idna.IDNAError, UnicodeError):
		return domain  # no host has this name, but a field may hold it


@lru_cache(maxsize=4096)
def _unicode_domain(domain: str) -> str:
	try:
		return idna.decode(domain)
	except (idna.IDNAError, UnicodeError):
		return domain
