"""Turns Zoho's reports of a campaign into rows of Campaign Analytics."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from erpnext_zoho_integration import zoho


@dataclass(slots=True, frozen=True)
class Metric:
	"""One row of Campaign Analytics and the keys of its numbers in Zoho's report.

	Args:
		label: as stored in the row's `metric`.
		count: key of the count in the report.
		percent: key of the percentage.
		of: label of the metric that is 100 %; used when several reports are added up.
		rate_of: for a row with a percentage only: label of the metric whose percentage it repeats.
	"""

	label: str
	count: str | None = None
	percent: str | None = None
	of: str | None = None
	rate_of: str | None = None


METRICS = (
	Metric("Emails Sent", "emails_sent_count"),
	Metric("Delivered", "delivered_count", "delivered_percent", of="Emails Sent"),
	Metric("Opens", "opens_count", "open_percent", of="Delivered"),
	Metric("Open Rate %", percent="open_percent", rate_of="Opens"),
	Metric("Unopened", "unopened", "unopened_percent", of="Delivered"),
	Metric("Unique Clicks", "unique_clicks_count", "unique_clicked_percent", of="Delivered"),
	Metric("Click Rate %", percent="unique_clicked_percent", rate_of="Unique Clicks"),
	Metric("Clicks per Open %", percent="clicksperopenrate"),
	Metric("Bounces", "bounces_count", "bounce_percent", of="Emails Sent"),
	Metric("Bounce Rate %", percent="bounce_percent", rate_of="Bounces"),
	Metric("Hard Bounces", "hardbounce_count"),
	Metric("Soft Bounces", "softbounce_count"),
	Metric("Unsubscribes", "unsub_count", "unsubscribe_percent", of="Delivered"),
	Metric("Unsubscribe Rate %", percent="unsubscribe_percent", rate_of="Unsubscribes"),
	Metric("Complaints", "complaints_count", "complaints_percent", of="Delivered"),
	Metric("Complaint Rate %", percent="complaints_percent", rate_of="Complaints"),
	Metric("Spam Reports", "spams_count", "spam_percent", of="Delivered"),
	Metric("Forwards", "forwards_count", "forward_percent", of="Delivered"),
	Metric("Auto Replies", "autoreply_count"),
	Metric("Unsent", "unsent_count", "unsent_percent", of="Emails Sent"),
)
_REACH = {"total": "Reach", "emails": "Reach by Email", "gplus": "Reach on Google+"}


def analytics_rows(reports: Iterable[zoho.Report]) -> list[dict]:
	"""Return the rows of Campaign Analytics for the reports of one campaign.

	An A/B campaign has several reports: its own one covers only the winner's audience, so the reports of the test mails are
	added. Counts are added up, percentages are computed from the sums.

	Args:
		reports: the campaign's own report first.
	"""
	reports = [report for report in reports if report.has_figures]
	if not reports:
		return []
	numbers = dict(reports[0].metrics) if len(reports) == 1 else _added(reports)
	rows = [
		_row(metric.label, numbers.get(metric.count or ""), numbers.get(metric.percent or ""))
		for metric in METRICS
	]
	reach = _summed(report.reach for report in reports)
	rows += [
		_row(_REACH.get(name, f"Reach on {name.title()}"), number, None) for name, number in reach.items()
	]
	return [row for row in rows if row["value"] is not None or row["percentage"] is not None]


def opens_by_country(reports: Iterable[zoho.Report]) -> dict[str, float]:
	"""Return the number of opens (not of people) by country, highest first."""
	summed = _summed(report.locations for report in reports)
	return dict(sorted(summed.items(), key=lambda item: (-item[1], item[0])))


def percentage(part: float | None, whole: float | None) -> float | None:
	"""Return a percentage with one decimal, as Zoho gives it; None if the whole is zero or unknown."""
	return round(100 * part / whole, 1) if part is not None and whole else None


def _row(label: str, value: float | None, percent: float | None) -> dict:
	return {"metric": label, "value": None if value is None else str(value), "percentage": percent}


def _added(reports: list[zoho.Report]) -> dict[str, float | None]:
	counts = _summed({k: v for k, v in r.metrics.items() if not _is_percentage(k)} for r in reports)
	numbers: dict[str, float | None] = dict(counts)
	by_label = {metric.label: metric for metric in METRICS}
	for metric in METRICS:
		if metric.of and metric.percent:
			numbers[metric.percent] = percentage(
				counts.get(metric.count or ""), counts.get(by_label[metric.of].count or "")
			)
	numbers["clicksperopenrate"] = percentage(counts.get("unique_clicks_count"), counts.get("opens_count"))
	return numbers


def _is_percentage(key: str) -> bool:
	return key.endswith("_percent") or key == "clicksperopenrate"


def _summed(mappings: Iterable[Mapping[str, float | None]]) -> dict[str, float]:
	total: dict[str, float] = {}
	for mapping in mappings:
		for key, value in mapping.items():
			if value is not None:
				total[key] = total.get(key, 0) + value
	return total
