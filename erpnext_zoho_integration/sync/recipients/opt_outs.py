"""The opt-outs, complaints and hard bounces that a batch brings, as facts for `consent`.

They belong to the address: whether there is a row, a Contact or a usable name does not matter.
"""

from collections.abc import Iterator

from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.zoho_facts import EVENTS, fact_of_recipient
from erpnext_zoho_integration.store.fields import ACTION_DATE, SENT_TIME
from erpnext_zoho_integration.sync.mapping.recipient_rows import Row
from erpnext_zoho_integration.sync.recipients.difference import stored_rows
from erpnext_zoho_integration.sync.recipients.matched_batch import MatchedBatch


def facts_of(batch: MatchedBatch) -> list[Fact]:
	"""Return what the new rows of a batch say, and the people who have no row. To be called before the rows are stored."""
	return [fact for fact in _facts(batch) if fact]


def _facts(batch: MatchedBatch) -> Iterator[Fact | None]:
	campaign, identity = batch.campaign, batch.mapped.identity
	for row in _new_rows(batch):
		yield fact_of_recipient(
			row.email,
			row.action_type,
			row.values[ACTION_DATE],
			row.values[SENT_TIME],
			campaign,
			identity,
			row.person.zoho_contact_id,
		)
	for email, action_type, zoho_contact_id in batch.mapped.rowless:
		yield fact_of_recipient(email, action_type, None, None, campaign, identity, zoho_contact_id)


def _new_rows(batch: MatchedBatch) -> list[Row]:
	"""Return the new rows about consent; of a campaign that keeps figures only, those that still name their person."""
	rows = [row for row in batch.found.new if row.action_type in EVENTS and not row.erased]
	hidden = batch.mapped.hidden
	stored = stored_rows(hidden) if hidden else {}
	return rows + [row for key, row in hidden.items() if key not in stored]
