"""The plan of a run: which campaigns it syncs. One worker makes it, the others read it."""

from dataclasses import asdict, dataclass

import frappe
from frappe import _

from erpnext_zoho_integration.shared_locks import shared_lock
from erpnext_zoho_integration.store.doctypes import SYNC_RUN
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.sync.fetch.zoho_session import ZohoSession
from erpnext_zoho_integration.sync.planning import due_campaigns
from erpnext_zoho_integration.sync.planning.sync_settings import Policy
from erpnext_zoho_integration.sync.runs import campaign_tasks, run_log
from erpnext_zoho_integration.sync.runs.interruptions import RunGone

_LOCK_SECONDS = 600
_WAIT_SECONDS = 300


@dataclass(slots=True)
class RunPlan:
	"""The plan that all workers of a run share.

	Attributes:
		full: whether every list is read again.
		samples: the times of some campaigns, to measure the clocks on.
		not_due: how many sent campaigns are left for a later run.
		calls: how many calls to Zoho the plan took.
	"""

	full: bool
	samples: list[dict]
	not_due: int
	calls: int


def read_or_make(run: str, session: ZohoSession, policy: Policy, notes: list[str]) -> RunPlan:
	"""Return the plan of a run, made and committed by the first worker that asks for it.

	Args:
		run: name of the Zoho Sync Run.
		session: connection of the run.
		policy: what the settings say.
		notes: to be listed in the run, once.

	Raises:
		zoho.ZohoError: Zoho did not list its campaigns.
		NotConnected: the site has no usable connection.
		RunGone: the run was deleted meanwhile.
	"""
	if plan := run_log.read_plan(run):
		return RunPlan(**plan)
	with shared_lock(f"plan-{run}", seconds=_LOCK_SECONDS, wait=_WAIT_SECONDS):
		frappe.db.commit()  # nosemgrep - see whether another worker has planned meanwhile
		if plan := run_log.read_plan(run):
			return RunPlan(**plan)
		return _make(run, session, policy, notes)


def _make(run: str, session: ZohoSession, policy: Policy, notes: list[str]) -> RunPlan:
	scope = frappe.db.get_value(SYNC_RUN, run, ["campaign", "mode"], as_dict=True)
	found = _campaigns(session, policy, scope)
	full = scope.mode == "Full" or bool(scope.campaign)
	plan = RunPlan(full, found.samples, found.not_due, session.calls)
	if not frappe.db.get_value(SYNC_RUN, run, "name", for_update=True):
		raise RunGone  # while Zoho was asked; nothing would ever delete its tasks
	campaign_tasks.add(run, found.due)
	run_log.save_plan(run, asdict(plan), found.total)
	for bad in found.bad:
		message = _("Zoho lists something that is not a campaign: {0}").format(bad.reason)
		run_log.add_error(run, message, "List")
	for note in notes:
		run_log.add_error(run, note, "Write", severity="Note")
	frappe.db.commit()  # nosemgrep - the plan, before anybody works on it
	return plan


def _campaigns(session: ZohoSession, policy: Policy, scope: frappe._dict) -> due_campaigns.Plan:
	if not scope.campaign:
		return due_campaigns.plan_all(session.client, policy, scope.mode)
	key = frappe.db.get_value("Campaign", scope.campaign, ZOHO_CAMPAIGN_KEY)
	return due_campaigns.plan_one(session.client, key)
