"""The package needs no Frappe, has no import circle, and exports every public name."""

import ast
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import erpnext_zoho_integration.zoho as zoho

PACKAGE = Path(zoho.__file__).parent
ALLOWED = {"dateutil", "requests", "tenacity", "urllib3"} | sys.stdlib_module_names


@pytest.mark.parametrize("module", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_imports_only_its_neighbours_and_declared_libraries(module):
	imported = set()
	for node in ast.walk(ast.parse(module.read_text())):
		if isinstance(node, ast.Import):
			imported |= {alias.name.split(".")[0] for alias in node.names}
		elif isinstance(node, ast.ImportFrom) and node.level == 0:
			imported.add(node.module.split(".")[0])
		elif isinstance(node, ast.ImportFrom):
			assert node.level == 1
	assert imported <= ALLOWED


def test_no_import_circle():
	imports = {
		path.stem: {
			node.module
			for node in ast.walk(ast.parse(path.read_text()))
			if isinstance(node, ast.ImportFrom) and node.level
		}
		for path in PACKAGE.glob("*.py")
		if path.stem != "__init__"
	}
	tuple(TopologicalSorter(imports).static_order())  # raises CycleError


def test_only_the_transport_makes_requests():
	users = {path.stem for path in PACKAGE.glob("*.py") if "import requests" in path.read_text()}
	assert users == {"transport"}


def test_it_works_under_another_name_and_without_this_app(tmp_path):
	shutil.copytree(PACKAGE, tmp_path / "campaigns", ignore=shutil.ignore_patterns("__pycache__"))
	program = (
		"import sys; sys.modules['frappe'] = None; sys.modules['erpnext_zoho_integration'] = None\n"
		"import campaigns; print(campaigns.by_location('in').campaigns_url)"
	)
	result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
	assert (result.stdout.strip(), result.returncode) == ("https://campaigns.zoho.in", 0), result.stderr


def test_every_public_name_is_there():
	assert sorted(set(zoho.__all__)) == sorted(zoho.__all__)
	for name in zoho.__all__:
		assert getattr(zoho, name) is not None
