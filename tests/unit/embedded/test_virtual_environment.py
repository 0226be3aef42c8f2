"""The virtual environment of `./dev`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from embedded import virtual_environment


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
	usage = shutil.disk_usage(tmp_path)
	monkeypatch.setattr(virtual_environment.shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
	with pytest.raises(virtual_environment.Missing, match="1 MB are free"):
		virtual_environment._check_disk()
