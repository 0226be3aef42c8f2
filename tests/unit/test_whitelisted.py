"""Every function that can be called from outside: typed, and asking for a permission before anything else.

Read from the source, so that it holds without a site and for functions that no table lists yet.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parents[2] / "erpnext_zoho_integration"
# What counts as asking; see access.py. A guest of `authorize` and `callback` is sent away before it.
CHECKS = {
	"require",
	"require_campaign",
	"require_campaign_key",
	"frappe.has_permission",
	"frappe.only_for",
	"_may_see",
}


def whitelisted() -> Iterator[tuple[str, ast.FunctionDef, ast.Module]]:
	for path in sorted(APP.rglob("*.py")):
		tree = ast.parse(path.read_text())
		for node in ast.walk(tree):
			if isinstance(node, ast.FunctionDef) and any(
				ast.unparse(each).startswith("frappe.whitelist") for each in node.decorator_list
			):
				yield f"{path.relative_to(APP)}:{node.name}", node, tree


FUNCTIONS = {where: (node, tree) for where, node, tree in whitelisted()}


def calls(node: ast.AST) -> set[str]:
	return {ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}


def checks(node: ast.AST, tree: ast.Module) -> bool:
	"""Tell whether a function checks, itself or in a function of its module that it calls."""
	called = calls(node)
	own = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
	return bool(called & CHECKS) or any(calls(own[name]) & CHECKS for name in called & own.keys())


def test_there_are_functions_to_look_at() -> None:
	assert len(FUNCTIONS) > 20


@pytest.mark.parametrize("where", FUNCTIONS)
def test_every_whitelisted_function_is_typed_and_checks_a_permission(where: str) -> None:
	node, tree = FUNCTIONS[where]
	arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
	assert all(argument.annotation for argument in arguments), "an argument without a type"
	assert node.returns is not None, "no type of the answer"
	assert not node.args.kwarg and not node.args.vararg, "arguments that nobody named"
	assert checks(node, tree), f"none of {sorted(CHECKS)} is called"


@pytest.mark.parametrize("where", FUNCTIONS)
def test_every_whitelisted_function_says_who_and_what(where: str) -> None:
	node, _tree = FUNCTIONS[where]
	assert ast.get_docstring(node), "no docstring"
	methods = [ast.unparse(each) for each in node.decorator_list if "whitelist" in ast.unparse(each)]
	assert len(methods) == 1


@pytest.mark.parametrize("where", FUNCTIONS)
def test_no_module_with_whitelisted_functions_postpones_annotations(where: str) -> None:
	_node, tree = FUNCTIONS[where]
	futures = [each for each in tree.body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
	assert not futures, "Frappe would check no argument"
