"""Digests of inputs, and folders that are built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded import build_cache


def test_a_digest_changes_with_what_was_read_and_not_with_caches(tmp_path: Path) -> None:
	(tmp_path / "a.py").write_text("1")
	first = build_cache.digest(tmp_path, "text")
	(tmp_path / "__pycache__").mkdir()
	(tmp_path / "__pycache__" / "a.pyc").write_text("x")
	assert build_cache.digest(tmp_path, "text") == first
	assert build_cache.digest(tmp_path, "other") != first
	(tmp_path / "a.py").write_text("2")
	assert build_cache.digest(tmp_path, "text") != first


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
	def fail(folder: Path) -> None:
		(folder / "half").touch()
		raise RuntimeError

	with pytest.raises(RuntimeError):
		build_cache.build_folder(tmp_path / "built", fail)
	assert list(tmp_path.iterdir()) == []
	assert build_cache.build_folder(tmp_path / "built", lambda folder: (folder / "whole").touch()).is_dir()
