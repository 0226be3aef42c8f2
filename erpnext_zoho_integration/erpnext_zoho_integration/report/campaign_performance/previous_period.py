"""Compares the period of a report with the previous one, which is as long and ends the day before."""

from datetime import timedelta

import frappe
from frappe import _
from frappe.utils import escape_html, fmt_money, format_date, getdate

from erpnext_zoho_integration.sync.mapping.campaign_analytics import percentage

# Figure → whether a higher value is better (1), worse (-1) or neither (0); in the order of the table.
DIRECTIONS = {
	"campaigns": 0,
	"sent": 0,
	"delivery_rate": 1,
	"open_rate": 1,
	"click_rate": 1,
	"bounce_rate": -1,
	"unsubscribes": -1,
	"complaints": -1,
}


def previous_filters(filters: frappe._dict) -> frappe._dict | None:
	"""Return the filters for the previous period; None unless the period has a beginning and an end."""
	if not (filters.compare and filters.from_date and filters.to_date):
		return None
	first, last = getdate(filters.from_date), getdate(filters.to_date)
	end = first - timedelta(days=1)
	return frappe._dict(filters, from_date=str(end - (last - first)), to_date=str(end))


def indicators(total: dict, before: dict | None) -> dict[str, str | None]:
	"""Return the colour of each figure: green if it got better, red if it got worse."""
	if not before or not before["campaigns"]:
		return {}
	colors = {1: "Green", -1: "Red", 0: None}
	return {key: colors[direction * _sign(total[key] - before[key])] for key, direction in DIRECTIONS.items()}


def comparison(total: dict, before: dict, period: frappe._dict, labels: dict[str, str]) -> str:
	"""Return both periods side by side, as HTML.

	Args:
		total: totals of the period.
		before: totals of the previous period.
		period: filters of the previous period.
		labels: translated label of each figure.
	"""
	title = _("Previous period: {0} to {1}").format(
		format_date(period.from_date), format_date(period.to_date)
	)
	if not before["campaigns"]:
		nothing = _("There is nothing to compare with: no campaign was sent then.")
		return f"<p>{escape_html(title)}. {escape_html(nothing)}</p>"
	colors = indicators(total, before)
	head = ["", _("This Period"), _("Previous Period"), _("Difference")]
	rows = [
		[
			labels[key],
			_shown(key, total[key]),
			_shown(key, before[key]),
			_change(key, total[key], before[key]),
		]
		for key in DIRECTIONS
	]
	cells = "".join(
		f"<tr>{_cells(row, 'td', (colors[key] or '').lower())}</tr>"
		for key, row in zip(DIRECTIONS, rows, strict=True)
	)
	return (
		f"<details><summary>{escape_html(title)}</summary>"
		f'<div class="table-responsive"><table class="table table-sm mt-2" style="width: auto">'
		f"<thead><tr>{_cells(head, 'th')}</tr></thead><tbody>{cells}</tbody></table></div></details>"
	)


def _cells(texts: list[str], tag: str, color: str = "") -> str:
	"""Return the cells of a row; the first one is text, the last one is coloured."""
	scope = ' scope="col"' if tag == "th" else ""
	cells = [escape_html(text) for text in texts]
	if color:
		cells[-1] = f'<span class="indicator-pill no-indicator-dot {color}">{cells[-1]}</span>'
	return "".join(
		f'<{tag}{scope} class="{"text-right" if number else ""}">{cell}</{tag}>'
		for number, cell in enumerate(cells)
	)


def _shown(key: str, value: float) -> str:
	return f"{value} %" if key.endswith("_rate") else fmt_money(value, precision=0)


def _change(key: str, now: float, before: float) -> str:
	"""Return the change of a count in per cent, that of a rate in percentage points."""
	if key.endswith("_rate"):
		return _("{0} points").format(f"{now - before:+.1f}")
	share = percentage(now - before, before)
	return "–" if share is None else f"{share:+.1f} %"


def _sign(value: float) -> int:
	return (value > 0) - (value < 0)
