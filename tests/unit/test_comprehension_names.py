"""No comprehension's variable has the name of something in its module that the same function uses.

Python 3.12 runs comprehensions inside their function, and its versions up to 3.12.3 then mix up two such names:
"cannot access local variable" (https://github.com/python/cpython/issues/118513). No rule of ruff, pylint or a flake8
plugin reports this.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FOLDERS = ("erpnext_zoho_integration", "zoho_simulator", "embedded", "benchmarks", "tests")


def sources() -> list[Path]:
	return [ROOT / "dev", *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]


def shared_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
	"""Yield the line and the name of each comprehension variable that its function also uses as a module's name."""
	of_module = module_names(tree)
	for function in ast.walk(tree):
		if not isinstance(function, FUNCTIONS):
			continue
		for comprehension in ast.walk(function):
			if isinstance(comprehension, COMPREHENSIONS):
				inside = set(ast.walk(comprehension))
				used = {
					node.id
					for node in ast.walk(function)
					if isinstance(node, ast.Name) and node not in inside
				}
				for name in sorted(variables(comprehension) & of_module & used):
					yield comprehension.lineno, name


def variables(comprehension: ast.AST) -> set[str]:
	"""Return the names that a comprehension's `for` clauses bind."""
	return {
		node.id
		for generator in comprehension.generators
		for node in ast.walk(generator.target)
		if isinstance(node, ast.Name)
	}


def module_names(tree: ast.Module) -> set[str]:
	"""Return the names that a module binds: functions, classes, imports, variables."""
	names, left = set(), list(tree.body)
	while left:
		node = left.pop()
		if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
			names.add(node.name)
		elif isinstance(node, ast.Import | ast.ImportFrom):
			names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
		elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
			names.add(node.id)
		elif not isinstance(node, (*COMPREHENSIONS, ast.Lambda)):
			left += ast.iter_child_nodes(node)
	return names


def test_no_comprehension_shares_a_name_with_its_module() -> None:
	found = [
		f"{path.relative_to(ROOT)}:{line}: {name}"
		for path in sources()
		for line, name in shared_names(ast.parse(path.read_text()))
	]
	assert found == []


@pytest.mark.parametrize(
	"bound",
	[
		"def size(x): ...",
		"from os import size",
		"import size.of",
		"size = 1",
		"if 1:\n\tsize: int = 1",
		"class size: ...",
	],
)
@pytest.mark.parametrize(
	"comprehension",
	["[size for size in rows]", "{a: 1 for a, (*_, size) in rows}", "sum(a for a in rows for size in a)"],
)
def test_a_shared_name_is_found(bound: str, comprehension: str) -> None:
	def found(used: str) -> list:
		return list(
			shared_names(ast.parse(f"{bound}\ndef f(rows):\n\tx = {comprehension}\n\treturn {used}\n"))
		)

	assert [name for _line, name in found("size(x)")] == ["size"]
	assert found("x") == []
