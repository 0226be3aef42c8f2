"""The text replacements in the copy of the framework."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.framework import source_edits


def test_an_edit_whose_text_is_missing_fails(tmp_path: Path) -> None:
	for edit in source_edits.EDITS:
		path = tmp_path / edit.file
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text("")
	with pytest.raises(ValueError, match="found 0 times instead of 1"):
		source_edits.apply(tmp_path)
	assert all(edit.reason and edit.old != edit.new for edit in source_edits.EDITS)
