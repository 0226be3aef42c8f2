"""The hourly check: opt-outs that document events missed, once the earlier ones are known."""

from erpnext_zoho_integration.consent import backfill, missed_opt_outs


def check() -> None:
	"""Record what was missed; until the backfill is complete, go on with that, since what it finds is no news."""
	if backfill.is_complete():
		missed_opt_outs.record_missed()
	else:
		backfill.queue()
