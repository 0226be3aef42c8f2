"""The hourly check: opt-outs that document events missed, once the earlier ones are known."""

from erpnext_zoho_integration.consent import backfill, comparison


def check() -> None:
	"""Record what was missed; until the backfill is complete, go on with that, since what it finds is no news."""
	if backfill.is_complete():
		comparison.record_missed()
	else:
		backfill.queue()
