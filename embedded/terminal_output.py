"""The progress bar and the tables that the demo prints, for any terminal and for logs."""

from __future__ import annotations

import shutil
import sys
import unicodedata

WIDTH_OF_BAR = 30
WIDEST_CELL = 34


class Progress:
	"""A bar that is redrawn in a terminal; in a log, a new line for each change."""

	def __init__(self) -> None:
		self._live = sys.stdout.isatty()
		self._last = ""

	def show(self, share: float, text: str) -> None:
		"""Show progress: `share` from 0 to 1, and a text."""
		filled = int(share * WIDTH_OF_BAR)
		line = f"  [{'#' * filled}{'.' * (WIDTH_OF_BAR - filled)}] {share:4.0%}  {text}"
		if line == self._last:
			return
		self._last = line
		if self._live:
			room = shutil.get_terminal_size().columns - 1
			print(f"\r\033[K{line[:room]}", end="", flush=True)
		else:
			print(line, flush=True)

	def end(self) -> None:
		"""Leave the last state on the screen."""
		if self._live:
			print(flush=True)


def table(headings: list[str], rows: list[list[str]], right: list[bool]) -> str:
	"""Return rows under headings as text; `right` says which columns are aligned to the right."""
	shown = [[shorten(plain(text)) for text in row] for row in (headings, *rows)]
	widths = [max(map(width, column)) for column in zip(*shown, strict=True)]
	lines = [
		"  ".join(
			pad(text, size, number) for text, size, number in zip(row, widths, right, strict=True)
		).rstrip()
		for row in shown
	]
	return "\n".join([lines[0], "  ".join("-" * size for size in widths), *lines[1:]])


def plain(text: str) -> str:
	"""Remove control characters and direction marks, which would move the cursor or reverse the line."""
	return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cf"))


def width(text: str) -> int:
	"""Return how many columns of a terminal a text takes."""
	return sum(
		0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
		for letter in text
	)


def shorten(text: str) -> str:
	"""Shorten a text that is too wide for a cell."""
	if width(text) <= WIDEST_CELL:
		return text
	while width(text) > WIDEST_CELL - 1:
		text = text[:-1]
	return text + "…"


def pad(text: str, size: int, to_the_right: bool) -> str:
	"""Fill a text with spaces to a width."""
	blank = " " * (size - width(text))
	return blank + text if to_the_right else text + blank
