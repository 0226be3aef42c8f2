"""The app as a package: one source of metadata, and what bench and Frappe need to find."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "erpnext_zoho_integration"
MODULE = APP / "erpnext_zoho_integration"

if sys.version_info >= (3, 11):
	import tomllib
else:
	tomllib = pytest.importorskip("tomli")


def pyproject() -> dict:
	return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_requirements_txt_lists_the_dependencies_of_pyproject() -> None:
	lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
	assert sorted(filter(None, lines)) == sorted(pyproject()["project"]["dependencies"])


def test_dependencies_are_unpinned_and_leave_frappe_and_erpnext_to_bench() -> None:
	dependencies = pyproject()["project"]["dependencies"]
	assert {"requests", "python-dateutil"} <= set(dependencies)
	assert not {"frappe", "erpnext"} & set(dependencies)
	for framework in ("frappe", "erpnext"):
		assert pyproject()["tool"]["bench"]["frappe-dependencies"][framework] == ">=15.0.0,<17.0.0"


def test_setup_py_names_the_same_package_and_declares_nothing_else() -> None:
	calls = [
		node
		for node in ast.walk(ast.parse((ROOT / "setup.py").read_text()))
		if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setup"
	]
	assert [[(each.arg, ast.literal_eval(each.value)) for each in call.keywords] for call in calls] == [
		[("name", pyproject()["project"]["name"])]
	]


def test_the_version_is_a_literal_in_the_package() -> None:
	assert "version" in pyproject()["project"]["dynamic"]
	source = (APP / "__init__.py").read_text()
	version = re.search(r'^__version__ = "(\d+\.\d+\.\d+[\w.-]*)"$', source, re.MULTILINE)
	assert version
	assert importlib.import_module("erpnext_zoho_integration").__version__ == version[1]
	# Flit takes the docstring as description and imports nothing for it.
	assert not [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]


def test_the_module_of_the_app_exists() -> None:
	modules = (APP / "modules.txt").read_text().split("\n")
	assert [module for module in modules if module] == ["ERPNext Zoho Integration"]
	assert modules[0].lower().replace(" ", "_") == MODULE.name and (MODULE / "__init__.py").is_file()


def test_every_patch_can_be_imported() -> None:
	lines = [line.split("#")[0].strip() for line in (APP / "patches.txt").read_text().splitlines()]
	assert {"[pre_model_sync]", "[post_model_sync]"} <= set(lines)
	for line in lines:
		if line and not line.startswith("["):
			assert (ROOT / f"{line.replace('.', '/')}.py").is_file(), line


def test_every_folder_with_python_is_a_package() -> None:
	folders = {path.parent for path in APP.rglob("*.py")}
	for folder in folders:
		while folder != ROOT:
			assert (folder / "__init__.py").is_file(), folder
			folder = folder.parent


def test_the_licence_and_the_readme_are_where_pyproject_says() -> None:
	project = pyproject()["project"]
	assert "MIT License" in (ROOT / project["license"]["file"]).read_text()
	assert (ROOT / project["readme"]).stat().st_size > 1000
	assert project["requires-python"] == ">=3.10"


def test_the_zoho_client_knows_nothing_of_frappe() -> None:
	for path in (APP / "zoho").rglob("*.py"):
		for name in imported(path):
			assert name.split(".")[0] not in ("frappe", "erpnext"), path
			if name.startswith("erpnext_zoho_integration."):
				assert name.split(".")[1] == "zoho", f"{path} imports {name}"


def test_the_simulator_needs_the_standard_library_only_and_is_not_installed() -> None:
	for path in (ROOT / "zoho_simulator").rglob("*.py"):
		tops = {name.split(".")[0] for name in imported(path)} - {"zoho_simulator"}
		assert tops <= sys.stdlib_module_names, path
	assert pyproject()["tool"]["flit"]["module"]["name"] == "erpnext_zoho_integration"


@pytest.mark.parametrize("room", ["sync", "connection"])
def test_nothing_points_back_to_api_and_desk(room: str) -> None:
	outer = "erpnext_zoho_integration.erpnext_zoho_integration"
	for path in (APP / room).rglob("*.py"):
		assert not [name for name in imported(path) if name.startswith(outer)], path


def imported(path: Path) -> set[str]:
	"""Return the full names of what a file imports, at whatever depth."""
	names = set()
	for node in ast.walk(ast.parse(path.read_text())):
		if isinstance(node, ast.Import):
			names.update(alias.name for alias in node.names)
		elif isinstance(node, ast.ImportFrom) and not node.level:
			names.add(node.module)
			names.update(f"{node.module}.{alias.name}" for alias in node.names)
	return names


@pytest.mark.parametrize(
	"hooked", ["doc_events", "scheduler_events", "after_install", "before_uninstall", "after_uninstall"]
)
def test_every_function_that_hooks_name_exists(hooked: str) -> None:
	hooks = importlib.import_module("erpnext_zoho_integration.hooks")
	paths = list(dotted(getattr(hooks, hooked)))
	assert paths
	for path in paths:
		module, _, function = path.rpartition(".")
		source = ROOT / f"{module.replace('.', '/')}.py"
		defined = {
			node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)
		}
		assert function in defined, path


def dotted(value: object):
	"""Yield the dotted paths in a hook, however nested."""
	if isinstance(value, str):
		yield value
	elif isinstance(value, dict):
		for each in value.values():
			yield from dotted(each)
	else:
		for each in value:
			yield from dotted(each)


def test_the_files_that_hooks_include_in_forms_and_lists_exist() -> None:
	hooks = importlib.import_module("erpnext_zoho_integration.hooks")
	for files in (hooks.doctype_js, hooks.doctype_list_js):
		for path in dotted(files):
			assert (APP / path).is_file(), path
