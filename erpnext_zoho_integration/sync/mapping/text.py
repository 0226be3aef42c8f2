"""Text from Zoho, made fit for the database and safe in every view."""

import unicodedata
from collections.abc import Sequence

MAX_DATA = 140  # a Data field is a varchar(140)
MAX_EMAIL = 254  # RFC 5321, and the length of Campaign Recipient's field
MAX_TEXT = 60_000  # bytes: a Small Text field holds 65,535
MAX_URL = 15_000  # characters, of at most four bytes each

_MARKUP = str.maketrans({"<": "‹", ">": "›"})
# Persian, the languages of India and composed emoji are written with them.
_JOINERS = "\u200c\u200d"
# Private use, and what is newer than this Python's tables.
_UNKNOWN = ("Co", "Cn")


def clean(value: object, length: int = MAX_DATA) -> str | None:
	"""Return one line of text that fits the field and cannot be markup in any view, or None if nothing remains.

	Angle brackets become their typographic twins: Frappe would otherwise drop or encode what stands between them, and
	some of its views insert text as HTML. Characters that control or break lines become blanks; what is too long ends
	in an ellipsis.
	"""
	if value is None:
		return None
	text = str(value)
	if len(text) <= length and text.isprintable() and "<" not in text and ">" not in text:
		return text.strip() or None  # nearly every value, a dozen times for each of a million rows
	if not text.isprintable():
		text = "".join(c if _is_text(c) else " " for c in text)
		if not text.strip(f"{_JOINERS} "):
			return None
	text = text.translate(_MARKUP).strip()
	if len(text) > length:
		text = text[: length - 1].rstrip() + "…"
	return text or None


def clean_all(*texts: str | None) -> Sequence[str | None]:
	"""Return trimmed texts, each as `clean` does: nearly always all of them as they are, which takes one look."""
	found = [text for text in texts if text]
	joined = "".join(found)
	fits = len(joined) <= MAX_DATA or max(map(len, found)) <= MAX_DATA
	if fits and joined.isprintable() and "<" not in joined and ">" not in joined:
		return texts
	return [clean(text) for text in texts]


def clean_url(value: object) -> str | None:
	"""Return an http(s) address that fits its field, with nothing in it that could end an attribute, or None."""
	text = str(value or "").strip()
	if not text.lower().startswith(("http://", "https://")) or len(text) > MAX_URL:
		return None
	for character, escaped in (("<", "%3C"), (">", "%3E"), ('"', "%22"), ("'", "%27"), (" ", "%20")):
		text = text.replace(character, escaped)
	return text if text.isprintable() else None


def _is_text(character: str) -> bool:
	return character.isprintable() or character in _JOINERS or unicodedata.category(character) in _UNKNOWN
