"""No error tracker: the package's own needs sentry_sdk even where no DSN is set, and log_error imports it."""


def capture_exception(message: str | None = None) -> None:
	"""Send nothing anywhere."""
