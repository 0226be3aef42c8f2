"""The steps of the workspace's onboarding, ticked off when they are done, however somebody came to do them.

Frappe itself ticks a step off only for who begins it in the workspace.
"""

import frappe

CONNECT = "Connect Zoho Campaigns"
SYNC = "Sync Your Campaigns"


def tick_off(step: str) -> None:
	"""Mark a step as done, once. The caller commits."""
	frappe.db.set_value("Onboarding Step", {"name": step, "is_complete": 0}, "is_complete", 1)
