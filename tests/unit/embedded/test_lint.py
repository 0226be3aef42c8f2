"""`./dev lint`: a check that cannot be done is skipped with a message, but fails in continuous integration."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded import lint
from embedded.paths import ROOT


def cannot() -> bool:
	"""A check."""
	raise lint.Skipped("no such tool")


def test_a_check_that_cannot_be_done_is_skipped_with_a_message(
	monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
	monkeypatch.delenv("CI", raising=False)
	assert lint._run(cannot) == 0
	assert capsys.readouterr().err == "cannot skipped: no such tool\n"


def test_in_continuous_integration_no_check_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("CI", "true")
	assert lint._run(cannot) == 1


def test_without_node_the_scripts_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
	monkeypatch.setenv("PATH", str(tmp_path))
	with pytest.raises(lint.Skipped, match="Node and npm"):
		lint.scripts()


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture) -> None:
	assert lint.main(["--fast"]) == 2
	assert "--fast" in capsys.readouterr().err


def test_a_fault_in_style_fails_and_can_be_repaired(tmp_path: Path) -> None:
	module = tmp_path / "module.py"
	module.write_text("import os\nx = {  'a':1 }\n")
	config = (ROOT / "pyproject.toml").read_text()
	(tmp_path / "pyproject.toml").write_text(config)
	assert lint.main([str(module)]) == 1
	assert lint.main(["--fix", str(module)]) == 0
	assert module.read_text() == 'x = {"a": 1}\n'


def test_types_are_strict_in_zoho_sync_and_consent() -> None:
	tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
	settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
	assert settings["strict"] is True
	assert [Path(folder).name for folder in settings["files"]] == ["zoho", "sync", "consent"]
	strictest = next(
		each for each in settings["overrides"] if each["module"] == ["erpnext_zoho_integration.zoho.*"]
	)
	assert strictest["disallow_any_generics"] and strictest["warn_return_any"]
	assert not any("ignore_errors" in each for each in settings["overrides"])
