"""The tables that the demo prints."""

from __future__ import annotations

from embedded.terminal_output import plain, table


def test_tables_align_wide_and_hostile_text() -> None:
	text = table(
		["Name", "Sent"], [["\x1b[31mred\u202e", "1"], ["新聞", "1,234"], ["x" * 60, "5"]], [False, True]
	)
	lines = text.splitlines()
	assert lines[2] == f"{plain('[31mred'):34}  {'1':>5}"
	assert lines[3] == f"新聞{' ' * 30}  1,234"
	assert lines[4].startswith("x" * 33 + "…")
	assert "\x1b" not in text and "\u202e" not in text
