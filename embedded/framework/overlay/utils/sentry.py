"""No error tracker. log_error imports this module; the package's version always needs sentry_sdk."""


def capture_exception(message: str | None = None) -> None:
	"""Do nothing."""
