"""Makes text from Zoho fit the database's fields and safe in every view."""

import unicodedata

MAX_DATA = 140  # a Data field is a varchar(140)
MAX_EMAIL = 254  # RFC 5321, and the length of Campaign Recipient's field
MAX_TEXT = 60_000  # bytes: a Small Text field holds 65,535
MAX_URL = 15_000  # characters, of at most four bytes each

_MARKUP = str.maketrans({"<": "‹", ">": "›"})
# Zero-width joiners belong to Persian, to the languages of India and to composed emoji.
_JOINERS = "\u200c\u200d"
# Unicode categories: private use, and characters newer than this Python's tables.
_UNKNOWN = ("Co", "Cn")


def clean(value: object, length: int = MAX_DATA) -> str | None:
	"""Return one line of text that fits its field and is markup in no view, or None if nothing remains.

	Angle brackets become typographic ones: Frappe would remove or encode the text between them, and some of its views
	insert text as HTML. Control characters and line breaks become blanks; a text that is too long ends in an ellipsis.

	Args:
		value: of any type.
		length: of the field, in characters.
	"""
	if value is None:
		return None
	text = str(value)
	if len(text) <= length and text.isprintable() and "<" not in text and ">" not in text:
		return text.strip() or None  # the usual case, made fast: a dozen values for each of a million rows
	if not text.isprintable():
		text = "".join(c if _is_text(c) else " " for c in text)
		if not text.strip(f"{_JOINERS} "):
			return None
	text = text.translate(_MARKUP).strip()
	if len(text) > length:
		text = text[: length - 1].rstrip() + "…"
	return text or None


def clean_url(value: object) -> str | None:
	"""Return an http(s) address that fits its field and cannot end an HTML attribute, or None if it is none."""
	text = str(value or "").strip()
	if not text.lower().startswith(("http://", "https://")) or len(text) > MAX_URL:
		return None
	for character, escaped in (("<", "%3C"), (">", "%3E"), ('"', "%22"), ("'", "%27"), (" ", "%20")):
		text = text.replace(character, escaped)
	return text if text.isprintable() else None


def _is_text(character: str) -> bool:
	return character.isprintable() or character in _JOINERS or unicodedata.category(character) in _UNKNOWN
