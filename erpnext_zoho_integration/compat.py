"""The only file that asks which version of Frappe runs."""

import frappe
from frappe.model.base_document import get_controller
from frappe.utils.background_jobs import is_job_enqueued


def enqueue_once(method: str, *, job_id: str, queue: str = "long", timeout: int, **kwargs) -> bool:
	"""Queue `method` unless a job with this id is already waiting or running.

	The job starts after the caller's transaction has been committed, so that it can read what the caller wrote.

	Args:
		method: dotted path of the function.
		job_id: letters, digits, `-` and `_` only: Frappe 16 replaces anything else.
		queue: the RQ queue.
		timeout: seconds after which the worker kills the job.
		kwargs: arguments of the function; never a secret, because Redis stores them.

	Returns:
		Whether this call queued the job.
	"""
	if is_job_enqueued(job_id):
		return False
	frappe.enqueue(
		method,
		queue=queue,
		timeout=timeout,
		job_id=job_id,
		deduplicate=True,
		enqueue_after_commit=True,
		**kwargs,
	)
	return True


def campaign_writes_utm() -> bool:
	"""Return whether saving a Campaign writes a UTM Campaign as well, as ERPNext 16 does."""
	return hasattr(get_controller("Campaign"), "on_change")
