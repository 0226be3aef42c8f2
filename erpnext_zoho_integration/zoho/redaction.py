"""Keep secrets out of messages, logs and tracebacks. Must not import anything of this package."""

import re
from typing import Final

MASK: Final = "********"

# Zoho's tokens and codes: "1000." and two long hexadecimal parts.
_TOKEN = re.compile(r"\b1000\.[0-9A-Za-z]{6,}(?:\.[0-9A-Za-z]{6,})?")
_HEADER = re.compile(r"(?i)\b(Zoho-oauthtoken|Zoho-zapikey|Bearer|Basic)\s+(?!\*)[^\s'\",;}]+")
_NAMES = (
	r"client_secret|access_token|refresh_token|id_token|authtoken|code_verifier|password|secret|token|code"
)
# code=…, "access_token": "…" and 'token': '…'. A business code such as "code": "6101" is short and stays.
_PAIR = re.compile(rf"(?i)\b({_NAMES})(['\"]?\s*[=:]\s*['\"]?)(?![\"'\s*])([^\s&'\",;}}\])]{{9,}})")
# The bounds keep the time linear on a long text without spaces.
_PART = r"[^\s@<>\"'(),;:=]"
_EMAIL = re.compile(rf"{_PART}{{1,64}}@{_PART}{{1,255}}")


class Secret(str):
	"""Behave as the text it holds, but show a mask in ``repr``.

	Error reports print the local variables of every frame, and a token in a header mapping, a form body or an object
	must not be readable there. Some tools print a text as it is when it is itself the variable: they go by names, so
	such a variable is called `…token` or `…secret`.
	"""

	__slots__ = ()

	def __repr__(self) -> str:
		return repr(MASK)


def redact(text: str) -> str:
	"""Mask tokens, codes, client secrets and e-mail addresses in `text`.

	For anything that is written down: messages, logs, run records. The first letter and the domain of
	an e-mail address stay, so that a person who knows the address can recognise it.
	"""
	text = _HEADER.sub(rf"\1 {MASK}", text)
	text = _TOKEN.sub(MASK, text)
	text = _PAIR.sub(rf"\1\2{MASK}", text)
	return _EMAIL.sub(_mask_email, text) if "@" in text else text


def _mask_email(match: re.Match[str]) -> str:
	local, _, domain = match.group().rpartition("@")
	return f"{local[0]}***@{domain}"
