"""How e-mail addresses are compared."""


def normalize_email(email: str | None) -> str:
	"""Return the address trimmed and in lower case: how rows and contacts are compared."""
	return (email or "").strip().lower()
