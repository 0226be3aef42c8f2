"""Keep secrets out of messages, logs and tracebacks."""

import re
from typing import Final

MASK: Final = "********"

# Zoho's tokens and codes: "1000." and one or two long hexadecimal parts.
_TOKEN = re.compile(r"\b1000\.[0-9A-Za-z]{6,}(?:\.[0-9A-Za-z]{6,})?")
_HEADER = re.compile(r"(?i)\b(Zoho-oauthtoken|Zoho-zapikey|Bearer|Basic)\s+(?!\*)[^\s'\",;}]+")
_NAMES = (
	r"client_secret|access_token|refresh_token|id_token|authtoken|code_verifier|password|secret|token|code"
)
# code=…, "access_token": "…" and 'token': '…'. An error code such as "code": "6101" is short and stays.
_PAIR = re.compile(rf"(?i)\b({_NAMES})(['\"]?\s*[=:]\s*['\"]?)(?![\"'\s*])([^\s&'\",;}}\])]{{9,}})")
# The bounds keep the search linear on a long text without spaces.
_PART = r"[^\s@<>\"'(),;:=]"
# An address in a URL has %40 instead of @.
_EMAIL = re.compile(rf"{_PART}{{1,64}}(?:@|%40){_PART}{{1,255}}")


class Secret(str):
	"""A text that shows a mask in `repr`.

	Error reports print the local variables of every frame. A token in a header, a form body or an object must
	not be readable there. Some tools print a variable that is itself a text without `repr` and mask it by its
	name, so such a variable is named `…token` or `…secret`.
	"""

	__slots__ = ()

	def __repr__(self) -> str:
		return repr(MASK)


def redact(text: str) -> str:
	"""Mask tokens, codes, client secrets and e-mail addresses in `text`.

	Use it for every text that is stored, logged or shown. The first letter and the domain of an e-mail
	address stay, so that a person who knows the address can recognise it.
	"""
	text = _HEADER.sub(rf"\1 {MASK}", text)
	text = _TOKEN.sub(MASK, text)
	text = _PAIR.sub(rf"\1\2{MASK}", text)
	return _EMAIL.sub(_mask_email, text) if "@" in text or "%40" in text else text


def _mask_email(match: re.Match[str]) -> str:
	local, at, domain = re.split("(@|%40)", match.group(), maxsplit=1)
	return f"{local[0]}***{at}{domain}"
