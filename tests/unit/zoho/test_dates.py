"""Written dates in every form, and milliseconds."""

import locale
from datetime import datetime

import pytest

from erpnext_zoho_integration.zoho.dates import epoch_ms, parse_text


@pytest.mark.parametrize(
	"written, moment",
	[
		("02 Jul 2026, 12:24 PM", datetime(2026, 7, 2, 12, 24)),
		("2 Jul 2026, 12:24 AM", datetime(2026, 7, 2, 0, 24)),
		("02 Jul 2026, 1:05 pm", datetime(2026, 7, 2, 13, 5)),
		("02 Jul 2026 11:59 PM", datetime(2026, 7, 2, 23, 59)),
		("02 July 2026, 12:24:30 PM", datetime(2026, 7, 2, 12, 24, 30)),
		("02 Jul 2026, 13:24", datetime(2026, 7, 2, 13, 24)),
		("Feb 12, 2026 12:08 PM", datetime(2026, 2, 12, 12, 8)),
		("Feb 12, 2026 12:08:59 AM", datetime(2026, 2, 12, 0, 8, 59)),
		("Feb 2, 2026, 9:08 PM", datetime(2026, 2, 2, 21, 8)),
		("Feb 12, 2026 12:08\u202fPM", datetime(2026, 2, 12, 12, 8)),
		("  02  Jul 2026,\u00a012:24 PM ", datetime(2026, 7, 2, 12, 24)),
		("Sept 2, 2026 9:08 AM", datetime(2026, 9, 2, 9, 8)),
		("29 Feb 2028, 12:00 PM", datetime(2028, 2, 29, 12, 0)),
		("2026-07-02T12:24:00", datetime(2026, 7, 2, 12, 24)),
		("02 Juli 2026, 12:24 PM", None),
		("02 déc. 2026, 12:24 PM", None),
		("02 7月 2026, 12:24 PM", None),
		("29 Feb 2026, 12:00 PM", None),
		("31 Jun 2026, 12:00 PM", None),
		("02 Jul 2026, 13:24 PM", None),
		("02 Jul 2026, 0:24 AM", None),
		("02 Jul 2026, 25:24", None),
		("02 Jul 2026, 12:61 PM", None),
		("02 Jul 2026", None),
		("01/09/2022", None),
		("01/09/2022 10:00 AM", None),
		("yesterday", None),
		("12", None),
		("2026-13-02T12:24:00", None),
		("2026-07-02 nonsense", None),
		("", None),
	],
)
def test_written_dates(written, moment):
	assert parse_text(written) == moment


def test_month_names_are_english_in_every_locale():
	before = locale.setlocale(locale.LC_TIME)
	try:
		for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
			try:
				locale.setlocale(locale.LC_TIME, name)
			except locale.Error:
				continue
			parse_text.cache_clear()
			assert parse_text("02 Dec 2026, 12:24 PM") == datetime(2026, 12, 2, 12, 24)
	finally:
		locale.setlocale(locale.LC_TIME, before)


@pytest.mark.parametrize(
	"raw, milliseconds",
	[
		("1783009449000", 1783009449000),
		(1783009449000, 1783009449000),
		(" 1783009449000 ", 1783009449000),
		("1783009449", None),  # seconds
		("0", None),
		("-1783009449000", None),
		("17830094490000", None),
		("1783009449000.0", None),
		(1783009449000.0, None),
		("null", None),
		("", None),
		(None, None),
		(True, None),
	],
)
def test_milliseconds(raw, milliseconds):
	assert epoch_ms(raw) == milliseconds
