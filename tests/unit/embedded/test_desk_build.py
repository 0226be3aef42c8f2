"""The Desk of the embedded site: the messages if it cannot be built, and the files that are served if it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedded import desk_build


@pytest.fixture
def path_with(tmp_path: Path, monkeypatch) -> callable:
	"""`path_with(node="v16.1.0")` makes a PATH with just these commands, each printing its text."""

	def make(**commands: str) -> None:
		folder = tmp_path / "bin"
		folder.mkdir()
		for name, text in commands.items():
			(folder / name).write_text(f"#!/bin/sh\necho '{text}'\n")
			(folder / name).chmod(0o755)
		monkeypatch.setenv("PATH", str(folder))

	return make


@pytest.mark.parametrize("commands", [{}, {"node": "v22.1.0"}, {"npm": "10.0.0"}])
def test_without_node_or_npm_it_is_said_how_to_get_them(path_with, commands: dict) -> None:
	path_with(**commands)
	with pytest.raises(desk_build.NoDesk, match=r"not installed .*apt install nodejs npm"):
		desk_build.check_node()


@pytest.mark.parametrize("version", ["v16.20.2", "v9.0.0", "nonsense", ""])
def test_a_node_that_is_too_old_or_broken_is_named(path_with, version: str) -> None:
	path_with(node=version, npm="10.0.0")
	with pytest.raises(desk_build.NoDesk, match=f"Node is {version or 'broken'}; 18 or later is needed"):
		desk_build.check_node()


@pytest.mark.parametrize("version", ["v18.0.0", "v22.11.0"])
def test_a_recent_node_is_good(path_with, version: str) -> None:
	path_with(node=version, npm="10.0.0")
	desk_build.check_node()


def test_a_failing_build_says_what_failed_and_its_errors(tmp_path: Path) -> None:
	script = "echo nothing to see; echo 'npm error 404 no such package' >&2; exit 1"
	with pytest.raises(desk_build.NoDesk) as caught:
		desk_build.run(["sh", "-c", script], tmp_path, "npm could not install")
	assert str(caught.value) == "npm could not install:\n  npm error 404 no such package"


def test_a_build_that_never_ends_is_given_up(tmp_path: Path, monkeypatch) -> None:
	monkeypatch.setattr(desk_build, "TIME_LIMIT", 0.1)
	with pytest.raises(desk_build.NoDesk, match="took longer than"):
		desk_build.run(["sleep", "60"], tmp_path, "It failed")


def test_a_site_serves_the_built_desk_and_the_sources_of_the_app(tmp_path: Path) -> None:
	built, assets = tmp_path / "built", tmp_path / "assets"
	(built / "frappe" / "dist").mkdir(parents=True)
	(built / "frappe" / "dist" / "desk.js").write_text("1")
	(built / "assets.json").write_text(json.dumps({"desk.bundle.js": "/assets/frappe/dist/desk.js"}))
	(built / "assets-rtl.json").write_text("{}")
	assets.mkdir()
	(assets / "assets.json").write_text("{}")
	assert not desk_build.is_mounted(assets)
	for _again in range(2):
		desk_build.mount(built, assets)
	assert desk_build.is_mounted(assets)
	assert (assets / "frappe" / "dist" / "desk.js").read_text() == "1"
	assert (assets / "erpnext_zoho_integration" / "js" / "zoho.js").is_file()


def test_every_package_is_pinned_by_version_and_by_hash() -> None:
	wanted = json.loads((desk_build.FRONTEND / "package.json").read_text())["dependencies"]
	locked = json.loads((desk_build.FRONTEND / "package-lock.json").read_text())["packages"]
	for name, version in wanted.items():
		assert locked[f"node_modules/{name}"]["version"] == version
	assert all(entry.get("integrity") for folder, entry in locked.items() if folder)
	assert not any("resolved" in entry for entry in locked.values()), "no address of a registry"
